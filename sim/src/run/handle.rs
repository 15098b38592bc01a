//! A connection of a simulated process, raw or with the reference store on it.

use std::rc::Rc;

use lockstep_store::SqliteStore;
use rusqlite::Connection;

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
