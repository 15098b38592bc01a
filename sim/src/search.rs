//! The search: many runs of one variant, from the quiet one on, until what is expected was seen or the budget is spent.
//!
//! Run `i` of seed `s` depends on nothing but the two and the runs before it, so a search gives the same result in any process.
//! Nothing here reads a clock or prints: a time limit comes as a question that is asked between runs.

mod adequacy;
mod diamond;
mod digest;
mod exhaust;
mod hunt;
mod independence;
mod kept;
mod meeting;
mod portfolio;
mod reduce;
mod smallest;
mod sweep;
mod uncaught;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use adequacy::{Adequacy, JUDGED_FROM, Orders};
pub use digest::{Digest, hex};
pub use exhaust::{Bounds, Exhausted, exhaust, thorough};
pub use hunt::{PROBLEMS, hunt};
pub use kept::{Broken, Kept, retry};
pub use portfolio::{Portfolio, of_seed};
pub use reduce::{Reduced, reduce};
pub use smallest::{Size, Smallest, size, smallest};
pub use sweep::{Swept, quiet, sweep};
pub use uncaught::{Error as UncaughtError, Uncaught};

use crate::case::Decisions;
use crate::run::{Ran, Stage, Violation};
use crate::scenario::{Expect, Program, Target, Variant};
use crate::shrink;

/// Runs in a row without a new trace after which a search has seen what it can see.
pub const SATURATED: u64 = 1000;

/// What a search is told.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Its seed.
    pub seed: u64,
    /// Most runs that it may spend.
    pub runs: u64,
    /// What ends it early; without it, only that nothing new comes.
    pub expect: Option<&'a Expect>,
}

/// What a search saw. Plain data: it crosses from one process to another.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Searched {
    /// Runs.
    pub runs: u64,
    /// Traces that differ.
    pub distinct: u64,
    /// Single deviations from the quiet run that were tried.
    pub singles_tried: u64,
    /// Single deviations that there are.
    pub singles: u64,
    /// How far it came, if it was exhaustive.
    pub exhausted: Option<Exhausted>,
    /// It ended because [`SATURATED`] runs brought nothing new.
    pub saturated: bool,
    /// It was told to stop.
    pub cut: bool,
    /// Goals reached by any run.
    pub goals: BTreeSet<String>,
    /// Some invariant read a row in some run.
    pub judged_rows: bool,
    /// SQL statements executed.
    pub statements: u64,
    /// Runs in which each fault struck, by name.
    pub faults: BTreeMap<String, u64>,
    /// Errors that ended flows because nobody caught them.
    pub uncaught: Uncaught,
    /// What the world outside still waited for at the end, and in how many runs.
    pub waiting: BTreeMap<String, u64>,
    /// The first violation of each invariant.
    pub firsts: BTreeMap<String, First>,
    /// Trace hashes, by run.
    pub hashes: Vec<u128>,
    /// A bug in lockstep, in words.
    pub internal: Option<String>,
    /// A rule of the scenario that does not come to an end, in words: the search ended there.
    pub endless: Option<String>,
}

/// The first run that violated an invariant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct First {
    /// Seed of the search.
    pub seed: u64,
    /// Run of the search.
    pub run: u64,
    /// Name of the invariant.
    pub invariant: String,
    /// Key of the offending row.
    pub key: String,
    /// Events of the run.
    pub events: usize,
    /// Every decision of the run.
    #[serde(with = "as_text")]
    pub decisions: Decisions,
    /// The run's trace hash: a replay must give the same.
    pub hash: u128,
}

impl First {
    fn new(seed: u64, run: u64, violation: &Violation, ran: &Ran) -> Self {
        Self {
            seed,
            run,
            invariant: violation.invariant.clone(),
            key: violation.key.clone(),
            events: shrink::events(&ran.trace),
            decisions: ran.decisions.clone(),
            hash: ran.hash,
        }
    }
}

/// Searches. `stop` is asked between runs.
///
/// # Errors
/// In words, when the stage cannot run.
pub fn search(
    stage: &mut Stage,
    plan: &Plan<'_>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Searched, String> {
    stage.forget_goals();
    let mut seen = BTreeSet::new();
    let mut since_new = 0;
    let mut portfolio = Portfolio::new(plan.seed);
    let mut found = Searched::default();
    for run in 0..plan.runs.max(1) {
        if run > 0 && stop() {
            found.cut = true;
            break;
        }
        let ran = portfolio.run(stage, run)?;
        since_new = if seen.insert(ran.hash) {
            0
        } else {
            since_new + 1
        };
        found.take(plan.seed, run, &ran);
        found.uncaught.take(ran.endings);
        found.saturated = since_new >= SATURATED;
        if found.ends(plan.expect) {
            break;
        }
    }
    found.distinct = seen.len() as u64;
    (found.singles_tried, found.singles) = portfolio.singles();
    Ok(found)
}

