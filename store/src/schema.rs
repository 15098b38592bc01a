//! Opens a database: pragmas, migrations, and the refusal of what is not ours.

use crate::error::Error;
use crate::sqlite::{failed, transaction};
use crate::statements::CACHE;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, named_params};
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_128;

/// Marks our files in `PRAGMA application_id`: "LOCK".
pub const APPLICATION_ID: i32 = 0x4c4f_434b;

/// How long SQLite itself waits for another connection before it says busy.
pub const BUSY_TIMEOUT: Duration = Duration::from_millis(5000);

struct Migration {
    version: i64,
    /// In the dialect that both engines share.
    tables: &'static str,
    /// SQLite's own.
    triggers: &'static str,
}

/// How often write-ahead logging is asked for.
const ATTEMPTS: u32 = 20;

/// Released migrations are never edited: their checksums are in people's databases.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        tables: include_str!("../schema/0001_init.sql"),
        triggers: include_str!("../schema/sqlite/0001_triggers.sql"),
    },
    Migration {
        version: 2,
        tables: include_str!("../schema/0002_complete.sql"),
        triggers: include_str!("../schema/sqlite/0002_triggers.sql"),
    },
];

impl Migration {
    fn checksum(&self) -> String {
        format!(
            "{:032x}",
            xxh3_128([self.tables, self.triggers].concat().as_bytes())
        )
    }
}

/// The newest schema version that this release knows.
pub fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Sets what every connection of the store needs. Touches no data, except that a database file becomes a WAL database; one that
/// is not ours, or is newer, is refused as [`migrate`] says before that.
///
/// WAL with synchronous=FULL: what was acknowledged is durable. QPSG: without it SQLite prepares cached statements again
/// when bound values change, which cost a factor of 3.4.
pub fn configure(conn: &Connection) -> Result<(), Error> {
    conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(CACHE);
    transaction(conn, "BEGIN", || recognise(conn))?;
    log_ahead(conn)?;
    conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        .map_err(failed)
}

/// Turns write-ahead logging on. Asked for only when needed: the change takes an exclusive lock, and where two processes open the
/// same file both may ask. SQLite refuses one of them at once, whatever its timeout, so that one stands in line for the write lock
/// and looks again.
fn log_ahead(conn: &Connection) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let mode: String = pragma(conn, "PRAGMA journal_mode")?;
        if mode == "wal" || mode == "memory" {
            return Ok(());
        }
        let asked = conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()));
        match asked.map_err(failed) {
            Err(Error::Busy) => transaction(conn, "BEGIN IMMEDIATE", || Ok(()))?,
            asked => return asked,
        }
    }
    Err(Error::Busy)
}

/// Brings the database to the newest schema, under one write lock. Forward only.
///
/// [`Error::Foreign`] when it holds something else, or its schema is not what its version says; [`Error::TooNew`] when a
/// newer release wrote it. Neither touches it.
pub fn migrate(conn: &mut Connection, now_ms: i64) -> Result<(), Error> {
    // Read on one snapshot: between two reads another process may be migrating.
    if transaction(conn, "BEGIN", || recognise(conn))? < newest() {
        transaction(conn, "BEGIN IMMEDIATE", || advance(conn, now_ms))?;
    }
    check(conn)
}

/// The version of a database that is ours, and says about itself what its version should; 0 when it is empty.
fn recognise(conn: &Connection) -> Result<i64, Error> {
    let version = version(conn)?;
    if version > 0 {
        check_up_to(conn, version)?;
    }
    Ok(version)
}

/// Whether the database is ours; 0 when it is empty.
pub(crate) fn version(conn: &Connection) -> Result<i64, Error> {
    let application: i32 = pragma(conn, "PRAGMA application_id")?;
    let version: i64 = pragma(conn, "PRAGMA user_version")?;
    let objects: i64 = pragma(
        conn,
        "SELECT count(*) FROM (SELECT 1 FROM sqlite_schema LIMIT 1)",
    )?;
    match (application, version, objects) {
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, found, _) if found > newest() => Err(Error::TooNew {
            found,
            known: newest(),
        }),
        (APPLICATION_ID, found, _) if found >= 1 => Ok(found),
        _ => Err(Error::Foreign {
            why: format!("application_id {application}, user_version {version}, with tables"),
        }),
    }
}

fn pragma<T: rusqlite::types::FromSql>(conn: &Connection, sql: &str) -> Result<T, Error> {
    conn.query_row(sql, [], |row| row.get(0)).map_err(failed)
}

/// The version is read again under the lock: another process may have migrated in between.
pub(crate) fn advance(conn: &Connection, now_ms: i64) -> Result<(), Error> {
    let from = version(conn)?;
    build(conn, from, newest())?;
    for migration in between(from, newest()) {
        let row = named_params! {":version": migration.version, ":checksum": migration.checksum(), ":now": now_ms};
        conn.execute("INSERT INTO migration (version, checksum, applied_ms) VALUES (:version, :checksum, :now)", row)
            .map_err(failed)?;
    }
    if from == 0 {
        conn.execute(
            "INSERT INTO meta (one, incarnation, clock_high_ms) VALUES (1, 1, :now)",
            named_params! {":now": now_ms},
        )
        .map_err(failed)?;
    }
    Ok(())
}

fn between(from: i64, to: i64) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS
        .iter()
        .filter(move |migration| migration.version > from && migration.version <= to)
}

/// The objects of one version made into those of another; what the database says about itself is left to the caller.
pub(crate) fn build(conn: &Connection, from: i64, to: i64) -> Result<(), Error> {
    if from == 0 {
        conn.pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(failed)?;
    }
    for migration in between(from, to) {
        conn.execute_batch(&strict(migration.tables))
            .map_err(failed)?;
        conn.execute_batch(migration.triggers).map_err(failed)?;
    }
    conn.pragma_update(None, "user_version", to).map_err(failed)
}

/// Compares the checksums that the database recorded with those of the migrations known here, and looks for the one row without
/// which no operation can do. [`Error::Foreign`] when either is not as it should be. Reads only.
pub fn check(conn: &Connection) -> Result<(), Error> {
    check_up_to(conn, newest())
}

fn check_up_to(conn: &Connection, version: i64) -> Result<(), Error> {
    let mut query = conn
        .prepare_cached("SELECT checksum FROM migration WHERE version = :version")
        .map_err(failed)?;
    for migration in between(0, version) {
        let params = named_params! {":version": migration.version};
        let recorded: Option<String> = query
            .query_row(params, |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let version = migration.version;
        let why = match recorded {
            Some(recorded) if recorded == migration.checksum() => continue,
            Some(_) => format!("migration {version} has another checksum"),
            None => format!("migration {version} is not recorded"),
        };
        return Err(Error::Foreign { why });
    }
    match pragma::<i64>(conn, "SELECT count(*) FROM meta")? {
        1 => Ok(()),
        rows => Err(Error::Foreign {
            why: format!("meta has {rows} rows, and not one"),
        }),
    }
}

/// Rewrites the shared dialect for SQLite: STRICT knows INTEGER only, which has 64 bits there, and 32 in PostgreSQL.
pub(crate) fn strict(tables: &str) -> String {
    tables
        .replace("BIGINT", "INTEGER")
        .replace("SMALLINT", "INTEGER")
        .replace("\n);", "\n) STRICT;")
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod necessity;
