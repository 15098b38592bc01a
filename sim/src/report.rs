//! Reports: the only formatter. Everything here turns results into text or JSON; nothing here prints or runs.

mod ablate;
mod compare;
mod explain;
mod human;
mod hunts;
mod json;
mod kept;
mod progress;
mod suggest;
mod sweep;
mod table;
mod variant;
mod verify;
mod victims;

use std::collections::BTreeMap;

use serde_json::Value as Json;

pub use ablate::{Ablation, Clean, Fate, Smallest};
pub use compare::compare_text;
pub use explain::{ExplainReport, explain_json, explain_text};
pub use human::{absent, human, two_traces};
pub use hunts::{Effort, HuntReport, Hunted, hunts_json, hunts_text};
pub use json::{compare_json, replay_json, run_json, trace_header};
pub use kept::KeptReport;
pub use progress::Progress;
pub use suggest::{SuggestReport, suggest_json, suggest_text};
pub use table::{Style, replay_text, run_text};
pub use variant::VariantReport;
pub use verify::verify_text;
pub use victims::{Query, VictimsReport, victims_sql};

use self::variant::traces;
use crate::decide::Counts;
use crate::fault::Fault;
use crate::scenario::{Expect, Target, Variant};
use crate::search::{Adequacy, Searched};

/// Version of the JSON that `--json` prints.
pub const SCHEMA_VERSION: u32 = 1;

/// Result of a whole `run`.
#[derive(Debug, Clone, Default)]
pub struct RunReport {
    /// Cases that were kept, and what has become of them.
    pub kept: Vec<KeptReport>,
    /// Scenarios in the order in which they were named.
    pub scenarios: Vec<ScenarioReport>,
    /// The sweep of the reference store, if there was one.
    pub sweep: Option<SweepReport>,
    /// Digest of every run.
    pub digest: u128,
    /// Everything came out as expected.
    pub as_expected: bool,
    /// Bugs in lockstep and cases with two traces, in words.
    pub troubles: Vec<String>,
    /// It was interrupted.
    pub interrupted: bool,
    /// Wall-clock seconds of the whole command.
    pub seconds: f64,
    /// The command that does all of it again.
    pub again: String,
}

/// Result of one scenario file.
#[derive(Debug, Clone)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its variants in file order.
    pub variants: Vec<VariantReport>,
}

/// Result of a `compare`: one scenario, every variant searched to the end of its budget.
#[derive(Debug, Clone)]
pub struct CompareReport {
    /// The scenario's invariants, in file order.
    pub invariants: Vec<String>,
    /// The seed of the searches.
    pub seed: u64,
    /// What the searches gave: one scenario.
    pub run: RunReport,
    /// Fixes that were taken apart.
    pub ablations: Vec<Ablation>,
}

impl CompareReport {
    /// The invariants, and after them what was violated without being listed, such as `run_ends`.
    fn columns(&self, scenario: &ScenarioReport) -> Vec<String> {
        let mut names = self.invariants.clone();
        for name in scenario.variants.iter().flat_map(|v| &v.violated) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// A failing case that was written.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// Name of the violated invariant.
    pub invariant: String,
    /// Key of the offending row.
    pub key: String,
    /// Seed of the search that found it.
    pub seed: u64,
    /// Events after shrinking.
    pub events: usize,
    /// Deviations after shrinking.
    pub deviations: usize,
    /// Where it was written; none if it could not be.
    pub path: Option<String>,
    /// The command that replays it, or the run that it was made from.
    pub replay: String,
}

/// Result of the sweep.
#[derive(Debug, Clone, Default)]
pub struct SweepReport {
    /// The seeds, half-open.
    pub seeds: (u64, u64),
    /// Runs.
    pub runs: u64,
    /// SQL statements.
    pub statements: u64,
    /// Runs that violated something.
    pub violations: u64,
    /// Seeds of the runs that violated nothing, as far as could be decided.
    pub undecided: Vec<u64>,
    /// Runs in which each fault struck, by name in the order of reports.
    pub faults: Vec<(&'static str, u64)>,
    /// Runs that reached each goal.
    pub goals: BTreeMap<String, u64>,
    /// What the runs were made of.
    pub adequacy: Adequacy,
    /// The sweep was long enough to be asked for all goals, and some were never reached.
    pub vacuous: bool,
    /// It was cut short.
    pub cut: bool,
    /// One shrunk case for each violated invariant.
    pub cases: Vec<CaseReport>,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// Result of a replay.
#[derive(Debug, Clone)]
pub struct ReplayReport {
    /// What was replayed.
    pub title: String,
    /// The word for the outcome.
    pub verdict: ReplayVerdict,
    /// Names of the violated invariants.
    pub violated: Vec<String>,
    /// Each violation in words.
    pub violations: Vec<String>,
    /// Trace hash.
    pub digest: u128,
    /// Events of the trace.
    pub events: usize,
    /// What became of the deviations.
    pub counts: Counts,
    /// What was stuck at the end.
    pub stuck: Vec<String>,
    /// The trace for people.
    pub human: String,
    /// The command that does this again.
    pub replay: String,
}

/// Outcome of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayVerdict {
    /// An invariant was violated.
    Violated,
    /// The case had shown a violation; every decision was carried out, and it is gone.
    Fixed,
    /// Nothing was claimed, nothing is violated.
    Holds,
    /// Nothing is violated, and some decisions could not be carried out.
    Drifted,
}

impl ReplayVerdict {
    /// The word in reports and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Fixed => "fixed",
            Self::Holds => "holds",
            Self::Drifted => "drifted",
        }
    }
}

