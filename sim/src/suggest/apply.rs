//! Programs with repairs in them.

use super::body;
use super::repair::{Repair, indexed};
use super::statement::named;
use super::steps::{sql_mut, vars_mut, visit_mut};
use crate::scenario::program::{Builtin, Flow, Lock, Provider};
use crate::scenario::{Program, Step, StepKind, Var};

/// The table of keys that were handled.
pub(super) const HANDLED: &str = "handled";

/// The program with all of these; `None` when one of them does not fit.
pub(super) fn all(program: &Program, repairs: &[&Repair]) -> Option<Program> {
    let mut changed = program.clone();
    // What counts steps comes before what moves them.
    let mut ordered = repairs.to_vec();
    ordered.sort_by_key(|repair| match repair {
        Repair::Guard { .. } | Repair::LetFail { .. } | Repair::Persist { .. } => 0,
        Repair::Transaction { .. } | Repair::Gather { .. } => 1,
        Repair::Dedup { .. } => 2,
        _ => 3,
    });
    let with = repairs
        .iter()
        .any(|repair| matches!(repair, Repair::Transaction { .. }));
    ordered
        .iter()
        .all(|repair| one(&mut changed, repair, with))
        .then_some(changed)
}

/// `transactional`: a key is recorded inside the transaction that begins the flow, if there is one.
fn one(program: &mut Program, repair: &Repair, transactional: bool) -> bool {
    if let Repair::Dedup { .. } = repair {
        program.schema +=
            &format!(";\nCREATE TABLE IF NOT EXISTS {HANDLED} (key TEXT PRIMARY KEY);");
    }
    match repair.flow() {
        Some(at) => of_flow(program, at, &mut |flow| {
            in_flow(flow, repair, transactional)
        }),
        None => everywhere(program, repair),
    }
}

/// A repair of one flow.
fn in_flow(flow: &mut Flow, repair: &Repair, transactional: bool) -> bool {
    match repair {
        Repair::Guard { step, asks, .. } => body::asks(flow, step, asks),
        Repair::Transaction { steps, .. } => body::in_transaction(flow, *steps),
        Repair::Gather { .. } => body::gather(flow),
        Repair::Dedup { key, .. } => body::deduplicated(flow, *key, transactional),
        Repair::LetFail {
            step: Some((_, spot)),
        } => visit_mut(&mut flow.steps, &mut |step| {
            spot.is(step) && body::lets_fail(step)
        }),
        Repair::Persist { set, write, .. } => body::persists(flow, set, write),
        Repair::Move { from, before, .. } => body::moved(flow, *from, *before),
        _ => false,
    }
}

/// A repair of the whole program.
fn everywhere(program: &mut Program, repair: &Repair) -> bool {
    match repair {
        Repair::UniqueIndex {
            table,
            columns,
            condition,
        } => {
            let on = indexed(table, columns, condition.as_deref());
            program.schema += &format!(";\nCREATE UNIQUE INDEX suggested_{table} {on};");
            each_flow(program, &mut |flow| {
                body::begins_again(flow);
                true
            })
        }
        Repair::Immediate => each_step(program, &mut |step| match &mut step.kind {
            StepKind::Transaction { immediate, .. } => !std::mem::replace(immediate, true),
            _ => false,
        }),
        Repair::Lock { flows, on } => {
            program.locks.push(sound("suggested".to_owned()));
            let lock = program.locks.len() - 1;
            flows.iter().all(|flow| {
                of_flow(program, *flow, &mut |flow| {
                    body::under_lock(flow, lock, on.as_deref())
                })
            })
        }
        Repair::LockHolds => {
            for lock in &mut program.locks {
                *lock = sound(std::mem::take(&mut lock.name));
            }
            true
        }
        Repair::Wait => each_step(program, &mut |step| match &mut step.kind {
            StepKind::Lock { wait, .. } => wait.take().is_some(),
            _ => false,
        }),
        Repair::IdempotencyKey { effect } => with_key(program, effect),
        Repair::LetFail { step: None } => each_step(program, &mut body::lets_fail),
        Repair::Utc => each_step(program, &mut without_zone),
        _ => false,
    }
}

/// The time of a step is that of UTC.
fn without_zone(step: &mut Step) -> bool {
    let mut changed = false;
    vars_mut(step, &mut |var| {
        if *var == Var::Builtin(Builtin::Local) {
            *var = Var::Builtin(Builtin::Now);
            changed = true;
        }
    });
    changed
}

/// A lock that nobody but its holder frees.
fn sound(name: String) -> Lock {
    Lock {
        name,
        breaks_on_waiter_timeout: false,
        careless_release: false,
        stale_after: None,
    }
}

/// The effect goes out with its intent as key, and its provider makes it happen once for each.
fn with_key(program: &mut Program, name: &str) -> bool {
    program.effects.retain(|known| known.effect != name);
    program.effects.push(Provider {
        effect: name.to_owned(),
        idempotent: true,
        expires: None,
    });
    each_step(program, &mut |step| match &mut step.kind {
        StepKind::Effect {
            name: of,
            intent,
            key,
            ..
        } if of == name && key.is_none() => {
            key.clone_from(intent);
            key.is_some()
        }
        _ => false,
    })
}

/// Changes a flow in every version of the code that has what is to be changed; false if none has.
fn of_flow(program: &mut Program, at: usize, change: &mut dyn FnMut(&mut Flow) -> bool) -> bool {
    let versions = program.versions.iter_mut();
    let flows = versions.filter_map(|version| version.flows.get_mut(at));
    flows.fold(false, |any, flow| change(flow) | any)
}

fn each_flow(program: &mut Program, change: &mut dyn FnMut(&mut Flow) -> bool) -> bool {
    let versions = program.versions.iter_mut();
    let flows = versions.flat_map(|version| &mut version.flows);
    flows.fold(false, |any, flow| change(flow) | any)
}

/// Whether any step was changed.
fn each_step(program: &mut Program, change: &mut dyn FnMut(&mut Step) -> bool) -> bool {
    each_flow(program, &mut |flow| visit_mut(&mut flow.steps, change))
}

/// Gives a step's statement a condition more.
pub(super) fn also_asks(step: &mut Step, text: String, vars: &[(String, Var)]) -> bool {
    let Some(sql) = sql_mut(step) else {
        return false;
    };
    let mut known = named(sql);
    known.extend(vars.iter().cloned());
    let var = |name: &String| known.iter().find(|(known, _)| known == name);
    let names = super::statement::names(&text);
    let vars: Option<Vec<Var>> = names.iter().map(|name| Some(var(name)?.1)).collect();
    let Some(vars) = vars else {
        return false;
    };
    (sql.text, sql.params) = (text, vars);
    true
}
