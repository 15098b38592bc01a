//! Opening, refusing to open, and several connections on one file.

use crate::kit::{World, done, event_of};
use lockstep_store::{Error, ManualClock, OpId, SqliteStore, Store, schema};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// A fresh file, removed with what SQLite keeps beside it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.db"));
        let scratch = Self(path);
        scratch.remove();
        scratch
    }

    fn open(&self) -> Result<SqliteStore<ManualClock>, Error> {
        SqliteStore::open(&self.0, ManualClock::at(1_000))
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.0.clone().into_os_string();
            name.push(suffix);
            std::fs::remove_file(name).unwrap_or_default();
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

fn prepare(store: &mut SqliteStore<ManualClock>) {
    store
        .register_build("b1".into(), "claude@1".into(), "claude", "claude/1".into())
        .expect("build");
    store
        .set_current("b2".into(), "claude@1".into())
        .expect("current");
    store
        .register_worker("b3".into(), "w1".into(), "claude@1".into(), "h1")
        .expect("worker");
}

#[test]
fn what_was_acknowledged_is_there_when_the_file_is_opened_again() {
    let scratch = Scratch::new("reopened");
    let mut store = scratch.open().expect("new");
    prepare(&mut store);
    store
        .accept("a1".into(), event_of("42", "e1"))
        .expect("accepted");
    drop(store);
    let mut store = scratch.open().expect("again");
    let claimed = store
        .claim("c1".into(), "w1".into(), 1, 1_000)
        .expect("claims");
    assert_eq!(claimed[0].task.as_str(), "t-e1");
}

#[test]
fn two_connections_on_one_file_see_one_store() {
    let scratch = Scratch::new("two-connections");
    let (mut one, mut two) = (scratch.open().expect("one"), scratch.open().expect("two"));
    prepare(&mut one);
    let first = one
        .accept("a1".into(), event_of("42", "e1"))
        .expect("accepted");
    let mut again = event_of("42", "e1");
    again.task = "t-other".into();
    assert_eq!(
        two.accept("a2".into(), again).expect("redelivered").task,
        first.task
    );
    let claimed = two
        .claim("c1".into(), "w1".into(), 1, 1_000)
        .expect("claims")
        .remove(0);
    assert!(
        one.claim("c2".into(), "w1".into(), 1, 1_000)
            .expect("nothing")
            .is_empty()
    );
    one.complete("d1".into(), done(&claimed))
        .expect("by whoever has the fence");
    assert!(two.verify(10).expect("verifies").findings.is_empty());
}

#[test]
fn verify_reads_beside_an_open_write() {
    let scratch = Scratch::new("beside-a-write");
    let (writer, mut reader) = (scratch.open().expect("one"), scratch.open().expect("two"));
    writer
        .connection()
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM meta")
        .expect("holds the write lock");
    assert_eq!(reader.verify(10), Ok(Default::default()));
    writer
        .connection()
        .execute_batch("ROLLBACK")
        .expect("gives up");
}

#[test]
fn a_database_that_is_held_is_busy_and_nothing_happened() {
    let scratch = Scratch::new("held");
    let (mut store, holder) = (scratch.open().expect("one"), scratch.open().expect("two"));
    prepare(&mut store);
    store
        .connection()
        .busy_timeout(std::time::Duration::ZERO)
        .expect("does not wait");
    holder
        .connection()
        .execute_batch("BEGIN IMMEDIATE")
        .expect("holds the write lock");
    let refused = store
        .accept("a1".into(), event_of("42", "e1"))
        .expect_err("held");
    assert_eq!(
        (refused.clone(), refused.is_definite()),
        (Error::Busy, true)
    );
    holder
        .connection()
        .execute_batch("ROLLBACK")
        .expect("gives up");
    store
        .accept("a1".into(), event_of("42", "e1"))
        .expect("the same call again");
}

#[test]
fn somebody_elses_database_is_refused_and_not_touched() {
    let conn = Connection::open_in_memory().expect("opens");
    conn.execute_batch("CREATE TABLE session (id TEXT)")
        .expect("theirs");
    let refused = SqliteStore::from_connection(conn, ManualClock::at(0)).expect_err("foreign");
    assert_eq!(refused.kind(), "foreign");
}

#[test]
fn a_refused_file_keeps_every_byte() {
    let scratch = Scratch::new("refused");
    let conn = Connection::open(&scratch.0).expect("opens");
    for (theirs, kind) in [
        (
            "CREATE TABLE mine (a); INSERT INTO mine VALUES (1)",
            "foreign",
        ),
        (
            "PRAGMA application_id = 0x4c4f434b; PRAGMA user_version = 99",
            "too_new",
        ),
    ] {
        conn.execute_batch(theirs).expect("theirs");
        let before = std::fs::read(&scratch.0).expect("a file");
        assert_eq!(scratch.open().expect_err("refused").kind(), kind);
        assert!(
            std::fs::read(&scratch.0).expect("a file") == before,
            "{kind}"
        );
    }
    drop((conn, scratch));

    let scratch = Scratch::new("edited");
    drop(scratch.open().expect("new"));
    let conn = Connection::open(&scratch.0).expect("opens");
    let edit =
        "PRAGMA journal_mode = DELETE; UPDATE migration SET checksum = 'x' WHERE version = 1";
    conn.execute_batch(edit).expect("edited");
    let before = std::fs::read(&scratch.0).expect("a file");
    assert_eq!(scratch.open().expect_err("edited").kind(), "foreign");
    assert!(std::fs::read(&scratch.0).expect("a file") == before);
}

#[test]
fn what_the_store_knows_about_itself_may_not_be_missing() {
    for (gone, told) in [
        (
            "DELETE FROM migration WHERE version = 1",
            "migration 1 is not recorded",
        ),
        ("DELETE FROM meta", "meta has 0 rows"),
    ] {
        let world = World::new();
        world.connection().execute(gone, []).expect("a shell may");
        let conn = world.store.into_connection();
        let refused = SqliteStore::from_connection(conn, ManualClock::at(0)).expect_err("refused");
        assert!(refused.to_string().contains(told), "{refused}");
    }
}

#[test]
fn a_newer_database_is_refused() {
    let world = World::new();
    world
        .connection()
        .pragma_update(None, "user_version", 99)
        .expect("pragma");
    let refused = SqliteStore::from_connection(world.store.into_connection(), ManualClock::at(0));
    assert_eq!(
        refused.expect_err("newer"),
        Error::TooNew {
            found: 99,
            known: schema::newest()
        }
    );
}

#[test]
fn a_schema_that_is_not_what_its_version_says_is_refused() {
    let world = World::new();
    world
        .connection()
        .execute_batch("UPDATE migration SET checksum = 'x'")
        .expect("edited");
    let refused = SqliteStore::from_connection(world.store.into_connection(), ManualClock::at(0));
    assert_eq!(refused.expect_err("edited").kind(), "foreign");
}

#[test]
fn a_commit_that_breaks_a_deferred_key_is_refused_by_name_and_leaves_nothing() {
    let leaves_the_lease = lockstep_store::Statements::reference()
        .replace(
            "lease_drop",
            "DELETE FROM lease",
            "UPDATE lease SET live = 1",
        )
        .expect("applies");
    let mut world = World::with(leaves_the_lease, "DROP TRIGGER session_closed_under_lease");
    world.running("42", "e1");
    let before = world.contents();
    let op: OpId = world.op();
    let refused = world
        .store
        .close(op, "s-e1".into(), "operator", true)
        .expect_err("the lease is left");
    assert_eq!(
        refused,
        Error::Constraint {
            name: "foreign_key".to_owned()
        }
    );
    assert!(refused.is_definite());
    assert_eq!(world.contents(), before);
}

#[test]
fn a_store_may_move_to_another_thread() {
    fn moves<T: Send>() {}
    moves::<SqliteStore<ManualClock>>();
    moves::<SqliteStore<lockstep_store::SystemClock>>();
}
