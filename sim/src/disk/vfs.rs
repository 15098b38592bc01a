//! SQLite's view of the disk: `sqlite3_vfs`, its registration, and the registry of disks.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Once;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_vfs};

use super::Disk;
use super::file::File;
use super::gate::{FileKind, Method, Owner};
use super::handle::Handle;
use super::node::Node;

/// The name under which SQLite knows the VFS.
pub(super) const NAME: &CStr = c"lockstep";
/// 2026-01-01T00:00:00Z in milliseconds of SQLite's Julian day. Time that matters comes in with operations; SQL that asks
/// the machine gets an answer that never differs.
const NOW_MS: sqlite3_int64 = 212_633_985_600_000;
const DAY_MS: f64 = 86_400_000.0;
const PATH_MAX: c_int = 512;

thread_local! {
    static DISKS: RefCell<Vec<Weak<Disk>>> = const { RefCell::new(Vec::new()) };
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

/// Gives a new disk the lowest number that is free on this thread.
pub(super) fn enlist(make: impl FnOnce(u32) -> Disk) -> Rc<Disk> {
    DISKS.with_borrow_mut(|disks| {
        let free = disks.iter().position(|disk| disk.strong_count() == 0);
        let number = free.unwrap_or_else(|| {
            disks.push(Weak::new());
            disks.len() - 1
        });
        let disk = Rc::new(make(number as u32));
        disks[number] = Rc::downgrade(&disk);
        disk
    })
}

/// Registers the VFS with SQLite, once for the whole process.
pub(super) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SQLite links registered VFSs into a list and keeps the pointer for good, hence the leak.
        let vfs = Box::leak(Box::new(table()));
        // SAFETY: the table lives for ever and its callbacks follow SQLite's contract; it does not become the default.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite refused to register the VFS");
    });
}

