//! Further database files: they live, die and are put back as the main one.

use super::*;
use crate::scenario;

fn program(variant: &str) -> Program {
    let text = include_str!("language/databases.yaml");
    let scenario = scenario::parse("databases.yaml", text).expect("a scenario");
    let mut variants = scenario.variants.into_iter();
    let found = variants.find(|known| known.name == variant);
    found.expect("the variant").program
}

#[test]
fn the_quiet_run_writes_both_files_and_records_both() {
    let ran = quiet(&mut stage(program("other_order")));
    assert_eq!(ran.internal, None);
    let tables: Vec<&str> = ran
        .trace
        .changes
        .iter()
        .map(|committed| &*committed.change.table)
        .collect();
    assert_eq!(tables, ["legacy.task", "task", "legacy.note"]);
}

#[test]
fn a_run_on_two_files_leaves_nothing_behind_for_the_next() {
    let mut used = stage(program("bug"));
    let profile = Rc::new(quiet(&mut used).profile);
    let runs: Vec<Ran> = (1..300)
        .map(|run| seeded(&mut used, 2, run, &profile))
        .collect();
    let crashed = |ran: &&Ran| ran.strikes.iter().any(|(fault, _)| *fault == Fault::Crash);
    assert!(runs.iter().filter(crashed).count() > 20, "crashes strike");
    for run in [1_u64, 7, 50, 133, 298] {
        let mut fresh = stage(program("bug"));
        let hash = seeded(&mut fresh, 2, run, &profile).hash;
        assert_eq!(hash, runs[run as usize - 1].hash, "run {run}");
    }
}

#[test]
fn what_is_recorded_is_what_the_files_hold() {
    let mut stage = stage(program("unguarded"));
    let profile = Rc::new(quiet(&mut stage).profile);
    let mut notes = 0;
    for run in 1..400 {
        let ran = seeded(&mut stage, 3, run, &profile);
        let recorded = ran.trace.changes.iter();
        let recorded = recorded.filter(|committed| &*committed.change.table == "legacy.note");
        let reader = stage.disk().open("legacy.db", 1_000).expect("a reader");
        let count = reader.query_row("SELECT count(*) FROM note", [], |row| row.get::<_, i64>(0));
        assert_eq!(count, Ok(recorded.count() as i64), "run {run}");
        notes = notes.max(count.unwrap_or(0));
    }
    assert!(notes > 1, "repeated deliveries write");
}

/// The repair and the setup of a later leg reach further files too, and a restore leaves them alone.
#[test]
fn legs_and_restores_know_the_files_apart() {
    let text = include_str!("language/databases.yaml");
    let text = text.replace(
        "variants:\n  bug: {}",
        "variants:\n  bug: {}\n  later:
    start: after(bug)
    repair: [ { sql: UPDATE task SET state = 'open', db: legacy } ]",
    );
    let text = text.replace(
        "faults:",
        "  - save: { backup: store }\n  - back: { restore: store, after: a }\nfaults:",
    );
    let text = text.replace("expect:\n", "expect:\n  later: { violates: agree }\n");
    let scenario = scenario::parse("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let program = |name: &str| {
        let found = scenario.variants.iter().find(|known| known.name == name);
        found.expect("the variant").program.clone()
    };
    let mut stage = stage(program("bug"));
    assert_eq!(quiet(&mut stage).internal, None);
    let state = |file: &str| {
        let reader = stage.disk().open(file, 1_000).expect("a reader");
        let read = reader.query_row("SELECT state FROM task", [], |row| row.get::<_, String>(0));
        read.expect("the task")
    };
    assert_eq!(state("main.db"), "open", "put back");
    assert_eq!(state("legacy.db"), "done", "left alone");
    let ran = quiet(&mut super::stage(program("later")));
    assert_eq!(ran.internal, None);
    let by = |cause: &str| {
        let changes = ran.trace.changes.iter();
        let own = changes.filter(|committed| committed.cause.as_str() == cause);
        own.map(|committed| committed.change.table.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(by("restore"), ["task", "task"], "once in each leg");
    assert!(ran.trace.changes.iter().any(|committed| {
        let reopened = committed.change.new.as_ref();
        &*committed.change.table == "legacy.task"
            && reopened.is_some_and(|row| row[1] == rusqlite::types::Value::Text("open".into()))
    }));
}
