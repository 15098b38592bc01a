//! Programs with repairs in them.

use rusqlite::types::Value;

use super::steps::visit_mut;
use super::{Key, Repair, indexed};
use crate::label::Label;
use crate::scenario::program::{Builtin, ErrorClass, Expr, Flow, Lock, Place, Sql};
use crate::scenario::{Program, Step, StepKind, Var};

/// The table of keys that were handled.
pub(super) const HANDLED: &str = "handled";

/// The program with all of these; `None` when one of them does not fit.
pub(super) fn all(program: &Program, repairs: &[&Repair]) -> Option<Program> {
    let mut changed = program.clone();
    // What counts steps comes before what moves them.
    let mut ordered = repairs.to_vec();
    ordered.sort_by_key(|repair| match repair {
        Repair::CompareAndSet { .. } => 0,
        Repair::Transaction { .. } => 1,
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
    match repair {
        Repair::UniqueIndex {
            table,
            columns,
            condition,
        } => {
            let on = indexed(table, columns, condition.as_deref());
            program.schema += &format!(";\nCREATE UNIQUE INDEX suggested_{table} {on};");
            each_flow(program, &mut |_, flow| begins_again(flow));
            true
        }
        Repair::Transaction { flow, steps } => {
            of_flow(program, *flow, &mut |flow| in_transaction(flow, *steps))
        }
        Repair::Immediate => {
            each_flow(program, &mut |_, flow| {
                visit_mut(&mut flow.steps, &mut |step| {
                    if let StepKind::Transaction { immediate, .. } = &mut step.kind {
                        *immediate = true;
                    }
                });
            });
            true
        }
        Repair::Lock { flows, on } => {
            program.locks.push(Lock {
                name: "suggested".to_owned(),
                breaks_on_waiter_timeout: false,
                careless_release: false,
                stale_after: None,
            });
            let lock = program.locks.len() - 1;
            flows
                .iter()
                .all(|flow| of_flow(program, *flow, &mut |flow| under_lock(flow, lock, on)))
        }
        Repair::Dedup { flow, key } => {
            program.schema +=
                &format!(";\nCREATE TABLE IF NOT EXISTS {HANDLED} (key TEXT PRIMARY KEY);");
            of_flow(program, *flow, &mut |flow| {
                deduplicated(flow, *key, transactional)
            })
        }
        Repair::Move { flow, from, before } => of_flow(program, *flow, &mut |flow| {
            if *from >= flow.steps.len() || *before > flow.steps.len() {
                return false;
            }
            let step = flow.steps.remove(*from);
            let at = before - usize::from(before > from);
            flow.steps.insert(at, step);
            true
        }),
        Repair::CompareAndSet { flow, site, still } => {
            of_flow(program, *flow, &mut |flow| compares(flow, site, still))
        }
    }
}

/// Changes a flow in every version of the code.
fn of_flow(program: &mut Program, at: usize, change: &mut dyn FnMut(&mut Flow) -> bool) -> bool {
    let versions = program.versions.iter_mut();
    versions
        .filter_map(|version| version.flows.get_mut(at))
        .all(change)
}

fn each_flow(program: &mut Program, change: &mut dyn FnMut(usize, &mut Flow)) {
    for version in &mut program.versions {
        for (at, flow) in version.flows.iter_mut().enumerate() {
            change(at, flow);
        }
    }
}

/// A step that nobody has written.
fn step(site: &str, kind: StepKind) -> Step {
    Step {
        site: Label::new(site),
        file: "".into(),
        at: Place::default(),
        kind,
        within: None,
        network: None,
        finally: Vec::new(),
        catch: Vec::new(),
    }
}

/// A flow that a constraint refuses begins once more: what it reads then is what refused it.
fn begins_again(flow: &mut Flow) {
    let steps = std::mem::take(&mut flow.steps);
    let again = vec![(ErrorClass::Constraint, steps.clone())];
    let body = StepKind::If {
        condition: Expr::Const(Value::Integer(1)),
        then: steps,
        otherwise: Vec::new(),
    };
    flow.steps = vec![Step {
        catch: again,
        ..step("suggested", body)
    }];
}

fn in_transaction(flow: &mut Flow, (from, to): (usize, usize)) -> bool {
    if to > flow.steps.len() || from >= to {
        return false;
    }
    let inside: Vec<Step> = flow.steps.drain(from..to).collect();
    let transaction = StepKind::Transaction {
        immediate: true,
        db: None,
        steps: inside,
    };
    flow.steps.insert(from, step("transaction", transaction));
    true
}

fn under_lock(flow: &mut Flow, lock: usize, on: &Option<String>) -> bool {
    let slot = on
        .as_ref()
        .and_then(|name| flow.locals.iter().position(|local| local == name));
    let key = match (on, slot) {
        (Some(_), None) => return false,
        (_, Some(slot)) => Expr::Var(Var::Local(slot)),
        (None, None) => Expr::Const(Value::Integer(1)),
    };
    let steps = std::mem::take(&mut flow.steps);
    let held = StepKind::Lock {
        lock,
        key,
        wait: None,
        into: None,
        steps,
        otherwise: Vec::new(),
    };
    flow.steps = vec![step("lock suggested", held)];
    true
}

fn deduplicated(flow: &mut Flow, key: Key, transactional: bool) -> bool {
    let (name, var) = match key {
        Key::Event => ("event".to_owned(), Var::Builtin(Builtin::Event)),
        Key::Parameter(slot) => match flow.locals.get(slot) {
            Some(name) => (name.clone(), Var::Local(slot)),
            None => return false,
        },
    };
    let sql = Sql {
        text: format!("INSERT INTO {HANDLED} VALUES (:{name}) ON CONFLICT DO NOTHING"),
        params: vec![var],
        db: None,
    };
    let known = vec![
        step("reply suggested", StepKind::Reply(Vec::new())),
        step("return suggested", StepKind::Return(None)),
    ];
    let record = StepKind::Sql {
        sql,
        rows: Some(1),
        otherwise: known,
    };
    let record = step("sql handled", record);
    let first = flow.steps.first_mut().map(|step| &mut step.kind);
    match first {
        Some(StepKind::Transaction { steps, .. }) if transactional => steps.insert(0, record),
        _ => flow.steps.insert(0, record),
    }
    true
}

/// The update changes nothing when somebody else has changed what was read, and the flow ends there.
fn compares(flow: &mut Flow, site: &str, (column, name): &(String, String)) -> bool {
    let Some(slot) = flow.locals.iter().position(|local| local == name) else {
        return false;
    };
    let mut changed = false;
    visit_mut(&mut flow.steps, &mut |step| {
        if step.site.as_str() != site {
            return;
        }
        if let StepKind::Sql {
            sql,
            rows,
            otherwise,
        } = &mut step.kind
        {
            sql.text = format!("{} AND {column} IS :{name}", sql.text.trim_end_matches(';'));
            if !sql.params.contains(&Var::Local(slot)) {
                sql.params.push(Var::Local(slot));
            }
            if rows.is_none() {
                *rows = Some(1);
                *otherwise = vec![self::step("return suggested", StepKind::Return(None))];
            }
            changed = true;
        }
    });
    changed
}
