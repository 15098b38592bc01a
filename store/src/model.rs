//! The store as plain data: what every operation means, without SQL, files or concurrency. It is the oracle: whatever it
//! answers, an implementation has to answer too. It keeps no audit.
//!
//! ```
//! use lockstep_store::{ManualClock, Store, model::Model};
//! let mut store = Model::new(ManualClock::at(0));
//! store.register_build("op".into(), "bot@1".into(), "bot", "bot/1".into())?;
//! # Ok::<(), lockstep_store::Error>(())
//! ```

mod chat;
mod due;
mod look;
mod outbox;
mod prompt;
mod runtime;
mod session;
mod step;
mod turn;
mod world;

use crate::clock::Clock;
use crate::contract::Store;
use crate::error::Error;
use crate::id::OpId;
use crate::limits;
use crate::op::{Call, Op};
use crate::reply::{Reply, Report};
use std::collections::BTreeMap;
use std::hash::Hash;
pub use step::Step;
use world::World;
use xxhash_rust::xxh3::Xxh3;

/// A store in memory. One value is one database with one connection.
#[derive(Clone, Debug)]
pub struct Model<C> {
    clock: C,
    world: World,
    kept: BTreeMap<OpId, Kept>,
}

/// An answer, the request that it answers, and when it was given.
#[derive(Clone, Debug, Hash)]
struct Kept {
    op: Op,
    reply: Reply,
    at_ms: i64,
}

/// What the operations work on.
type Answer = Result<Reply, Error>;

impl<C: Clock> Model<C> {
    /// An empty store.
    pub fn new(clock: C) -> Self {
        Self {
            clock,
            world: World::default(),
            kept: BTreeMap::new(),
        }
    }

    /// Its clock.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// Applies a call to a part of a store. What is done is `does`: the call's operation, its limit lowered to what falls to
    /// this part. What it is compared with under its op_id is the call; its answer is kept if somebody will come back for it.
    /// All or nothing, as [`Store::apply`].
    pub fn apply_part(&mut self, call: &Call, does: &Op, keep: bool) -> Answer {
        self.dispatch(call, does, keep, Self::attempt)
    }

    /// The same without copying the store first: what was refused may have left half of its change behind.
    pub fn apply_in_place(&mut self, call: &Call, does: &Op, keep: bool) -> Answer {
        self.dispatch(call, does, keep, Self::go_ahead)
    }

    /// Forgets the answers that nobody will come back for.
    pub fn keep_answers(&mut self, wanted: impl Fn(&OpId) -> bool) {
        self.kept.retain(|op_id, _| wanted(op_id));
    }

    /// A hash of everything that later answers depend on.
    pub fn fingerprint(&self) -> u128 {
        let mut hash = Xxh3::new();
        (self.world.contents(), &self.kept).hash(&mut hash);
        hash.digest128()
    }

    fn dispatch(
        &mut self,
        call: &Call,
        does: &Op,
        keep: bool,
        work: fn(&mut Self, &Op) -> Answer,
    ) -> Answer {
        limits::check(call)?;
        match (&call.op_id, call.op.keeps_answer()) {
            (Some(op_id), true) => self.change(op_id, &call.op, keep, |model| work(model, does)),
            (None, true) => Err(invalid("op_id", "this operation needs one")),
            (Some(_), false) => Err(invalid("op_id", "this operation keeps no answer")),
            (None, false) => match *does {
                Op::Prune { keep_ms, limit } => self.prune(keep_ms, limit),
                _ => work(self, does),
            },
        }
    }

    /// All or nothing: what failed left nothing behind.
    fn attempt(&mut self, op: &Op) -> Answer {
        let mut world = self.world.clone();
        world.now = self.clock.now_ms();
        let reply = perform(&mut world, op)?;
        self.world = world;
        Ok(reply)
    }

    fn go_ahead(&mut self, op: &Op) -> Answer {
        self.world.now = self.clock.now_ms();
        perform(&mut self.world, op)
    }

    fn change(
        &mut self,
        op_id: &OpId,
        op: &Op,
        keep: bool,
        work: impl FnOnce(&mut Self) -> Answer,
    ) -> Answer {
        if let Some(kept) = self.kept.get(op_id) {
            return match kept.op == *op {
                true => Ok(kept.reply.clone()),
                false => Err(Error::OpIdReused {
                    op_id: op_id.clone(),
                }),
            };
        }
        let reply = work(self)?;
        let idle = match &reply {
            Reply::Claimed(claimed) => claimed.is_empty(),
            Reply::Sending(sending) => sending.is_empty(),
            _ => false,
        };
        if keep && !idle {
            let kept = Kept {
                op: op.clone(),
                reply: reply.clone(),
                at_ms: self.clock.now_ms(),
            };
            self.kept.insert(op_id.clone(), kept);
        }
        Ok(reply)
    }

