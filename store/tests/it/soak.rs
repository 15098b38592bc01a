//! Many operations in an arbitrary order, stale ones among them: every rule holds on the way, and in the end all that was
//! accepted has ended.

use crate::kit::{LEASE_MS, World, done, event_of, item};
use lockstep_store::{
    CancelHow, Claimed, Complete, Error, OpId, QueueFate, Reset, Retry, Send, SessionId, Store,
    TaskId, Verdict,
};
use std::collections::BTreeMap;

const STEPS: u32 = 500;

/// A small generator of arbitrary numbers: the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn pick<T: Clone>(&mut self, values: &[T]) -> Option<T> {
        let bound = u64::try_from(values.len())
            .ok()
            .filter(|bound| *bound > 0)?;
        values
            .get(usize::try_from(self.below(bound)).ok()?)
            .cloned()
    }
}

struct Soak {
    world: World,
    dice: Dice,
    /// The task that each event was told to have become.
    told: BTreeMap<String, TaskId>,
    /// Everything ever claimed, most of it stale.
    claims: Vec<Claimed>,
    sessions: Vec<SessionId>,
    /// Ends that were acknowledged.
    ended: BTreeMap<TaskId, &'static str>,
}

impl Soak {
    fn new(seed: u64) -> Self {
        Self {
            world: World::new(),
            dice: Dice(seed),
            told: BTreeMap::new(),
            claims: Vec::new(),
            sessions: Vec::new(),
            ended: BTreeMap::new(),
        }
    }

    fn step(&mut self, n: u32) {
        match self.dice.below(12) {
            0..3 => self.accept(n),
            3..6 => self.claim(),
            6..8 => self.complete(n),
            8 => self.stop(),
            9 => self.replace(n),
            10 => self.renew_or_append(n),
            _ => self.wait(),
        }
    }

    fn accept(&mut self, n: u32) {
        let event = format!("e{}", self.dice.below(u64::from(n / 4 + 1)));
        let mut accept = event_of(&format!("chat{}", self.dice.below(6)), &event);
        if let Some(chat) = self.told.get(&event).map(|_| "chat0") {
            accept.key.chat = chat.to_owned();
        }
        accept.task = format!("t{n}").into();
        accept.new.session = format!("s{n}").into();
        accept.new.conv = format!("c{n}").into();
        let op = self.world.op();
        let answer = self.world.store.accept(op, accept).expect("accepted");
        self.sessions.push(answer.session.clone());
        match self.told.get(&event) {
            None => assert_eq!(answer.verdict, Verdict::Task),
            Some(first) => assert_eq!((answer.verdict, &answer.task), (Verdict::Duplicate, first)),
        }
        self.told.insert(event, answer.task);
    }

    fn claim(&mut self) {
        let worker = ["w1", "w2", "x1"][usize::try_from(self.dice.below(3)).expect("small")];
        let op = self.world.op();
        let limit = u32::try_from(self.dice.below(2) + 1).expect("small");
        for claimed in self
            .world
            .store
            .claim(op, worker.into(), limit, LEASE_MS)
            .expect("claims")
        {
            let highest = self
                .claims
                .iter()
                .filter(|older| older.session == claimed.session)
                .map(|older| older.fence)
                .max();
            assert!(highest < Some(claimed.fence), "fences grow");
            assert!(
                !self.ended.contains_key(&claimed.task),
                "an ended task runs again"
            );
            self.claims.push(claimed);
        }
    }

    fn complete(&mut self, n: u32) {
        let Some(claimed) = self.dice.pick(&self.claims) else {
            return;
        };
        let turn = Complete {
            items: vec![item(&format!("i{n}"))],
            sends: vec![Send {
                dedup_key: format!("k{n}"),
                body: "hello".to_owned(),
                route: String::new(),
            }],
            resume_token: (self.dice.below(2) == 0).then(|| format!("token{n}")),
            ..done(&claimed)
        };
        let op = self.world.op();
        if self
            .acknowledged(op, |world, op| world.store.complete(op, turn.clone()))
            .is_some()
        {
            self.end(&claimed.task, "done");
        }
    }

    fn stop(&mut self) {
        let Some(claimed) = self.dice.pick(&self.claims) else {
            return;
        };
        let op = self.world.op();
        if self.dice.below(2) == 0 {
            let retry = if self.dice.below(2) == 0 {
                Retry::Never
            } else {
                Retry::After { delay_ms: 10 }
            };
            let state = self.acknowledged(op, |world, op| {
                world
                    .store
                    .fail(op, claimed.task.clone(), claimed.fence, "boom", retry)
            });
            if state.is_some_and(lockstep_store::TaskState::is_terminal) {
                self.end(
                    &claimed.task,
                    if retry == Retry::Never {
                        "failed"
                    } else {
                        "dead"
                    },
                );
            }
            return;
        }
        let how =
            [CancelHow::Ask, CancelHow::Force][usize::try_from(self.dice.below(2)).expect("small")];
        let state = self.acknowledged(op, |world, op| {
            world.store.cancel(op, claimed.task.clone(), "user", how)
        });
        if state.is_some_and(lockstep_store::TaskState::is_terminal) {
            self.end(&claimed.task, "cancelled");
        }
    }

