//! Locks between the connections of a disk: the five levels of a database file and the slots of WAL shared memory.
//!
//! A lock is a mark on the handle that holds it and is found by looking at the other handles of the file. So nothing has
//! to be cleaned up when a connection dies: the marks of a dead handle count for nothing.

use rusqlite::ffi;

use super::handle::Handle;
use super::shm::SLOT_RECOVER;

impl Handle {
    /// Attempts a file lock. SQLite asks for SHARED, RESERVED or EXCLUSIVE; PENDING is what a refused EXCLUSIVE leaves
    /// behind, so that readers drain and a writer is not starved.
    pub(super) fn try_lock(&self, want: i32) -> bool {
        let held = self.level.get();
        if held >= want {
            return true;
        }
        let others = self.strongest_other();
        let granted = match want {
            ffi::SQLITE_LOCK_SHARED => others < ffi::SQLITE_LOCK_PENDING,
            ffi::SQLITE_LOCK_RESERVED => others < ffi::SQLITE_LOCK_RESERVED,
            _ => others == ffi::SQLITE_LOCK_NONE,
        };
        if granted {
            self.level.set(want);
        } else if want == ffi::SQLITE_LOCK_EXCLUSIVE
            && held == ffi::SQLITE_LOCK_RESERVED
            && others == ffi::SQLITE_LOCK_SHARED
        {
            self.level.set(ffi::SQLITE_LOCK_PENDING);
        }
        granted
    }

    pub(super) fn lower(&self, level: i32) {
        self.level.set(self.level.get().min(level));
    }

    /// Whether any connection, this one included, is about to write.
    pub(super) fn is_reserved(&self) -> bool {
        self.level.get().max(self.strongest_other()) >= ffi::SQLITE_LOCK_RESERVED
    }

    pub(super) fn try_shm_lock(&self, slots: u8, exclusive: bool) -> bool {
        let blocking = |other: &Handle| {
            let shared = if exclusive { other.shm_shared.get() } else { 0 };
            (other.shm_exclusive.get() | shared) & slots != 0
        };
        if self.any_other(blocking) {
            return false;
        }
        let mine = if exclusive {
            &self.shm_exclusive
        } else {
            &self.shm_shared
        };
        mine.set(mine.get() | slots);
        self.note_recovery();
        true
    }

    pub(super) fn release_shm(&self, slots: u8, exclusive: bool) {
        let mine = if exclusive {
            &self.shm_exclusive
        } else {
            &self.shm_shared
        };
        mine.set(mine.get() & !slots);
        self.note_recovery();
    }

    fn note_recovery(&self) {
        let recovers = self.shm_exclusive.get() & SLOT_RECOVER != 0;
        self.owner.recovers.set(recovers);
    }

    fn strongest_other(&self) -> i32 {
        let mut strongest = ffi::SQLITE_LOCK_NONE;
        self.any_other(|other| {
            strongest = strongest.max(other.level.get());
            false
        });
        strongest
    }

    fn any_other(&self, mut test: impl FnMut(&Handle) -> bool) -> bool {
        let openers = self.node.openers.borrow();
        openers
            .iter()
            .any(|other| !std::ptr::eq(&**other, self) && !other.owner.is_dead() && test(other))
    }
}
