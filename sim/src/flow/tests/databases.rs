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
