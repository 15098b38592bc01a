//! Statements that fit a schema which only flows make.

use super::super::*;
use super::{refuses, refuses_with, with};

/// The good scenario with more flows.
fn with_flows(flows: &str) -> String {
    with("  note():\n", &format!("{flows}  note():\n"))
}

fn loads(flows: &str) -> Scenario {
    let text = with_flows(flows);
    parse("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Before, after, and in between: SQLite's way to rebuild a table has statements that fit neither end.
#[test]
fn a_statement_fits_any_schema_on_the_way() {
    let scenario = loads(
        "  old():
    - read: SELECT n FROM session
  new():
    - read: SELECT size FROM session
      catch: { error: [] }
    - sql: UPDATE task SET owner = 'x'
  migrate():
    - sql: ALTER TABLE task ADD COLUMN owner TEXT
    - transaction:
        - sql: CREATE TABLE rebuilt (chat TEXT PRIMARY KEY, size INTEGER)
        - sql: INSERT INTO rebuilt SELECT chat, n FROM session
        - sql: DROP TABLE session
        - sql: ALTER TABLE rebuilt RENAME TO session
    - sql: CREATE UNIQUE INDEX IF NOT EXISTS one_task ON task (owner)
    - sql: DROP INDEX one_task
",
    );
    let program = &scenario.variants[0].program;
    assert!(program.changes_schema);
    let migrate = program.versions[0]
        .flows
        .iter()
        .find(|flow| flow.name == "migrate");
    let sites: Vec<&str> = migrate
        .expect("the flow")
        .steps
        .iter()
        .map(|step| step.site.as_str())
        .collect();
    assert_eq!(
        sites,
        ["sql task", "transaction", "sql one_task", "sql one_task"]
    );
    let plain = parse("x.yaml", super::GOOD).expect("the good scenario");
    assert!(!plain.variants[0].program.changes_schema);
}

/// What cannot be applied to the empty scratch database is no problem of the file, and of many only some are kept.
#[test]
fn ddl_that_does_not_apply_here_is_passed_over() {
    loads(
        "  wrong_order():
    - sql: CREATE INDEX late ON session (chat)
    - sql: CREATE INDEX late ON session (chat)
",
    );
    let mut flows = String::from("  many():\n");
    for n in 0..40 {
        flows.push_str(&format!("    - sql: CREATE TABLE t{n} (a)\n"));
    }
    flows.push_str("    - sql: INSERT INTO t39 VALUES (1)\n");
    loads(&flows);
}

#[test]
fn rules_may_speak_of_what_a_flow_makes() {
    let text = with_flows("  migrate():\n    - sql: ALTER TABLE task ADD COLUMN owner TEXT\n");
    let rule = "invariants:\n  owned:\n    never: SELECT id FROM task WHERE owner = 'nobody'\n";
    parse("x.yaml", &text.replace("invariants:\n", rule)).unwrap_or_else(|found| panic!("{found}"));
}

#[test]
fn what_is_wrong_with_ddl() {
    refuses_with(
        "- new_id: task",
        "- new_id: task\n    - { sql: DROP TABLE task, rows: «1 }",
        "`rows` of a statement that changes the schema",
        "leave `rows` out",
    );
    refuses_with(
        "- new_id: task",
        "- new_id: task\n    - sql: «CREATE TEMP TABLE mine (a)",
        "not authorized",
        "temporary tables",
    );
    refuses_with(
        "- new_id: task",
        "- new_id: task\n    - read: «SELECT * FROM session\n    - sql: ALTER TABLE session DROP COLUMN active",
        "has other columns",
        "name the columns",
    );
    refuses_with(
        "- new_id: task",
        "- new_id: task\n    - sql: ALTER TABLE task ADD COLUMN owner TEXT\n    - sql: UPDATE task SET «onwer = 1",
        "no such column: onwer",
        "did you mean `owner`?",
    );
}

/// The setup runs before any flow.
#[test]
fn the_setup_only_knows_the_schema_of_the_file() {
    let text = with_flows("  migrate():\n    - sql: ALTER TABLE session ADD COLUMN owner TEXT\n");
    let before = "INSERT INTO session (chat) VALUES ('c')";
    let text = text.replace(before, "UPDATE session SET «owner = 1");
    refuses(&text, "no such column: owner", "");
}
