//! The seam to the simulator: what it is asked before an operation, and who is asking.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::shm::LogEnd;
use super::{Conn, Disk};

/// A file operation that the simulator is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A file lock is wanted (rollback journal, or the shared lock of WAL mode).
    Lock,
    /// A file lock is given back or lowered.
    Unlock,
    /// A lock on a slot of the WAL shared memory is wanted.
    ShmLock,
    /// A lock on a slot of the WAL shared memory is given back.
    ShmUnlock,
    /// Between two writes of WAL shared memory.
    ShmBarrier,
    /// Bytes are made durable.
    Sync,
    /// A file is deleted: in rollback mode the moment of the commit.
    Delete,
    /// A crash point only.
    Read,
    /// A crash point only.
    Write,
    /// A crash point only.
    Truncate,
    /// A crash point only.
    Open,
    /// The write-ahead log is read in order to build the WAL index anew.
    Recover,
}

impl Method {
    /// SQLite's name of it where it has one, as it stands in traces and cases.
    pub fn name(self) -> &'static str {
        match self {
            Method::Lock => "xLock",
            Method::Unlock => "xUnlock",
            Method::ShmLock => "xShmLock",
            Method::ShmUnlock => "xShmUnlock",
            Method::ShmBarrier => "xShmBarrier",
            Method::Sync => "xSync",
            Method::Delete => "xDelete",
            Method::Read => "xRead",
            Method::Write => "xWrite",
            Method::Truncate => "xTruncate",
            Method::Open => "xOpen",
            Method::Recover => "recovery",
        }
    }
}

/// What a file is to SQLite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// The database.
    Main,
    /// Its write-ahead log.
    Wal,
    /// Its rollback journal, or a super-journal.
    Journal,
    /// Its WAL shared memory.
    Shm,
    /// Anything that does not outlive its connection. The simulator is never asked about it.
    Temp,
}

impl FileKind {
    /// The word for it in traces and cases.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Main => "main",
            FileKind::Wal => "wal",
            FileKind::Journal => "journal",
            FileKind::Shm => "shm",
            FileKind::Temp => "temp",
        }
    }

    pub(super) fn of_name(file: &str) -> FileKind {
        if file.ends_with("-wal") {
            FileKind::Wal
        } else if file.ends_with("-journal") {
            FileKind::Journal
        } else {
            FileKind::Main
        }
    }
}

/// The process died while it was suspended, or was dead before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead;

/// Why a file operation has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its process died while it was suspended, or was dead before.
    Dead,
    /// It fails, with SQLite's error for such an operation. The connection lives on.
    Failed,
}

impl From<Dead> for Refusal {
    fn from(_: Dead) -> Self {
        Self::Dead
    }
}

/// The simulator's side of a file operation.
///
/// Called from inside SQLite, with no borrow of the disk held. A method may suspend the calling coroutine; it must not
/// panic, because nothing may unwind through SQLite.
pub trait Gatekeeper {
    /// Before the operation takes effect. `Err`: it has none. Only reads, writes, syncs and what opens or shortens a file may
    /// fail without death.
    fn pass(&self, conn: Conn, method: Method, file: FileKind) -> Result<(), Refusal>;

    /// Whether no file can grow now: unless somebody says so, they can.
    fn is_full(&self, _conn: Conn) -> bool {
        false
    }

    /// SQLite waits, in its busy handler or for a WAL header that is being written. Virtual time, of which none passes
    /// unless somebody keeps it.
    fn sleep(&self, _conn: Conn, _micros: u64) -> Result<(), Dead> {
        Ok(())
    }

    /// A commit in WAL mode has become visible and the write lock is still held. `before`: where the log ended when it was
    /// taken.
    fn committed(&self, _conn: Conn, _before: LogEnd) {}
}

/// One connection as the disk sees it. All its handles share it, so that one flag kills them all.
pub(super) struct Owner {
    pub(super) disk: Rc<Disk>,
    number: Conn,
    dead: Cell<bool>,
    /// It has written to a write-ahead log under the write lock that it still holds, or held when it died.
    pub(super) logged: Cell<bool>,
    /// It builds the WAL index anew: it holds the lock for that.
    pub(super) recovers: Cell<bool>,
}

thread_local! {
    /// The connection that is inside SQLite on this thread.
    static RUNNING: RefCell<Option<Rc<Owner>>> = const { RefCell::new(None) };
}

impl Owner {
    pub(super) fn new(disk: Rc<Disk>, number: Conn) -> Rc<Owner> {
        Rc::new(Owner {
            disk,
            number,
            dead: Cell::new(false),
            logged: Cell::new(false),
            recovers: Cell::new(false),
        })
    }

    /// The connection that runs now, for callbacks that carry no file.
    pub(super) fn running() -> Option<Rc<Owner>> {
        RUNNING.with_borrow(Option::clone)
    }

    pub(super) fn enter(self: &Rc<Self>) {
        // The old owner may be the last one to hold its disk: it is dropped after the borrow has ended.
        let old = RUNNING.replace(Some(self.clone()));
        drop(old);
    }

    pub(super) fn die(&self) {
        self.dead.set(true);
    }

    /// As a new connection: what it did in the run in which it died is forgotten.
    pub(super) fn revive(&self) {
        self.dead.set(false);
        self.logged.set(false);
        self.recovers.set(false);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.get()
    }

    pub(super) fn alive(&self) -> Result<(), Dead> {
        if self.is_dead() { Err(Dead) } else { Ok(()) }
    }

    /// Asks the gatekeeper. Afterwards this connection is the running one, whoever ran in between.
    pub(super) fn gate(self: &Rc<Self>, method: Method, file: FileKind) -> Result<(), Refusal> {
        self.alive()?;
        if file == FileKind::Temp {
            return Ok(());
        }
        let passed = self
            .disk
            .keeper()
            .map_or(Ok(()), |keeper| keeper.pass(self.number, method, file));
        self.back(passed)
    }

    pub(super) fn sleep(self: &Rc<Self>, micros: u64) -> Result<(), Dead> {
        self.alive()?;
        let slept = self
            .disk
            .keeper()
            .map_or(Ok(()), |keeper| keeper.sleep(self.number, micros));
        self.back(slept)
    }

    /// Whether a file of the database cannot grow now.
    pub(super) fn is_full(&self) -> bool {
        let keeper = self.disk.keeper();
        keeper.is_some_and(|keeper| keeper.is_full(self.number))
    }

    pub(super) fn committed(self: &Rc<Self>, before: LogEnd) -> Result<(), Dead> {
        self.alive()?;
        if let Some(keeper) = self.disk.keeper() {
            keeper.committed(self.number, before);
        }
        self.back(Ok(()))
    }

    /// Death comes before any other answer.
    fn back<E: From<Dead>>(self: &Rc<Self>, answer: Result<(), E>) -> Result<(), E> {
        self.enter();
        self.alive()?;
        answer
    }
}
