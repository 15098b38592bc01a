//! What a process does by itself: its start, its loop, its stop.

use std::cell::Cell;
use std::rc::Rc;

use super::Shared;
use super::exec::{self, Origin};
use crate::label::Label;
use crate::run::{Ctx, Process};
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

/// Rounds of a loop. It rests when nothing has changed for a while, until something does.
fn again_and_again(ctx: &Ctx, shared: &Rc<Shared>, spec: scenario::Loop) {
    let mut seen = ctx.kernel().changes();
    let mut since = ctx.now_ms();
    for round in 1.. {
        if ctx.stopping() {
            return;
        }
        let begun = ctx.now_ms();
        one_round(ctx, shared, spec.flow, round);
        if ctx.kernel().changes() != seen {
            seen = ctx.kernel().changes();
            since = begun;
        }
        if ctx.now_ms() >= since + spec.rest_after {
            rest(ctx, seen);
            since = ctx.now_ms();
        }
        ctx.sleep_or_stop(&ROUND, begun + spec.every);
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

/// Nobody waits for a loop that rests; it goes on when something has changed, when faults end, or to stop.
fn rest(ctx: &Ctx, seen: usize) {
    let (kernel, phase) = (ctx.shared_kernel(), ctx.kernel().phase());
    ctx.set_daemon(true);
    ctx.wait_or_stop(&REST, None, move || {
        kernel.changes() != seen || kernel.phase() != phase
    });
    ctx.set_daemon(false);
}

const ROUND: Label = Label::fixed("next round");
const REST: Label = Label::fixed("rests");
