//! The small world that every case begins with: two runtimes, and a worker of each, and one more that lives elsewhere.

use super::{Database, Failure, Kept, Pause, same};
use crate::contract::Store;
use crate::error::Error;
use crate::id::{BuildId, ConvId, Fence, OpId, SessionId, TaskId, WorkerId};
use crate::op::{
    Accept, Answer, Ask, Call, Choice, Complete, ConvKey, Converter, Item, NewSession, Op,
    QueueFate, Reset, Retry, Send, WhenWaiting,
};
use crate::reply::{Accepted, Claimed, TaskState};

/// How long leases are here.
pub(super) const LEASE_MS: i64 = 1_000;

/// How long questions wait here.
pub(super) const PATIENCE_MS: i64 = 60_000;

/// One connection to a database, and names for what it does.
pub(super) struct Bench<'d> {
    database: &'d dyn Database,
    pub(super) store: Box<dyn Store + 'd>,
    ops: u32,
}

impl<'d> Bench<'d> {
    /// Builds claude@1 and codex@1, both current, and workers w1 and w2 (claude, homes h1 and h2) and x1 (codex, home h1).
    /// Sessions may move from claude/1 to codex/1, not back.
    pub(super) fn on(database: &'d dyn Database) -> Result<Self, Failure> {
        let mut bench = Self {
            database,
            store: database.open(Pause::default())?,
            ops: 0,
        };
        for (build, runtime, class) in [
            ("claude@1", "claude", "claude/1"),
            ("codex@1", "codex", "codex/1"),
        ] {
            bench.register(build, runtime, class)?;
            let op = bench.op();
            bench.store.set_current(op, build.into())?;
        }
        bench.worker("w1", "claude@1", "h1")?;
        bench.worker("w2", "claude@1", "h2")?;
        bench.worker("x1", "codex@1", "h1")?;
        let (op, drop) = (bench.op(), Converter::DropToken);
        bench
            .store
            .allow_move(op, "claude/1".into(), "codex/1".into(), drop)?;
        Ok(bench)
    }

    /// A fresh op_id.
    pub(super) fn op(&mut self) -> OpId {
        self.ops += 1;
        OpId::new(format!("op{}", self.ops))
    }

    /// A call of an operation that keeps its answer, under a fresh op_id.
    pub(super) fn call(&mut self, op: Op) -> Call {
        let op_id = op.keeps_answer().then(|| self.op());
        Call { op_id, op }
    }

    pub(super) fn advance(&self, by_ms: i64) {
        self.database.advance(by_ms);
    }

    /// All processes die, and one begins anew.
    pub(super) fn reopen(mut self) -> Result<Self, Failure> {
        self.restart()?;
        Ok(self)
    }

    /// The same in place.
    pub(super) fn restart(&mut self) -> Kept {
        self.store = Box::new(Nothing);
        self.database.kill();
        self.store = self.database.open(Pause::default())?;
        Ok(())
    }

    pub(super) fn register(&mut self, build: &str, runtime: &str, class: &str) -> Kept {
        let op = self.op();
        let build = BuildId::new(build);
        Ok(self
            .store
            .register_build(op, build, runtime, class.into())?)
    }

    pub(super) fn worker(&mut self, worker: &str, build: &str, home: &str) -> Kept {
        let op = self.op();
        self.store
            .register_worker(op, worker.into(), build.into(), home)?;
        Ok(())
    }

    pub(super) fn accept(&mut self, chat: &str, event: &str) -> Result<Accepted, Error> {
        let op = self.op();
        self.store.accept(op, event_of(chat, event))
    }

    /// The session of a chat in which one event was accepted.
    pub(super) fn session(&mut self, chat: &str, event: &str) -> Result<SessionId, Failure> {
        Ok(self.accept(chat, event)?.session)
    }

    pub(super) fn claim(&mut self, worker: &str) -> Result<Option<Claimed>, Error> {
        let op = self.op();
        Ok(self.store.claim(op, worker.into(), 1, LEASE_MS)?.pop())
    }

    /// Claims what has to be there.
    pub(super) fn must_claim(&mut self, worker: &str) -> Result<Claimed, Failure> {
        self.claim(worker)?
            .ok_or_else(|| Failure::Broken(format!("{worker} finds nothing to claim")))
    }

    /// Accepts one event and claims it for w1.
    pub(super) fn running(&mut self, chat: &str, event: &str) -> Result<Claimed, Failure> {
        self.accept(chat, event)?;
        self.must_claim("w1")
    }

    pub(super) fn nothing_for(&mut self, worker: &str) -> Kept {
        let claimed = self.claim(worker)?.map(|claimed| claimed.task);
        same(&format!("what {worker} may claim"), claimed, None)
    }

    pub(super) fn complete(&mut self, claimed: &Claimed) -> Result<TaskState, Error> {
        let op = self.op();
        self.store.complete(op, done(claimed))
    }

