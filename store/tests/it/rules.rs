//! The rules as the simulator asks them: for one key, through an index.

use crate::kit::{World, statements};
use lockstep_store::verify::{Budget, RULES, verify};
use std::collections::BTreeSet;

#[test]
fn every_rule_has_a_name_of_its_own_and_gives_its_key() {
    let world = World::new();
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len());
    for rule in RULES {
        let query = world.connection().prepare(rule.sql).expect(rule.name);
        assert!(query.readonly(), "{}", rule.name);
        if let Some(key) = rule.key {
            assert!(
                query.column_names().any(|name| name == key),
                "{}",
                rule.name
            );
        }
    }
}

#[test]
fn a_rule_asked_for_one_key_scans_no_table() {
    let world = World::new();
    for rule in RULES {
        let Some(key) = rule.key else { continue };
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT * FROM ({}) WHERE {key} = ?1",
            rule.sql
        );
        let mut query = world.connection().prepare(&sql).expect(rule.name);
        let steps: Vec<String> = query
            .query_map(["x"], |row| row.get(3))
            .and_then(Iterator::collect)
            .expect(rule.name);
        let scans: Vec<&String> = steps
            .iter()
            .filter(|step| step.starts_with("SCAN "))
            .collect();
        // A handful of builds: the one table that is not indexed by every key.
        assert!(
            scans.iter().all(|step| step.contains("runtime_build")),
            "{}: {steps:?}",
            rule.name
        );
    }
}

#[test]
fn a_verification_without_budget_says_what_it_did_not_finish() {
    let mut world = World::new();
    for n in 0..200 {
        world.accept(&format!("chat{n}"), &format!("e{n}"));
    }
    let mut conn = world.store.into_connection();
    let report = verify(
        &mut conn,
        Budget {
            per_rule: 10,
            steps: 1,
        },
    )
    .expect("verifies");
    assert!(!report.unfinished.is_empty());
    let report = verify(&mut conn, Budget::of(10)).expect("verifies");
    assert!(report.unfinished.is_empty() && report.findings.is_empty());
}

#[test]
fn findings_name_the_rule_and_the_row_and_are_limited() {
    let mut world = World::new();
    for n in 0..5 {
        world.accept(&format!("chat{n}"), &format!("e{n}"));
    }
    world
        .connection()
        .execute_batch("UPDATE session SET head_ready_ms = NULL")
        .expect("broken by hand");
    let mut conn = world.store.into_connection();
    let report = verify(&mut conn, Budget::of(2)).expect("verifies");
    assert_eq!(report.findings.len(), 2);
    assert_eq!(report.findings[0].rule, "open_task_reachable");
    assert_eq!(
        report.findings[0].row[1],
        ("task_id".to_owned(), "t-e0".to_owned())
    );
}

#[test]
fn an_idle_class_costs_a_claim_nothing() {
    let world = World::new();
    let sql = statements();
    let text = format!(
        "EXPLAIN QUERY PLAN {}",
        sql.text("claim_ready").expect("known")
    );
    let mut query = world.connection().prepare(&text).expect("prepares");
    let params = rusqlite::named_params! {":worker": "w1", ":limit": 1, ":now": 0};
    let steps: Vec<String> = query
        .query_map(params, |row| row.get(3))
        .and_then(Iterator::collect)
        .expect("plan");
    let ranges = steps.iter().filter(|step| {
        step.contains("session_ready (resume_class=? AND resume_home=? AND head_ready_ms<?)")
    });
    assert_eq!(ranges.count(), 2, "{steps:#?}");
    assert!(
        !steps.iter().any(|step| step.contains("SCAN s")),
        "{steps:#?}"
    );
}

/// How many steps SQLite's machine takes to find one session among so many that are ready.
fn steps_to_claim(ready: u32, home: Option<&str>) -> i32 {
    let mut world = World::new();
    for n in 0..ready {
        world.accept(&format!("chat {n}"), &format!("e{n}"));
    }
    let sql = "UPDATE session SET resume_token = session_id, token_class = resume_class, resume_home = ?, resume_epoch = 1";
    if let Some(home) = home {
        world.connection().execute(sql, [home]).expect("tokens");
    }
    let sql = statements();
    let text = sql.text("claim_ready").expect("known");
    let mut query = world.connection().prepare(text).expect("prepares");
    let params = rusqlite::named_params! {":worker": "w1", ":limit": 1, ":now": 2_000_000};
    let found = query
        .query_map(params, |row| row.get::<_, String>(0))
        .expect("runs");
    assert_eq!(found.count(), 1);
    query.get_status(rusqlite::StatementStatus::VmStep)
}

#[test]
fn a_claim_reads_no_more_than_it_takes() {
    for home in [None, Some("h1")] {
        assert_eq!(steps_to_claim(300, home), steps_to_claim(3, home));
    }
}

#[test]
fn no_statement_scans_a_table() {
    let world = World::new();
    let statements = statements();
    // The result of a subquery is limited by then, and `meta` has one row.
    let harmless = ["SCAN a", "SCAN b", "SCAN r", "SCAN meta", "SCAN m"];
    // After a restore everything is looked at once; numbers are counted in indexes that hold only what is open.
    let whole = |name: &str| name.starts_with("restore_") || name.starts_with("stats_");
    for name in lockstep_store::Statements::names().filter(|name| !whole(name)) {
        let text = format!(
            "EXPLAIN QUERY PLAN {}",
            statements.text(name).expect("known")
        );
        let mut query = world.connection().prepare(&text).expect(name);
        let steps: Vec<String> = query
            .raw_query()
            .mapped(|row| row.get(3))
            .collect::<Result<_, _>>()
            .expect(name);
        let scans = |step: &String| step.starts_with("SCAN ") && !harmless.contains(&step.as_str());
        assert!(!steps.iter().any(scans), "{name}: {steps:?}");
    }
}
