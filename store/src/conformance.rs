//! A kit that tells whether a store keeps the contract: [`check`] runs it against any [`Store`], alone, against others that come
//! in between two of its statements, and across kills in the middle of an operation.
//!
//! A store is made known by a [`Factory`]. Its databases are opened by threads and killed; so this module, alone in this
//! crate, starts threads, and each waits for the other at a known statement, so that a run has one order only.
//!
//! A store that lacks an operation answers it with [`Error::Invalid`] of the field `op`: the cases that need it are then
//! reported as unsupported, and not as broken.

mod bench;
mod cases;
mod pause;
mod race;

use crate::contract::Store;
use crate::error::Error;
use bench::Bench;
use std::collections::BTreeMap;
use std::fmt;

pub use pause::Pause;

/// Where the kit gets its databases from.
pub trait Factory {
    /// An empty database that shares nothing with any other.
    fn fresh(&self) -> Box<dyn Database>;
}

/// One database, as its processes see it.
pub trait Database: Sync {
    /// Opens a connection of a process, on the thread that will use it. The store calls [`Pause::point`] before each statement.
    fn open(&self, pause: Pause) -> Result<Box<dyn Store + '_>, Error>;

    /// All processes have died. Their connections were dropped before; what else they kept in memory is to be forgotten.
    fn kill(&self);

    /// Moves the clock of every connection forwards.
    fn advance(&self, by_ms: i64);
}

/// What a store can be good at. Cases are reported under the one that they ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Conversations, their keys, their one active session.
    Sessions,
    /// Events that are delivered again.
    Inbox,
    /// Calls that are repeated under their op_id.
    Answers,
    /// Tasks: order, leases, failures, cancellation.
    Queue,
    /// Who lost a lease changes nothing.
    Fencing,
    /// Items, notes and the application's state.
    History,
    /// Builds, tokens and migrations.
    Runtimes,
    /// Questions and their buttons.
    Prompts,
    /// Messages to be sent.
    Outbox,
    /// Reaping, sweeping, pruning, restores.
    Upkeep,
    /// Lists, numbers and reasons.
    Looking,
    /// Two processes at once.
    Concurrency,
    /// Processes that die in the middle of an operation, or between its end and its answer.
    Crashes,
}

/// What one case found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The store keeps what the case asks for.
    Kept,
    /// It does not; in words.
    Broken(String),
    /// The store does not have an operation that the case needs.
    Unsupported,
}

/// What one case asks for, and what it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A sentence that holds for every store that passes.
    pub case: &'static str,
    /// Whether it holds for this one.
    pub outcome: Outcome,
}

/// All findings, by capability.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conformance {
    /// In the order of the cases.
    pub findings: BTreeMap<Capability, Vec<Finding>>,
}

impl Conformance {
    /// True when nothing is broken and nothing is missing.
    pub fn is_full(&self) -> bool {
        self.findings
            .values()
            .flatten()
            .all(|finding| finding.outcome == Outcome::Kept)
    }

    /// The capabilities in which something is broken.
    pub fn broken(&self) -> Vec<Capability> {
        let is_broken = |findings: &Vec<Finding>| {
            findings
                .iter()
                .any(|finding| matches!(finding.outcome, Outcome::Broken(_)))
        };
        self.findings
            .iter()
            .filter(|(_, findings)| is_broken(findings))
            .map(|(capability, _)| *capability)
            .collect()
    }
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (capability, findings) in &self.findings {
            let kept = findings
                .iter()
                .filter(|finding| finding.outcome == Outcome::Kept)
                .count();
            writeln!(f, "{capability:?}: {kept} of {}", findings.len())?;
            for finding in findings {
                match &finding.outcome {
                    Outcome::Kept => {}
                    Outcome::Broken(why) => writeln!(f, "  BROKEN {}: {why}", finding.case)?,
                    Outcome::Unsupported => writeln!(f, "  unsupported: {}", finding.case)?,
                }
            }
        }
        Ok(())
    }
}

/// Runs every case, each on databases of its own.
pub fn check(factory: &impl Factory) -> Conformance {
    let mut conformance = Conformance::default();
    for (capability, case, ask) in cases::all() {
        let outcome = match ask.of(factory) {
            Ok(()) => Outcome::Kept,
            Err(Failure::Unsupported) => Outcome::Unsupported,
            Err(Failure::Broken(why)) => Outcome::Broken(why),
        };
        conformance
            .findings
            .entry(capability)
            .or_default()
            .push(Finding { case, outcome });
    }
    conformance
}

/// Why a case was not kept.
#[derive(Debug)]
enum Failure {
    Broken(String),
    Unsupported,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid { field: "op", .. } => Self::Unsupported,
            error => Self::Broken(format!("unexpectedly refused: {error}")),
        }
    }
}

type Kept = Result<(), Failure>;

/// How a case asks.
enum Ask {
    /// One process.
    Alone(fn(&mut Bench<'_>) -> Kept),
    /// Two calls at once, in every order of their statements that one preemption makes.
    Both(race::Race),
    /// One call, killed before each of its statements and after the last.
    Killed(race::Crash),
}

impl Ask {
    fn of(&self, factory: &dyn Factory) -> Kept {
        match self {
            Self::Alone(case) => {
                let database = factory.fresh();
                let mut bench = Bench::on(database.as_ref())?;
                case(&mut bench)?;
                bench.is_sound()
            }
            Self::Both(race) => race.run(factory),
            Self::Killed(crash) => crash.run(factory),
        }
    }
}

/// Both are equal, or the case is broken.
fn same<T: PartialEq + fmt::Debug>(what: &str, is: T, should_be: T) -> Kept {
    match is == should_be {
        true => Ok(()),
        false => Err(Failure::Broken(format!(
            "{what} is {is:?} and should be {should_be:?}"
        ))),
    }
}

/// It was refused with an error of this kind, or the case is broken.
fn refused<T: fmt::Debug>(what: &str, answer: Result<T, Error>, kind: &str) -> Kept {
    match answer {
        Err(Error::Invalid { field: "op", .. }) => Err(Failure::Unsupported),
        Err(error) if error.kind() == kind => Ok(()),
        other => Err(Failure::Broken(format!(
            "{what} should be refused as {kind}, and was answered {other:?}"
        ))),
    }
}
