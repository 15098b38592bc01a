//! `spawn`, `cancel`, `request`: other flows set going, in the same process or in another one.

use std::rc::Rc;

use rusqlite::types::Value;

use super::exec::{self, Done, Exec, Failure, Frame, Next};
use super::volatile;
use crate::label::Label;
use crate::run::{Answer, Process, Request};
use crate::scenario::{ErrorClass, Expr, Step, StepKind};
use crate::trace::{self, Arg, Kind, Outcome};

/// A task beside this one. It dies with its process.
pub(super) fn spawn(exec: &Exec<'_>, frame: &Frame, step: &Step) -> Done {
    let StepKind::Spawn {
        flow,
        args,
        delay,
        name,
    } = &step.kind
    else {
        return Ok(Next::Step);
    };
    let args = constants(exec, frame, args)?;
    let name = match name {
        Some(name) => Some(trace::plain(&exec.value(frame, name)?)),
        None => None,
    };
    exec.ctx.gate(&step.site);
    let delay_ms = exec.ctx.amount(&step.site, delay.shortest, delay.longest);
    let volatile = volatile(exec.ctx);
    let ticket = name.as_ref().map(|name| volatile.arm(name));
    exec.ctx.learns(ticket.unwrap_or(0));
    let (shared, flow, site) = (Rc::clone(exec.shared), *flow, step.site.clone());
    let origin = exec.origin.clone();
    let again = is_again(exec, flow);
    exec.ctx.spawn(cause_of(exec, flow), false, move |ctx| {
        if again {
            ctx.loops();
        }
        if delay_ms > 0 {
            ctx.sleep(&site, delay_ms);
        }
        let named = name.as_ref().zip(ticket);
        if named.is_some_and(|(name, ticket)| !volatile.begin(name, ticket)) {
            return;
        }
        let arg = Arg::Text(ctx.cause().as_str().into());
        let event = ctx.event(Kind::Task, arg, Outcome::Open);
        let outcome = match exec::handle(ctx, &shared, &origin, flow, &args) {
            Ok(()) => Outcome::Done,
            Err(failure) => Outcome::Error(failure.words.into()),
        };
        ctx.close(event, outcome);
    });
    Ok(Next::Step)
}

/// A task of this name that has not begun never will.
pub(super) fn cancel(exec: &Exec<'_>, frame: &Frame, step: &Step, name: &Expr) -> Done {
    let name = trace::plain(&exec.value(frame, name)?);
    exec.ctx.gate(&step.site);
    volatile(exec.ctx).disarm(&name);
    Ok(Next::Step)
}

/// A message to another process, and its answer if somebody waits for it.
pub(super) fn request(exec: &Exec<'_>, frame: &mut Frame, step: &Step) -> Done {
    let StepKind::Request {
        flow,
        args,
        process,
        instance,
        wait,
        into,
    } = &step.kind
    else {
        return Ok(Next::Step);
    };
    let args = constants(exec, frame, args)?;
    exec.ctx.gate(&step.site);
    let to = addressee(exec, *process, *instance);
    let cause = cause_of(exec, *flow);
    let words = format!("{cause} to {}", to.name);
    let event = exec.ctx.event(
        Kind::Request,
        Arg::Text(words.as_str().into()),
        Outcome::Open,
    );
    let (shared, flow, origin) = (Rc::clone(exec.shared), *flow, exec.origin.sent());
    let again = is_again(exec, flow);
    let mail = exec.ctx.send(Request {
        cause,
        to,
        handler: Rc::new(move |ctx| {
            if again {
                ctx.loops();
            }
            exec::deliver(ctx, &shared, &origin, flow, &args);
        }),
    });
    let Some(wait) = wait else {
        exec.ctx.close(event, Outcome::Done);
        return Ok(Next::Step);
    };
    let until = exec.ctx.now_ms() + wait;
    let until = exec.at_most(Some(until));
    let (class, what) = match exec.ctx.await_answer(&step.site, until, &mail) {
        Some(Answer::Reply(text)) => {
            exec.ctx.close(event, Outcome::Text(Rc::clone(&text)));
            if let Some(var) = into {
                exec.assign(frame, *var, Value::Text(text.to_string()));
            }
            return Ok(Next::Step);
        }
        Some(Answer::Broken) => (ErrorClass::Unknown, "the connection broke"),
        None => (ErrorClass::Timeout, "no answer in time"),
    };
    exec.ctx.close(event, Outcome::Error(what.into()));
    Err(Failure::new(class, format!("{words}: {what}")))
}

/// The instance that is named, or any.
fn addressee(exec: &Exec<'_>, process: usize, instance: Option<u32>) -> Rc<Process> {
    let index = match instance {
        Some(instance) => instance as usize,
        None => exec.shared.any_instance(exec.ctx, process),
    };
    Rc::clone(&exec.shared.processes.borrow()[process][index])
}

/// Whether a flow sets itself going once more, directly or through others: a timer that winds itself up is a loop.
fn is_again(exec: &Exec<'_>, flow: usize) -> bool {
    let name = exec.shared.program.versions[0].flows[flow].name.as_str();
    let mut made = exec.ctx.cause().as_str().split('/').skip(1);
    made.any(|part| part.split('#').next() == Some(name))
}

/// `click/work`, `click/work#2`: it depends on the delivery alone.
fn cause_of(exec: &Exec<'_>, flow: usize) -> Label {
    let flow = exec.shared.program.versions[0].flows[flow].name.as_str();
    exec.part(&Label::new(flow), flow)
}

/// Arguments as they are now: whoever gets them does not see these variables.
fn constants(exec: &Exec<'_>, frame: &Frame, args: &[Expr]) -> Result<Vec<Expr>, Failure> {
    args.iter()
        .map(|arg| exec.value(frame, arg).map(Expr::Const))
        .collect()
}
