//! A connection of a simulated process, raw or with the reference store on it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lockstep_store::{Clock, SqliteStore};
use rusqlite::Connection;

use crate::disk::Conn;
use crate::disk::capture::Capture;
use crate::trace::Reading;

/// The clock that the store is opened with: virtual time plus the offset of the process that holds the handle.
#[derive(Clone)]
pub struct SimClock {
    start_ms: i64,
    now_us: Rc<Cell<u64>>,
    offset_ms: Rc<RefCell<Rc<Cell<i64>>>>,
    /// How often any clock of the stage was read.
    turns: Rc<Cell<u64>>,
    /// What was read since somebody wanted to know.
    read: Rc<RefCell<Option<Vec<Reading>>>>,
}

impl SimClock {
    /// A clock that reads virtual time from `now_us`, counted from `start_ms` (Unix milliseconds).
    pub fn new(start_ms: i64, now_us: Rc<Cell<u64>>) -> Self {
        Self {
            start_ms,
            now_us,
            offset_ms: Rc::new(RefCell::new(Rc::new(Cell::new(0)))),
            turns: Rc::default(),
            read: Rc::default(),
        }
    }

    /// A clock of another connection, on the same time.
    pub(super) fn sibling(&self) -> Self {
        Self {
            turns: Rc::clone(&self.turns),
            ..Self::new(self.start_ms, Rc::clone(&self.now_us))
        }
    }

    /// A run begins: readings are numbered anew.
    pub(super) fn rewind(&self) {
        self.turns.set(0);
    }

    /// From now on what is read is remembered.
    pub(super) fn listen(&self) {
        *self.read.borrow_mut() = Some(Vec::new());
    }

    /// What was read since [`SimClock::listen`].
    pub(super) fn heard(&self) -> Vec<Reading> {
        self.read.borrow_mut().take().unwrap_or_default()
    }

    /// From now on this is the clock of a process with this offset.
    pub(super) fn follow(&self, offset_ms: &Rc<Cell<i64>>) {
        *self.offset_ms.borrow_mut() = Rc::clone(offset_ms);
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.now_us.get() / 1000).unwrap_or(i64::MAX);
        let offset = self.offset_ms.borrow().get();
        let at_ms = self.start_ms.saturating_add(elapsed).saturating_add(offset);
        if let Some(read) = self.read.borrow_mut().as_mut() {
            self.turns.set(self.turns.get() + 1);
            let turn = self.turns.get();
            read.push(Reading { turn, at_ms });
        }
        at_ms
    }
}

/// What is behind a handle.
pub enum Db {
    /// A scenario's own tables.
    Raw(Box<Connection>),
    /// The reference store.
    Store(Box<SqliteStore<SimClock>>),
}

/// A connection with what watches it.
pub struct Handle {
    /// Its number on the disk.
    pub conn: Conn,
    /// The connection.
    pub db: Db,
    /// Row changes of its open transaction.
    pub capture: Rc<Capture>,
    /// Its clock.
    pub clock: SimClock,
}

impl Handle {
    /// The SQLite connection.
    pub fn connection(&self) -> &Connection {
        match &self.db {
            Db::Raw(connection) => connection,
            Db::Store(store) => store.connection(),
        }
    }
}
