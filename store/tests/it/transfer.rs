//! Export and import: nothing is lost, and what is wrong is refused as a whole.

use crate::kit::{World, done};
use lockstep_store::{Error, ManualClock, SqliteStore, Store, schema};
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use std::io::{self, Write};

const V1: &str = include_str!("../../schema/fixtures/v1.sql");

fn exported(store: &SqliteStore<impl lockstep_store::Clock>) -> String {
    let mut bytes = Vec::new();
    store.export(&mut bytes).expect("exports");
    String::from_utf8(bytes).expect("text")
}

fn imported(text: &str) -> Result<SqliteStore<ManualClock>, Error> {
    let conn = Connection::open_in_memory().expect("a database in memory");
    SqliteStore::import(conn, ManualClock::at(2_000_000), &mut text.as_bytes())
}

/// One session that was worked in and one that is held.
fn world() -> World {
    let mut world = World::new();
    let first = world.running("chat", "e1");
    let op = world.op();
    world.store.complete(op, done(&first)).expect("completes");
    world.running("other chat", "e2 \"quoted\"\nü");
    world
}

#[test]
fn an_import_holds_what_was_exported_and_goes_on() {
    let world = world();
    let text = exported(&world.store);
    let mut copy = imported(&text).expect("imports");
    assert_eq!(exported(&copy), text);
    let report = copy.verify(10).expect("verifies");
    assert!(report.findings.is_empty(), "{report:?}");
    copy.reap(10).expect("reaps");
    let again = copy
        .claim("new".into(), "w2".into(), 1, 1_000)
        .expect("claims");
    assert_eq!(again[0].attempt, 2);
    // The triggers are back too.
    let lies = copy
        .connection()
        .execute("UPDATE task SET state = 'queued' WHERE state = 'done'", []);
    assert!(lies.is_err());
}