    fn prune(&mut self, keep_ms: i64, limit: u32) -> Answer {
        let Reply::Pruned(mut pruned) = self.attempt(&Op::Prune { keep_ms, limit })? else {
            return Err(misplaced(&Op::Prune { keep_ms, limit }));
        };
        pruned.op_results = self.forget_answers(self.clock.now_ms() - keep_ms, limit);
        Ok(Reply::Pruned(pruned))
    }

    fn forget_answers(&mut self, before_ms: i64, limit: u32) -> u64 {
        let mut old: Vec<(i64, OpId)> = self
            .kept
            .iter()
            .filter(|(_, kept)| kept.at_ms < before_ms)
            .map(|(op_id, kept)| (kept.at_ms, op_id.clone()))
            .collect();
        old.sort();
        old.truncate(limit as usize);
        for (_, op_id) in &old {
            self.kept.remove(op_id);
        }
        old.len() as u64
    }
}

impl<C: Clock> Store for Model<C> {
    fn apply(&mut self, call: &Call) -> Answer {
        self.dispatch(call, &call.op, true, Self::attempt)
    }
}

fn perform(world: &mut World, op: &Op) -> Answer {
    match op {
        Op::RegisterBuild { .. }
        | Op::SetCurrent { .. }
        | Op::AllowMove { .. }
        | Op::Drain { .. }
        | Op::Retire { .. }
        | Op::RegisterWorker { .. }
        | Op::WorkerSeen { .. }
        | Op::WorkerDrain { .. }
        | Op::WorkerGone { .. } => runtime::perform(world, op),
        Op::OpenOrGet { .. } | Op::Accept(_) | Op::LinkKey { .. } | Op::OrderedIds { .. } => {
            chat::perform(world, op)
        }
        Op::Claim { .. }
        | Op::Renew { .. }
        | Op::Append { .. }
        | Op::Complete(_)
        | Op::Fail { .. }
        | Op::GiveBack { .. }
        | Op::Snooze { .. }
        | Op::Retry { .. }
        | Op::Cancel { .. } => turn::perform(world, op),
        Op::Ask(_) | Op::Answer(_) | Op::Revoke { .. } => prompt::perform(world, op),
        Op::ClaimSend { .. }
        | Op::Sent { .. }
        | Op::NotSent { .. }
        | Op::Unknown { .. }
        | Op::Resolve { .. } => outbox::perform(world, op),
        Op::Note { .. }
        | Op::PutState { .. }
        | Op::GetState { .. }
        | Op::Close { .. }
        | Op::Reset(_)
        | Op::SetResume { .. }
        | Op::DropResume { .. }
        | Op::Resume { .. }
        | Op::Migrate { .. } => session::perform(world, op),
        Op::Reap { .. } | Op::Sweep { .. } | Op::Prune { .. } | Op::Restored { .. } => {
            due::perform(world, op)
        }
        Op::List { .. } | Op::History { .. } | Op::Stats | Op::Explain { .. } | Op::Show { .. } => {
            look::perform(world, op)
        }
        Op::Verify { .. } => Ok(Reply::Verified(Report::default())),
    }
}

fn misplaced(op: &Op) -> Error {
    Error::Io {
        code: 0,
        message: format!("{} has no place among these operations", op.name()),
    }
}

fn invalid(field: &'static str, why: &str) -> Error {
    Error::Invalid {
        field,
        why: why.to_owned(),
    }
}

fn in_range(field: &'static str, value: i64, min: i64, max: i64) -> Result<(), Error> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::Invalid {
        field,
        why: format!("{value} is not in {min}..={max}"),
    })
}

fn not_found(what: &'static str, id: impl ToString) -> Error {
    Error::NotFound {
        what,
        id: id.to_string(),
    }
}

fn closed(reason: impl ToString) -> Error {
    Error::Closed {
        reason: reason.to_string(),
    }
}

fn constraint(name: &str) -> Error {
    Error::Constraint {
        name: name.to_owned(),
    }
}

const SECOND_MS: i64 = 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * SECOND_MS;
