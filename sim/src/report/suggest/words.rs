//! One repair in words.

use crate::scenario::{Flow, Program, Step, Target};
use crate::suggest::{Condition, Key, Origin, Repair, Spot, indexed};

/// One repair.
pub(super) fn words(program: &Program, repair: &Repair) -> String {
    let name = |at: usize| flow(program, at).map_or("?", |flow| &flow.name);
    match repair {
        Repair::UniqueIndex {
            table,
            columns,
            condition,
        } => {
            let on = indexed(table, columns, condition.as_deref());
            format!(
                "CREATE UNIQUE INDEX {on}; a flow that it refuses begins again, and finds the row"
            )
        }
        Repair::Immediate => {
            let locking = locking(program);
            format!("its transactions lock when they begin ({locking})")
        }
        Repair::Lock { flows, on } => {
            let names: Vec<&str> = flows.iter().map(|at| name(*at)).collect();
            let on = on
                .as_ref()
                .map_or("one for all".to_owned(), |on| format!("on :{on}"));
            let names = names.join(", ");
            format!("{names}: a lock, {on}, from the first step to the last")
        }
        Repair::LockHolds => {
            let names: Vec<&str> = program
                .locks
                .iter()
                .map(|lock| lock.name.as_str())
                .collect();
            let names = names.join(", ");
            format!("lock {names}: nobody but its holder frees it, however long somebody waits")
        }
        Repair::Wait => "who waits for a lock waits as long as it takes".to_owned(),
        Repair::IdempotencyKey { effect } => format!(
            "effect {effect}: its intent goes to the provider as idempotency key, if the provider takes one"
        ),
        Repair::LetFail { step: None } => {
            "no error is caught: a flow that meets one fails, and its message comes again"
                .to_owned()
        }
        Repair::Utc => "times are :now, in UTC, wherever :local stands".to_owned(),
        _ => {
            let at = repair.flow().unwrap_or(usize::MAX);
            format!("{}: {}", name(at), in_flow(program, at, repair))
        }
    }
}

/// What changes in a flow.
fn in_flow(program: &Program, at: usize, repair: &Repair) -> String {
    let flow = flow(program, at);
    let locking = locking(program);
    match repair {
        Repair::Guard { step, asks, .. } => guarded(step, asks),
        Repair::Transaction { steps, .. } => {
            let which = flow.map_or(String::new(), |flow| between(flow, *steps));
            format!("one transaction {which} ({locking})")
        }
        Repair::Gather { .. } => {
            format!(
                "its writes together, in one transaction where the last of them stands ({locking})"
            )
        }
        Repair::Dedup { key, .. } => deduplicated(flow, *key),
        Repair::LetFail {
            step: Some((_, step)),
        } => format!(
            "{} catches no error: the flow fails, and its message comes again",
            spot(step)
        ),
        Repair::Persist { set, write, .. } => {
            format!("behind {} also {}", spot(set), spot(write))
        }
        Repair::Move { from, before, .. } => {
            flow.map_or(String::new(), |flow| moved(flow, *from, *before))
        }
        _ => String::new(),
    }
}

fn locking(program: &Program) -> &'static str {
    match program.target {
        Target::Sqlite => "BEGIN IMMEDIATE",
        Target::Postgres => "SERIALIZABLE and tried again, or SELECT … FOR UPDATE on what it reads",
    }
}

fn flow(program: &Program, at: usize) -> Option<&Flow> {
    program.versions.first()?.flows.get(at)
}

/// What the statement asks, and why that is known.
fn guarded(step: &Spot, asks: &Condition) -> String {
    // Memory is called so in scenarios.
    let sql = asks.sql.replace(":memory_", ":memory.");
    let because = match asks.origin {
        Origin::AsRead => ", as it was read, and the flow stops when no row changes",
        Origin::AsAsked => ", as elsewhere",
        Origin::AsWritten => ", as it is written",
        Origin::Known => "",
    };
    format!("{} also asks AND {sql}{because}", spot(step))
}

fn deduplicated(flow: Option<&Flow>, key: Key) -> String {
    let key = match key {
        Key::Event => "event",
        Key::Parameter(slot) => flow.map_or("?", |flow| &flow.locals[slot]),
    };
    format!(
        "first INSERT INTO handled VALUES (:{key}) ON CONFLICT DO NOTHING (key TEXT PRIMARY KEY), and stop when no row changes"
    )
}

/// Which step, and where it is to stand.
fn moved(flow: &Flow, from: usize, before: usize) -> String {
    let steps = &flow.steps;
    let place = match (steps.get(before), steps.last()) {
        (Some(step), _) => format!("before {}", shown(step)),
        (None, Some(step)) => format!("behind {}", shown(step)),
        (None, None) => String::new(),
    };
    let step = steps.get(from).map_or(String::new(), shown);
    format!("{step} {place}")
}

/// A step by its name and line.
fn shown(step: &Step) -> String {
    format!("`{}` (line {})", step.site, step.at.line)
}

fn spot(step: &Spot) -> String {
    format!("`{}` (line {})", step.site, step.at.line)
}

/// Which steps, by their names and lines.
fn between(flow: &Flow, (from, to): (usize, usize)) -> String {
    let steps = &flow.steps[from..to.min(flow.steps.len())];
    match steps {
        [] => String::new(),
        [one] => format!("around {}", shown(one)),
        [first, .., last] => format!("from {} to {}", shown(first), shown(last)),
    }
}
