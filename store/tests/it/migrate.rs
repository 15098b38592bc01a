//! Databases of every released version are brought to the newest one, whole or not at all.

use lockstep_store::{Error, Filter, ManualClock, SqliteStore, Store, schema};
use rusqlite::Connection;
use std::sync::{Arc, Barrier};
use tempfile::TempDir;

const V1: &str = include_str!("../../schema/fixtures/v1.sql");

/// A file as the first release left it.
fn old_file(dir: &TempDir) -> std::path::PathBuf {
    let path = dir.path().join("old.db");
    let conn = Connection::open(&path).expect("a file");
    conn.execute_batch(V1).expect("the fixture loads");
    path
}

fn version(conn: &Connection) -> i64 {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
        .expect("a version")
}

fn number(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, [], |row| row.get(0)).expect(sql)
}

/// How many rows each table of the first version holds.
fn counts(conn: &Connection) -> Vec<i64> {
    [
        "op_result",
        "runtime_build",
        "resume_edge",
        "worker",
        "conversation",
        "conversation_key",
        "session",
        "session_data",
        "lease",
        "task",
        "item",
        "inbox",
        "outbox",
        "audit",
    ]
    .map(|table| number(conn, &format!("SELECT count(*) FROM {table}")))
    .to_vec()
}

#[test]
fn the_first_release_is_upgraded_and_nothing_is_lost() {
    let dir = TempDir::new().expect("a folder");
    let path = old_file(&dir);
    let before = counts(&Connection::open(&path).expect("opens"));
    let mut store = SqliteStore::open(&path, ManualClock::at(2_000)).expect("upgraded");
    assert_eq!(version(store.connection()), schema::newest());
    assert_eq!(counts(store.connection()), before);
    let report = store.verify(10).expect("verifies");
    assert!(report.findings.is_empty(), "{report:?}");

    let sending = store
        .claim_send("op-send".into(), "sender", "", 10, 1_000)
        .expect("claims");
    let bodies: Vec<&str> = sending.iter().map(|message| &*message.body).collect();
    assert_eq!(bodies, ["first"], "one of the session, the first");
    store
        .renew("s1".into(), lockstep_store::Fence(1), 5_000)
        .expect("its worker goes on");
    assert_eq!(
        store.get_state("s9".into()).expect("state").body,
        "{\"lang\":\"de\"}"
    );
    assert_eq!(
        store.list(Filter::default(), None, 10).expect("list").len(),
        3
    );
}

/// The statement at which the upgrade is cut off: SQLite asks its progress handler while it works, and an interrupted
/// transaction is what a crash leaves behind, to be rolled back.
#[test]
fn an_upgrade_that_is_cut_off_anywhere_leaves_the_old_version_whole() {
    let dir = TempDir::new().expect("a folder");
    let path = old_file(&dir);
    let before = counts(&Connection::open(&path).expect("opens"));
    let mut cuts = 0;
    for steps in 1.. {
        let mut conn = Connection::open(&path).expect("opens");
        schema::configure(&conn).expect("configured");
        let mut left = steps;
        let cut = move || {
            left -= 1;
            left == 0
        };
        conn.progress_handler(40, Some(cut)).expect("a handler");
        match schema::migrate(&mut conn, 2_000) {
            Ok(()) => break,
            Err(error) => assert!(matches!(error, Error::Io { .. }), "{error}"),
        }
        drop(conn);
        let conn = Connection::open(&path).expect("opens");
        if version(&conn) == schema::newest() {
            // Cut off behind the commit, while the checksums were compared.
            break;
        }
        assert_eq!((version(&conn), counts(&conn)), (1, before.clone()));
        cuts += 1;
    }
    assert!(cuts > 50, "{cuts} cuts");
    let mut store = SqliteStore::open(&path, ManualClock::at(2_000)).expect("goes on");
    assert_eq!(counts(store.connection()), before);
    assert!(store.verify(10).expect("verifies").findings.is_empty());
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "two connections at once are what this is about"
)]
fn two_that_upgrade_at_once_do_it_once() {
    for _ in 0..5 {
        let dir = TempDir::new().expect("a folder");
        let path = old_file(&dir);
        let start = Arc::new(Barrier::new(2));
        let open = || {
            let (path, start) = (path.clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                SqliteStore::open(&path, ManualClock::at(2_000)).map(|_| ())
            })
        };
        let threads = [open(), open()];
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), Ok(()));
        }
        let conn = Connection::open(&path).expect("opens");
        assert_eq!(number(&conn, "SELECT count(*) FROM migration"), 2);
    }
}
