//! Refactors that add something which does nothing: decisions, steps, actors, faults.

use lockstep_sim::case::Decisions;
use lockstep_sim::fault::Fault;
use lockstep_sim::scenario::{
    Does, Event, Flow, Loop, Process, Program, Span, Sql, Step, StepKind, Var,
};

use super::steps::{each_body, each_flow, each_leg, first_leg, glance, local, number};

/// Something to choose from, all of it the same, before the first step of each flow.
pub(crate) fn decision(program: &mut Program, _: &Decisions) -> bool {
    in_flows(program, &mut |flow| {
        let into = local(flow, "way");
        let from = vec![number(1), number(1)];
        flow.steps.insert(
            0,
            Step::unwritten("choose way", StepKind::Choose { into, from }),
        );
    })
}

/// What a flow reads it reads once more before: another passage of the same site.
pub(crate) fn reads(program: &mut Program, _: &Decisions) -> bool {
    in_flows(program, &mut |flow| {
        let unused = local(flow, "unused");
        each_body(&mut flow.steps, false, &mut |body, _| {
            let steps = std::mem::take(body);
            *body = steps
                .into_iter()
                .flat_map(|step| [again(&step, unused), Some(step)])
                .flatten()
                .collect();
        });
    })
}

/// The same read, of which nobody wants to know what it finds. Not where it goes over a network.
fn again(step: &Step, unused: Var) -> Option<Step> {
    let StepKind::Read { sql, into, .. } = &step.kind else {
        return None;
    };
    let kind = StepKind::Read {
        sql: sql.clone(),
        into: vec![unused; into.len()],
        none: None,
    };
    let plain = step.network.is_none() && step.within.is_none() && step.catch.is_empty();
    plain.then(|| Step::unwritten(step.site.as_str(), kind))
}

/// A step in the middle of each flow.
pub(crate) fn step_in_the_middle(program: &mut Program, _: &Decisions) -> bool {
    in_flows(program, &mut |flow| {
        flow.steps.insert(flow.steps.len() / 2, glance("read log"));
    })
}

/// A step at the end of each flow.
pub(crate) fn step_at_the_end(program: &mut Program, _: &Decisions) -> bool {
    in_flows(program, &mut |flow| flow.steps.push(glance("read log")))
}

/// A step before each step, at one site for all.
pub(crate) fn steps_everywhere(program: &mut Program, _: &Decisions) -> bool {
    in_flows(program, &mut |flow| {
        each_body(&mut flow.steps, false, &mut |body, _| {
            let steps = std::mem::take(body);
            *body = steps
                .into_iter()
                .flat_map(|step| [glance("read log"), step])
                .collect();
        });
    })
}

/// Flows that events and processes set going write down that they have begun.
pub(crate) fn write_at_the_start(program: &mut Program, _: &Decisions) -> bool {
    table(program, "audit")
        && each_leg(program, &mut |program| {
            let roots = roots(program);
            each_flow(program, &mut |at, flow| {
                if roots.contains(&at) {
                    flow.steps.insert(0, audit());
                }
            });
            true
        })
}

fn audit() -> Step {
    let sql = Sql {
        text: "INSERT INTO audit VALUES (1)".to_owned(),
        params: Vec::new(),
        db: Some(0),
    };
    let (rows, otherwise) = (None, Vec::new());
    Step::unwritten(
        "sql audit",
        StepKind::Sql {
            sql,
            rows,
            otherwise,
        },
    )
}

fn roots(program: &Program) -> Vec<usize> {
    let sent = program.events.iter().filter_map(|event| match event.does {
        Does::Send { flow, .. } => Some(flow),
        _ => None,
    });
    let own = program.processes.iter().flat_map(|process| {
        let looped = process.looped.map(|looped| looped.flow);
        [process.start, looped].into_iter().flatten()
    });
    sent.chain(own).collect()
}

