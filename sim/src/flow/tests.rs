//! Facts about the engine, on programs small enough to write by hand.

mod databases;
mod ddl;
mod language;
mod legs;
mod platform;

use std::rc::Rc;

use super::*;
use crate::case::Decisions;
use crate::decide::{Choice, Draw, Profile, Quiet, Replay, Strategy, run_hash};
use crate::fault::Fault;
use crate::run::{Ran, Stage};
use crate::scenario::{
    Does, Event, Expect, Faults, Flow, Invariant, Span, Sql, Step, Target, Variant, Version,
};
use crate::search::{Plan, Searched, search};

fn sql(text: &str, params: Vec<Var>) -> Sql {
    Sql {
        text: text.into(),
        params,
        db: None,
    }
}

fn write(site: &str, text: &str, params: Vec<Var>) -> Step {
    Step::unwritten(
        site,
        StepKind::Sql {
            sql: sql(text, params),
            rows: None,
            otherwise: Vec::new(),
        },
    )
}

fn event(label: &str, process: usize) -> Event {
    Event {
        label: label.into(),
        process,
        instance: None,
        does: Does::Send {
            connection: None,
            flow: 0,
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
    }
}

/// Looks for an active session and opens one if there is none.
fn open_session() -> Flow {
    Flow {
        name: "open".into(),
        params: 0,
        locals: vec!["id".into()],
        steps: vec![
            Step::unwritten(
                "look",
                StepKind::Read {
                    sql: sql(
                        "SELECT id FROM session WHERE user = 'u' AND active = 1",
                        vec![],
                    ),
                    into: vec![Var::Local(0)],
                    none: Some(vec![
                        Step::unwritten("new_id s", StepKind::NewId(Var::Local(0))),
                        write(
                            "open",
                            "INSERT INTO session VALUES (?1, 'u', 1)",
                            vec![Var::Local(0)],
                        ),
                    ]),
                },
            ),
            Step::unwritten(
                "reply",
                StepKind::Reply(vec![("session".into(), Expr::Var(Var::Local(0)))]),
            ),
        ],
    }
}

/// Two first messages, on two instances.
fn two_first_messages() -> Program {
    let mut budget = Budget::default();
    budget.allow(Fault::LostReply, 1, 0);
    budget.allow(Fault::Duplicate, 1, 60_000);
    Program {
        variant: "bug".into(),
        store: false,
        target: Target::Sqlite,
        start_ms: 1_767_603_600_000,
        before: None,
        repair: Flow::default(),
        schema: "CREATE TABLE session (id TEXT PRIMARY KEY, user TEXT NOT NULL, active INTEGER NOT NULL)".into(),
        databases: Vec::new(),
        changes_schema: false,
        setup: Flow::default(),
        processes: vec![crate::scenario::Process {
            count: 2,
            ..crate::scenario::Process::idle("api".into())
        }],
        resources: Vec::new(),
        locks: Vec::new(),
        effects: Vec::new(),
        versions: vec![Version {
            name: "base".into(),
            flows: vec![open_session()],
        }],
        events: vec![event("m1", 0), event("m2", 0)],
        faults: Faults { crash: vec![(0, 2)], budget },
        invariants: vec![Invariant {
            name: "one_active_session".into(),
            per: Some("user".into()),
            kind: RuleKind::Never,
            sql: "SELECT user, count(*) AS n FROM session WHERE active = 1 GROUP BY user HAVING count(*) > 1".into(),
            place: String::new(),
        }],
        goals: Vec::new(),
        runs: 100,
    }
}

fn stage(program: Program) -> Stage {
    Stage::new(FlowWorld::new(Rc::new(program))).expect("the stage is set")
}

/// A search of a variant with so many runs, that ends at what is expected.
fn searched(variant: &Variant, expect: &Expect, runs: u64) -> Searched {
    let plan = Plan {
        seed: 1,
        runs,
        expect: Some(expect),
    };
    let found = search(&mut stage(variant.program.clone()), &plan, &mut || false);
    let found = found.expect("a search");
    assert_eq!(found.internal, None, "{}", variant.name);
    found
}

fn quiet(stage: &mut Stage) -> Ran {
    stage
        .run(&mut || Box::<Quiet>::default() as Box<dyn Strategy>)
        .expect("a quiet run")
}

fn seeded(stage: &mut Stage, seed: u64, run: u64, profile: &Rc<Profile>) -> Ran {
    let ran = stage
        .run(&mut || Draw::By(Choice::Random, run_hash(seed, run)).strategy(profile))
        .expect("a run");
    assert_eq!(ran.internal, None);
    ran
}

#[test]
fn the_quiet_run_handles_one_delivery_after_the_other() {
    let mut stage = stage(two_first_messages());
    let ran = quiet(&mut stage);
    assert_eq!(ran.internal, None);
    assert_eq!(ran.violated(), Vec::<String>::new());
    assert!(ran.decisions.0.is_empty());
    assert_eq!(ran.stuck, Vec::<String>::new());
    assert_eq!(ran.trace.changes.len(), 1);
}

#[test]
fn a_search_finds_the_race_and_a_replay_repeats_it_byte_for_byte() {
    let mut stage = stage(two_first_messages());
    let profile = Rc::new(quiet(&mut stage).profile);
    let found = (1..200)
        .map(|run| seeded(&mut stage, 1, run, &profile))
        .find(|ran| !ran.violations.is_empty());
    let found = found.expect("200 runs are plenty");
    assert_eq!(found.violated(), ["one_active_session"]);
    let text = found.decisions.to_string();
    let parsed: Decisions = text.parse().expect("what is printed can be pasted");
    assert_eq!(parsed, found.decisions);
    let again = stage
        .run(&mut || Box::new(Replay::new(&parsed)))
        .expect("a replay");
    assert_eq!(again.hash, found.hash, "{text}");
    assert_eq!(again.counts.used, parsed.0.len());
    assert_eq!(again.counts.blocked + again.counts.absent, 0);
}

#[test]
fn a_run_leaves_nothing_behind_for_the_next() {
    let mut used = stage(two_first_messages());
    let profile = Rc::new(quiet(&mut used).profile);
    let hashes: Vec<u128> = (1..300)
        .map(|run| seeded(&mut used, 2, run, &profile).hash)
        .collect();
    for run in [1_u64, 7, 50, 133, 298] {
        let mut fresh = stage(two_first_messages());
        assert_eq!(
            seeded(&mut fresh, 2, run, &profile).hash,
            hashes[run as usize - 1],
            "run {run}"
        );
    }
}
