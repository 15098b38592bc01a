//! `lockstep verify`: judges a real database file. Opens it for reading only and leaves nothing behind.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use lockstep_sim::exit::Exit;
use lockstep_sim::report;
use lockstep_store::{schema, verify};
use rusqlite::{Connection, OpenFlags};

use super::args::VerifyArgs;
use super::failure::Failure;
use super::out;

/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Findings told for each rule.
const PER_RULE: u32 = 20;

pub(crate) fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    let path = &args.database;
    is_database(path)?;
    let failed = |error: lockstep_store::Error| Failure::input(path, error.to_string());
    let mut connection = open(path).map_err(|error| Failure::input(path, error.to_string()))?;
    is_ours(&connection).map_err(|why| Failure::input(path, why))?;
    schema::check(&connection).map_err(failed)?;
    let found = verify::verify(&mut connection, verify::Budget::of(PER_RULE)).map_err(failed)?;
    out::result(&report::verify_text(
        &path.display().to_string(),
        &found,
        PER_RULE,
    ))?;
    let clean = found.findings.is_empty();
    Ok(match (clean, found.unfinished.is_empty()) {
        (false, _) => Exit::Unexpected,
        (true, false) => Exit::Undecided,
        (true, true) => Exit::AsExpected,
    })
}

fn is_database(path: &Path) -> Result<(), Failure> {
    match path.metadata() {
        Ok(about) if about.is_dir() => return Err(Failure::input(path, "is a directory")),
        // Reading a pipe would wait for whoever writes into it.
        Ok(about) if !about.is_file() => return Err(Failure::input(path, "is not a regular file")),
        _ => {}
    }
    let mut head = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(MAGIC.len() as u64 + 2).read_to_end(&mut head));
    read.map_err(|error| Failure::input(path, error.to_string()))?;
    if head.is_empty() {
        return Err(Failure::input(path, "is empty"));
    }
    if !head.starts_with(MAGIC) {
        return Err(Failure::input(path, "is not an SQLite database"));
    }
    is_whole(path, &head)
}

/// A copy that was cut off a little may look sound. The main file of a database is a whole number of pages.
fn is_whole(path: &Path, head: &[u8]) -> Result<(), Failure> {
    let size = match head.get(MAGIC.len()..) {
        Some([0, 1]) => 65_536,
        Some([high, low]) => u64::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    let length = path
        .metadata()
        .map_err(|error| Failure::input(path, error.to_string()))?
        .len();
    match length.checked_rem(size) {
        Some(0) => Ok(()),
        _ => Err(Failure::input(
            path,
            format!("is damaged: {length} bytes are not a whole number of pages of {size} bytes"),
        )),
    }
}

/// A database that nobody has open is opened as immutable, which leaves no `-wal` and `-shm` beside it. Where they
/// exist somebody may be writing, and the usual locks are taken.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let in_use = ["-wal", "-shm", "-journal"]
        .iter()
        .any(|suffix| beside(path, suffix).exists());
    let immutable = if in_use { "" } else { "&immutable=1" };
    // An absolute path is given an empty authority, or `//a/b` would name the host `a`.
    let authority = if path.is_absolute() { "//" } else { "" };
    let uri = format!("file:{authority}{}?mode=ro{immutable}", escaped(path));
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(schema::BUSY_TIMEOUT)?;
    Ok(connection)
}

fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// A path inside a `file:` URI.
fn escaped(path: &Path) -> String {
    let mut out = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'?' | b'#' | b'%' => out += &format!("%{byte:02x}"),
            byte if byte.is_ascii_graphic() => out.push(char::from(*byte)),
            byte => out += &format!("%{byte:02x}"),
        }
    }
    out
}

/// Ours, and of a version that is known here.
fn is_ours(connection: &Connection) -> Result<(), String> {
    let pragma = |name: &str| -> Result<i64, String> {
        connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
            .map_err(|error| error.to_string())
    };
    let sound: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if sound != "ok" {
        let sound = sound.trim_start_matches("*** in database main ***\n");
        return Err(format!("is damaged: {}", sound.replace('\n', "; ")));
    }
    if pragma("application_id")? != i64::from(schema::APPLICATION_ID) {
        return Err("is not a lockstep store".to_owned());
    }
    let (found, known) = (pragma("user_version")?, schema::newest());
    match found.cmp(&known) {
        std::cmp::Ordering::Greater => Err(format!(
            "has schema version {found}; this lockstep knows up to {known}"
        )),
        std::cmp::Ordering::Less => Err(format!(
            "has schema version {found}: open it once with the store, which brings it to {known}"
        )),
        std::cmp::Ordering::Equal => Ok(()),
    }
}
