//! What a verdict on one variant covers.

use std::collections::BTreeMap;

use super::{CaseReport, count, grouped, spaced};
use crate::scenario::Expect;
use crate::search::{Exhausted, Uncaught, Verdict};

/// Result of one variant, over one or several searches.
#[derive(Debug, Clone)]
pub struct VariantReport {
    /// Its name.
    pub name: String,
    /// What was expected.
    pub expect: Expect,
    /// What came out.
    pub verdict: Verdict,
    /// Names of the violated invariants.
    pub violated: Vec<String>,
    /// For each of them the first run that violated it, in the search of the lowest seed that did.
    pub firsts: BTreeMap<String, u64>,
    /// Whether that is as expected.
    pub as_expected: bool,
    /// Searches, one for each seed.
    pub searches: u64,
    /// Those that came out as expected.
    pub expected: u64,
    /// Runs of all searches.
    pub runs: u64,
    /// Traces that differ, summed over the searches.
    pub distinct: u64,
    /// Single deviations from the quiet run that were tried.
    pub singles_tried: u64,
    /// Single deviations that there are.
    pub singles: u64,
    /// How far it came, if it was exhaustive.
    pub exhausted: Option<Exhausted>,
    /// Every search ended because nothing new came.
    pub saturated: bool,
    /// Some search was cut short.
    pub cut: bool,
    /// Runs up to the first violation, in the search of the lowest seed.
    pub runs_to_find: Option<u64>,
    /// The shrunk cases, the one to look at first in front.
    pub cases: Vec<CaseReport>,
    /// Goals, and whether any run reached them.
    pub goals: BTreeMap<String, bool>,
    /// What the world outside still waited for at the end, and in how many runs.
    pub waiting: BTreeMap<String, u64>,
    /// Errors that ended flows because nobody caught them.
    pub uncaught: Uncaught,
    /// Runs in which each fault struck that was on, by name in the order of reports.
    pub faults: Vec<(&'static str, u64)>,
    /// Engine, durability, gates and faults, each in words.
    pub covers: Vec<String>,
}

impl VariantReport {
    /// What a verdict covers, in full.
    pub(super) fn coverage(&self) -> String {
        let reached = self.goals.values().filter(|reached| **reached).count();
        let goals = count(self.goals.len() as u64, "goal");
        let covers = self.covers.join("; ");
        let traces = traces(self.runs, self.distinct, self.saturated);
        format!("{covers}; {reached} of {goals} reached; {traces}")
    }

    /// The line under a verdict: what it covers besides what is common to all variants.
    pub(super) fn own_coverage(&self, common: &[String]) -> String {
        let mut parts = match &self.exhausted {
            Some(exhausted) => vec![count(self.runs, "run"), exhaustion(exhausted)],
            None => vec![traces(self.runs, self.distinct, self.saturated)],
        };
        let own = self.covers.iter().filter(|part| !common.contains(part));
        parts.extend(own.cloned());
        let clean = self.violated.is_empty();
        if clean && self.singles > 0 {
            parts.insert(1, singles(self.singles_tried, self.singles));
        }
        // A vacuous verdict names them in a line of its own.
        if self.verdict != Verdict::Vacuous && self.missed().next().is_some() {
            let missed: Vec<&str> = self.missed().collect();
            parts.push(format!("goals missed: {}", missed.join(", ")));
        }
        let never = self.faults.iter().filter(|(_, runs)| *runs == 0);
        let never: Vec<String> = never.map(|(name, _)| spaced(name)).collect();
        if clean && !never.is_empty() {
            parts.push(format!("never struck: {}", never.join(", ")));
        }
        parts.join("; ")
    }

    /// Goals that no run reached.
    pub(super) fn missed(&self) -> impl Iterator<Item = &str> {
        let missed = self.goals.iter().filter(|(_, reached)| !**reached);
        missed.map(|(name, _)| name.as_str())
    }
}

/// How many of the single deviations from the quiet run were tried.
fn singles(tried: u64, of: u64) -> String {
    match tried == of {
        true => format!("each of {} single deviations", grouped(of)),
        false if tried == 0 => format!("not each of {} single deviations", grouped(of)),
        false => format!("{} of {} single deviations", grouped(tried), grouped(of)),
    }
}

/// How far an exhaustive search came.
fn exhaustion(exhausted: &Exhausted) -> String {
    let states = format!("{} states", grouped(exhausted.states));
    let left = match exhausted.frontier {
        0 => String::new(),
        frontier => format!(", {} runs with more left", grouped(frontier)),
    };
    match exhausted.deviations {
        _ if exhausted.complete => format!("exhausted: {states}"),
        None => format!("nothing exhausted{left}"),
        Some(deviations) => {
            format!(
                "every run with at most {}, {states}{left}",
                count(deviations, "deviation")
            )
        }
    }
}

/// How much was searched.
pub(super) fn traces(runs: u64, distinct: u64, saturated: bool) -> String {
    let saturated = if saturated { ", saturated" } else { "" };
    format!(
        "{}, {} distinct{saturated}",
        count(runs, "run"),
        grouped(distinct)
    )
}
