//! What is proved about a rule, and that the proof is right: random edits show every new offence under the keys they give.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::{Checker, Rule, Rules};
use crate::disk::capture::Capture;
use crate::label::{below, mix};
use crate::scenario::RuleKind;

const SCHEMA: &str = "
    CREATE TABLE session (id TEXT, user TEXT, active INTEGER);
    CREATE TABLE task (id TEXT, session TEXT, owner TEXT, user TEXT);
    CREATE TABLE lease (session TEXT, worker TEXT, n INTEGER);
    CREATE TABLE worker (id TEXT, user TEXT);
    CREATE TABLE chat (user TEXT COLLATE NOCASE, n INTEGER);
    CREATE TABLE kin (a TEXT, b TEXT);
    CREATE TABLE made (id TEXT, twice TEXT AS (id || id), user TEXT);
    CREATE VIEW active AS SELECT * FROM session WHERE active = 1;
";

/// Key, rule, and the tables whose changes tell their keys, with the columns that do.
const RULES: &[(&str, &str, &str)] = &[
    // The key column itself, under its name, under an alias, twice in one query.
    ("user", "SELECT user, count(*) AS n FROM session WHERE active = 1 GROUP BY user HAVING count(*) > 1", "session.user"),
    ("session", "SELECT id AS session FROM session WHERE active = 1", "session.id"),
    ("who", "SELECT owner who FROM task WHERE owner = user", "task.owner"),
    ("who", "SELECT DISTINCT t.\"owner\" AS who FROM task t;", "task.owner"),
    ("user", "SELECT * FROM session WHERE active > 1", "session.user"),
    ("user", "SELECT a.user FROM session a JOIN session b ON a.user = b.user AND a.id < b.id", "session.user"),
    ("k", "SELECT x.a AS k FROM kin x, kin y WHERE y.b = x.a AND x.b IS NOT y.a", "kin.a kin.b"),
    // A table that has a column with the name of the key, which is another thing there.
    ("user", "SELECT s.user FROM session s WHERE EXISTS (SELECT 1 FROM task t WHERE t.session = s.id AND t.user <> s.user)", "session.user"),
    ("session", "SELECT owner AS session FROM task WHERE session <> owner", "task.owner"),
    ("session", "SELECT t.owner AS session FROM task t WHERE NOT EXISTS (SELECT 1 FROM lease l WHERE l.session = t.session)", "task.owner"),
    // Conditions in subqueries, of any depth and use.
    ("session", "SELECT t.session FROM task t WHERE NOT EXISTS (SELECT 1 FROM session s WHERE s.id = t.session AND s.active = 1)", "session.id task.session"),
    ("session", "SELECT l.session AS session FROM lease l WHERE l.n <> (SELECT count(*) FROM task t WHERE l.session == t.session)", "lease.session task.session"),
    ("id", "SELECT s.id FROM session s WHERE CASE s.active WHEN 1 THEN EXISTS (SELECT 1 FROM lease WHERE session = s.id) ELSE 1 END", "lease.session session.id"),
    ("id", "SELECT s.id FROM session s WHERE s.active = 1 AND NOT EXISTS (SELECT 1 FROM task t WHERE t.session = s.id
        AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session = t.session AND l.worker = t.owner))", "lease.session session.id task.session"),
    ("id", "SELECT id FROM session s WHERE active OR (SELECT max(l.n) FROM lease l WHERE l.session = s.id) > 1", "lease.session session.id"),
    ("session", "SELECT l.session FROM lease l CROSS JOIN worker w ON w.id = l.worker WHERE w.user IS NULL", "lease.session"),
    // NULL is a key as well.
    ("user", "SELECT user, count(*) AS n FROM session GROUP BY user HAVING n > 2", "session.user"),
    ("user", "SELECT s.user FROM session s WHERE NOT EXISTS (SELECT 1 FROM worker w WHERE w.user IS s.user)", "session.user worker.user"),
    // Equations that do not hold in each row that counts.
    ("user", "SELECT s.user FROM session s JOIN worker w ON w.user = s.user OR w.id = s.id", "session.user"),
    ("user", "SELECT s.user FROM session s, worker w WHERE NOT w.user = s.user", "session.user"),
    ("user", "SELECT s.user FROM session s, worker w WHERE s.active BETWEEN 0 AND w.user = s.user", "session.user"),
    ("user", "SELECT s.user FROM session s, worker w WHERE w.user = s.user COLLATE NOCASE", "session.user"),
    ("user", "SELECT s.user FROM session s, chat c WHERE c.user = s.user", "session.user"),
    ("n", "SELECT l.n FROM lease l, session s WHERE s.id = l.n", "lease.n"),
    ("user", "SELECT s.user FROM session s, worker w WHERE NOT EXISTS (SELECT 1 FROM task t WHERE t.user = s.user AND t.user = w.user)",
        "session.user task.user"),
    // Rows of other keys decide, or the text does not show what is read.
    ("user", "SELECT user, count(*) AS n FROM session HAVING n > 1", ""),
    ("user", "SELECT user, max(active) AS n FROM session", ""),
    ("user", "SELECT user, count(*) AS n FROM session GROUP BY id", ""),
    ("user", "SELECT user FROM session ORDER BY id LIMIT 1", ""),
    ("user", "SELECT user, row_number() OVER (ORDER BY id) AS n FROM session", ""),
    ("user", "SELECT user FROM session EXCEPT SELECT user FROM worker", ""),
    ("user", "SELECT user FROM active", ""),
    ("user", "SELECT user FROM made", ""),
    ("user", "SELECT user FROM (SELECT user FROM session)", ""),
    ("user", "SELECT user FROM main.session", ""),
    ("user", "WITH x AS (SELECT user FROM session) SELECT user FROM x", ""),
    ("user", "SELECT s.user FROM session s LEFT JOIN worker w ON w.user = s.user WHERE w.id IS NULL", ""),
    ("user", "SELECT s.user FROM session s NATURAL JOIN worker w", ""),
    ("user", "SELECT s.user FROM session s WHERE s.user IN worker_names", ""),
    ("user", "SELECT upper(user) AS user FROM session", ""),
    ("user", "SELECT count(*) user, s.user FROM session s GROUP BY s.user", ""),
    ("user", "SELECT s.user FROM session s WHERE s.id IS DISTINCT FROM s.user", ""),
];

