//! The schema against the transitions that it must refuse and accept, by hand and without the store's operations:
//! `store/schema/cases`.

use super::{configure, migrate};
use crate::error::Error;
use crate::sqlite::failed;
use rusqlite::Connection;
use std::collections::BTreeSet;

pub(super) const SEED: &str = include_str!("../../schema/cases/seed.sql");
pub(super) const REFUSED: &str = include_str!("../../schema/cases/refused.txt");
const ACCEPTED: &str = include_str!("../../schema/cases/accepted.txt");

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) body: &'static str,
}

pub(super) fn cases(text: &'static str) -> Vec<Case> {
    text.split("\n## ")
        .skip(1)
        .map(|block| {
            let (name, body) = block.split_once('\n').unwrap_or((block, ""));
            Case { name, body }
        })
        .collect()
}

pub(super) fn seeded() -> Connection {
    let mut conn = Connection::open_in_memory().expect("a database in memory");
    configure(&conn).expect("configured");
    migrate(&mut conn, 0).expect("migrated");
    mutate_trigger(&conn);
    conn.execute_batch(SEED).expect("the seed passes");
    conn
}

/// Puts the trigger under test, if any, in the place of the released one: see `tests/mutants/sql.py`.
fn mutate_trigger(conn: &Connection) {
    let Some(file) = std::env::var_os("LOCKSTEP_MUTANT") else {
        return;
    };
    let text = std::fs::read_to_string(file).expect("a mutant");
    let (name, text) = text.split_once('\n').expect("a name and a text");
    conn.execute_batch(&format!("DROP {name}; {text}"))
        .expect("a trigger");
}

/// Who refuses this transaction; `None` when it commits. All foreign keys are looked at together at the end, because
/// SQLite does not say which one it was.
fn refusal(sql: &str, foreign_keys: bool) -> Option<String> {
    let conn = seeded();
    conn.pragma_update(None, "foreign_keys", foreign_keys)
        .expect("pragma");
    refusal_on(&conn, sql)
}

/// The same on a database that may lack a law.
pub(super) fn refusal_on(conn: &Connection, sql: &str) -> Option<String> {
    let foreign_keys: bool = conn
        .pragma_query_value(None, "foreign_keys", |row| row.get(0))
        .expect("pragma");
    conn.execute_batch("BEGIN; PRAGMA defer_foreign_keys = ON")
        .expect("begins");
    if let Err(error) = conn.execute_batch(sql) {
        return Some(match failed(error) {
            Error::Constraint { name } => name,
            other => other.to_string(),
        });
    }
    let broken = broken_keys(conn);
    let committed = conn.execute_batch("COMMIT").map_err(failed);
    assert_eq!(
        committed.is_err(),
        foreign_keys && !broken.is_empty(),
        "{committed:?} {broken:?}"
    );
    let names: Vec<String> = broken.into_iter().collect();
    (!names.is_empty()).then(|| format!("foreign key {}", names.join(", ")))
}

fn broken_keys(conn: &Connection) -> BTreeSet<String> {
    let sql = "SELECT c.\"table\" || '(' || (
                 SELECT group_concat(\"from\", ',') FROM (SELECT \"from\" FROM pragma_foreign_key_list(c.\"table\") l
                 WHERE l.id = c.fkid ORDER BY 1)) || ')' FROM pragma_foreign_key_check c";
    let mut query = conn.prepare(sql).expect("prepares");
    query
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .expect("checks")
}

#[test]
fn what_must_be_refused_is_refused_by_the_law_that_is_named() {
    let cases = cases(REFUSED);
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let (law, sql) = case.body.split_once('\n')?;
            let law = law.strip_prefix("refused by ")?;
            let found = refusal(sql, !case.name.ends_with("without foreign keys"));
            (found.as_deref() != Some(law))
                .then(|| format!("{}: {found:?} instead of {law}", case.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_refused_case_names_its_law() {
    for case in cases(REFUSED) {
        assert!(case.body.starts_with("refused by "), "{}", case.name);
    }
}

#[test]
fn what_must_pass_passes() {
    let cases = cases(ACCEPTED);
    assert!(cases.len() >= 10, "{} cases", cases.len());
    for case in cases {
        assert_eq!(refusal(case.body, true), None, "{}", case.name);
    }
}

#[test]
fn every_trigger_has_a_case_that_it_refuses() {
    let conn = seeded();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name";
    let mut query = conn.prepare(sql).expect("prepares");
    let triggers: Vec<String> = query
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .expect("triggers");
    let untold: Vec<&String> = triggers
        .iter()
        .filter(|name| !REFUSED.contains(&format!("refused by {name}\n")))
        .collect();
    assert!(untold.is_empty(), "{untold:?}");
}

#[test]
fn every_unique_key_has_its_name() {
    let conn = seeded();
    let sql = "SELECT t.name || '.' || replace((SELECT group_concat(i.name, ', ') FROM (
                 SELECT name FROM pragma_index_info(l.name) ORDER BY seqno) i), ', ', ', ' || t.name || '.')
               FROM sqlite_schema t JOIN pragma_index_list(t.name) l ON l.\"unique\" = 1 WHERE t.type = 'table'";
    let mut query = conn.prepare(sql).expect("prepares");
    let keys: Vec<String> = query
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .expect("keys");
    for key in keys {
        assert!(crate::sqlite::is_named(&key), "{key}");
    }
}
