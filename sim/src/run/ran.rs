//! What a run left behind.

use super::stage::Stage;
use super::{Endings, Kernel, Violation};
use crate::access::Touched;
use crate::case::{Decisions, Deviation, Point};
use crate::decide::{Counts, Profile};
use crate::fault::Fault;
use crate::label::Label;
use crate::ledger::Ledger;
use crate::trace::Trace;

/// What a run left behind.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The trace.
    pub trace: Trace,
    /// Effects outside the store.
    pub ledger: Ledger,
    /// Violated invariants, in the order they were seen.
    pub violations: Vec<Violation>,
    /// Every decision that was carried out.
    pub decisions: Decisions,
    /// Gates and points that were passed.
    pub profile: Profile,
    /// Every strike in order, with its site: the step, the file operation, or what kind of message it was.
    pub strikes: Vec<(Fault, Label)>,
    /// Kinds of the processes there were, each once.
    pub roles: Vec<Label>,
    /// Goals reached, by name.
    pub goals: Vec<String>,
    /// Whether any invariant read a row.
    pub judged_rows: bool,
    /// SQL statements executed by the system under test.
    pub statements: u64,
    /// Hash of the whole trace, and of the bytes left on the disk.
    pub hash: u128,
    /// Its strategy did not want to know how it goes on: it was not judged as a whole.
    pub abandoned: bool,
    /// A bug in lockstep, in words.
    pub internal: Option<String>,
    /// A rule of the scenario that does not come to an end, in words.
    pub endless: Option<String>,
    /// What of it could not be decided, in words. Without a violation the run is neither right nor wrong.
    pub undecided: Option<String>,
    /// What became of a replayed case's deviations.
    pub counts: Counts,
    /// How flows have ended.
    pub endings: Endings,
    /// Actors that never ended, with what they wait for.
    pub stuck: Vec<String>,
    /// Those of them that belong to the world outside, such as events that never happened.
    pub waiting: Vec<String>,
    /// What actors have touched since their strategy last asked, if [`Stage::keep_state`] asked for it.
    pub touched: Touched,
    /// Gates between steps that were passed, if [`Stage::keep_steps`] asked for them.
    pub steps: Vec<Point>,
}

impl Ran {
    /// Names of the violated invariants, sorted, each once.
    pub fn violated(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .violations
            .iter()
            .map(|v| v.invariant.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Stage {
    pub(super) fn harvest(&self, kernel: &Kernel) -> Ran {
        let trace = kernel.trace.take();
        let mut goals: Vec<String> = kernel
            .goals
            .borrow()
            .iter()
            .map(|goal| (*goal).to_owned())
            .collect();
        goals.extend(self.checker.goals_reached());
        let mut roles: Vec<Label> = Vec::new();
        for process in kernel.processes() {
            if !roles.contains(&process.kind) {
                roles.push(process.kind.clone());
            }
        }
        let decisions: std::collections::BTreeMap<Point, Deviation> =
            kernel.deviations.take().into_iter().collect();
        let survey = kernel.strategy.borrow_mut().survey();
        let profile = Profile {
            survey,
            ..kernel.profile.take()
        };
        Ran {
            ledger: kernel.ledger.take(),
            violations: kernel.violations.take(),
            decisions: Decisions(decisions),
            profile,
            strikes: kernel.strikes.take(),
            roles,
            goals,
            judged_rows: self.checker.judged_rows() || kernel.judged.get(),
            statements: kernel.statements.get(),
            hash: self.hash(&trace),
            abandoned: kernel.is_abandoned(),
            internal: kernel.internal.take(),
            endless: kernel.endless.take(),
            undecided: kernel.undecided.take(),
            counts: kernel.strategy.borrow().counts(),
            endings: kernel.endings.take(),
            stuck: trace.stuck(kernel.begun_n()),
            waiting: trace.waiting(kernel.begun_n()),
            touched: kernel.take_touched(),
            steps: kernel.steps.take().unwrap_or_default(),
            trace,
        }
    }
}
