//! What a process does by itself: its start, its loop, its stop.

use std::cell::Cell;
use std::rc::Rc;

use super::Shared;
use super::exec::{self, Origin};
use crate::label::Label;
use crate::run::{Ctx, Phase, Process};
use crate::scenario;
use crate::trace::{Arg, Kind, Outcome};

/// Arranges what this instance runs by itself.
pub(super) fn arrange(process: &Process, spec: &scenario::Process, shared: &Rc<Shared>) {
    process.ends_when_idle.set(true);
    if spec.start.is_some() || spec.looped.is_some() {
        let (shared, start, looped) = (Rc::clone(shared), spec.start, spec.looped);
        let begin = move |ctx: &Ctx| {
            if let Some(looped) = looped {
                let (shared, name) = (Rc::clone(&shared), own_name(ctx, "loop"));
                ctx.spawn(name, false, move |ctx| {
                    again_and_again(ctx, &shared, looped)
                });
            }
            if let Some(flow) = start {
                exec::deliver(ctx, &shared, &by_itself("start"), flow, &[]);
            }
        };
        process.on_start(false, Rc::new(begin));
    }
    if let Some(flow) = spec.stop {
        let shared = Rc::clone(shared);
        let end = move |ctx: &Ctx| exec::deliver(ctx, &shared, &by_itself("stop"), flow, &[]);
        process.on_stop(Rc::new(end));
    }
}

fn by_itself(event: &str) -> Origin {
    Origin {
        event: event.into(),
        connection: None,
        attempt: 1,
    }
}

fn own_name(ctx: &Ctx, what: &str) -> Label {
    let process = ctx.process();
    Label::new(&format!(
        "{what} {}#{}",
        process.name,
        process.incarnation.get()
    ))
}

/// Rounds of a loop, on a grid of its own. It rests when nothing has changed for a while, until something does.
fn again_and_again(ctx: &Ctx, shared: &Rc<Shared>, spec: scenario::Loop) {
    ctx.loops();
    let kernel = ctx.shared_kernel();
    let mut idle = Idle {
        seen: kernel.changes(),
        phase: kernel.phase(),
        since: ctx.now_ms(),
        rest: None,
    };
    for round in 1.. {
        if ctx.stopping() {
            return;
        }
        ctx.touches_anything();
        ctx.learns(idle.seen as u64);
        ctx.learns(idle.since);
        let begun = ctx.now_ms();
        one_round(ctx, shared, spec.flow, round);
        if kernel.changes() != idle.seen || kernel.phase() != idle.phase {
            idle.end(ctx, begun);
        }
        if ctx.now_ms() < idle.since + spec.every.max(spec.rest_after) {
            ctx.sleep_or_stop(&ROUND, begun + spec.every);
        } else {
            idle.rest(ctx, begun, spec);
        }
    }
}

/// Since when nothing has changed, as one loop sees it.
struct Idle {
    seen: usize,
    phase: Phase,
    since: u64,
    /// The event that tells of its rest.
    rest: Option<usize>,
}

impl Idle {
    /// Something has changed before the round that began then, or in it.
    fn end(&mut self, ctx: &Ctx, begun: u64) {
        self.seen = ctx.kernel().changes();
        self.phase = ctx.kernel().phase();
        self.since = begun;
        if let Some(rest) = self.rest.take() {
            ctx.close(rest, Outcome::Text("goes on".into()));
        }
    }

    /// Sleeps longer the longer nothing has changed. A round comes before whatever is due, as if none had been left out, so that
    /// what a clock has made true meanwhile is done. Rounds that only look would not be different.
    fn rest(&mut self, ctx: &Ctx, begun: u64, spec: scenario::Loop) {
        let now = ctx.now_ms();
        self.rest.get_or_insert_with(|| {
            let arg = Arg::Word(Kind::Rest.name());
            ctx.event(Kind::Rest, arg, Outcome::Open)
        });
        let idle = now - self.since;
        // From one round of the grid to another.
        let rounds = |ms: u64| (ms / spec.every).max(1) * spec.every;
        let sleep = match ctx.kernel().next_due_ms() {
            // The last two rounds before it, also where one of the grid falls on the same moment: a process that dies in one has
            // had, or gets, the other.
            Some(due) => {
                let ahead = rounds(due.saturating_sub(begun + 1));
                let last_but_one = ahead.saturating_sub(spec.every).max(spec.every);
                Some(rounds(idle / SLOWER).min(last_but_one))
            }
            None if idle < LONGEST_MS.max(spec.rest_after) => Some(rounds(idle)),
            None => None,
        };
        let (kernel, seen, phase) = (ctx.shared_kernel(), self.seen, self.phase);
        let stirred = move || kernel.changes() != seen || kernel.phase() != phase;
        // Nobody waits for one that has looked for long enough.
        ctx.set_daemon(sleep.is_none());
        ctx.wait_or_stop(&REST, sleep.map(|sleep| begun + sleep), stirred);
        ctx.set_daemon(false);
        let passed = (ctx.now_ms() - begun).div_ceil(spec.every).max(1);
        ctx.sleep_or_stop(&ROUND, begun + passed * spec.every);
    }
}

fn one_round(ctx: &Ctx, shared: &Rc<Shared>, flow: usize, round: u32) {
    let ended = Rc::new(Cell::new(false));
    let name = Label::new(&format!("{}.{round}", ctx.cause()));
    let (shared, over) = (Rc::clone(shared), Rc::clone(&ended));
    ctx.spawn(name, false, move |ctx| {
        let arg = Arg::Text(ctx.cause().as_str().into());
        let event = ctx.event(Kind::Task, arg, Outcome::Open);
        let done = exec::handle(ctx, &shared, &by_itself("loop"), flow, &[]);
        ctx.close(
            event,
            match done {
                Ok(()) => Outcome::Done,
                Err(failure) => Outcome::Error(failure.words.into()),
            },
        );
        ctx.kernel().trace.borrow_mut().end_round(event);
        over.set(true);
    });
    ctx.wait(&ROUND, None, move || ended.get());
}

/// While something is due a loop that rests sleeps for this part of the time in which nothing has changed.
const SLOWER: u64 = 16;

/// When nothing is due any more it looks again for so long: leases and the like run out meanwhile.
const LONGEST_MS: u64 = 26 * 3_600_000;

const ROUND: Label = Label::fixed("next round");
const REST: Label = Label::fixed("rests");
