//! `lock`: named locks outside the database, which break in the ways that real ones do.

use std::collections::BTreeMap;
use std::rc::Rc;

use rusqlite::types::Value;

use super::exec::{Done, Exec, Failure, Frame, Next};
use crate::fold::Fold;
use crate::run::Process;
use crate::scenario::{ErrorClass, Expr, Step, StepKind};
use crate::trace::{self, Arg, Kind, Outcome};

/// Which lock: its place in the program, and its key.
type Id = (usize, String);

/// A lock that a flow holds, and the generation with which it took it.
pub(super) type Held = (Id, u64);

/// The locks of one run.
#[derive(Default)]
pub(super) struct Locks {
    held: BTreeMap<Id, Holder>,
    /// How often each was taken: the generation of its holder.
    generations: BTreeMap<Id, u64>,
}

struct Holder {
    generation: u64,
    since_ms: u64,
    process: Rc<Process>,
    incarnation: u32,
}

impl Locks {
    /// Who holds what, since when, and how often each was taken.
    pub(super) fn fold(&self, fold: &mut Fold) {
        fold.number(self.held.len() as u64);
        for ((lock, key), holder) in &self.held {
            fold.number(*lock as u64);
            fold.text(key);
            fold.number(holder.generation);
            fold.number(holder.since_ms);
            fold.number(holder.process.name.hash());
            fold.number(u64::from(holder.incarnation));
        }
        for ((lock, key), generation) in &self.generations {
            fold.number(*lock as u64);
            fold.text(key);
            fold.number(*generation);
        }
    }

    /// Who holds a lock now: the dead hold nothing, and a stale lock is nobody's.
    fn holder(&self, id: &Id, stale_after: Option<u64>, now_ms: u64) -> Option<&Holder> {
        self.held.get(id).filter(|holder| {
            holder.process.lives_as(holder.incarnation)
                && stale_after.is_none_or(|stale| now_ms < holder.since_ms + stale)
        })
    }

    fn take(&mut self, id: &Id, process: &Rc<Process>, now_ms: u64) -> u64 {
        let generation = self.generations.entry(id.clone()).or_default();
        *generation += 1;
        let holder = Holder {
            generation: *generation,
            since_ms: now_ms,
            process: Rc::clone(process),
            incarnation: process.incarnation.get(),
        };
        self.held.insert(id.clone(), holder);
        *generation
    }

    /// Releases a lock, unless it has become somebody else's meanwhile and the lock looks who that is.
    fn release(&mut self, id: &Id, generation: u64, careless: bool) {
        let mine = |holder: &Holder| careless || holder.generation == generation;
        if self.held.get(id).is_some_and(mine) {
            self.held.remove(id);
        }
    }
}

/// Waits, runs the body, releases.
pub(super) fn lock(exec: &Exec<'_>, frame: &mut Frame, step: &Step) -> Done {
    let StepKind::Lock {
        lock,
        key,
        wait,
        into,
        steps,
        otherwise,
    } = &step.kind
    else {
        return exec.steps(frame, &[]);
    };
    let key = trace::plain(&exec.value(frame, key)?);
    let spec = &exec.shared.program.locks[*lock];
    let name = format!("{} {key}", spec.name);
    exec.ctx.gate(&step.site);
    let event = exec
        .ctx
        .event(Kind::Lock, Arg::Text(name.as_str().into()), Outcome::Open);
    let id = (*lock, key);
    let Some(generation) = acquire(exec, step, &id, *wait, spec.stale_after) else {
        exec.ctx.close(event, Outcome::Text("gave up".into()));
        if spec.breaks_on_waiter_timeout {
            exec.shared.locks.borrow_mut().held.remove(&id);
        }
        if otherwise.is_empty() {
            return Err(Failure::new(
                ErrorClass::Timeout,
                format!("lock {name}: timeout"),
            ));
        }
        return exec.steps(frame, otherwise);
    };
    if let Some(var) = into {
        let generation = i64::try_from(generation).unwrap_or(i64::MAX);
        exec.assign(frame, *var, Value::Integer(generation));
    }
    exec.ctx.learns(generation);
    exec.held.borrow_mut().push((id.clone(), generation));
    let done = exec.steps(frame, steps);
    exec.held.borrow_mut().pop();
    let mut locks = exec.shared.locks.borrow_mut();
    locks.release(&id, generation, spec.careless_release);
    drop(locks);
    exec.ctx.close(event, Outcome::Text("held".into()));
    done
}

/// The lock that this flow holds counts as taken now, so that it is not stale for as long again. Fails with `lost` when it is not
/// held any more.
pub(super) fn renew(
    exec: &Exec<'_>,
    frame: &mut Frame,
    step: &Step,
    lock: usize,
    key: &Expr,
) -> Done {
    let id = (lock, trace::plain(&exec.value(frame, key)?));
    exec.ctx.gate(&step.site);
    let held = exec.held.borrow();
    let own = held.iter().rfind(|(held, _)| *held == id);
    let generation = own.map(|(_, generation)| *generation);
    let stale_after = exec.shared.program.locks[lock].stale_after;
    let now = exec.ctx.now_ms();
    let mut locks = exec.shared.locks.borrow_mut();
    let mine = locks.holder(&id, stale_after, now);
    if mine.is_some_and(|holder| Some(holder.generation) == generation) {
        if let Some(holder) = locks.held.get_mut(&id) {
            holder.since_ms = now;
        }
        return Ok(Next::Step);
    }
    Err(Failure::new(
        ErrorClass::Named("lost".to_owned()),
        format!("{}: the lock is not held any more", step.site),
    ))
}

/// Waits for a lock and takes it; `None` when the wait ran out.
fn acquire(
    exec: &Exec<'_>,
    step: &Step,
    id: &Id,
    wait: Option<u64>,
    stale_after: Option<u64>,
) -> Option<u64> {
    let deadline = exec.at_most(wait.map(|wait| exec.ctx.now_ms() + wait));
    loop {
        let now = exec.ctx.now_ms();
        let stale_at = {
            let locks = exec.shared.locks.borrow();
            match locks.holder(id, stale_after, now) {
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
            shared.locks.borrow().holder(&id, None, 0).is_none()
        });
    }
    let now = exec.ctx.now_ms();
    let mut locks = exec.shared.locks.borrow_mut();
    Some(locks.take(id, exec.ctx.process(), now))
}
