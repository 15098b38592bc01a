//! Linearizability: what the operations of the store answered can be explained by doing them one after the other.
//!
//! Each operation takes effect at one moment between its call and its return, and the store's own model ([`Spec`]), which
//! does them in the order of these moments, answers what was answered. Whether there are such moments is searched for,
//! after Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) and Lowe ("Testing for Linearizability", 2017).
//!
//! An operation whose answer nobody got (it never returned, or with [`Error::Unknown`]) is *indefinite*: it took effect at
//! some moment after its call, or never. One that was refused with [`Error::Busy`] or [`Error::Io`] did nothing.
//!
//! Histories are taken apart by conversation (`partition`, `share`), because the search is the dearer the more runs at the
//! same time. What is checked of an operation that concerns several conversations, or none, is told in
//! `docs/invariants.md`.

mod entry;
mod history;
mod names;
mod partition;
mod search;
mod share;

use std::collections::BTreeSet;
use std::rc::Rc;

use lockstep_store::model::Model;
use lockstep_store::{Call, Error, ManualClock, Reply};

pub use self::history::{Undone, lives, operations};
pub(crate) use self::names::{session_of, task_of};
use self::partition::Partition;
use self::search::Outcome;
use crate::trace::Reading;

/// The specification: the store's model, on a clock that shows each operation what it read.
pub type Spec = Model<Rc<ManualClock>>;

/// What an operation answered.
pub type Answer = Result<Reply, Error>;

/// A commit of an operation.
#[derive(Debug, Clone)]
pub struct Commit<'t> {
    /// It came after this reading of a clock ([`Reading::turn`]), and before the next.
    pub turn: u64,
    /// Ids in its rows.
    pub ids: BTreeSet<&'t str>,
}

/// One operation of a history.
#[derive(Debug, Clone)]
pub struct Operation<'t> {
    /// What was asked.
    pub call: &'t Call,
    /// What was answered; `None` when it never returned.
    pub answer: Option<&'t Answer>,
    /// Position of its call.
    pub from: u64,
    /// Position of its return, if it has one.
    pub to: Option<u64>,
    /// What its store's clock showed, each time that it looked.
    pub readings: Vec<Reading>,
    /// What it is known to have committed. Only a hint where to search first.
    pub commits: Vec<Commit<'t>>,
}

impl Operation<'_> {
    /// When it seems to have committed something about this id.
    fn wrote(&self, id: &str) -> Option<Moment> {
        let mut commits = self.commits.iter().rev();
        let last = commits.find(|commit| commit.ids.contains(id))?;
        Some(Moment::commit(last))
    }

    /// Whether it may have taken effect without having said so.
    fn is_indefinite(&self) -> bool {
        matches!(self.answer, None | Some(Err(Error::Unknown { .. })))
    }

    /// Whether it certainly did nothing, for reasons that have nothing to do with the store's contents.
    fn was_turned_away(&self) -> bool {
        matches!(self.answer, Some(Err(Error::Busy | Error::Io { .. })))
    }
}

/// When something seems to have been done: in the order of the readings of clocks, and of commits between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    turn: u64,
    is_commit: bool,
}

impl Moment {
    fn commit(commit: &Commit<'_>) -> Self {
        Self {
            turn: commit.turn,
            is_commit: true,
        }
    }

    fn reading(reading: Option<&Reading>) -> Self {
        Self {
            turn: reading.map_or(0, |reading| reading.turn),
            is_commit: false,
        }
    }
}

/// What is wrong with a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An operation fits nowhere.
    Misfit {
        /// The conversation, or `registry` for what belongs to none.
        conversation: String,
        /// Index of the operation in the history.
        operation: usize,
        /// So many others were explained before it.
        explained: usize,
        /// What the model answers in its place.
        model: Answer,
    },
    /// The search was given up: nothing is known about this conversation.
    GaveUp {
        /// The conversation.
        conversation: String,
    },
}

/// What a check found, and what it took.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Parts that the history was taken apart into.
    pub parts: usize,
    /// Parts whose operations were not explained in the order of their readings.
    pub searched: usize,
    /// Operations that the model was asked.
    pub asked: u64,
}

/// Checks a history that began with the store in the state of `start`, in which there was no conversation.
pub fn check(start: &Spec, history: &[Operation<'_>]) -> Report {
    check_parts(start, history, &Partition::of(history))
}

/// The same without taking the history apart. Sees what ties conversations to each other, and takes longer for it.
pub fn check_whole(start: &Spec, history: &[Operation<'_>]) -> Report {
    check_parts(start, history, &Partition::whole())
}

fn check_parts<'t>(start: &Spec, history: &[Operation<'t>], partition: &Partition<'t>) -> Report {
    let repeated = share::repeated(history);
    let mut start = start.clone();
    start.keep_answers(|op_id| repeated.contains(op_id));
    let parts = share::share(history, partition, repeated);
    let mut report = Report {
        parts: parts.len(),
        ..Report::default()
    };
    for (index, entries) in parts.into_iter().enumerate() {
        let found = search::search(&start, entries, SEARCH_LIMIT);
        report.asked += found.asked;
        report.searched += usize::from(found.searched);
        let conversation = || partition.name(index);
        match found.outcome {
            Outcome::Fits => {}
            Outcome::GaveUp => report.findings.push(Finding::GaveUp {
                conversation: conversation(),
            }),
            Outcome::Misfit {
                operation,
                explained,
                model,
            } => report.findings.push(Finding::Misfit {
                conversation: conversation(),
                operation,
                explained,
                model,
            }),
        }
    }
    report
}

/// Runs of the default world ask 140 times; what asks for more than this is no history of one.
const SEARCH_LIMIT: u64 = 200_000;