/// Run `run` of the search of a seed. What a search does depends on what it has seen, so it is searched up to there.
///
/// # Errors
/// In words, when the stage cannot run.
pub fn run_of(stage: &mut Stage, seed: u64, run: u64) -> Result<Ran, String> {
    stage.forget_goals();
    let mut portfolio = Portfolio::new(seed);
    for before in 0..run {
        portfolio.run(stage, before)?;
    }
    portfolio.run(stage, run)
}

impl Searched {
    fn take(&mut self, seed: u64, run: u64, ran: &Ran) {
        self.runs += 1;
        self.statements += ran.statements;
        self.judged_rows |= ran.judged_rows;
        self.hashes.push(ran.hash);
        self.goals.extend(ran.goals.iter().cloned());
        self.endless = ran.endless.clone();
        let struck: BTreeSet<&str> = ran.strikes.iter().map(|(fault, _)| fault.name()).collect();
        for fault in struck {
            *self.faults.entry(fault.to_owned()).or_default() += 1;
        }
        if let Some(words) = &ran.internal {
            self.internal
                .get_or_insert_with(|| format!("run {run} of seed {seed}: {words}"));
            return;
        }
        for waits in &ran.waiting {
            *self.waiting.entry(waits.clone()).or_default() += 1;
        }
        for violation in &ran.violations {
            let first = || First::new(seed, run, violation, ran);
            self.firsts
                .entry(violation.invariant.clone())
                .or_insert_with(first);
        }
    }

    /// This search, and then another of the same variant.
    fn followed_by(mut self, then: Self) -> Self {
        for (invariant, mut first) in then.firsts {
            first.run += self.runs;
            self.firsts.entry(invariant).or_insert(first);
        }
        for (fault, runs) in then.faults {
            *self.faults.entry(fault).or_default() += runs;
        }
        for (waits, runs) in then.waiting {
            *self.waiting.entry(waits).or_default() += runs;
        }
        self.runs += then.runs;
        self.distinct += then.distinct;
        self.statements += then.statements;
        self.judged_rows |= then.judged_rows;
        self.goals.extend(then.goals);
        self.uncaught.add(then.uncaught);
        self.hashes.extend(then.hashes);
        Self {
            singles: then.singles,
            singles_tried: then.singles_tried,
            cut: self.cut || then.cut,
            internal: self.internal.take().or(then.internal),
            endless: self.endless.take().or(then.endless),
            ..self
        }
    }

    /// All listed invariants are violated; or one is although none was expected to be; or nothing new comes.
    fn ends(&self, expect: Option<&Expect>) -> bool {
        let all_seen = match expect {
            Some(Expect::Violates(names)) => {
                names.iter().all(|name| self.firsts.contains_key(name))
            }
            Some(Expect::Holds | Expect::Undecided) => !self.firsts.is_empty() || self.saturated,
            None => self.saturated,
        };
        all_seen || self.internal.is_some() || self.endless.is_some()
    }

    /// Runs up to and including the first violation.
    pub fn runs_to_find(&self) -> Option<u64> {
        self.firsts.values().map(|first| first.run + 1).min()
    }

    /// Goals of the program that no run has reached, by name.
    pub fn missed<'p>(&self, program: &'p Program) -> Vec<&'p str> {
        let goals = program.goal_names();
        goals.filter(|goal| !self.goals.contains(*goal)).collect()
    }

    /// What the search says about the program.
    pub fn verdict(&self, program: &Program) -> Verdict {
        if !self.firsts.is_empty() {
            Verdict::Violated
        } else if self.cut || self.internal.is_some() {
            Verdict::Undecided
        } else if !self.judged_rows
            || !self.missed(program).is_empty()
            || self.waiting.values().any(|runs| *runs == self.runs)
        {
            Verdict::Vacuous
        } else if program.target == Target::Postgres {
            Verdict::Undecided
        } else {
            Verdict::Holds
        }
    }

    /// Whether the search came out as the scenario expects.
    pub fn is_expected(&self, variant: &Variant) -> bool {
        let verdict = self.verdict(&variant.program);
        match &variant.expect {
            Expect::Holds => verdict == Verdict::Holds,
            Expect::Undecided => verdict == Verdict::Undecided && !self.cut,
            Expect::Violates(names) => {
                names.len() == self.firsts.len()
                    && names.iter().all(|name| self.firsts.contains_key(name))
            }
        }
    }
}

/// What a set of runs says about a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Clean, and every goal was reached.
    Holds,
    /// Some invariant was violated.
    Violated,
    /// Cut short, or the engine cannot show it.
    Undecided,
    /// Clean, and it means nothing: a goal was never reached, no invariant ever read a row, or an event never happened.
    Vacuous,
}

impl Verdict {
    /// The word in reports and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violated => "violated",
            Self::Undecided => "undecided",
            Self::Vacuous => "vacuous",
        }
    }
}

/// Decisions as the text that people paste.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::case::Decisions;

    pub(super) fn serialize<S: Serializer>(
        decisions: &Decisions,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(decisions)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Decisions, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
