//! Disks, files and rows that are not as they should be: a typed error each, and nothing half done.

use crate::kit::{World, done, event_of};
use lockstep_store::{Error, ManualClock, SqliteStore, Statements, Store, schema};
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use tempfile::TempDir;

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> i32 {
    match refused {
        Err(Error::Io { code, .. }) => code & 0xff,
        other => panic!("not refused by the disk: {other:?}"),
    }
}

#[test]
fn a_full_disk_refuses_what_does_not_fit_and_goes_on_when_there_is_room() {
    let mut world = World::new();
    let limit = |world: &World, pages: &str| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        world
            .connection()
            .query_row(&sql, [], |_| Ok(()))
            .expect("a pragma");
    };
    limit(&world, "1");
    let mut event = event_of("chat", "e1");
    event.body = "long ".repeat(10_000);
    let before = world.contents();
    let op = world.op();
    let refused = world.store.accept(op.clone(), event.clone());
    assert_eq!(code(refused), rusqlite::ffi::SQLITE_FULL);
    assert_eq!(world.contents(), before);
    limit(&world, "1000000");
    world.store.accept(op, event).expect("there is room again");
    world.is_sound();
}

#[test]
fn a_file_that_may_only_be_read_is_read_and_refuses_the_rest() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("store.db");
    let store = SqliteStore::open(&path, ManualClock::at(1)).expect("opens");
    drop(store);
    let conn = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    let mut store = SqliteStore::from_connection(conn, ManualClock::at(1)).expect("is a store");
    assert_eq!(store.stats().expect("reads").active_sessions, 0);
    let refused = store.accept("op".into(), event_of("chat", "e1"));
    assert_eq!(code(refused), rusqlite::ffi::SQLITE_READONLY);
}

#[test]
fn what_is_no_database_or_a_damaged_one_is_told() {
    let dir = TempDir::new().expect("a folder");
    let open = |name: &str| SqliteStore::open(dir.path().join(name), ManualClock::at(1));
    assert_eq!(code(open("")), rusqlite::ffi::SQLITE_CANTOPEN);
    assert_eq!(
        code(open("no/such/folder.db")),
        rusqlite::ffi::SQLITE_CANTOPEN
    );
    fs::write(
        dir.path().join("text.db"),
        "no database at all ".repeat(100),
    )
    .expect("writes");
    assert_eq!(code(open("text.db")), rusqlite::ffi::SQLITE_NOTADB);

    drop(open("damaged.db").expect("opens"));
    let damaged = fs::OpenOptions::new()
        .write(true)
        .open(dir.path().join("damaged.db"));
    let mut file = damaged.expect("opens");
    // Behind the first page, which holds the header: the schema itself is there, everything else is not.
    file.seek(SeekFrom::Start(4_096)).expect("seeks");
    file.write_all(&[0xaa; 400_000]).expect("writes");
    drop(file);
    let told = match open("damaged.db") {
        Ok(mut store) => store
            .accept("op".into(), event_of("chat", "e1"))
            .map(|_| ()),
        Err(error) => Err(error),
    };
    assert_eq!(code(told), rusqlite::ffi::SQLITE_CORRUPT);
}

#[test]
fn a_text_that_a_shell_made_unreadable_is_told_and_nothing_is_half_done() {
    let mut world = World::new();
    world.accept("chat", "e1");
    let spoil = "DROP TRIGGER task_sticky; UPDATE task SET input = CAST(x'ff' AS TEXT)";
    world
        .connection()
        .execute_batch(spoil)
        .expect("a shell may");
    let before = world.contents();
    let op = world.op();
    let refused = world.store.claim(op, "w1".into(), 1, 1_000);
    assert!(
        matches!(refused, Err(Error::Io { code: 0, .. })),
        "{refused:?}"
    );
    assert_eq!(world.contents(), before);
}

#[test]
fn rows_that_a_shell_changed_past_every_law_are_found() {
    let mut world = World::new();
    let held = world.running("chat", "e1");
    let op = world.op();
    world.store.complete(op, done(&held)).expect("completes");
    let conn = world.store.into_connection();
    conn.execute_batch(
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; DROP TRIGGER task_sticky;
         UPDATE task SET state = 'running', fence = 9, session_live = 1, ended_ms = NULL",
    )
    .expect("a shell may");
    schema::configure(&conn).expect("configures");
    let clock = ManualClock::at(2_000_000);
    let mut store = SqliteStore::from_ready_connection(conn, clock, Statements::reference());
    let report = store.verify(10).expect("verifies");
    assert!(!report.findings.is_empty());
}
