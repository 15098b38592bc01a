//! Stores that are weak in one place each.

use crate::shared::Base;
use lockstep_store::conformance::{Database, Factory, Pause};
use lockstep_store::{Call, Error, Fence, Op, OpId, Reply, SessionId, Store, TaskId};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::ThreadId;

/// Reads all, changes it, and writes it back, without looking whether somebody else did the same.
pub(crate) struct ReadModifyWrite;

struct Unlocked(Base);

impl Factory for ReadModifyWrite {
    fn fresh(&self) -> Box<dyn Database> {
        Box::new(Unlocked(Base::new()))
    }
}

impl Database for Unlocked {
    fn open(&self, pause: Pause) -> Result<Box<dyn Store + '_>, Error> {
        Ok(Box::new(ReadsThenWrites {
            base: &self.0,
            pause,
        }))
    }

    fn kill(&self) {}

    fn advance(&self, by_ms: i64) {
        self.0.clock.advance(by_ms);
    }
}

struct ReadsThenWrites<'b> {
    base: &'b Base,
    pause: Pause,
}

impl Store for ReadsThenWrites<'_> {
    fn apply(&mut self, call: &Call) -> Result<Reply, Error> {
        self.pause.point();
        let mut copy = self.base.model().clone();
        let answer = copy.apply(call);
        self.pause.point();
        if answer.is_ok() {
            *self.base.model() = copy;
        }
        answer
    }
}

/// Takes a fence with each call, and never compares it.
pub(crate) struct NoFence;

struct Unfenced(Base);

impl Factory for NoFence {
    fn fresh(&self) -> Box<dyn Database> {
        Box::new(Unfenced(Base::new()))
    }
}

impl Database for Unfenced {
    fn open(&self, pause: Pause) -> Result<Box<dyn Store + '_>, Error> {
        Ok(Box::new(TakesAnyFence {
            base: &self.0,
            pause,
        }))
    }

    fn kill(&self) {}

    fn advance(&self, by_ms: i64) {
        self.0.clock.advance(by_ms);
    }
}

struct TakesAnyFence<'b> {
    base: &'b Base,
    pause: Pause,
}

impl TakesAnyFence<'_> {
    /// The fence that would be right.
    fn right(&self, session: Option<&SessionId>, task: Option<&TaskId>) -> Option<Fence> {
        let mut model = self.base.model();
        let all = model.list(Default::default(), None, 1_000).ok()?;
        all.iter()
            .filter(|listed| session.is_none_or(|session| listed.session == *session))
            .filter_map(|listed| model.show(listed.session.clone()).ok())
            .find(|shown| {
                task.is_none_or(|task| shown.tasks.iter().any(|shown| shown.task == *task))
            })?
            .lease
            .map(|lease| lease.fence)
    }

    fn corrected(&self, call: &Call) -> Call {
        let mut call = call.clone();
        match &mut call.op {
            Op::Complete(turn) => set(&mut turn.fence, self.right(None, Some(&turn.task))),
            Op::Ask(ask) => set(&mut ask.fence, self.right(None, Some(&ask.task))),
            Op::Fail { task, fence, .. }
            | Op::GiveBack { task, fence }
            | Op::Snooze { task, fence, .. } => set(fence, self.right(None, Some(task))),
            Op::Append { session, fence, .. }
            | Op::Renew { session, fence, .. }
            | Op::SetResume { session, fence, .. } => set(fence, self.right(Some(session), None)),
            _ => {}
        }
        call
    }
}

fn set(fence: &mut Fence, right: Option<Fence>) {
    if let Some(right) = right {
        *fence = right;
    }
}

impl Store for TakesAnyFence<'_> {
    fn apply(&mut self, call: &Call) -> Result<Reply, Error> {
        self.pause.point();
        // Not where the call only repeats what was answered before.
        let known = call.op_id.is_some() && self.base.model().clone().apply(call).is_ok();
        let call = if known {
            call.clone()
        } else {
            self.corrected(call)
        };
        self.base.model().apply(&call)
    }
}

/// Knows what was delivered and asked before only as long as its process lives.
pub(crate) struct DedupInMemory;

struct Forgetful {
    base: Base,
    processes: AtomicU32,
}

impl Factory for DedupInMemory {
    fn fresh(&self) -> Box<dyn Database> {
        Box::new(Forgetful {
            base: Base::new(),
            processes: AtomicU32::new(0),
        })
    }
}

impl Database for Forgetful {
    fn open(&self, pause: Pause) -> Result<Box<dyn Store + '_>, Error> {
        Ok(Box::new(RemembersAlone { all: self, pause }))
    }

    fn kill(&self) {
        self.processes.fetch_add(1, Ordering::SeqCst);
    }

    fn advance(&self, by_ms: i64) {
        self.base.clock.advance(by_ms);
    }
}

struct RemembersAlone<'b> {
    all: &'b Forgetful,
    pause: Pause,
}

impl Store for RemembersAlone<'_> {
    fn apply(&mut self, call: &Call) -> Result<Reply, Error> {
        self.pause.point();
        let process = self.all.processes.load(Ordering::SeqCst);
        let mut call = call.clone();
        if process > 0 {
            // Under another name, the same event is new to what is underneath.
            call.op_id = call
                .op_id
                .map(|op_id| OpId::new(format!("{op_id} {process}")));
            if let Op::Accept(accept) = &mut call.op {
                accept.ext_id = format!("{} {process}", accept.ext_id);
            }
        }
        self.all.base.model().apply(&call)
    }
}

/// The model without questions.
pub(crate) struct WithoutPrompts;

struct Silent(Base);

impl Factory for WithoutPrompts {
    fn fresh(&self) -> Box<dyn Database> {
        Box::new(Silent(Base::new()))
    }
}

impl Database for Silent {
    fn open(&self, pause: Pause) -> Result<Box<dyn Store + '_>, Error> {
        Ok(Box::new(AsksNothing {
            base: &self.0,
            pause,
        }))
    }

    fn kill(&self) {}

    fn advance(&self, by_ms: i64) {
        self.0.clock.advance(by_ms);
    }
}

struct AsksNothing<'b> {
    base: &'b Base,
    pause: Pause,
}

impl Store for AsksNothing<'_> {
    fn apply(&mut self, call: &Call) -> Result<Reply, Error> {
        self.pause.point();
        match &call.op {
            Op::Ask(_) | Op::Answer(_) | Op::Revoke { .. } => Err(Error::Invalid {
                field: "op",
                why: "this store asks nothing".to_owned(),
            }),
            _ => self.base.model().apply(call),
        }
    }
}

/// The model, with a bug that shows on other threads than the first.
pub(crate) struct PanicsElsewhere;

struct Fragile {
    base: Base,
    home: ThreadId,
}

impl Factory for PanicsElsewhere {
    fn fresh(&self) -> Box<dyn Database> {
        Box::new(Fragile {
            base: Base::new(),
            home: std::thread::current().id(),
        })
    }
}

impl Database for Fragile {
    fn open(&self, pause: Pause) -> Result<Box<dyn Store + '_>, Error> {
        Ok(Box::new(Breaks { all: self, pause }))
    }

    fn kill(&self) {}

    fn advance(&self, by_ms: i64) {
        self.base.clock.advance(by_ms);
    }
}

struct Breaks<'b> {
    all: &'b Fragile,
    pause: Pause,
}

impl Store for Breaks<'_> {
    fn apply(&mut self, call: &Call) -> Result<Reply, Error> {
        self.pause.point();
        assert_eq!(std::thread::current().id(), self.all.home, "far from home");
        self.all.base.model().apply(call)
    }
}
