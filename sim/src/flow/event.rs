//! The world's side of an event: waits for its time, delivers and repeats like a platform, or does something to a process.

use std::rc::Rc;

use rusqlite::types::Value;
use serde_json::Value as Json;

use super::Shared;
use super::exec::{self, Origin};
use crate::access::{self, Access};
use crate::fold::bits_of;
use crate::label::Label;
use crate::run::{Answer, Ctx, Mail, Process, Request};
use crate::scenario::{After, Does, Event, Expr, Redeliver, Span};

/// One event, with its repeats.
pub(super) fn happens(ctx: &Ctx, shared: &Rc<Shared>, index: usize) {
    let program = Rc::clone(&shared.program);
    let event = &program.events[index];
    await_others(ctx, shared, event);
    if !event.happens {
        shared.ended[index].set(true);
        return;
    }
    // What may never happen is a daemon; from here it does happen.
    ctx.set_daemon(false);
    let at = ctx.amount(&AT, event.at.shortest, event.at.longest);
    if at > 0 {
        let since = if event.after.is_empty() {
            ctx.kernel().begun_ms()
        } else {
            ctx.now_ms()
        };
        ctx.sleep_until(&AT, since + at);
    }
    let (every, times) = event.every.unwrap_or((0, 1));
    for nth in 1..=times {
        let begun = ctx.now_ms();
        once(ctx, shared, index, nth);
        if nth < times {
            ctx.sleep_until(&AT, begun + every);
        }
    }
    ctx.touches(|| Access::thing(access::name("ended", &[index as u64]), true));
    shared.ended[index].set(true);
}

/// Who waits for another event looks at it.
fn touches(ctx: &Ctx, after: &After) {
    ctx.touches(|| match after {
        After::Event(other) => Access::thing(access::name("ended", &[*other as u64]), false),
        After::Crash(_) => Access::ANYTHING,
    });
}

fn await_others(ctx: &Ctx, shared: &Rc<Shared>, event: &Event) {
    for after in &event.after {
        touches(ctx, after);
        let (shared, after) = (Rc::clone(shared), *after);
        ctx.wait(&AFTER, None, move || match after {
            After::Event(other) => shared.ended[other].get(),
            After::Crash(kind) => {
                let processes = shared.processes.borrow();
                processes[kind].iter().any(|process| process.died.get() > 0)
            }
        });
    }
}

fn once(ctx: &Ctx, shared: &Rc<Shared>, index: usize, nth: u32) {
    let event = &shared.program.events[index];
    let label = match nth {
        1 => event.label.clone(),
        _ => format!("{}#{nth}", event.label),
    };
    match &event.does {
        Does::Send { .. } => deliver(ctx, shared, index, nth, &label),
        Does::Crash(down) => concerned(shared, event)
            .iter()
            .for_each(|process| crash(ctx, process, *down)),
        Does::Stop => concerned(shared, event)
            .iter()
            .for_each(|process| stop(ctx, process)),
        Does::Roll(version) => {
            ctx.touches_anything();
            for process in concerned(shared, event) {
                process.next_code.set(Some(*version));
                stop(ctx, &process);
            }
        }
        Does::Backup(file) => back_up(ctx, shared, *file),
        Does::Restore { file, stops } => restore(ctx, shared, *file, stops.as_deref()),
    }
}

fn back_up(ctx: &Ctx, shared: &Shared, file: usize) {
    let taken = (0..TRIES).find_map(|_| {
        let taken = ctx.backup(file);
        if taken.is_none() {
            ctx.sleep(&BACKUP, TRY_AGAIN_MS);
        }
        taken
    });
    if let Some(taken) = taken {
        shared.backups.borrow_mut().insert(file, taken);
    }
}

fn restore(ctx: &Ctx, shared: &Shared, file: usize, stops: Option<&[usize]>) {
    let backup = shared.backups.borrow().get(&file).cloned();
    let Some(backup) = backup else { return };
    let _done = (0..TRIES).any(|_| {
        let done = ctx.restore(&backup, stops);
        if !done {
            ctx.sleep(&BACKUP, TRY_AGAIN_MS);
        }
        done
    });
}

/// The instances that an event is about: the named one, or all.
fn concerned(shared: &Shared, event: &Event) -> Vec<Rc<Process>> {
    let processes = shared.processes.borrow();
    let all = &processes[event.process];
    match event.instance {
        Some(instance) => vec![Rc::clone(&all[instance as usize])],
        None => all.clone(),
    }
}

fn crash(ctx: &Ctx, process: &Rc<Process>, down: Span) {
    let ms = ctx.amount(&DOWN, down.shortest, down.longest);
    ctx.crash(process, ms);
}

/// Asks an instance to stop and waits until it has started again.
fn stop(ctx: &Ctx, process: &Rc<Process>) {
    let before = process.incarnation.get();
    ctx.ask_to_stop(process);
    let watched = Rc::clone(process);
    ctx.wait(&RESTARTED, None, move || {
        watched.up.get() && watched.incarnation.get() > before
    });
}

/// Delivers a message when its turn comes: of one queue only one is on its way, in the order in which they fell due.
fn deliver(ctx: &Ctx, shared: &Rc<Shared>, index: usize, nth: u32, label: &str) {
    let Some(queue) = &shared.program.events[index].queue else {
        return attempts(ctx, shared, index, label);
    };
    ctx.touches_anything();
    let own = (index, nth);
    let mut queues = shared.queues.borrow_mut();
    queues.entry(queue.clone()).or_default().push_back(own);
    drop(queues);
    let (waiting, name) = (Rc::clone(shared), queue.clone());
    ctx.wait(&TURN, None, move || {
        let queues = waiting.queues.borrow();
        queues.get(&name).and_then(|queue| queue.front()) == Some(&own)
    });
    attempts(ctx, shared, index, label);
    if let Some(queue) = shared.queues.borrow_mut().get_mut(queue) {
        queue.pop_front();
    }
}