fn database() -> Connection {
    let connection = Connection::open_in_memory().expect("a database");
    connection
        .execute_batch(&format!("{SCHEMA} CREATE TABLE worker_names (user TEXT);"))
        .expect("the schema");
    connection
}

fn checker(connection: Connection) -> Checker {
    let rule = |(n, (per, sql, _)): (usize, &(&str, &str, &str))| Rule {
        name: format!("rule {n}"),
        per: Some((*per).to_owned()),
        kind: RuleKind::Never,
        sql: (*sql).to_owned(),
        place: String::new(),
    };
    let rules = Rules {
        invariants: RULES.iter().enumerate().map(rule).collect(),
        ..Rules::default()
    };
    Checker::new(connection, rules, &[]).expect("rules that prepare")
}

#[test]
fn what_is_proved_and_what_is_not() {
    let checker = checker(database());
    for (rule, (_, sql, expected)) in checker.first.invariants.iter().zip(RULES) {
        let keyed = rule.keyed.iter().flat_map(|keyed| &keyed.columns);
        let shown = |(table, at): (&String, &usize)| {
            format!("{table}.{}", checker.first.columns[table][*at])
        };
        let proved: Vec<String> = keyed
            .flat_map(|(table, columns)| columns.iter().map(move |at| shown((table, at))))
            .collect();
        assert_eq!(proved.join(" "), *expected, "{sql}");
    }
}

/// The keys of all offences of a query.
fn offences(
    connection: &Connection,
    sql: &str,
    per: &str,
    key: Option<&Value>,
) -> BTreeMap<String, usize> {
    let mut statement = connection.prepare(sql).expect("a query");
    let at = statement.column_index(per).expect("the key");
    let mut rows = statement
        .query(rusqlite::params_from_iter(key))
        .expect("rows");
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next().expect("a row") {
        let key: Value = row.get(at).expect("a value");
        *found.entry(format!("{key:?}")).or_default() += 1;
    }
    found
}

/// A transaction of a few edits of few rows with few values, so that all kinds of coincidence happen.
fn edit(connection: &Connection, seed: u64) {
    let mut step = seed;
    let mut draw = |n: u64| {
        step = mix(step, 1);
        below(step, n)
    };
    connection.execute_batch("BEGIN").expect("begins");
    for _ in 0..=draw(3) {
        let (table, columns): (&str, &[&str]) = [
            ("session", &["id", "user", "active"][..]),
            ("task", &["id", "session", "owner", "user"]),
            ("lease", &["session", "worker", "n"]),
            ("worker", &["id", "user"]),
            ("chat", &["user", "n"]),
            ("kin", &["a", "b"]),
        ][draw(6) as usize];
        let mut value = || ["'a'", "'b'", "'A'", "NULL", "1", "2"][draw(6) as usize];
        let values: Vec<&str> = columns.iter().map(|_| value()).collect();
        let (set, seek) = (value(), value());
        let column = columns[draw(columns.len() as u64) as usize];
        let sql = match draw(5) {
            0 => format!("DELETE FROM {table} WHERE {column} IS {seek}"),
            1 | 2 => format!(
                "UPDATE {table} SET {column} = {set} WHERE {} IS {seek}",
                columns[0]
            ),
            _ => format!("INSERT INTO {table} VALUES ({})", values.join(", ")),
        };
        connection.execute_batch(&sql).expect("an edit");
    }
    connection.execute_batch("COMMIT").expect("commits");
}

#[test]
fn every_new_offence_has_one_of_the_keys_that_the_edit_gives() {
    let checker = checker(database());
    let connection = &checker.connection;
    let capture = Capture::install(connection);
    let mut narrowed = BTreeSet::new();
    for seed in 0..400 {
        let now = |sql, per| offences(connection, sql, per, None);
        let before: Vec<_> = RULES.iter().map(|(per, sql, _)| now(sql, per)).collect();
        edit(connection, seed);
        let changes = capture.take();
        for ((rule, (per, sql, _)), before) in
            checker.first.invariants.iter().zip(RULES).zip(before)
        {
            let (Some(keyed), Some(keys)) = (&rule.keyed, rule.keys(&changes)) else {
                continue;
            };
            let mut seen = BTreeMap::new();
            for key in keys {
                seen.extend(match key {
                    Value::Null => offences(connection, &keyed.null, per, None),
                    key => offences(connection, &keyed.sql, per, Some(key)),
                });
            }
            let after = now(sql, per);
            for (key, rows) in &after {
                let same = before.get(key) == Some(rows) || seen.get(key) == Some(rows);
                assert!(same, "edit {seed}: {sql}: {key} is missed: {changes:?}");
            }
            if after.len() > seen.len() {
                narrowed.insert(*sql);
            }
        }
    }
    let proved = RULES
        .iter()
        .filter(|(.., proved)| !proved.is_empty())
        .count();
    assert!(
        narrowed.len() > proved / 2,
        "the test must see keys that are left out: {narrowed:?}"
    );
}
