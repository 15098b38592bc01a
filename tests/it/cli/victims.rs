//! `lockstep victims`.

use std::rc::Rc;

use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Scenario};
use rusqlite::Connection;

use super::Desk;
use super::desk::known;
use crate::root;

/// A database with the schema that runs of the scenario begin with.
fn database(scenario: &Scenario) -> Option<Connection> {
    let variant = scenario
        .variants
        .iter()
        .find(|variant| !variant.program.store)?;
    if !variant.program.databases.is_empty() {
        return None;
    }
    let world = FlowWorld::new(Rc::new(variant.program.clone()));
    let schema = Stage::new(world)
        .expect("a stage")
        .schema()
        .expect("its schema");
    let database = Connection::open_in_memory().expect("a database");
    for statement in schema.iter().filter(|sql| !sql.contains("sqlite_sequence")) {
        database
            .execute_batch(statement)
            .expect("a statement of the schema");
    }
    Some(database)
}

/// The queries, without what PostgreSQL wants around them.
fn queries(told: &str) -> Vec<String> {
    let sql = told.lines().filter(|line| !line.starts_with("--"));
    let sql = sql.filter(|line| !line.contains("READ ONLY") && !line.starts_with("ROLLBACK"));
    let sql: Vec<&str> = sql.collect();
    let parts = sql.join("\n");
    let parts = parts
        .split(" AS v;")
        .map(str::trim)
        .filter(|part| part.starts_with("SELECT"));
    parts.map(|part| format!("{part} AS v")).collect()
}

#[test]
fn who_was_hit_is_found_and_nobody_else() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let told = desk.run(&["victims", "x.yaml"]).ends_with(0).stdout;
    let database = database(&scenario::parse("x.yaml", &known()).expect("it loads")).expect("one");
    let rows = "INSERT INTO session VALUES ('a', 'hit', 'active'), ('b', 'hit', 'active'), ('c', 'well', 'active')";
    database.execute_batch(rows).expect("rows");
    let queries = queries(&told);
    assert_eq!(queries.len(), 1, "{told}");
    let mut found = database.prepare(&queries[0]).expect("a query");
    let found = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let found: Vec<(String, String)> = found
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    assert_eq!(found, [("one_active_session".to_owned(), "hit".to_owned())]);
}

#[test]
fn each_scenario_has_queries_that_run_on_its_own_tables() {
    let desk = Desk::new();
    let mut with_queries = 0;
    let folder = std::fs::read_dir(root().join("scenarios")).expect("the folder");
    for entry in folder {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let scenario = scenario::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        let told = desk.run(&["victims", "--all", path.to_str().expect("a path")]);
        if told.code == Some(2) {
            assert!(
                told.stderr
                    .contains("no invariant of it is a query for a database"),
                "{}",
                told.stderr
            );
            continue;
        }
        with_queries += 1;
        let told = told.ends_with(0).stdout;
        let Some(database) = database(&scenario) else {
            continue;
        };
        for query in queries(&told) {
            let prepared = database
                .prepare(&query)
                .map(|statement| statement.readonly());
            assert_eq!(prepared, Ok(true), "{}: {query}", path.display());
        }
    }
    assert!(with_queries >= 20, "{with_queries}");
}

#[test]
fn what_is_no_query_is_said() {
    let desk = Desk::new();
    let told = desk.run(&["victims", "nowhere.yaml"]).ends_with(2);
    assert!(told.stderr.contains("nowhere.yaml"), "{}", told.stderr);
}
