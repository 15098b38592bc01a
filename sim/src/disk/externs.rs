//! Raw SQLite functions that rusqlite does not offer, each behind a safe one.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_int, c_uint, c_void};
use std::ptr;
use std::rc::Rc;

use super::Conn;
use rusqlite::{Connection, ffi};

/// Seeds SQLite's random source (WAL salts, names of temporary files, SQL `random()`). It is one for the whole process,
/// so that two simulations may not run in two threads of one process.
pub fn seed_random(seed: u32) {
    // Zero would mean "take the entropy of the machine" to SQLite.
    let seed = seed.max(1);
    // SAFETY: this test control takes an integer and a connection, which may be null; it resets the source under
    // SQLite's own mutex. SQLite reads the integer as `int`, for which any bits are right.
    unsafe {
        ffi::sqlite3_test_control(
            ffi::SQLITE_TESTCTRL_PRNG_SEED,
            seed as c_int,
            ptr::null_mut::<ffi::sqlite3>(),
        );
    }
}

/// Forgets what a pooled connection remembers of earlier runs: its cached pages and its last rowid.
///
/// `changes()` and `total_changes()` go on counting; SQLite has no way to set them back.
pub fn drop_cache(connection: &Connection) {
    // SAFETY: the handle is valid while the connection is borrowed. Pages in use by an open statement stay.
    unsafe {
        let db = connection.handle();
        ffi::sqlite3_db_release_memory(db);
        ffi::sqlite3_set_last_insert_rowid(db, 0);
    }
}

/// Counts the statements of the connections that it watches and, when asked, keeps their text.
#[derive(Default)]
pub struct Observer {
    count: Cell<u64>,
    recording: Cell<bool>,
    texts: RefCell<Vec<(Conn, String)>>,
}

impl Observer {
    /// An observer that watches nothing yet.
    pub fn new() -> Rc<Observer> {
        Rc::default()
    }

    /// Watches a connection until it is closed. Replaces another observer of it.
    pub fn watch(self: &Rc<Self>, connection: &Connection, conn: Conn) {
        let watch = Rc::new(Watch {
            conn,
            observer: self.clone(),
        });
        // SAFETY: the handle is valid while the connection is borrowed. `keep` makes the connection own a reference to
        // this observer, so that the context outlives the callback.
        unsafe {
            let db = connection.handle();
            let context = Rc::as_ptr(&watch).cast_mut().cast();
            ffi::sqlite3_trace_v2(
                db,
                ffi::SQLITE_TRACE_STMT as c_uint,
                Some(statement_starts),
                context,
            );
            keep(db, c"lockstep.observer", watch);
        }
    }

    /// How many statements have started. Statements inside triggers do not count.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Whether texts are kept from now on, with their parameters filled in. That costs a string each.
    pub fn record(&self, on: bool) {
        self.recording.set(on);
    }

    /// The texts kept since the last call, each with the number of its connection.
    pub fn take(&self) -> Vec<(Conn, String)> {
        self.texts.take()
    }
}

/// What the callback gets: which connection, and who counts.
struct Watch {
    conn: Conn,
    observer: Rc<Observer>,
}

unsafe extern "C" fn statement_starts(
    _event: c_uint,
    context: *mut c_void,
    statement: *mut c_void,
    text: *mut c_void,
) -> c_int {
    // SAFETY: the context is what `watch` passed and the connection keeps alive.
    let watch = unsafe { &*context.cast::<Watch>() };
    let observer = &watch.observer;
    // SAFETY: for this event the last argument is the text of the statement, or a comment when a trigger runs one.
    let text = unsafe { CStr::from_ptr(text.cast()) };
    if text.to_bytes().starts_with(b"--") {
        return 0;
    }
    observer.count.set(observer.count.get() + 1);
    if observer.recording.get() {
        // SAFETY: for this event the third argument is the statement that starts.
        let expanded = unsafe { expanded_sql(statement.cast()) };
        let text = expanded.unwrap_or_else(|| text.to_string_lossy().into_owned());
        observer.texts.borrow_mut().push((watch.conn, text));
    }
    0
}

/// # Safety
/// `statement` is a valid prepared statement.
unsafe fn expanded_sql(statement: *mut ffi::sqlite3_stmt) -> Option<String> {
    // SAFETY: by the contract of this function; the string belongs to the caller and is freed after it was copied.
    unsafe {
        let raw = ffi::sqlite3_expanded_sql(statement);
        if raw.is_null() {
            return None;
        }
        let text = CStr::from_ptr(raw).to_string_lossy().into_owned();
        ffi::sqlite3_free(raw.cast());
        Some(text)
    }
}

/// Lets a connection own a value until it is closed or another value is kept under the same name.
///
/// # Safety
/// `db` is a valid connection.
pub(super) unsafe fn keep<T>(db: *mut ffi::sqlite3, name: &CStr, value: Rc<T>) {
    unsafe extern "C" fn release<T>(value: *mut c_void) {
        // SAFETY: the pointer came from `Rc::into_raw` of the same type below, and SQLite calls this once.
        drop(unsafe { Rc::from_raw(value.cast::<T>()) });
    }
    let raw = Rc::into_raw(value).cast_mut().cast();
    // SAFETY: `db` by the contract of this function. SQLite releases the value even when it fails to keep it; then the
    // process is out of memory, which nothing here survives.
    let code = unsafe { ffi::sqlite3_set_clientdata(db, name.as_ptr(), raw, Some(release::<T>)) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite is out of memory");
}

/// Keeps glibc from handing memory back between runs and faulting it in again, which costs a factor of two.
pub fn tame_allocator() {
    // SAFETY: mallopt only sets numbers; it is called once, before any run. SQLite refuses the setting, without harm, when
    // it is initialised already; otherwise it spares a global mutex in each allocation.
    unsafe {
        ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 256 << 20);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 20);
    }
}
