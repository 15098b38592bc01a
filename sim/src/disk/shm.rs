//! WAL shared memory: regions of 32 KiB that SQLite maps and writes through raw pointers.
//!
//! A region never moves and lives as long as any connection has it mapped, so that pooled connections keep valid pointers
//! while its contents are put back in place.

use std::cell::{RefCell, UnsafeCell};

/// The size of a region; SQLite asks for no other.
pub(super) const REGION: usize = 32 * 1024;
/// Two copies of the WAL index header and the checkpoint info: all that a reader ever writes.
pub(super) const HEADER: usize = 136;
/// The bit of `WAL_WRITE_LOCK`.
pub(super) const SLOT_WRITE: u8 = 1;
/// The bit of `WAL_RECOVER_LOCK`.
pub(super) const SLOT_RECOVER: u8 = 4;
/// Where the change counter stands in the header, the number of the last frame, and the salts of the log.
const CHANGE_COUNTER: usize = 8;
const LAST_FRAME: usize = 16;
const SALTS: usize = 32;
/// Where it says that it was filled, and how long it is.
const IS_INIT: usize = 12;
const COPY: usize = 48;

/// How far the write-ahead log is committed, as the WAL index says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogEnd {
    frames: [u8; 4],
    salts: [u8; 8],
}

impl LogEnd {
    /// How many frames of the log are committed.
    pub(super) fn frame_count(&self) -> usize {
        u32::from_ne_bytes(self.frames) as usize
    }

    /// Whether the log has grown since `before` without having been restarted.
    pub fn continues(&self, before: &LogEnd) -> bool {
        self.salts == before.salts && self.frame_count() > before.frame_count()
    }
}

/// Aligned as SQLite's `WalIndexHdr` wants it, with room to spare.
#[repr(C, align(64))]
struct Region(UnsafeCell<[u8; REGION]>);

impl Region {
    fn zeroed() -> Box<Region> {
        Box::new(Region(UnsafeCell::new([0; REGION])))
    }

    fn pointer(&self) -> *mut u8 {
        self.0.get().cast()
    }
}

/// The WAL shared memory of one database.
#[derive(Default)]
pub(super) struct SharedMemory {
    regions: RefCell<Vec<Box<Region>>>,
}

impl SharedMemory {
    /// The address of a region, created zeroed if it is absent and `extend` is set.
    pub(super) fn map(&self, index: usize, extend: bool) -> Option<*mut u8> {
        let mut regions = self.regions.borrow_mut();
        if extend && index >= regions.len() {
            regions.resize_with(index + 1, Region::zeroed);
        }
        regions.get(index).map(|region| region.pointer())
    }

    pub(super) fn is_mapped(&self) -> bool {
        !self.regions.borrow().is_empty()
    }

    pub(super) fn drop_regions(&self) {
        self.regions.borrow_mut().clear();
    }

    pub(super) fn clear(&self) {
        self.restore(&[]);
    }

    /// The change counter of the first header copy, zero without shared memory.
    pub(super) fn change_counter(&self) -> u32 {
        let mut bytes = [0; CHANGE_COUNTER + 4];
        self.copy_to(&mut bytes);
        u32::from_ne_bytes([bytes[8], bytes[9], bytes[10], bytes[11]])
    }

    /// Where the log ends by the first header copy, which is the last one that a commit writes.
    pub(super) fn log_end(&self) -> LogEnd {
        let mut bytes = [0; SALTS + 8];
        self.copy_to(&mut bytes);
        let mut end = LogEnd::default();
        end.frames.copy_from_slice(&bytes[LAST_FRAME..][..4]);
        end.salts.copy_from_slice(&bytes[SALTS..]);
        end
    }

    /// Whether both header copies say the same and say something: nobody is publishing a commit or recovering the log.
    pub(super) fn is_settled(&self) -> bool {
        let mut bytes = [0; 2 * COPY];
        self.copy_to(&mut bytes);
        bytes[IS_INIT] != 0 && bytes[..COPY] == bytes[COPY..]
    }

    /// A copy of all regions.
    pub(super) fn copy(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for region in self.regions.borrow().iter() {
            // SAFETY: a region is valid for `REGION` initialised bytes as long as it is in the list. SQLite writes it only
            // inside calls on this thread, and none is running while this slice exists.
            bytes
                .extend_from_slice(unsafe { std::slice::from_raw_parts(region.pointer(), REGION) });
        }
        bytes
    }

    /// Copies the first bytes of the first region; leaves `bytes` as it is when there is none.
    pub(super) fn copy_to(&self, bytes: &mut [u8]) {
        if let Some(region) = self.regions.borrow().first() {
            let length = bytes.len().min(REGION);
            // SAFETY: both sides are valid for `length` bytes, and memory of a region is never part of a Rust slice that
            // someone else holds.
            unsafe {
                region
                    .pointer()
                    .copy_to_nonoverlapping(bytes.as_mut_ptr(), length)
            };
        }
    }

    /// Overwrites the first bytes of the first region.
    pub(super) fn copy_from(&self, bytes: &[u8]) {
        if let Some(region) = self.regions.borrow().first() {
            let length = bytes.len().min(REGION);
            // SAFETY: as in `copy_to`. SQLite expects its shared memory to be written by others between its calls.
            unsafe {
                region
                    .pointer()
                    .copy_from_nonoverlapping(bytes.as_ptr(), length)
            };
        }
    }

    /// Puts a copy back in place. Regions that the copy does not have stay mapped and become zero.
    pub(super) fn restore(&self, copy: &[u8]) {
        let mut parts = copy.chunks_exact(REGION);
        for region in self.regions.borrow().iter() {
            // SAFETY: a region is valid for `REGION` bytes, a part of `chunks_exact` has exactly as many, and the two
            // cannot overlap. No reference into a region exists.
            unsafe {
                match parts.next() {
                    Some(part) => region
                        .pointer()
                        .copy_from_nonoverlapping(part.as_ptr(), REGION),
                    None => region.pointer().write_bytes(0, REGION),
                }
            }
        }
    }

    /// Grows to as many regions as a copy has, for an image that is put on another disk.
    pub(super) fn reserve(&self, copy: &[u8]) {
        let count = copy.len() / REGION;
        if count > 0 {
            self.map(count - 1, true);
        }
    }
}
