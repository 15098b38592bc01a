//! A connection of a simulated process, raw or with the reference store on it.

use std::rc::Rc;

use lockstep_store::SqliteStore;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::clock::SimClock;
use crate::disk::Conn;
use crate::disk::capture::Capture;

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
    /// The database file that it is connected to: 0 is the main one, then those of [`super::World::databases`].
    pub file: usize,
    /// The connection.
    pub db: Db,
    /// Row changes of its open transaction.
    pub capture: Rc<Capture>,
    /// Its clock.
    pub clock: SimClock,
    settings: [Option<bool>; SETTINGS.len()],
}

impl Handle {
    pub(super) fn new(
        conn: Conn,
        file: usize,
        db: Db,
        capture: Rc<Capture>,
        clock: SimClock,
    ) -> Self {
        let mut handle = Self {
            conn,
            file,
            db,
            capture,
            clock,
            settings: [None; SETTINGS.len()],
        };
        handle.settings = handle.settings_now();
        handle
    }

    /// Whether what a hand edit switches off is still as it was when the connection was opened.
    pub(super) fn is_as_opened(&self) -> bool {
        self.settings == self.settings_now()
    }

    fn settings_now(&self) -> [Option<bool>; SETTINGS.len()] {
        SETTINGS.map(|setting| self.connection().db_config(setting).ok())
    }

    /// The SQLite connection.
    pub fn connection(&self) -> &Connection {
        match &self.db {
            Db::Raw(connection) => connection,
            Db::Store(store) => store.connection(),
        }
    }
}

/// Takes the last one that is connected to this file.
pub(super) fn take_last(handles: &mut Vec<Handle>, file: usize) -> Option<Handle> {
    let at = handles.iter().rposition(|handle| handle.file == file)?;
    Some(handles.remove(at))
}

/// Settings of a connection that a hand edit may switch: `PRAGMA foreign_keys`, triggers, `PRAGMA writable_schema`.
const SETTINGS: [DbConfig; 3] = [
    DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY,
    DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
    DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA,
];