fn table() -> sqlite3_vfs {
    sqlite3_vfs {
        // Version 2 asks for the time in whole milliseconds; version 3 would only add interposed system calls.
        iVersion: 2,
        szOsFile: size_of::<File>() as c_int,
        mxPathname: PATH_MAX,
        pNext: ptr::null_mut(),
        zName: NAME.as_ptr(),
        pAppData: ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        // Extensions cannot be loaded: SQLite refuses before it would ask, unless someone enables it.
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(get_last_error),
        xCurrentTimeInt64: Some(current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

/// The disk and the name on it that a full name means.
///
/// # Safety
/// `name` is a C string that outlives the result.
unsafe fn resolve<'a>(name: *const c_char) -> Option<(Rc<Disk>, &'a str)> {
    // SAFETY: by the contract of this function.
    let name = unsafe { CStr::from_ptr(name) }.to_str().ok()?;
    let (number, file) = name.split_once('/')?;
    let number: usize = number.parse().ok()?;
    let disk = DISKS.with_borrow(|disks| disks.get(number)?.upgrade())?;
    Some((disk, file))
}

/// The running connection, if it belongs to this disk.
fn running_on(disk: &Rc<Disk>) -> Option<Rc<Owner>> {
    Owner::running().filter(|owner| Rc::ptr_eq(&owner.disk, disk))
}

unsafe extern "C" fn open(
    _vfs: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite allocated `szOsFile` bytes for the file.
    unsafe { File::detach(file) };
    let opened = if name.is_null() {
        open_temporary()
    } else {
        // SAFETY: the name is a C string that SQLite keeps during this call.
        unsafe { resolve(name) }.and_then(|(disk, name)| open_named(&disk, name, flags))
    };
    let Some(handle) = opened else {
        return ffi::SQLITE_CANTOPEN;
    };
    // SAFETY: as above for the file; `out_flags` may be null and is a place for an integer otherwise.
    unsafe {
        File::attach(file, handle);
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

fn open_temporary() -> Option<Rc<Handle>> {
    let owner = Owner::running()?;
    Some(Handle::open(
        owner,
        Node::new("", FileKind::Temp),
        FileKind::Temp,
        false,
    ))
}

fn open_named(disk: &Rc<Disk>, name: &str, flags: c_int) -> Option<Rc<Handle>> {
    let owner = running_on(disk)?;
    let kind = kind_of(flags);
    owner.gate(Method::Open, kind).ok()?;
    let exists = disk.node(name).is_some();
    let wanted = if exists {
        flags & ffi::SQLITE_OPEN_EXCLUSIVE == 0
    } else {
        flags & ffi::SQLITE_OPEN_CREATE != 0
    };
    if !wanted {
        return None;
    }
    let node = disk.node_or_new(name, kind);
    Some(Handle::open(
        owner,
        node,
        kind,
        flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
    ))
}

fn kind_of(flags: c_int) -> FileKind {
    if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 {
        FileKind::Main
    } else if flags & ffi::SQLITE_OPEN_WAL != 0 {
        FileKind::Wal
    } else if flags & (ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL) != 0 {
        FileKind::Journal
    } else {
        FileKind::Temp
    }
}

unsafe extern "C" fn delete(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    _sync_dir: c_int,
) -> c_int {
    // SAFETY: the name is a C string that SQLite keeps during this call.
    let Some((disk, name)) = (unsafe { resolve(name) }) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let Some(owner) = running_on(&disk) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let kind = disk
        .node(name)
        .map_or(FileKind::of_name(name), |node| node.kind);
    if owner.gate(Method::Delete, kind).is_err() {
        return ffi::SQLITE_IOERR;
    }
    if disk.remove(name) {
        ffi::SQLITE_OK
    } else {
        ffi::SQLITE_IOERR_DELETE_NOENT
    }
}

unsafe extern "C" fn access(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the name is a C string that SQLite keeps during this call.
    let Some((disk, name)) = (unsafe { resolve(name) }) else {
        return ffi::SQLITE_IOERR_ACCESS;
    };
    if running_on(&disk).is_none_or(|owner| owner.is_dead()) {
        return ffi::SQLITE_IOERR_ACCESS;
    }
    // SQLite's unix VFS says that an empty file does not exist: an empty journal is not a journal.
    let found = disk.node(name).is_some_and(|node| {
        flags != ffi::SQLITE_ACCESS_EXISTS || !node.content.borrow().bytes().is_empty()
    });
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = found.into() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: the name is a C string that SQLite keeps during this call.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if usize::try_from(size).is_ok_and(|size| bytes.len() > size) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: the buffer holds `size` bytes, which was found to be enough, and is not the name itself.
    unsafe { out.copy_from_nonoverlapping(bytes.as_ptr().cast(), bytes.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_vfs: *mut sqlite3_vfs, size: c_int, out: *mut c_char) -> c_int {
    for index in 0..usize::try_from(size).unwrap_or(0) {
        // A plain counter through an odd multiplier: enough for names of temporary files, and the same in every run.
        let next = RANDOM.get().wrapping_add(1);
        RANDOM.set(next);
        let byte = (next.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as c_char;
        // SAFETY: the buffer holds `size` bytes.
        unsafe { out.add(index).write(byte) };
    }
    size
}

unsafe extern "C" fn sleep(_vfs: *mut sqlite3_vfs, micros: c_int) -> c_int {
    if let Some(owner) = Owner::running() {
        // For a dead process the wait ends at once; its next operation fails.
        let _ = owner.sleep(u64::try_from(micros).unwrap_or(0));
    }
    micros
}

unsafe extern "C" fn current_time(_vfs: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = NOW_MS as f64 / DAY_MS };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_int64(_vfs: *mut sqlite3_vfs, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = NOW_MS };
    ffi::SQLITE_OK
}

unsafe extern "C" fn get_last_error(
    _vfs: *mut sqlite3_vfs,
    _size: c_int,
    _out: *mut c_char,
) -> c_int {
    0
}
