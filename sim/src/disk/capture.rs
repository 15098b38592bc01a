//! Old and new images of the rows that a connection changes, from SQLite's preupdate hook.
//!
//! The hook exists only when SQLite is compiled with `SQLITE_ENABLE_PREUPDATE_HOOK` (see `.cargo/config.toml`). rusqlite's
//! feature of the same name needs libclang at build, hence the raw functions here.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::rc::Rc;

use rusqlite::Connection;
use rusqlite::ffi::{self, sqlite3, sqlite3_int64, sqlite3_value};
use rusqlite::types::Value;

use super::externs::keep;

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Insert,
    /// It was altered.
    Update,
    /// It is gone.
    Delete,
}

/// A changed row.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The table. Equal names of one capture share their memory.
    pub table: Rc<str>,
    /// What happened.
    pub kind: ChangeKind,
    /// The columns before, in the order of the table; `None` for an insert.
    pub old: Option<Vec<Value>>,
    /// The columns after; `None` for a delete.
    pub new: Option<Vec<Value>>,
    /// The rowids before and after, where the table has rowids.
    pub rowids: (i64, i64),
}

/// Collects the changes of one connection, those made by triggers and foreign key actions included.
///
/// SQLite reports a change when it is made. What a failing statement or a rollback undoes stays in the buffer until
/// [`Capture::forget`] or [`Capture::take`].
pub struct Capture {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    before: String,
    changes: RefCell<Vec<Change>>,
    tables: RefCell<Vec<Rc<str>>>,
}

impl Capture {
    /// Starts to collect. Replaces another capture of this connection.
    pub fn install(connection: &Connection) -> Capture {
        Self::install_before(connection, "")
    }

    /// The same, with this before the name of each table.
    pub fn install_before(connection: &Connection, before: &str) -> Capture {
        let shared = Rc::new(Shared {
            before: before.to_owned(),
            ..Shared::default()
        });
        // SAFETY: the handle is valid while the connection is borrowed. `keep` makes the connection own a reference to
        // the buffer, so that the context outlives the hook.
        unsafe {
            let db = connection.handle();
            ffi::sqlite3_preupdate_hook(
                db,
                Some(row_changes),
                Rc::as_ptr(&shared).cast_mut().cast(),
            );
            keep(db, c"lockstep.capture", shared.clone());
        }
        Capture { shared }
    }

    /// The changes since the last call.
    pub fn take(&self) -> Vec<Change> {
        self.shared.changes.take()
    }

    /// Forgets the changes since the last call of [`Capture::take`], because what made them was undone.
    pub fn forget(&self) {
        self.shared.changes.borrow_mut().clear();
    }
}

impl Shared {
    fn table(&self, name: &CStr) -> Rc<str> {
        let mut tables = self.tables.borrow_mut();
        if let Some(known) = tables
            .iter()
            .find(|table| table.as_bytes()[self.before.len()..] == *name.to_bytes())
        {
            return known.clone();
        }
        let table: Rc<str> = format!("{}{}", self.before, name.to_string_lossy()).into();
        tables.push(table.clone());
        table
    }
}

unsafe extern "C" fn row_changes(
    context: *mut c_void,
    db: *mut sqlite3,
    operation: c_int,
    _schema: *const c_char,
    table: *const c_char,
    old_rowid: sqlite3_int64,
    new_rowid: sqlite3_int64,
) {
    // SAFETY: the context is the buffer that `install` passed and the connection keeps alive.
    let context = context.cast::<Shared>();
    let shared = unsafe { &*context };
    let kind = match operation {
        ffi::SQLITE_INSERT => ChangeKind::Insert,
        ffi::SQLITE_UPDATE => ChangeKind::Update,
        _ => ChangeKind::Delete,
    };
    // SAFETY: SQLite passes the name of the table, and `db` is inside the hook, where row images may be asked for.
    let change = unsafe {
        Change {
            table: shared.table(CStr::from_ptr(table)),
            kind,
            old: (kind != ChangeKind::Insert).then(|| row(db, ffi::sqlite3_preupdate_old)),
            new: (kind != ChangeKind::Delete).then(|| row(db, ffi::sqlite3_preupdate_new)),
            // A table without rowids has 0 before, and after an update whatever stood there.
            rowids: (old_rowid, if old_rowid == 0 { 0 } else { new_rowid }),
        }
    };
    shared.changes.borrow_mut().push(change);
}

type Column = unsafe extern "C" fn(*mut sqlite3, c_int, *mut *mut sqlite3_value) -> c_int;

/// # Safety
/// `db` is inside its preupdate hook, and `column` is defined for the operation that is reported.
unsafe fn row(db: *mut sqlite3, column: Column) -> Vec<Value> {
    // SAFETY: by the contract of this function. A value stays valid until the hook returns.
    unsafe {
        let count = ffi::sqlite3_preupdate_count(db);
        let columns = (0..count).map(|index| {
            let mut raw = std::ptr::null_mut();
            match column(db, index, &mut raw) {
                ffi::SQLITE_OK => value(raw),
                _ => Value::Null,
            }
        });
        columns.collect()
    }
}

/// # Safety
/// `raw` is a valid value.
unsafe fn value(raw: *mut sqlite3_value) -> Value {
    // SAFETY: by the contract of this function. SQLite wants the pointer asked for before the length.
    unsafe {
        match ffi::sqlite3_value_type(raw) {
            ffi::SQLITE_INTEGER => Value::Integer(ffi::sqlite3_value_int64(raw)),
            ffi::SQLITE_FLOAT => Value::Real(ffi::sqlite3_value_double(raw)),
            ffi::SQLITE_TEXT => {
                let text = bytes(ffi::sqlite3_value_text(raw), ffi::sqlite3_value_bytes(raw));
                Value::Text(String::from_utf8_lossy(text).into_owned())
            }
            ffi::SQLITE_BLOB => {
                let blob = bytes(
                    ffi::sqlite3_value_blob(raw).cast(),
                    ffi::sqlite3_value_bytes(raw),
                );
                Value::Blob(blob.to_vec())
            }
            _ => Value::Null,
        }
    }
}

/// # Safety
/// `start` is null or points to `length` initialised bytes that live as long as the result is used.
unsafe fn bytes<'a>(start: *const u8, length: c_int) -> &'a [u8] {
    match usize::try_from(length) {
        // SAFETY: by the contract of this function.
        Ok(length) if !start.is_null() => unsafe { std::slice::from_raw_parts(start, length) },
        _ => &[],
    }
}
