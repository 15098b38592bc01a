use std::cell::OnceCell;

use rusqlite::types::Value;

use super::*;
use crate::disk::capture::{Capture, Change, ChangeKind};
use crate::disk::externs::Observer;

/// At each commit: is a second writer refused, and what does a reader see?
struct AtCommit {
    disk: Weak<Disk>,
    writer: OnceCell<Connection>,
    reader: OnceCell<Connection>,
    seen: RefCell<Vec<(Conn, bool, i64)>>,
}

impl Gatekeeper for AtCommit {
    fn pass(&self, _: Conn, _: Method, _: FileKind) -> Result<(), Refusal> {
        Ok(())
    }

    fn committed(&self, conn: Conn, _: LogEnd) {
        let (Some(disk), Some(writer), Some(reader)) =
            (self.disk.upgrade(), self.writer.get(), self.reader.get())
        else {
            return;
        };
        let header = disk.shm_header_copy();
        let busy = is_busy(run(&disk, 2, writer, "BEGIN IMMEDIATE"));
        disk.enter(3);
        let sum = one(reader, "SELECT sum(credits) FROM account");
        disk.shm_header_restore(&header);
        self.seen.borrow_mut().push((conn, busy, sum));
    }
}

#[test]
fn a_commit_is_announced_once_with_the_write_lock_held_and_a_rollback_never() {
    let (disk, first) = accounts("wal");
    let keeper = Rc::new(AtCommit {
        disk: Rc::downgrade(&disk),
        writer: open(&disk, 2).into(),
        reader: open(&disk, 3).into(),
        seen: RefCell::default(),
    });
    disk.set_gatekeeper(Some(keeper.clone()));
    let announced = |sql: &str| {
        let _ = run(&disk, 1, &first, sql);
        keeper.seen.take()
    };
    assert_eq!(
        announced("UPDATE account SET credits = 1 WHERE id = 1"),
        [(1, true, 21)]
    );
    assert_eq!(
        announced("BEGIN; UPDATE account SET credits = 2 WHERE id = 1; COMMIT"),
        [(1, true, 22)]
    );
    assert_eq!(
        announced("BEGIN IMMEDIATE; UPDATE account SET credits = 3; ROLLBACK"),
        []
    );
    assert_eq!(announced("INSERT INTO account VALUES (1, 'again', 0)"), []);
    assert_eq!(announced("BEGIN IMMEDIATE; COMMIT"), []);
    assert_eq!(announced("SELECT * FROM account"), []);
    assert_eq!(announced("PRAGMA wal_checkpoint(TRUNCATE)"), []);
    assert_eq!(announced("UPDATE account SET credits = 0"), [(1, true, 0)]);
}

#[test]
fn a_commit_that_fails_is_not_announced() {
    let (disk, first) = accounts("wal");
    run(
        &disk,
        1,
        &first,
        "CREATE TABLE entry(account REFERENCES account(id) DEFERRABLE INITIALLY DEFERRED)",
    )
    .unwrap();
    let recorder = Recorder::on(&disk);
    assert!(
        run(
            &disk,
            1,
            &first,
            "BEGIN; INSERT INTO entry VALUES (77); COMMIT"
        )
        .is_err()
    );
    run(&disk, 1, &first, "ROLLBACK").unwrap();
    assert!(recorder.commits.borrow().is_empty());
}

#[test]
fn a_capture_holds_old_and_new_images() {
    let (disk, connection) = accounts("wal");
    let capture = Capture::install(&connection);
    let sql = "INSERT INTO account VALUES (3, 'carol', NULL);
               UPDATE account SET credits = 11 WHERE id = 1;
               DELETE FROM account WHERE id = 2;";
    run(&disk, 1, &connection, sql).unwrap();
    let row = |id, owner: &str, credits| {
        Some(vec![Value::Integer(id), Value::Text(owner.into()), credits])
    };
    let change = |kind, old, new, rowid| Change {
        table: "account".into(),
        kind,
        old,
        new,
        rowids: (rowid, rowid),
    };
    let expected = [
        change(ChangeKind::Insert, None, row(3, "carol", Value::Null), 3),
        change(
            ChangeKind::Update,
            row(1, "alice", 10.into()),
            row(1, "alice", 11.into()),
            1,
        ),
        change(ChangeKind::Delete, row(2, "bob", 20.into()), None, 2),
    ];
    let changes = capture.take();
    assert_eq!(changes, expected);
    assert!(Rc::ptr_eq(&changes[0].table, &changes[2].table));
    assert_eq!(capture.take(), []);
}

#[test]
fn a_capture_sees_triggers_and_cascades() {
    let (disk, connection) = accounts("wal");
    let sql = "CREATE TABLE entry(id INTEGER PRIMARY KEY, account REFERENCES account(id) ON DELETE CASCADE) STRICT;"
        .replace("account REF", "account INTEGER REF");
    run(&disk, 1, &connection, &sql).unwrap();
    let sql = "CREATE TRIGGER book AFTER UPDATE ON account BEGIN INSERT INTO entry(account) VALUES (new.id); END";
    run(&disk, 1, &connection, sql).unwrap();
    let capture = Capture::install(&connection);
    run(
        &disk,
        1,
        &connection,
        "UPDATE account SET credits = 0 WHERE id = 1",
    )
    .unwrap();
    let update = capture.take();
    run(
        &disk,
        1,
        &connection,
        "BEGIN; DELETE FROM account WHERE id = 1; ROLLBACK",
    )
    .unwrap();
    let told = |changes: Vec<Change>| -> Vec<(String, ChangeKind)> {
        let changes = changes.into_iter();
        changes.map(|c| (c.table.to_string(), c.kind)).collect()
    };
    let of = |table: &str, kind| (table.to_owned(), kind);
    let expected = [
        of("account", ChangeKind::Update),
        of("entry", ChangeKind::Insert),
    ];
    assert_eq!(told(update), expected);
    let undone = [
        of("entry", ChangeKind::Delete),
        of("account", ChangeKind::Delete),
    ];
    let mut deleted = told(capture.take());
    deleted.sort_by(|a, b| b.0.cmp(&a.0));
    assert_eq!(deleted, undone);
}

#[test]
fn capture_and_observer_may_go_before_or_after_their_connection() {
    let (disk, connection) = accounts("wal");
    drop((Capture::install(&connection), Observer::new()));
    let (capture, observer) = (Capture::install(&connection), Observer::new());
    observer.watch(&connection, 1);
    run(&disk, 1, &connection, "UPDATE account SET credits = 0").unwrap();
    drop(connection);
    assert_eq!((capture.take().len(), observer.count()), (2, 1));
}

#[test]
fn an_observer_counts_statements_but_not_those_of_triggers() {
    let (disk, connection) = accounts("wal");
    let sql = "CREATE TRIGGER t AFTER INSERT ON account BEGIN UPDATE account SET credits = 1 WHERE id = new.id; END";
    run(&disk, 1, &connection, sql).unwrap();
    let observer = Observer::new();
    observer.watch(&connection, 1);
    observer.record(true);
    disk.enter(1);
    connection
        .execute("INSERT INTO account VALUES (?1, ?2, 0)", (9, "it's"))
        .unwrap();
    assert_eq!(observer.count(), 1);
    let text = "INSERT INTO account VALUES (9, 'it''s', 0)".to_owned();
    assert_eq!(observer.take(), [(1, text)]);
}
