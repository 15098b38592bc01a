//! A worker process: each start of it is a worker of its own, which claims sessions and runs their turns.

use std::rc::Rc;

use lockstep_store::{Claimed, Op, Reply, WorkerId};

use super::{insist, turn};
use crate::label::Label;
use crate::run::Ctx;
use crate::world::{BUILDS, Native, Post, Town};

/// One incarnation.
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) slot: usize,
    pub(crate) post: Post,
    claims: u64,
}

impl Worker {
    /// The class and home that its native sessions get.
    pub(crate) fn place(&self) -> Native {
        let [_, _, class] = BUILDS[self.post.runtime];
        Native {
            class,
            home: self.post.home,
        }
    }
}

/// Starts an incarnation under a new id.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>, instance: u32) {
    let slot = instance as usize - 1;
    town.busy[slot].set(false);
    let Some(post) = post(ctx, town, slot) else {
        return;
    };
    let id = WorkerId::new(format!(
        "{}#{}",
        ctx.process().name,
        ctx.process().incarnation.get()
    ));
    serve(
        ctx,
        town,
        Worker {
            id,
            slot,
            post,
            claims: 0,
        },
    );
}

/// The first two workers are one of each class on one machine. Some runs have a spare: of either class, there or elsewhere.
fn post(ctx: &Ctx, town: &Town, slot: usize) -> Option<Post> {
    if slot < BUILDS.len() {
        return Some(Post {
            runtime: slot,
            home: HOME,
        });
    }
    // Drawn once: a spare that never came back would leave sessions that only it may resume.
    let spare = town
        .spare
        .get()
        .unwrap_or_else(|| match ctx.pick(&SPARE, 4) {
            0 => None,
            1 => Some(Post {
                runtime: 0,
                home: HOME,
            }),
            2 => Some(Post {
                runtime: 0,
                home: ELSEWHERE,
            }),
            _ => Some(Post {
                runtime: 1,
                home: ELSEWHERE,
            }),
        });
    town.spare.set(Some(spare));
    spare
}

/// Waits for a wake-up. One may be lost, so it also looks by itself, ever more rarely while there is nothing.
fn serve(ctx: &Ctx, town: &Rc<Town>, mut me: Worker) {
    let bell = Rc::clone(town.bell(me.post.runtime));
    let mut registered = false;
    let mut heard = 0;
    let mut rest = SHORTEST_REST_MS;
    loop {
        let (rings, known) = (Rc::clone(&bell), heard);
        let woken = ctx.wait(&WORK, Some(ctx.now_ms() + rest), move || {
            rings.get() > known
        });
        // Registered when there is something to do, so that a quiet run stays small.
        registered = registered || register(ctx, &me);
        let worked = registered && drain(ctx, town, &mut me, &bell, &mut heard);
        rest = if woken || worked {
            SHORTEST_REST_MS
        } else {
            (rest * 2).min(LONGEST_REST_MS)
        };
    }
}

fn register(ctx: &Ctx, me: &Worker) -> bool {
    let [_, build, _] = BUILDS[me.post.runtime];
    let op = Op::RegisterWorker {
        worker: me.id.clone(),
        build: build.into(),
        home: me.post.home.to_owned(),
    };
    insist(ctx, Some(format!("register {}", me.id)), op).is_ok()
}

/// One turn for each wake-up; when nobody called, until there is nothing left. A second look after the last wake-up would
/// find nothing: who queues or frees something rings.
fn drain(
    ctx: &Ctx,
    town: &Rc<Town>,
    me: &mut Worker,
    bell: &Rc<std::cell::Cell<u64>>,
    heard: &mut u64,
) -> bool {
    let uncalled = bell.get() == *heard;
    let mut worked = false;
    while uncalled || *heard < bell.get() {
        let Some(claimed) = claim(ctx, me) else {
            *heard = bell.get();
            return worked;
        };
        *heard = (*heard + 1).min(bell.get());
        worked = true;
        town.busy[me.slot].set(true);
        turn::run(ctx, town, me, &claimed);
        town.busy[me.slot].set(false);
    }
    worked
}

fn claim(ctx: &Ctx, me: &mut Worker) -> Option<Claimed> {
    me.claims += 1;
    let op = Op::Claim {
        worker: me.id.clone(),
        limit: 1,
        lease_ms: turn::LEASE_MS,
    };
    match insist(ctx, Some(format!("claim {} {}", me.id, me.claims)), op) {
        Ok(Reply::Claimed(claimed)) => claimed.into_iter().next(),
        _ => None,
    }
}

const HOME: &str = "m1";
const ELSEWHERE: &str = "m2";
const SPARE: Label = Label::fixed("spare worker");
const WORK: Label = Label::fixed("for work");
const SHORTEST_REST_MS: u64 = 60_000;
const LONGEST_REST_MS: u64 = 600_000;
