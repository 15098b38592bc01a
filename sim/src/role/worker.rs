//! A worker process: each start of it is a worker of its own, which claims sessions and runs their turns.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lockstep_store::{Claimed, Error, Op, Reply, WorkerId};

use super::{insist, turn};
use crate::label::Label;
use crate::run::Ctx;
use crate::world::{Bell, Place, Post, Quirk, RUNTIMES, Town, goal};

/// One incarnation, running one build.
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) slot: usize,
    pub(crate) post: Post,
    /// Index into the runtime's builds.
    build: usize,
    claims: u64,
    /// The token of its last turn, and the chat that it served first: nobody who knows better looks at them.
    pub(crate) last_token: RefCell<Option<String>>,
    pub(crate) first_chat: Cell<Option<usize>>,
}

impl Worker {
    /// The class and home that its native sessions get.
    pub(crate) fn place(&self) -> Place {
        Place {
            class: RUNTIMES[self.post.runtime].class,
            home: self.post.home,
        }
    }
}

/// Starts an incarnation under a new id.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>, instance: u32) {
    let slot = instance as usize - 1;
    town.busy[slot].set(false);
    town.wait_until_open(ctx);
    let Some(post) = post(ctx, town, slot) else {
        return;
    };
    bury_the_last(ctx, town);
    let mut me = worker(ctx, town, slot, post, 0);
    for roll in 1.. {
        serve(ctx, town, &mut me);
        me = worker(ctx, town, slot, post, roll);
        ctx.kernel().reached(goal::NEW_BUILD_AT_WORK);
    }
}

/// An id is for one start of one build, never for another.
fn worker(ctx: &Ctx, town: &Town, slot: usize, post: Post, roll: u32) -> Worker {
    let process = ctx.process();
    let name = if town.has(Quirk::SameWorkerAfterRestart) {
        process.name.as_str().to_owned()
    } else {
        format!("{}#{}", process.name, process.incarnation.get())
    };
    Worker {
        id: WorkerId::new(if roll == 0 {
            name
        } else {
            format!("{name}~{roll}")
        }),
        slot,
        post,
        build: town.deployed[post.runtime].get(),
        claims: 0,
        last_token: RefCell::new(None),
        first_chat: Cell::new(None),
    }
}

/// The first two workers are one of each class on one machine. Some runs have a spare: of either class, there or elsewhere.
fn post(ctx: &Ctx, town: &Town, slot: usize) -> Option<Post> {
    if slot < RUNTIMES.len() {
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

/// Some supervisors declare the last incarnation gone when they start the next one; others leave that to its leases.
fn bury_the_last(ctx: &Ctx, town: &Town) {
    let (name, incarnation) = (&ctx.process().name, ctx.process().incarnation.get());
    if incarnation < 2 || ctx.pick(&BURIES, 2) == 0 {
        return;
    }
    let last = format!("{name}#{}", incarnation - 1);
    let op = Op::WorkerGone {
        worker: last.as_str().into(),
    };
    // It is unknown if it died before it registered.
    if let Ok(Reply::Gone(reaped)) = insist(ctx, Some(format!("bury {last}")), op) {
        ctx.kernel().reached(goal::DECLARED_GONE);
        town.took(ctx, &reaped);
    }
}

/// Waits for a wake-up. One may be lost, so it also looks by itself, ever more rarely while there is nothing. Ends when
/// another build is deployed, or when somebody has declared this worker gone.
fn serve(ctx: &Ctx, town: &Rc<Town>, me: &mut Worker) {
    let bell = town.work[me.post.runtime].clone();
    let mut registered = false;
    let mut heard = 0;
    let mut rest = SHORTEST_REST_MS;
    loop {
        let woken = wait(ctx, &bell, heard, rest);
        if ctx.stopping() {
            ctx.exit();
        }
        let replaced = town.deployed[me.post.runtime].get() != me.build;
        if replaced && !town.has(Quirk::StaysOnItsBuild) {
            return retire(ctx, me, registered);
        }
        // Registered when there is something to do, so that a quiet run stays small.
        registered = registered || register(ctx, me);
        if !registered {
            heard = bell.rings();
        }
        let worked = registered && drain(ctx, town, me, &bell, &mut heard);
        if registered && !worked && is_gone(ctx, me) {
            return;
        }
        rest = if woken || worked {
            SHORTEST_REST_MS
        } else {
            (rest * 2).min(LONGEST_REST_MS)
        };
    }
}

fn wait(ctx: &Ctx, bell: &Bell, heard: u64, rest: u64) -> bool {
    let rung = bell.clone();
    ctx.wait_or_stop(&WORK, Some(ctx.now_ms() + rest), move || {
        rung.rings() > heard
    })
}

fn register(ctx: &Ctx, me: &Worker) -> bool {
    let op = Op::RegisterWorker {
        worker: me.id.clone(),
        build: RUNTIMES[me.post.runtime].builds[me.build].into(),
        home: me.post.home.to_owned(),
    };
    insist(ctx, Some(format!("register {}", me.id)), op).is_ok()
}

/// Who finds nothing to do tells that it is alive, and learns whether somebody thinks otherwise.
fn is_gone(ctx: &Ctx, me: &Worker) -> bool {
    let op = Op::WorkerSeen {
        worker: me.id.clone(),
    };
    let gone = matches!(insist(ctx, None, op), Err(Error::NotFound { .. }));
    if gone {
        ctx.kernel().reached(goal::HEARD_IT_IS_GONE);
    }
    gone
}

/// It takes nothing more; what it held it has ended.
fn retire(ctx: &Ctx, me: &Worker, registered: bool) {
    if registered {
        let op = Op::WorkerDrain {
            worker: me.id.clone(),
        };
        // A supervisor may have declared it gone already.
        let _ = insist(ctx, Some(format!("drain {}", me.id)), op);
    }
}

/// One turn for each wake-up; when nobody called, until there is nothing left. A second look after the last wake-up would
/// find nothing: who queues or frees something rings.
fn drain(ctx: &Ctx, town: &Rc<Town>, me: &mut Worker, bell: &Bell, heard: &mut u64) -> bool {
    let uncalled = bell.rings() == *heard;
    let mut worked = false;
    while (uncalled || *heard < bell.rings()) && !ctx.stopping() {
        let Some(claimed) = claim(ctx, me) else {
            *heard = bell.rings();
            return worked;
        };
        *heard = (*heard + 1).min(bell.rings());
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
const BURIES: Label = Label::fixed("declares the last one gone");
const WORK: Label = Label::fixed("for work");
const SHORTEST_REST_MS: u64 = 60_000;
const LONGEST_REST_MS: u64 = 3_600_000;