/// Delivers a message, and repeats it by the platform's law while nobody answers.
fn attempts(ctx: &Ctx, shared: &Rc<Shared>, index: usize, label: &str) {
    let event = &shared.program.events[index];
    let no_law = Redeliver::default();
    let law = event.redeliver.as_ref().unwrap_or(&no_law);
    let first = addressee(ctx, shared, event);
    for attempt in 0..=law.gaps.len() {
        let cause = match attempt {
            0 => Label::new(label),
            n => Label::new(&format!("{label}/redelivery#{n}")),
        };
        let begun = ctx.now_ms();
        let to = if law.to_next { first + attempt } else { first };
        let to = instance(shared, event.process, to);
        let send = if event.reliable {
            Ctx::hand_over
        } else {
            Ctx::send
        };
        let mail = send(ctx, request(ctx, shared, &to, index, attempt, label, cause));
        let gap = law.gaps.get(attempt).copied();
        let late = law.timeout.map(|timeout| begun + timeout);
        if let Some(answer) = answer(ctx, &mail, late.or(gap.map(|gap| begun + gap))) {
            ctx.touches(|| Access::thing(access::name("answer", &[index as u64]), true));
            shared.answers.borrow_mut()[index] = Some(answer);
            return;
        }
        // A platform that knows when an attempt has failed counts from there, the others from its start.
        let since = if late.is_some() { ctx.now_ms() } else { begun };
        if let Some(gap) = gap {
            ctx.sleep_until(&AGAIN, since + gap);
        }
    }
}

/// An instance by its number from 0, beyond the last one from the first on.
fn instance(shared: &Shared, kind: usize, number: usize) -> Rc<Process> {
    let instances = &shared.processes.borrow()[kind];
    Rc::clone(&instances[number % instances.len()])
}

/// The answer to one attempt, if it comes in time.
fn answer(ctx: &Ctx, mail: &Rc<Mail>, until: Option<u64>) -> Option<Rc<str>> {
    match ctx.await_answer(&ANSWER, until, mail) {
        Some(Answer::Reply(text)) => {
            ctx.learns(Label::new(&text).hash());
            Some(text)
        }
        _ => None,
    }
}

/// The instance that is named, the one that the connection is to, or any.
fn addressee(ctx: &Ctx, shared: &Shared, event: &Event) -> usize {
    if let Some(instance) = event.instance {
        return instance as usize;
    }
    let Does::Send {
        connection: Some(connection),
        ..
    } = event.does
    else {
        return shared.any_instance(ctx, event.process);
    };
    ctx.touches_anything();
    let known = (event.process, connection);
    let instance = shared.connected.borrow().get(&known).copied();
    let instance = instance.unwrap_or_else(|| shared.any_instance(ctx, event.process));
    shared.connected.borrow_mut().insert(known, instance);
    instance
}

fn request(
    ctx: &Ctx,
    shared: &Rc<Shared>,
    to: &Rc<Process>,
    index: usize,
    attempt: usize,
    label: &str,
    cause: Label,
) -> Request {
    let shared = Rc::clone(shared);
    let event = &shared.program.events[index];
    let own_id = event.redeliver.as_ref().is_some_and(|law| law.new_id);
    let (connection, flow, args) = match &event.does {
        Does::Send {
            connection,
            flow,
            args,
        } => (*connection, *flow, args.as_slice()),
        _ => (None, 0, &[][..]),
    };
    for arg in args {
        if let Expr::Answer(other, _) = arg {
            ctx.touches(|| Access::thing(access::name("answer", &[*other as u64]), false));
        }
    }
    let args: Vec<Expr> = args.iter().map(|arg| known(&shared, arg)).collect();
    for arg in &args {
        // It is what somebody else was answered by now.
        if let Expr::Const(value) = arg {
            ctx.learns(bits_of(value));
        }
    }
    let origin = Origin {
        event: if own_id { cause.as_str() } else { label }.into(),
        connection,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX).saturating_add(1),
    };
    Request {
        cause,
        to: Rc::clone(to),
        handler: Rc::new(move |ctx| exec::deliver(ctx, &shared, &origin, flow, &args)),
    }
}

/// An argument with the answers that have come in by now.
fn known(shared: &Shared, arg: &Expr) -> Expr {
    let Expr::Answer(event, field) = arg else {
        return arg.clone();
    };
    let answers = shared.answers.borrow();
    let json = answers[*event]
        .as_ref()
        .and_then(|text| serde_json::from_str::<Json>(text).ok());
    let value = match json.as_ref().and_then(|json| json.get(field)) {
        None | Some(Json::Null) => Value::Null,
        Some(Json::String(text)) => Value::Text(text.clone()),
        Some(Json::Bool(truth)) => Value::Integer((*truth).into()),
        Some(Json::Number(number)) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Real(number.as_f64().unwrap_or(0.0)),
        },
        Some(other) => Value::Text(other.to_string()),
    };
    Expr::Const(value)
}

/// A backup waits for writers to end, so often.
const TRIES: u32 = 600;
const TRY_AGAIN_MS: u64 = 100;

const AFTER: Label = Label::fixed("after");
const AT: Label = Label::fixed("at");
const ANSWER: Label = Label::fixed("answer");
const AGAIN: Label = Label::fixed("again");
const BACKUP: Label = Label::fixed("backup again");
const DOWN: Label = Label::fixed("down");
const TURN: Label = Label::fixed("turn");
const RESTARTED: Label = Label::fixed("restarted");
