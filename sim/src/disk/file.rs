//! SQLite's view of an open file: `sqlite3_io_methods`, each a thin translation to [`Handle`].

use std::ffi::{c_int, c_void};
use std::rc::Rc;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods};

use super::gate::{FileKind, Method, Refusal};
use super::handle::Handle;
use super::shm::REGION;

/// What SQLite allocates for an open file: its own head, then the reference to ours.
#[repr(C)]
pub(super) struct File {
    head: sqlite3_file,
    handle: *const Handle,
}

impl File {
    /// Makes `file` an open file.
    ///
    /// # Safety
    /// `file` points to at least `size_of::<File>()` bytes that SQLite allocated for this VFS.
    pub(super) unsafe fn attach(file: *mut sqlite3_file, handle: Rc<Handle>) {
        let opened = File {
            head: sqlite3_file { pMethods: &METHODS },
            handle: Rc::into_raw(handle),
        };
        // SAFETY: by the contract of this function the memory is large enough; SQLite aligns it to 8 bytes.
        unsafe { file.cast::<File>().write(opened) };
    }

    /// Marks `file` as not open: SQLite then never calls its methods.
    ///
    /// # Safety
    /// As for [`File::attach`].
    pub(super) unsafe fn detach(file: *mut sqlite3_file) {
        // SAFETY: by the contract of this function.
        unsafe { (*file).pMethods = std::ptr::null() };
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Version 2 has shared memory; version 3 would add memory-mapped reading, which no gate could see.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The handle behind an open file. It lives until `close`, and SQLite closes no file inside another call on it.
///
/// # Safety
/// `file` was set up by [`File::attach`] and is not closed.
unsafe fn handle<'a>(file: *mut sqlite3_file) -> &'a Handle {
    // SAFETY: by the contract of this function the pointer came from `Rc::into_raw` and its count is still held.
    unsafe { &*(*file.cast::<File>()).handle }
}

/// SQLite's code for an operation; `failed` when it fails and its process lives.
fn code<E: Into<Refusal>>(result: Result<(), E>, failed: c_int) -> c_int {
    lock_code(result.map(|()| true), failed)
}

fn lock_code<E: Into<Refusal>>(result: Result<bool, E>, failed: c_int) -> c_int {
    match result.map_err(Into::into) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_BUSY,
        Err(Refusal::Dead) => ffi::SQLITE_IOERR,
        Err(Refusal::Failed) => failed,
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes an attached file exactly once; the reference that `attach` leaked is taken back here.
    let handle = unsafe { Rc::from_raw((*file.cast::<File>()).handle) };
    handle.close();
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    out: *mut c_void,
    amount: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    let handle = unsafe { handle(file) };
    if let Err(refusal) = handle.gate(handle.reads_as()) {
        return code(Err(refusal), ffi::SQLITE_IOERR_READ);
    }
    let (Ok(amount), Ok(at)) = (usize::try_from(amount), usize::try_from(at)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    let content = handle.node.content.borrow();
    let found = content.read(at, amount);
    let out = out.cast::<u8>();
    // SAFETY: SQLite's buffer holds `amount` bytes, `found` is at most as long, and it is none of our memory. A short
    // read must leave zeros behind what was found.
    unsafe {
        out.copy_from_nonoverlapping(found.as_ptr(), found.len());
        out.add(found.len()).write_bytes(0, amount - found.len());
    }
    if found.len() == amount {
        ffi::SQLITE_OK
    } else {
        ffi::SQLITE_IOERR_SHORT_READ
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    data: *const c_void,
    amount: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    let handle = unsafe { handle(file) };
    if let Err(refusal) = handle.gate(Method::Write) {
        return code(Err(refusal), ffi::SQLITE_IOERR_WRITE);
    }
    let (Ok(amount), Ok(at)) = (usize::try_from(amount), usize::try_from(at)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    if handle.grows_to(at.saturating_add(amount)) && handle.owner.is_full() {
        return ffi::SQLITE_FULL;
    }
    // SAFETY: SQLite passes `amount` initialised bytes; nobody writes them while this slice exists, because the copy
    // below calls nothing.
    let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), amount) };
    handle.write(at, data);
    ffi::SQLITE_OK
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    let handle = unsafe { handle(file) };
    let passed = handle.gate(Method::Truncate);
    let size = usize::try_from(size).unwrap_or(0);
    if passed.is_ok() {
        if handle.grows_to(size) && handle.owner.is_full() {
            return ffi::SQLITE_FULL;
        }
        handle.node.content.borrow_mut().truncate(size);
    }
    code(passed, ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open. Every write is durable at once, so the gate is all there is.
    code(
        unsafe { handle(file) }.gate(Method::Sync),
        ffi::SQLITE_IOERR_FSYNC,
    )
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    let handle = unsafe { handle(file) };
    let alive = handle.owner.alive();
    if alive.is_ok() {
        // SAFETY: SQLite passes a place for the answer.
        unsafe { *size = handle.node.content.borrow().bytes().len() as sqlite3_int64 };
    }
    code(alive, ffi::SQLITE_IOERR)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    lock_code(unsafe { handle(file) }.lock(level), ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    code(
        unsafe { handle(file) }.unlock(level),
        ffi::SQLITE_IOERR_UNLOCK,
    )
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    let handle = unsafe { handle(file) };
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = handle.is_reserved().into() };
    code(handle.owner.alive(), ffi::SQLITE_IOERR)
}

unsafe extern "C" fn file_control(
    _file: *mut sqlite3_file,
    _op: c_int,
    _argument: *mut c_void,
) -> c_int {
    // Every control that SQLite sends is a hint or an offer which a VFS may decline; pragmas then take their usual way.
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut sqlite3_file) -> c_int {
    // The default of SQLite's unix VFS.
    4096
}

unsafe extern "C" fn device_characteristics(_file: *mut sqlite3_file) -> c_int {
    // What SQLite's unix VFS reports on Linux, so that SQLite makes the same calls here as in production. With
    // POWERSAFE_OVERWRITE it does not pad the WAL to a whole sector after each commit.
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE | ffi::SQLITE_IOCAP_SUBPAGE_READ
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    let handle = unsafe { handle(file) };
    let (Ok(region), Ok(REGION)) = (usize::try_from(region), usize::try_from(size)) else {
        return ffi::SQLITE_IOERR_SHMSIZE;
    };
    let alive = handle.owner.alive();
    let address = if alive.is_ok() {
        handle.shm_map(region, extend != 0)
    } else {
        None
    };
    // SAFETY: SQLite passes a place for the answer; null says that the region does not exist.
    unsafe { *out = address.unwrap_or(std::ptr::null_mut()).cast() };
    code(alive, ffi::SQLITE_IOERR)
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    let handle = unsafe { handle(file) };
    let slots = (((1_u32 << count) - 1) << first) as u8;
    let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        code(
            handle.shm_unlock(slots, exclusive),
            ffi::SQLITE_IOERR_SHMLOCK,
        )
    } else {
        lock_code(handle.shm_lock(slots, exclusive), ffi::SQLITE_IOERR_SHMLOCK)
    }
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: SQLite passes a file that it has open.
    let handle = unsafe { handle(file) };
    // A barrier cannot report an error. A process that died here goes on to its next operation, which fails; what it
    // writes to shared memory until then is what `shm_copy` and `shm_restore` are for.
    let _ = handle.owner.gate(Method::ShmBarrier, FileKind::Shm);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has open.
    unsafe { handle(file) }.shm_unmap();
    ffi::SQLITE_OK
}
