//! Changes of one flow.

use rusqlite::types::Value;

use super::apply::{HANDLED, also_asks};
use super::condition::{Condition, Origin};
use super::repair::Key;
use super::statement::Statement;
use super::steps::{Spot, find, sql_of, visit_mut};
use crate::scenario::program::{Builtin, ErrorClass, Expr, Flow, Sql};
use crate::scenario::{Step, StepKind, Var};

/// Steps one after the other, where one stands.
fn block(steps: Vec<Step>) -> StepKind {
    StepKind::If {
        condition: Expr::Const(Value::Integer(1)),
        then: steps,
        otherwise: Vec::new(),
    }
}

fn ends() -> Step {
    Step::unwritten("return suggested", StepKind::Return(None))
}

/// A flow that a constraint refuses begins once more: what it reads then is what refused it.
pub(super) fn begins_again(flow: &mut Flow) {
    let steps = std::mem::take(&mut flow.steps);
    let again = vec![(ErrorClass::Constraint, steps.clone())];
    flow.steps = vec![Step {
        catch: again,
        ..Step::unwritten("suggested", block(steps))
    }];
}

pub(super) fn in_transaction(flow: &mut Flow, (from, to): (usize, usize)) -> bool {
    if to > flow.steps.len() || from >= to {
        return false;
    }
    let inside: Vec<Step> = flow.steps.drain(from..to).collect();
    flow.steps.insert(from, transaction(inside));
    true
}

fn transaction(steps: Vec<Step>) -> Step {
    let kind = StepKind::Transaction {
        immediate: true,
        db: None,
        steps,
    };
    Step::unwritten("transaction", kind)
}

/// A write that can stand elsewhere in the body of its flow.
pub(super) fn is_plain_write(step: &Step) -> bool {
    let plain = step.catch.is_empty() && step.finally.is_empty() && step.network.is_none();
    plain && matches!(step.kind, StepKind::Sql { .. })
}

/// All plain writes of the body stand in one transaction in the place of the last.
pub(super) fn gather(flow: &mut Flow) -> bool {
    let Some(last) = flow.steps.iter().rposition(is_plain_write) else {
        return false;
    };
    let rest = flow.steps.split_off(last + 1);
    let (writes, others): (Vec<Step>, Vec<Step>) = std::mem::take(&mut flow.steps)
        .into_iter()
        .partition(is_plain_write);
    let several = writes.len() > 1;
    flow.steps = others;
    flow.steps.push(transaction(writes));
    flow.steps.extend(rest);
    several
}

pub(super) fn under_lock(flow: &mut Flow, lock: usize, on: Option<&str>) -> bool {
    let slot = on.and_then(|name| flow.locals.iter().position(|local| local == name));
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
    flow.steps = vec![Step::unwritten("lock suggested", held)];
    true
}

pub(super) fn deduplicated(flow: &mut Flow, key: Key, transactional: bool) -> bool {
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
        Step::unwritten("reply suggested", StepKind::Reply(Vec::new())),
        ends(),
    ];
    let record = StepKind::Sql {
        sql,
        rows: Some(1),
        otherwise: known,
    };
    let record = Step::unwritten("sql handled", record);
    let first = flow.steps.first_mut().map(|step| &mut step.kind);
    match first {
        Some(StepKind::Transaction { steps, .. }) if transactional => steps.insert(0, record),
        _ => flow.steps.insert(0, record),
    }
    true
}

/// The statement asks one condition more. Who asks whether all is as it was read stops when it is not.
pub(super) fn asks(flow: &mut Flow, spot: &Spot, condition: &Condition) -> bool {
    visit_mut(&mut flow.steps, &mut |step| {
        let sql = sql_of(step).filter(|_| spot.is(step));
        let text = sql.and_then(|sql| Some(Statement::of(&sql.text)?.also(&condition.sql)));
        let Some(text) = text else { return false };
        if !also_asks(step, text, &condition.vars) {
            return false;
        }
        if let (
            StepKind::Sql {
                rows, otherwise, ..
            },
            Origin::AsRead,
        ) = (&mut step.kind, condition.origin)
            && rows.is_none()
        {
            (*rows, *otherwise) = (Some(1), vec![ends()]);
        }
        true
    })
}

/// No error of this step is caught any more.
pub(super) fn lets_fail(step: &mut Step) -> bool {
    !std::mem::take(&mut step.catch).is_empty()
}

/// What the assignment sets is written at once.
pub(super) fn persists(flow: &mut Flow, set: &Spot, write: &Spot) -> bool {
    let Some(write) = find(&flow.steps, write).cloned() else {
        return false;
    };
    visit_mut(&mut flow.steps, &mut |at| {
        let is_it = set.is(at) && matches!(at.kind, StepKind::Set(_));
        if is_it {
            let before =
                std::mem::replace(at, Step::unwritten("suggested", StepKind::Return(None)));
            at.kind = block(vec![before, write.clone()]);
        }
        is_it
    })
}

pub(super) fn moved(flow: &mut Flow, from: usize, before: usize) -> bool {
    if from >= flow.steps.len() || before > flow.steps.len() {
        return false;
    }
    let step = flow.steps.remove(from);
    flow.steps.insert(before - usize::from(before > from), step);
    true
}
