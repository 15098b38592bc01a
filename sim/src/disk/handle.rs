//! A file as one connection has it open: the operations behind SQLite's callbacks, in safe code.

use std::cell::Cell;
use std::rc::Rc;

use rusqlite::ffi;

use super::gate::{FileKind, Method, Owner, Refusal};
use super::node::Node;
use super::shm::{LogEnd, SLOT_WRITE};

/// An open file. SQLite's `sqlite3_file` holds one strong reference until it is closed.
pub(super) struct Handle {
    pub(super) owner: Rc<Owner>,
    pub(super) node: Rc<Node>,
    pub(super) kind: FileKind,
    /// The file lock it holds, `SQLITE_LOCK_NONE` to `SQLITE_LOCK_EXCLUSIVE`.
    pub(super) level: Cell<i32>,
    /// The slots of the WAL shared memory that it holds, one bit each.
    pub(super) shm_shared: Cell<u8>,
    pub(super) shm_exclusive: Cell<u8>,
    pub(super) mapped: Cell<bool>,
    delete_on_close: bool,
    /// The change counter of the WAL index when the write lock was taken.
    change_before: Cell<u32>,
    /// Where the log ended then.
    log_before: Cell<LogEnd>,
}

impl Handle {
    pub(super) fn open(
        owner: Rc<Owner>,
        node: Rc<Node>,
        kind: FileKind,
        delete_on_close: bool,
    ) -> Rc<Handle> {
        let files = &owner.disk.open_files;
        files.set(files.get() + 1);
        let handle = Rc::new(Handle {
            owner,
            node: node.clone(),
            kind,
            level: Cell::new(ffi::SQLITE_LOCK_NONE),
            shm_shared: Cell::new(0),
            shm_exclusive: Cell::new(0),
            mapped: Cell::new(false),
            delete_on_close,
            change_before: Cell::new(0),
            log_before: Cell::default(),
        });
        node.openers.borrow_mut().push(handle.clone());
        handle
    }

    pub(super) fn close(&self) {
        self.shm_unmap();
        self.node.forget(self);
        let disk = &self.owner.disk;
        disk.open_files.set(disk.open_files.get() - 1);
        if self.delete_on_close && !self.owner.is_dead() {
            disk.remove(&self.node.name);
        }
    }

    pub(super) fn gate(&self, method: Method) -> Result<(), Refusal> {
        self.owner.gate(method, self.kind)
    }

    /// What reading this file is to SQLite.
    pub(super) fn reads_as(&self) -> Method {
        if self.kind == FileKind::Wal && self.owner.recovers.get() {
            Method::Recover
        } else {
            Method::Read
        }
    }

    /// Whether a file that lasts would become longer by being written up to there.
    pub(super) fn grows_to(&self, end: usize) -> bool {
        self.kind != FileKind::Temp && end > self.node.content.borrow().bytes().len()
    }

    pub(super) fn write(&self, at: usize, data: &[u8]) {
        if self.kind == FileKind::Wal {
            self.owner.logged.set(true);
        }
        self.node.write(at, data);
    }

    pub(super) fn lock(&self, level: i32) -> Result<bool, Refusal> {
        self.gate(Method::Lock)?;
        Ok(self.try_lock(level))
    }

    pub(super) fn unlock(&self, level: i32) -> Result<(), Refusal> {
        self.gate(Method::Unlock)?;
        self.lower(level);
        Ok(())
    }

    pub(super) fn shm_lock(&self, slots: u8, exclusive: bool) -> Result<bool, Refusal> {
        self.owner.gate(Method::ShmLock, FileKind::Shm)?;
        let granted = self.try_shm_lock(slots, exclusive);
        if granted && exclusive && slots & SLOT_WRITE != 0 {
            self.change_before.set(self.node.shm.change_counter());
            self.log_before.set(self.node.shm.log_end());
            self.owner.logged.set(false);
        }
        Ok(granted)
    }

    /// Giving back the write lock is the last moment at which the snapshot is exactly the one that was committed.
    ///
    /// A commit is known by the change counter in the header of the WAL index: SQLite raises it by one when it publishes
    /// a commit and at no other time. A commit hook would not do: it also fires for commits that then fail, whose
    /// rollback hook comes only after the lock was released. Recovery sets the counter to zero and is not mistaken.
    pub(super) fn shm_unlock(&self, slots: u8, exclusive: bool) -> Result<(), Refusal> {
        self.owner.alive()?;
        let held = self.shm_exclusive.get() & slots;
        if exclusive && held & SLOT_WRITE != 0 {
            self.owner.logged.set(false);
            let counter = self.node.shm.change_counter();
            if counter == self.change_before.get().wrapping_add(1) {
                // Said once: if the process dies in the callback or at the gate below, the lock goes without this path.
                self.change_before.set(counter);
                self.owner.committed(self.log_before.get())?;
            }
        }
        self.owner.gate(Method::ShmUnlock, FileKind::Shm)?;
        self.release_shm(slots, exclusive);
        Ok(())
    }

    pub(super) fn shm_map(&self, region: usize, extend: bool) -> Option<*mut u8> {
        self.mapped.set(true);
        self.node.shm.map(region, extend)
    }

    /// Lets go of the mapping. The memory itself goes when nobody has it mapped any more, dead connections included,
    /// because SQLite may still reach for it while it closes them.
    pub(super) fn shm_unmap(&self) {
        self.release_shm(u8::MAX, true);
        self.release_shm(u8::MAX, false);
        self.mapped.set(false);
        if !self
            .node
            .openers
            .borrow()
            .iter()
            .any(|opener| opener.mapped.get())
        {
            self.node.shm.drop_regions();
        }
    }
}