impl ScenarioReport {
    /// What the verdicts of all variants cover.
    fn common(&self) -> Vec<String> {
        let Some((first, others)) = self.variants.split_first() else {
            return Vec::new();
        };
        let everywhere = |part: &&String| others.iter().all(|other| other.covers.contains(part));
        first.covers.iter().filter(everywhere).cloned().collect()
    }
}

/// What a scenario's verdict covers, as far as the scenario decides it: engine, durability, gates and faults.
pub fn covers(target: Target, faults: &[Fault]) -> Vec<String> {
    let names: Vec<String> = faults.iter().map(|fault| spaced(fault.name())).collect();
    let faults = match names.is_empty() {
        true => "no faults".to_owned(),
        false => format!("faults: {}", names.join(", ")),
    };
    let mut covers = vec![
        "SQLite, serialized writers, synchronous=FULL".to_owned(),
        "gates at steps and inside SQLite".to_owned(),
        faults,
    ];
    if target == Target::Postgres {
        covers.push("races of PostgreSQL do not show, clean means undecided".to_owned());
    }
    covers
}

/// `1 event`, `2 events`, `2,000 runs`.
pub fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// A number with its thousands apart.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A part of a whole in percent, cut off, not rounded: 100 % is all of it, and what is more than nothing never reads as 0.
pub fn share(part: u64, whole: u64) -> String {
    if part >= whole {
        return "100 %".to_owned();
    }
    let hundredths = u128::from(part) * 10_000 / u128::from(whole);
    match hundredths {
        0 if part == 0 => "0 %".to_owned(),
        0 => "<0.01 %".to_owned(),
        1..100 => format!("0.{hundredths:02} %"),
        100..1000 => format!("{}.{} %", hundredths / 100, hundredths / 10 % 10),
        _ => format!("{} %", hundredths / 100),
    }
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// An expectation as scenarios write it.
fn expect_json(expect: &Expect) -> Json {
    match expect {
        Expect::Holds => serde_json::json!({ "holds": true }),
        Expect::Undecided => serde_json::json!({ "undecided": true }),
        Expect::Violates(names) => serde_json::json!({ "violates": names }),
    }
}

/// An expectation in words.
fn expect_words(expect: &Expect) -> String {
    match expect {
        Expect::Holds => "holds".to_owned(),
        Expect::Undecided => "undecided".to_owned(),
        Expect::Violates(names) => format!("violates {}", names.join(", ")),
    }
}

/// What a search of a variant found instead of what was expected, in words; none if it came out as expected.
pub fn surprise(variant: &Variant, found: &Searched) -> Option<String> {
    if found.is_expected(variant) {
        return None;
    }
    let violated: Vec<&str> = found.firsts.keys().map(String::as_str).collect();
    Some(format!(
        "{} expected, {} [{}] after {}; goals never reached: [{}]",
        expect_words(&variant.expect),
        found.verdict(&variant.program).name(),
        violated.join(", "),
        count(found.runs, "run"),
        found.missed(&variant.program).join(", ")
    ))
}

/// Text of a stranger's file goes to a terminal: control characters are replaced.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{count, grouped, share};

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(count(1, "run"), "1 run");
        assert_eq!(count(2000, "run"), "2,000 runs");
    }

    #[test]
    fn shares_never_say_more_than_there_is() {
        for (part, whole, expected) in [
            (0, 0, "100 %"),
            (0, 5, "0 %"),
            (1, 100_000, "<0.01 %"),
            (57, 10_000, "0.57 %"),
            (319, 10_000, "3.1 %"),
            (9_999, 10_000, "99 %"),
            (7, 7, "100 %"),
        ] {
            assert_eq!(share(part, whole), expected);
        }
    }
}