/// An export as the first release would have written it: the rows of its tables under its version.
fn first_release() -> String {
    let conn = Connection::open_in_memory().expect("a database in memory");
    conn.execute_batch(V1).expect("the fixture loads");
    let mut lines = vec![json!({"lockstep": {"schema": 1}})];
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid";
    let mut tables = conn.prepare(tables).expect("prepares");
    let tables = tables
        .query_map([], |row| row.get::<_, String>(0))
        .expect("runs");
    for table in tables.map(|table| table.expect("a name")) {
        let mut query = conn
            .prepare(&format!("SELECT * FROM {table}"))
            .expect("prepares");
        let columns: Vec<String> = query.column_names().map(String::from).collect();
        let rows = query.query_map([], |row| {
            let pairs = columns.iter().enumerate().map(|(at, column)| {
                let value = match row.get::<_, rusqlite::types::Value>(at)? {
                    rusqlite::types::Value::Integer(number) => json!(number),
                    rusqlite::types::Value::Text(text) => json!(text),
                    _ => Value::Null,
                };
                Ok((column.clone(), value))
            });
            pairs.collect::<rusqlite::Result<Map<String, Value>>>()
        });
        for row in rows.expect("runs") {
            lines.push(json!({table.as_str(): row.expect("a row")}));
        }
    }
    let rows = lines.len() - 1;
    lines.push(json!({"end": {"rows": rows}}));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn an_export_of_the_first_release_is_imported_and_upgraded() {
    let file = Connection::open_in_memory().expect("a database in memory");
    file.execute_batch(V1).expect("the fixture loads");
    let upgraded = SqliteStore::from_connection(file, ManualClock::at(2_000_000)).expect("opens");
    let copy = imported(&first_release()).expect("imports");
    assert_eq!(exported(&copy), exported(&upgraded));
}

/// A good export with one line made into another, or taken away.
fn spoiled(from: &str, to: &str) -> String {
    let text = exported(&world().store);
    assert!(text.contains(from), "{from} is in {text}");
    text.replacen(from, to, 1)
}

#[test]
fn what_is_wrong_is_told_by_its_line() {
    let cut = exported(&world().store);
    let cut = &cut[..cut.len() / 2];
    let cases: [(String, &str); 14] = [
        (String::new(), "1: the file ends"),
        (
            "{\"a\":1}\n".to_owned(),
            "1: expected an object with one key",
        ),
        ("{\"task\":{}}\n".to_owned(), "1: expected {\"lockstep\""),
        (cut.to_owned(), ": "),
        (
            cut[..=cut.rfind('\n').expect("lines")].to_owned(),
            "the file ends before its last line",
        ),
        (
            spoiled("{\"meta\":", "{\"mete\":"),
            "4: mete: no such table",
        ),
        (
            spoiled("\"incarnation\":1,", ""),
            "4: meta: incarnation is missing",
        ),
        (
            spoiled("\"incarnation\":1,", "\"incarnation\":1,\"more\":2,"),
            "meta: no column more",
        ),
        (
            spoiled("\"incarnation\":1", "\"incarnation\":\"one\""),
            "meta: refused by",
        ),
        (
            spoiled("\"incarnation\":1", "\"incarnation\":1.5"),
            "incarnation is 1.5, expected",
        ),
        (
            spoiled("\"state\":\"live\"", "\"state\":\"lively\""),
            "worker: refused by worker_state",
        ),
        (
            spoiled("{\"end\":{\"rows\":", "{\"end\":{\"rows\":1"),
            "rows were read, which is not what it says",
        ),
        (
            spoiled("{\"end\":", "{\"end\":{\"rows\":7}}\n{\"end\":"),
            "rows were read",
        ),
        (
            exported(&world().store) + "{}\n",
            "there is more behind the last line",
        ),
    ];
    for (text, told) in cases {
        match imported(&text) {
            Err(Error::Invalid { field: "line", why }) => {
                assert!(why.contains(told), "{why}, not {told}")
            }
            other => panic!("{told}: {:?}", other.err()),
        }
    }
}

#[test]
fn what_points_at_nothing_is_told_by_its_table() {
    let gone = spoiled(
        "{\"conversation\":{\"conv_id\":\"c-e1\"",
        "{\"conversation\":{\"conv_id\":\"c-x\"",
    );
    match imported(&gone) {
        Err(Error::Invalid { field: "rows", why }) => {
            assert!(why.contains("conversation"), "{why}")
        }
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn only_an_empty_database_takes_an_import_and_a_refused_one_leaves_it_empty() {
    let text = exported(&world().store);
    let full = World::new().store.into_connection();
    let refused = SqliteStore::import(full, ManualClock::at(1), &mut text.as_bytes());
    assert!(
        matches!(
            refused,
            Err(Error::Invalid {
                field: "database",
                ..
            })
        ),
        "{refused:?}"
    );

    let dir = tempfile::TempDir::new().expect("a folder");
    let path = dir.path().join("new.db");
    let open = || Connection::open(&path).expect("opens");
    let cut = &text[..text.len() - 10];
    SqliteStore::import(open(), ManualClock::at(1), &mut cut.as_bytes()).expect_err("cut off");
    let objects = open().query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
    assert_eq!(objects, Ok(0));
    SqliteStore::import(open(), ManualClock::at(1), &mut text.as_bytes()).expect("takes it");
}

#[test]
fn a_newer_and_a_foreign_export_are_refused() {
    let newest = schema::newest();
    let from = format!("{{\"lockstep\":{{\"schema\":{newest}}}}}");
    let newer = spoiled(&from, "{\"lockstep\":{\"schema\":99}}");
    assert_eq!(
        imported(&newer).err(),
        Some(Error::TooNew {
            found: 99,
            known: newest
        })
    );
    let other = spoiled("\"checksum\":\"", "\"checksum\":\"0");
    assert!(matches!(imported(&other), Err(Error::Foreign { .. })));
}

#[test]
fn text_that_is_not_utf_8_is_told_on_both_ways() {
    let world = world();
    let sql = "UPDATE task SET last_error = CAST(x'ff' AS TEXT) WHERE session_live = 1";
    world.connection().execute(sql, []).expect("a shell may");
    let refused = world.store.export(&mut Vec::new());
    match refused {
        Err(Error::Invalid { field: "row", why }) => {
            assert!(why.contains("last_error holds text"), "{why}")
        }
        other => panic!("{other:?}"),
    }
    let conn = Connection::open_in_memory().expect("a database in memory");
    let refused = SqliteStore::import(conn, ManualClock::at(1), &mut &b"\xff\n"[..]);
    assert!(
        matches!(refused, Err(Error::Invalid { field: "line", .. })),
        "{refused:?}"
    );
}

/// A disk with room for so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told() {
    let mut world = world();
    let refused = world.store.export(&mut Full(1_000));
    match refused {
        Err(Error::Io { code: 0, message }) => {
            assert!(message.contains("cannot be written"), "{message}")
        }
        other => panic!("{other:?}"),
    }
    world.is_sound();
}

#[test]
fn an_export_without_its_one_row_of_meta_is_refused() {
    let text = exported(&world().store);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("{\"meta\""))
        .collect();
    let (last, rows) = lines.split_last().expect("lines");
    assert!(last.starts_with("{\"end\""));
    let end = format!("{{\"end\":{{\"rows\":{}}}}}", rows.len() - 1);
    match imported(&format!("{}\n{end}\n", rows.join("\n"))) {
        Err(Error::Foreign { why }) => assert!(why.contains("meta has 0 rows"), "{why}"),
        other => panic!("{:?}", other.err()),
    }
}