/// An event before all others, to a process of its own.
pub(crate) fn event(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        let flow = watching(program);
        program.processes.push(Process::idle("watcher".to_owned()));
        // Who waits for an event knows its place.
        program.events.push(Event {
            label: "watch".to_owned(),
            process: program.processes.len() - 1,
            instance: None,
            does: Does::Send {
                connection: None,
                flow,
                args: Vec::new(),
            },
            happens: true,
            at: Span {
                shortest: 0,
                longest: 0,
            },
            after: Vec::new(),
            every: None,
            reliable: false,
            redeliver: None,
            queue: None,
        });
        let last = program.events.len() - 1;
        let order: Vec<usize> = std::iter::once(last).chain(0..last).collect();
        super::order::events_in(program, &order);
        true
    })
}

/// A process before all others that looks around again and again.
pub(crate) fn process(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        let flow = watching(program);
        let looped = Loop {
            flow,
            every: 20_000,
            rest_after: 60_000,
        };
        program.processes.push(Process {
            looped: Some(looped),
            ..Process::idle("watcher".to_owned())
        });
        let last = program.processes.len() - 1;
        let order: Vec<usize> = std::iter::once(last).chain(0..last).collect();
        super::order::processes_in(program, &order);
        true
    })
}

/// Index of a flow that only looks.
fn watching(program: &mut Program) -> usize {
    for version in &mut program.versions {
        version.flows.push(Flow {
            name: "watching".to_owned(),
            steps: vec![glance("read watched"), glance("read watched")],
            ..Flow::default()
        });
    }
    program.versions[0].flows.len() - 1
}

/// One more kind of fault.
pub(crate) fn fault(program: &mut Program, _: &Decisions) -> bool {
    let kinds = [
        (Fault::Pause, 60_000),
        (Fault::Late, 30_000),
        (Fault::ClockJump, 60_000),
    ];
    let budget = &mut program.faults.budget;
    let new = kinds.into_iter().find(|(kind, _)| budget.left(*kind) == 0);
    new.is_some_and(|(kind, longest)| {
        budget.allow(kind, 1, longest);
        true
    })
}

/// Every fault once more.
pub(crate) fn strikes(program: &mut Program, _: &Decisions) -> bool {
    let faults = &mut program.faults;
    let crashes = faults.crash.iter_mut().map(|(_, strikes)| strikes);
    let others = faults.budget.strikes.iter_mut();
    let on = crashes.chain(others).filter(|strikes| **strikes > 0);
    on.map(|strikes| *strikes += 1).count() > 0
}

/// A table that nobody uses.
pub(crate) fn unused_table(program: &mut Program, _: &Decisions) -> bool {
    table(program, "unused")
}

fn table(program: &mut Program, name: &str) -> bool {
    first_leg(program, &mut |program| {
        program.schema += &format!(";\nCREATE TABLE {name} (n INTEGER)");
        true
    })
}

/// An index on the first column of each table.
pub(crate) fn index(program: &mut Program, _: &Decisions) -> bool {
    of_tables(program, &|table, column| {
        format!("CREATE INDEX more_{table} ON {table} ({column})")
    })
}

/// A column of each table that nobody writes.
pub(crate) fn column(program: &mut Program, _: &Decisions) -> bool {
    of_tables(program, &|table, _| {
        format!("ALTER TABLE {table} ADD COLUMN remark TEXT AS (NULL) VIRTUAL")
    })
}

fn of_tables(program: &mut Program, statement: &dyn Fn(&str, &str) -> String) -> bool {
    first_leg(program, &mut |program| {
        let tables = tables(&program.schema);
        for (table, column) in &tables {
            program.schema += &format!(";\n{}", statement(table, column));
        }
        !tables.is_empty()
    })
}

/// Each table that a schema makes, and its first column.
fn tables(schema: &str) -> Vec<(String, String)> {
    let word = |text: &str| -> String {
        let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        text.trim_start().chars().take_while(plain).collect()
    };
    let made = schema.split("CREATE TABLE ").skip(1);
    let made = made.map(|text| {
        let column = text.split_once('(').map_or("", |(_, columns)| columns);
        (word(text), word(column))
    });
    made.filter(|(table, column)| !table.is_empty() && !column.is_empty())
        .collect()
}

fn in_flows(program: &mut Program, change: &mut dyn FnMut(&mut Flow)) -> bool {
    each_leg(program, &mut |program| {
        each_flow(program, &mut |_, flow| change(flow));
        true
    })
}
