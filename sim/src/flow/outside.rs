//! What flows share outside the database: named locks and resources.

use std::collections::BTreeMap;
use std::rc::Rc;

use rusqlite::types::Value;

use super::StepKind;
use super::exec::{Done, Exec, Failure, Frame, Next};
use crate::label::Label;
use crate::run::Process;
use crate::scenario::{ErrorClass, RuleKind, Step};
use crate::trace::{self, Arg, Kind, Outcome};

/// Locks and resources of one run.
#[derive(Default)]
pub(super) struct Outside {
    locks: BTreeMap<(usize, String), Holder>,
    resources: BTreeMap<(usize, String), Used>,
    tickets: u64,
}

struct Holder {
    ticket: u64,
    since_ms: u64,
    process: Rc<Process>,
    incarnation: u32,
}

#[derive(Default)]
struct Used {
    home: Option<Rc<str>>,
    users: Vec<(Rc<Process>, u32)>,
    free_at_ms: u64,
}

impl Outside {
    /// Who holds a lock now: the dead hold nothing, and a stale lock is nobody's.
    fn holder(
        &self,
        key: &(usize, String),
        stale_after: Option<u64>,
        now_ms: u64,
    ) -> Option<&Holder> {
        self.locks.get(key).filter(|holder| {
            is_alive(&holder.process, holder.incarnation)
                && stale_after.is_none_or(|stale| now_ms < holder.since_ms + stale)
        })
    }
}

/// `lock`: waits, runs its body, releases.
pub(super) fn lock(
    exec: &Exec<'_>,
    frame: &mut Frame,
    step: &Step,
    lock: usize,
    key: &Value,
    wait: Option<u64>,
    (body, otherwise): (&[Step], &[Step]),
) -> Done {
    let spec = &exec.shared.program.locks[lock];
    let name = format!("{} {}", spec.name, word(key));
    exec.ctx.gate(&step.site);
    let event = exec
        .ctx
        .event(Kind::Lock, Arg::Text(name.as_str().into()), Outcome::Open);
    let id = (lock, word(key));
    let Some(ticket) = acquire(exec, step, &id, wait, spec.stale_after) else {
        exec.ctx.close(event, Outcome::Text("gave up".into()));
        if spec.breaks_on_waiter_timeout {
            exec.shared.outside.borrow_mut().locks.remove(&id);
        }
        if otherwise.is_empty() {
            return Err(Failure {
                class: ErrorClass::Timeout,
                words: format!("lock {name}: timeout"),
            });
        }
        return exec.steps(frame, otherwise);
    };
    let done = exec.steps(frame, body);
    let mut outside = exec.shared.outside.borrow_mut();
    if outside
        .locks
        .get(&id)
        .is_some_and(|holder| holder.ticket == ticket)
    {
        outside.locks.remove(&id);
    }
    drop(outside);
    exec.ctx.close(event, Outcome::Text("held".into()));
    done
}

/// Waits for a lock and takes it; `None` when the wait ran out.
fn acquire(
    exec: &Exec<'_>,
    step: &Step,
    id: &(usize, String),
    wait: Option<u64>,
    stale_after: Option<u64>,
) -> Option<u64> {
    let deadline = wait.map(|wait| exec.ctx.now_ms() + wait);
    loop {
        let now = exec.ctx.now_ms();
        let stale_at = {
            let outside = exec.shared.outside.borrow();
            match outside.holder(id, stale_after, now) {
                None => break,
                Some(holder) => stale_after.map(|stale| holder.since_ms + stale),
            }
        };
        if deadline.is_some_and(|deadline| now >= deadline) {
            return None;
        }
        let until = [deadline, stale_at].into_iter().flatten().min();
        let (shared, id) = (Rc::clone(exec.shared), id.clone());
        exec.ctx.wait(&step.site, until, move || {
            shared.outside.borrow().holder(&id, None, 0).is_none()
        });
    }
    let mut outside = exec.shared.outside.borrow_mut();
    outside.tickets += 1;
    let process = Rc::clone(exec.ctx.process());
    let incarnation = process.incarnation.get();
    let ticket = outside.tickets;
    outside.locks.insert(
        id.clone(),
        Holder {
            ticket,
            since_ms: exec.ctx.now_ms(),
            process,
            incarnation,
        },
    );
    Some(ticket)
}

