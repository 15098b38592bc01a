//! What meets and what does not, by the probes that mislead.

use std::rc::Rc;

use rusqlite::types::Value;

use super::Meetings;
use crate::access::{Access, What};
use crate::disk::capture::{Change, ChangeKind};

const SCHEMA: [&str; 4] = [
    "CREATE TABLE session (id TEXT PRIMARY KEY, user TEXT NOT NULL, state TEXT NOT NULL)",
    "CREATE UNIQUE INDEX one_active ON session (user) WHERE state = 'active'",
    "CREATE TABLE item (n INTEGER PRIMARY KEY, body TEXT)",
    "CREATE TABLE plain (body TEXT)",
];

fn meetings() -> Meetings {
    Meetings::of(&SCHEMA.map(str::to_owned)).expect("the schema stands")
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A row that was put in.
fn row(table: &str, values: Vec<Value>) -> Access {
    let change = Change {
        table: table.into(),
        kind: ChangeKind::Insert,
        old: None,
        new: Some(values),
        rowids: (1, 1),
    };
    let id = 7;
    let what = What::Row(Rc::new(change));
    Access { id, what }
}

fn alice() -> Access {
    row("session", vec![text("a"), text("alice"), text("active")])
}

/// Whether the statement meets the session of Alice.
fn meets_alice(statement: &str) -> bool {
    meetings().meet(&Access::statement(statement, &[]), &alice())
}

#[test]
fn a_statement_meets_the_rows_that_it_finds() {
    for finds in [
        "SELECT id FROM session WHERE user = 'alice'",
        "SELECT id FROM session ORDER BY id LIMIT 1",
        "UPDATE session SET state = 'closed' WHERE id = 'a'",
        "DELETE FROM session WHERE user < 'b'",
    ] {
        assert!(meets_alice(finds), "{finds}");
    }
    for other in [
        "SELECT id FROM session WHERE user = 'bob'",
        "SELECT id FROM session WHERE user = 'bob' ORDER BY id LIMIT 1",
        "UPDATE session SET state = 'closed' WHERE id = 'b'",
        "UPDATE session SET state = 'closed' WHERE id = 'b' AND user <> 'carol'",
        "SELECT body FROM plain",
    ] {
        assert!(!meets_alice(other), "{other}");
    }
}

#[test]
fn an_insert_meets_whoever_has_its_key() {
    assert!(meets_alice(
        "INSERT INTO session VALUES ('a', 'bob', 'active')"
    ));
    assert!(meets_alice(
        "INSERT OR IGNORE INTO session VALUES ('b', 'alice', 'active')"
    ));
    assert!(meets_alice(
        "INSERT OR REPLACE INTO session VALUES ('a', 'carol', 'closed')"
    ));
    assert!(meets_alice(
        "INSERT INTO session VALUES ('a', 'bob', 'closed') ON CONFLICT (id) DO UPDATE SET state = 'seen'"
    ));
    assert!(!meets_alice(
        "INSERT INTO session VALUES ('b', 'alice', 'closed')"
    ));
    assert!(!meets_alice(
        "INSERT INTO session VALUES ('b', 'bob', 'active')"
    ));
}

/// What looks at more than one row at a time may find nothing in one row, and something in two.
#[test]
fn what_is_not_looked_at_row_by_row_meets_its_table() {
    for far in [
        "SELECT a.id FROM session a JOIN session b ON a.user = b.user AND a.id < b.id",
        "SELECT a.id FROM session a, session b WHERE a.user = b.user AND a.id < b.id",
        "SELECT id FROM session ORDER BY id LIMIT 1 OFFSET 1",
        "SELECT user FROM session GROUP BY user HAVING count(*) > 1",
        "SELECT total(length(id)) FROM session WHERE user = 'bob'",
        "UPDATE session SET state = 'closed' WHERE id = 'b' AND EXISTS (SELECT 1 FROM session WHERE user = 'carol')",
        "UPDATE session SET state = (SELECT state FROM session WHERE id = 'a') WHERE id = 'b'",
        "INSERT INTO plain SELECT id FROM session WHERE user = 'bob'",
        "SELECT id FROM session WHERE id IN (SELECT body FROM plain)",
        "WITH s AS (SELECT id FROM session WHERE user = 'bob') SELECT id FROM s",
    ] {
        assert!(meets_alice(far), "{far}");
    }
}

#[test]
fn rows_get_numbers_in_the_order_in_which_they_come() {
    let mut meetings = meetings();
    let numbered = Access::statement("INSERT INTO item (body) VALUES ('x')", &[]);
    let other = row("item", vec![Value::Integer(1), text("y")]);
    assert!(meetings.meet(&numbered, &other));
    let given = Access::statement("INSERT INTO item VALUES (5, 'x')", &[]);
    assert!(!meetings.meet(&given, &other));
}

#[test]
fn where_somebody_sees_the_order_of_rows_all_of_them_meet() {
    let mut meetings = meetings();
    let (one, other) = (row("plain", vec![text("x")]), row("plain", vec![text("y")]));
    assert!(!meetings.meet(&one, &other));
    let ordered = Access::statement("SELECT user FROM session ORDER BY user, id", &[]);
    assert!(!meetings.note(&ordered));
    let one_of_them = Access::statement("SELECT id FROM session WHERE id = 'a'", &[]);
    assert!(!meetings.note(&one_of_them));
    // Those of one user are told apart by nothing but the order in which they came.
    let ties = Access::statement("SELECT id FROM session ORDER BY user", &[]);
    assert!(meetings.note(&ties));
    assert!(meetings.note(&Access::statement("SELECT body FROM plain", &[])));
    assert!(meetings.meet(&one, &other));
}

#[test]
fn what_reaches_far_meets_everything() {
    let schema = [
        "CREATE TABLE session (id TEXT PRIMARY KEY, user TEXT, state TEXT)",
        "CREATE TABLE task (id TEXT PRIMARY KEY, session TEXT REFERENCES session (id))",
    ];
    let mut meetings = Meetings::of(&schema.map(str::to_owned)).expect("the schema stands");
    let statement = Access::statement("INSERT INTO task VALUES ('t', 'b')", &[]);
    assert!(meetings.meet(&statement, &alice()));
}

#[test]
fn things_meet_if_one_of_the_two_changes_them() {
    let mut meetings = meetings();
    let of = |name, changes| Access::thing(name, changes);
    assert!(!meetings.meet(&of(1, false), &of(1, false)));
    assert!(meetings.meet(&of(1, false), &of(1, true)));
    assert!(!meetings.meet(&of(1, true), &of(2, true)));
    assert!(meetings.meet(&of(1, false), &Access::ANYTHING));
    assert!(matches!(
        Access::statement("PRAGMA foreign_keys = 0", &[]).what,
        What::Anything
    ));
}
