//! Facts about the disk, on real SQLite.

mod death;
mod failure;
mod locking;
mod pool;
mod suspension;
mod watching;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use rusqlite::Connection;

use super::{Conn, Dead, Disk, FileKind, Gatekeeper, LogEnd, Method, Refusal, Shm};

type Call = (Conn, &'static str, &'static str);

/// A gatekeeper that writes down what it is asked and can kill a connection at its n-th operation.
struct Recorder {
    disk: Weak<Disk>,
    calls: RefCell<Vec<Call>>,
    sleeps: Cell<u64>,
    commits: RefCell<Vec<Conn>>,
    /// Connection, and how many of its operations still pass.
    victim: Cell<Option<(Conn, usize)>>,
}

impl Recorder {
    fn on(disk: &Rc<Disk>) -> Rc<Recorder> {
        let recorder = Rc::new(Recorder {
            disk: Rc::downgrade(disk),
            calls: RefCell::default(),
            sleeps: Cell::new(0),
            commits: RefCell::default(),
            victim: Cell::new(None),
        });
        disk.set_gatekeeper(Some(recorder.clone()));
        recorder
    }

    fn take(&self) -> Vec<Call> {
        self.calls.take()
    }
}

impl Gatekeeper for Recorder {
    fn pass(&self, conn: Conn, method: Method, file: FileKind) -> Result<(), Refusal> {
        self.calls
            .borrow_mut()
            .push((conn, method.name(), file.name()));
        match self.victim.get() {
            Some((victim, 0)) if victim == conn => {
                if let Some(disk) = self.disk.upgrade() {
                    disk.kill(conn);
                }
                Err(Refusal::Dead)
            }
            Some((victim, left)) if victim == conn => {
                self.victim.set(Some((victim, left - 1)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn sleep(&self, _conn: Conn, micros: u64) -> Result<(), Dead> {
        self.sleeps.set(self.sleeps.get() + micros);
        Ok(())
    }

    fn committed(&self, conn: Conn, _: LogEnd) {
        self.commits.borrow_mut().push(conn);
    }
}

/// Kills a connection at the operation that `when` chooses, and copies the shared memory at that moment, before the drain.
struct Dying<W> {
    disk: Weak<Disk>,
    when: W,
    at_death: RefCell<Option<Shm>>,
}

impl<W: Fn(&Disk, Conn, Method) -> bool + 'static> Dying<W> {
    fn on(disk: &Rc<Disk>, when: W) -> Rc<Self> {
        let keeper = Rc::new(Self {
            disk: Rc::downgrade(disk),
            when,
            at_death: RefCell::default(),
        });
        disk.set_gatekeeper(Some(keeper.clone()));
        keeper
    }
}

impl<W: Fn(&Disk, Conn, Method) -> bool> Gatekeeper for Dying<W> {
    fn pass(&self, conn: Conn, method: Method, _: FileKind) -> Result<(), Refusal> {
        match self.disk.upgrade() {
            Some(disk) if (self.when)(&disk, conn, method) => {
                disk.kill(conn);
                self.at_death.replace(Some(disk.shm_copy()));
                Err(Refusal::Dead)
            }
            _ => Ok(()),
        }
    }
}

const MODES: [&str; 4] = ["wal", "delete", "truncate", "persist"];

/// A disk with a table of accounts in the given journal mode, and the connection 1 that made it.
fn accounts(mode: &str) -> (Rc<Disk>, Connection) {
    let disk = Disk::new();
    let connection = open(&disk, 1);
    connection
        .pragma_update(None, "journal_mode", mode)
        .unwrap();
    connection
        .execute_batch(
            "CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT NOT NULL, credits INTEGER);
             INSERT INTO account VALUES (1, 'alice', 10), (2, 'bob', 20);",
        )
        .unwrap();
    (disk, connection)
}

/// Opens a connection that does not wait for locks.
fn open(disk: &Rc<Disk>, conn: Conn) -> Connection {
    let connection = disk.open("main.db", conn).unwrap();
    connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    connection
}

fn run(disk: &Disk, conn: Conn, connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    disk.enter(conn);
    connection.execute_batch(sql)
}

fn one<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> T {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn is_busy(result: rusqlite::Result<()>) -> bool {
    result.is_err_and(|error| error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy))
}

fn assert_intact(connection: &Connection) {
    assert_eq!(one::<String>(connection, "PRAGMA integrity_check"), "ok");
}