    /// Completes with one message to be sent.
    pub(super) fn reply(&mut self, claimed: &Claimed, text: &str) -> Kept {
        let op = self.op();
        let turn = Complete {
            sends: vec![Send {
                dedup_key: format!("key of {text}"),
                body: text.to_owned(),
                route: String::new(),
            }],
            ..done(claimed)
        };
        self.store.complete(op, turn)?;
        Ok(())
    }

    pub(super) fn fail(&mut self, claimed: &Claimed, retry: Retry) -> Result<TaskState, Error> {
        let op = self.op();
        let task = claimed.task.clone();
        self.store.fail(op, task, claimed.fence, "broken", retry)
    }

    /// Gives a session a token that lives at the holder's home.
    pub(super) fn token(&mut self, claimed: &Claimed, token: &str) -> Result<i64, Error> {
        let op = self.op();
        let (session, fence) = (claimed.session.clone(), claimed.fence);
        self.store
            .set_resume(op, session, fence, token, claimed.epoch)
    }

    pub(super) fn ask(&mut self, claimed: &Claimed, prompt: &str) -> Result<TaskState, Error> {
        let op = self.op();
        self.store.ask(op, question(claimed, prompt))
    }

    /// The state of a task, as `show` tells it.
    pub(super) fn state(
        &mut self,
        session: &SessionId,
        task: &TaskId,
    ) -> Result<Option<TaskState>, Failure> {
        let shown = self.store.show(session.clone())?;
        let found = shown.tasks.iter().find(|shown| shown.task == *task);
        Ok(found.map(|shown| shown.state))
    }

    /// Nothing in the database breaks a rule. A store without `verify` is asked nothing.
    pub(super) fn is_sound(&mut self) -> Kept {
        match self.store.verify(10) {
            Err(Error::Invalid { field: "op", .. }) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(report) => same("what verify finds", report.findings, Vec::new()),
        }
    }
}

/// Between two processes.
struct Nothing;

impl Store for Nothing {
    fn apply(&mut self, _: &Call) -> Result<crate::reply::Reply, Error> {
        Err(Error::Busy)
    }
}

/// An event in a chat of the claude runtime. The ids of what it might create are named after it.
pub(super) fn event_of(chat: &str, event: &str) -> Accept {
    Accept {
        key: key(chat),
        ext_id: event.to_owned(),
        kind: "turn".to_owned(),
        body: format!("body of {event}"),
        task: TaskId::new(format!("t-{event}")),
        max_failures: 2,
        new: new_session(event),
        when_waiting: WhenWaiting::Queue,
    }
}

pub(super) fn key(chat: &str) -> ConvKey {
    ConvKey::chat("tenant", "tg", "bot", chat)
}

pub(super) fn new_session(name: &str) -> NewSession {
    NewSession {
        conv: ConvId::new(format!("c-{name}")),
        session: SessionId::new(format!("s-{name}")),
        runtime: "claude".to_owned(),
        idle_ms: None,
    }
}

/// The plainest end of a turn.
pub(super) fn done(claimed: &Claimed) -> Complete {
    Complete {
        task: claimed.task.clone(),
        fence: claimed.fence,
        outcome: "ok".to_owned(),
        items: Vec::new(),
        sends: Vec::new(),
        resume_token: None,
    }
}

pub(super) fn item(body: &str) -> Item {
    Item {
        kind: "message".to_owned(),
        body: body.to_owned(),
    }
}

/// A question with the buttons yes and no.
pub(super) fn question(claimed: &Claimed, prompt: &str) -> Ask {
    let choice = |label: &str| Choice {
        token: button(prompt, label),
        label: label.to_owned(),
    };
    Ask {
        task: claimed.task.clone(),
        fence: claimed.fence,
        prompt: prompt.into(),
        choices: vec![choice("yes"), choice("no")],
        text_ok: true,
        expires_in_ms: PATIENCE_MS,
        items: Vec::new(),
        sends: Vec::new(),
        resume_token: None,
    }
}

pub(super) fn button(prompt: &str, label: &str) -> String {
    format!("token-{prompt}-{label}")
}

pub(super) fn press(chat: &str, event: &str, prompt: &str, label: &str) -> Answer {
    Answer {
        key: key(chat),
        ext_id: event.to_owned(),
        token: button(prompt, label),
    }
}

/// A claim by a worker.
pub(super) fn claim_of(worker: &str) -> Op {
    Op::Claim {
        worker: WorkerId::new(worker),
        limit: 1,
        lease_ms: LEASE_MS,
    }
}

/// A fence that was never issued.
pub(super) fn other(fence: Fence) -> Fence {
    Fence(fence.0 + 1_000_000)
}

/// The next generation of a session.
pub(super) fn reset_of(session: &SessionId, next: &str, queued: QueueFate, force: bool) -> Reset {
    Reset {
        session: session.clone(),
        next: SessionId::new(next),
        build: None,
        reason: "again".to_owned(),
        queued,
        force,
    }
}
