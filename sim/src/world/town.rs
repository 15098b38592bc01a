//! What the roles share outside the store: who listens where, what the provider keeps, what people remember.
//!
//! Nothing here is lost in a crash: it belongs to the provider, to the platform and to people, or it is a wake-up, which
//! may be lost because nobody's correctness depends on it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::defect::{Defect, Quirk};
use super::{invariant, row};
use crate::label::Label;
use crate::run::{Kernel, Process};

/// The users; each has one chat.
pub(crate) const USERS: [&str; 2] = ["alice", "bob"];

/// Runtime, its current build, and the build's resume class.
pub(crate) const BUILDS: [[&str; 3]; 2] = [
    ["claude", "claude-1", "claude/v1"],
    ["codex", "codex-1", "codex/v1"],
];

/// Where a worker process runs, and what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Post {
    /// Index into [`BUILDS`].
    pub(crate) runtime: usize,
    /// The machine: native sessions made here cannot be resumed elsewhere.
    pub(crate) home: &'static str,
}

/// A native session of the provider: where it can be resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Native {
    pub(crate) class: &'static str,
    pub(crate) home: &'static str,
}

/// What the operator means to do. Survives the operator's process: it is in a person's head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notebook {
    pub(crate) plan: u64,
    pub(crate) user: usize,
    pub(crate) force: bool,
    pub(crate) at_ms: u64,
}

/// What a user knows from the last acknowledged message.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) task: String,
    pub(crate) session: String,
}

/// Open tasks, as far as the trace has been read.
#[derive(Default)]
struct Progress {
    read: usize,
    open: BTreeSet<String>,
}

/// Everything that the roles of one run share.
pub(crate) struct Town {
    quirks: &'static [Quirk],
    pub(crate) apis: [Rc<Process>; 2],
    pub(crate) provider: Rc<Process>,
    /// Wake-ups for the workers of each runtime, counted.
    bells: [Rc<Cell<u64>>; 2],
    /// Native sessions by token.
    pub(crate) natives: RefCell<BTreeMap<String, Native>>,
    /// What the provider has done, by idempotency key.
    pub(crate) done: RefCell<BTreeSet<String>>,
    /// Tasks whose lease the reaper took.
    pub(crate) reaped: RefCell<BTreeSet<String>>,
    /// Sessions that the operator moved to another runtime.
    pub(crate) moved: RefCell<BTreeSet<String>>,
    pub(crate) notebook: Cell<Option<Notebook>>,
    /// Where the spare worker runs, once that is drawn.
    pub(crate) spare: Cell<Option<Option<Post>>>,
    pub(crate) prefers: [Cell<usize>; 2],
    known: [RefCell<Option<Known>>; 2],
    /// Workers in the middle of a turn.
    pub(crate) busy: [Cell<bool>; 3],
    /// Events that the platform stopped delivering, unacknowledged.
    pub(crate) given_up: RefCell<Vec<Label>>,
    progress: RefCell<Progress>,
}

impl Town {
    pub(super) fn new(defect: Option<Defect>) -> Self {
        let api = |instance| Process::new(&Label::fixed("api"), 0, instance, None);
        Self {
            quirks: defect.map_or(&[], |defect| defect.quirks),
            apis: [api(1), api(2)],
            provider: Process::new(&Label::fixed("provider"), 0, 1, None),
            bells: Default::default(),
            natives: RefCell::default(),
            done: RefCell::default(),
            reaped: RefCell::default(),
            moved: RefCell::default(),
            notebook: Cell::new(None),
            spare: Cell::new(None),
            prefers: Default::default(),
            known: Default::default(),
            busy: Default::default(),
            given_up: RefCell::default(),
            progress: RefCell::default(),
        }
    }

    /// The wake-up counter of a runtime's workers.
    pub(crate) fn bell(&self, runtime: usize) -> &Rc<Cell<u64>> {
        &self.bells[runtime]
    }

    /// Wakes the workers of one runtime.
    pub(crate) fn ring(&self, runtime: usize) {
        self.bells[runtime].set(self.bells[runtime].get() + 1);
    }

    /// Wakes all workers.
    pub(crate) fn ring_all(&self) {
        (0..self.bells.len()).for_each(|runtime| self.ring(runtime));
    }

    /// How often anybody was woken.
    pub(crate) fn rings(&self) -> u64 {
        self.bells.iter().map(|bell| bell.get()).sum()
    }

    /// The platform shows a user that a message was accepted.
    pub(crate) fn acknowledged(&self, user: usize, task: &str, session: &str) {
        *self.known[user].borrow_mut() = Some(Known {
            task: task.to_owned(),
            session: session.to_owned(),
        });
    }

    /// What is known of a user's last acknowledged message.
    pub(crate) fn known(&self, user: usize) -> Option<Known> {
        self.known[user].borrow().clone()
    }

    /// Whether a role has this bad habit here.
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// Whether a task is open, by what was committed so far.
    pub(crate) fn is_open(&self, kernel: &Kernel, task: &str) -> bool {
        let mut progress = self.progress.borrow_mut();
        progress.read_on(kernel);
        progress.open.contains(task)
    }

    /// Whether all that was accepted has ended and nobody is in the middle of a turn.
    pub(super) fn settled(&self, kernel: &Kernel) -> bool {
        let mut progress = self.progress.borrow_mut();
        progress.read_on(kernel);
        progress.open.is_empty() && !self.busy.iter().any(Cell::get)
    }
}

impl Default for Town {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Progress {
    fn read_on(&mut self, kernel: &Kernel) {
        let trace = kernel.trace.borrow();
        for committed in &trace.changes[self.read..] {
            if &*committed.change.table != row::task::TABLE {
                continue;
            }
            let Some(new) = &committed.change.new else {
                continue;
            };
            let id = row::text(new, row::task::ID);
            if invariant::is_open(new) {
                if !self.open.contains(id) {
                    self.open.insert(id.to_owned());
                }
            } else {
                self.open.remove(id);
            }
        }
        self.read = trace.changes.len();
    }
}