    /// Reset, close or migrate.
    fn replace(&mut self, n: u32) {
        let Some(session) = self.dice.pick(&self.sessions) else {
            return;
        };
        let (op, force) = (self.world.op(), self.dice.below(2) == 0);
        match self.dice.below(3) {
            0 => {
                let queued = if force {
                    QueueFate::Move
                } else {
                    QueueFate::Cancel
                };
                let reset = Reset {
                    session,
                    next: format!("r{n}").into(),
                    build: None,
                    reason: "reset".to_owned(),
                    queued,
                    force,
                };
                if let Some(was) =
                    self.acknowledged(op, |world, op| world.store.reset(op, reset.clone()))
                {
                    self.sessions.push(was.session);
                    was.cancelled
                        .iter()
                        .for_each(|task| self.end(task, "cancelled"));
                }
            }
            1 => {
                if let Some(closed) = self.acknowledged(op, |world, op| {
                    world.store.close(op, session.clone(), "idle", force)
                }) {
                    closed
                        .cancelled
                        .iter()
                        .for_each(|task| self.end(task, "cancelled"));
                }
            }
            _ => {
                let version = self
                    .world
                    .store
                    .show(session.clone())
                    .expect("shown")
                    .version;
                self.acknowledged(op, |world, op| {
                    world
                        .store
                        .migrate(op, session.clone(), "codex@1".into(), version, None)
                });
            }
        }
    }

    fn renew_or_append(&mut self, n: u32) {
        let Some(claimed) = self.dice.pick(&self.claims) else {
            return;
        };
        if self.dice.below(2) == 0 {
            definite(
                self.world
                    .store
                    .renew(claimed.session, claimed.fence, LEASE_MS),
            );
            return;
        }
        let items = vec![item(&format!("a{n}"))];
        let op = self.world.op();
        self.acknowledged(op, |world, op| {
            world.store.append(
                op,
                claimed.session.clone(),
                claimed.fence,
                claimed.next_seq,
                items.clone(),
            )
        });
    }

    fn wait(&mut self) {
        self.world
            .clock
            .advance(i64::try_from(self.dice.below(900)).expect("small"));
        let reaped = self.world.store.reap(2).expect("reaps");
        assert_eq!(reaped.skipped, []);
    }

    /// Calls twice: the second is the retry of a caller that lost the answer.
    fn acknowledged<T: PartialEq + std::fmt::Debug>(
        &mut self,
        op: OpId,
        call: impl Fn(&mut World, OpId) -> Result<T, Error>,
    ) -> Option<T> {
        let first = definite(call(&mut self.world, op.clone()))?;
        assert_eq!(call(&mut self.world, op).as_ref(), Ok(&first));
        Some(first)
    }

    fn end(&mut self, task: &TaskId, state: &'static str) {
        assert_eq!(
            self.ended.insert(task.clone(), state),
            None,
            "{task} ended twice"
        );
    }

    /// No more trouble: whatever is open is worked off.
    fn heal(&mut self) {
        for _ in 0..2_000 {
            self.world.clock.advance(LEASE_MS * 2);
            self.world.store.reap(100).expect("reaps");
            let claims: Vec<Claimed> = ["w1", "w2", "x1"]
                .iter()
                .filter_map(|worker| self.world.claim(worker))
                .collect();
            if claims.is_empty() {
                return;
            }
            for claimed in claims {
                let op = self.world.op();
                self.world
                    .store
                    .complete(op, done(&claimed))
                    .expect("completes");
                self.end(&claimed.task, "done");
            }
        }
    }

    fn judge(&mut self) {
        self.world.is_sound();
        let open = self
            .world
            .value("SELECT count(*) FROM task WHERE session_live = 1");
        assert_eq!(open, "0", "everything accepted has ended");
        for (task, state) in &self.ended {
            assert_eq!(
                &self
                    .world
                    .value(&format!("SELECT state FROM task WHERE task_id = '{task}'")),
                state
            );
        }
        let tasks = self.world.value("SELECT count(*) FROM task");
        assert_eq!(
            tasks,
            self.told.len().to_string(),
            "one task for each event"
        );
    }
}

fn definite<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let expected = ["fenced", "stale", "closed", "leased", "runtime_mismatch"];
            assert!(expected.contains(&error.kind()), "{error}");
            None
        }
    }
}

#[test]
fn every_rule_holds_throughout_many_operations() {
    for seed in 1..=3 {
        let mut soak = Soak::new(seed);
        for n in 0..STEPS {
            soak.step(n);
            if n % 25 == 0 {
                soak.world.is_sound();
            }
        }
        let stale = soak.claims.len();
        soak.heal();
        soak.judge();
        assert!(
            stale > 40 && soak.ended.len() > 40,
            "little happened: {stale} claims"
        );
    }
}