/// `use`: uses a resource, makes a new one if asked to, retries refusals.
pub(super) fn use_resource(exec: &Exec<'_>, frame: &mut Frame, step: &Step) -> Done {
    let StepKind::Use {
        resource,
        key,
        hold,
        create,
        retry,
        otherwise,
    } = &step.kind
    else {
        return Ok(Next::Step);
    };
    let spec = &exec.shared.program.resources[*resource];
    exec.ctx.gate(&step.site);
    let key = match (exec.value(frame, key)?, create) {
        (Value::Null, Some(_)) => Value::Text(exec.fresh_id(&spec.name)),
        (key, _) => key,
    };
    let id = (*resource, word(&key));
    let name = format!("{} {}", spec.name, word(&key));
    for delay in retry.iter().map(Some).chain([None]) {
        let event = exec
            .ctx
            .event(Kind::Use, Arg::Text(name.as_str().into()), Outcome::Open);
        if enter(exec, &id, spec.exclusive) {
            check_home(exec, &id, spec.homed, &name);
            exec.ctx.sleep(
                &step.site,
                exec.ctx.amount(&step.site, hold.shortest, hold.longest),
            );
            leave(
                exec,
                &id,
                exec.ctx.amount(
                    &RELEASE,
                    spec.release_after.shortest,
                    spec.release_after.longest,
                ),
            );
            exec.ctx.close(event, Outcome::Done);
            if let Some(var) = create {
                exec.assign(frame, *var, key);
            }
            return Ok(Next::Step);
        }
        exec.ctx
            .close(event, Outcome::Text(spec.refuses.as_str().into()));
        if let Some(delay) = delay {
            exec.ctx.sleep(&step.site, *delay);
        }
    }
    if otherwise.is_empty() {
        let class = ErrorClass::Named(spec.refuses.clone());
        return Err(Failure {
            class,
            words: format!("{name}: {}", spec.refuses),
        });
    }
    exec.steps(frame, otherwise)
}

fn is_alive(process: &Process, incarnation: u32) -> bool {
    process.up.get() && process.incarnation.get() == incarnation
}

fn enter(exec: &Exec<'_>, id: &(usize, String), exclusive: bool) -> bool {
    let now = exec.ctx.now_ms();
    let mut outside = exec.shared.outside.borrow_mut();
    let used = outside.resources.entry(id.clone()).or_default();
    // Whoever died in the middle of a use does not hold it any more.
    used.users
        .retain(|(process, incarnation)| is_alive(process, *incarnation));
    if exclusive && (!used.users.is_empty() || now < used.free_at_ms) {
        return false;
    }
    let process = Rc::clone(exec.ctx.process());
    let incarnation = process.incarnation.get();
    used.users.push((process, incarnation));
    true
}

fn leave(exec: &Exec<'_>, id: &(usize, String), release_after_ms: u64) {
    let now = exec.ctx.now_ms();
    let mut outside = exec.shared.outside.borrow_mut();
    if let Some(used) = outside.resources.get_mut(id) {
        let me = exec.ctx.process();
        let mine = used
            .users
            .iter()
            .position(|(process, _)| Rc::ptr_eq(process, me));
        if let Some(mine) = mine {
            used.users.remove(mine);
        }
        used.free_at_ms = now + release_after_ms;
    }
}

/// The first use gives a homed resource its home; a use from elsewhere violates `resource.home`.
fn check_home(exec: &Exec<'_>, id: &(usize, String), homed: bool, name: &str) {
    if !homed {
        return;
    }
    exec.ctx.kernel().judged();
    let here = exec.ctx.process().home.clone();
    let home = {
        let mut outside = exec.shared.outside.borrow_mut();
        let used = outside.resources.entry(id.clone()).or_default();
        if used.home.is_none() {
            used.home.clone_from(&here);
        }
        used.home.clone()
    };
    if home != here {
        let rules = &exec.shared.program.invariants;
        for rule in rules
            .iter()
            .filter(|rule| rule.kind == RuleKind::ResourceHome)
        {
            let text = |home: &Option<Rc<str>>| home.as_deref().unwrap_or("nowhere").to_owned();
            let row = format!("{name} lives on {}, used on {}", text(&home), text(&here));
            exec.ctx.kernel().violated(&rule.name, &id.1, &row);
        }
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => trace::value_json(other).to_string(),
    }
}

const RELEASE: Label = Label::fixed("release");
