//! The bytes of one file, and what of them differs from the image they were last set to.

use std::rc::Rc;

use xxhash_rust::xxh3::Xxh3;

/// Differences are tracked in blocks of this many bytes: the page size of nearly every database.
const BLOCK: usize = 4096;

/// Sizes of the WAL's header and of a frame's, and where in the latter the salts begin (SQLite's file format, section 4).
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const FRAME_SALTS: usize = 8;

/// The bytes of a file over the image that [`Content::restore`] goes back to.
///
/// Only blocks inside the image are tracked. What lies behind it, the frames that a run appends to a WAL, is undone by
/// truncating, which is what makes a restore cheap.
#[derive(Default)]
pub(super) struct Content {
    bytes: Vec<u8>,
    base: Option<Rc<[u8]>>,
    dirty: Vec<usize>,
    marks: Vec<bool>,
    written: bool,
}

impl Content {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(super) fn written(&self) -> bool {
        self.written
    }

    /// True when bytes at the start of the image were written over.
    pub(super) fn head_rewritten(&self) -> bool {
        self.marks.first() == Some(&true)
    }

    /// The bytes at an offset, fewer than asked for at the end of the file.
    pub(super) fn read(&self, at: usize, amount: usize) -> &[u8] {
        let end = at.saturating_add(amount).min(self.bytes.len());
        self.bytes.get(at..end).unwrap_or_default()
    }

    pub(super) fn write(&mut self, at: usize, data: &[u8]) {
        self.touch(at, data.len());
        let end = at + data.len();
        if at == self.bytes.len() {
            self.bytes.extend_from_slice(data);
            return;
        }
        if end > self.bytes.len() {
            // A write behind the end leaves a hole of zeros, as on a real file system.
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(data);
    }

    pub(super) fn truncate(&mut self, size: usize) {
        let old = self.bytes.len();
        self.touch(size.min(old), old.abs_diff(size));
        self.bytes.resize(size, 0);
    }

    /// Replaces everything by these bytes, and writes only from where they differ.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        let same = self.bytes.iter().zip(bytes).take_while(|(a, b)| a == b);
        let same = same.count();
        if self.bytes.len() > same {
            self.truncate(same);
        }
        if bytes.len() > same {
            self.write(same, &bytes[same..]);
        }
    }

    /// How many bytes the first frames of a write-ahead log take, its header included.
    pub(super) fn wal_length(&self, frames: usize) -> usize {
        match self.page_size() {
            Some(page) if frames > 0 => WAL_HEADER + frames * (FRAME_HEADER + page),
            _ => 0,
        }
    }

    /// Whether there is an image that changes are tracked against.
    pub(super) fn is_tracked(&self) -> bool {
        self.base.is_some()
    }

    pub(super) fn flip(&mut self, offset: usize) -> bool {
        let Some(byte) = self.bytes.get(offset).copied() else {
            return false;
        };
        self.write(offset, &[!byte]);
        true
    }

    /// Makes the present bytes the image.
    pub(super) fn freeze(&mut self) -> Rc<[u8]> {
        let base: Rc<[u8]> = match &self.base {
            Some(base) if self.is_base() => base.clone(),
            _ => self.bytes.as_slice().into(),
        };
        self.rebase(base.clone());
        base
    }

    /// Goes back to an image: by the changed blocks alone if it is the one that changes were tracked against.
    pub(super) fn restore(&mut self, image: &Rc<[u8]>) {
        match &self.base {
            Some(base) if Rc::ptr_eq(base, image) => {
                self.bytes.resize(base.len(), 0);
                for block in self.dirty.drain(..) {
                    self.marks[block] = false;
                    let end = (block * BLOCK + BLOCK).min(base.len());
                    self.bytes[block * BLOCK..end].copy_from_slice(&base[block * BLOCK..end]);
                }
                self.written = false;
            }
            _ => {
                self.bytes.clear();
                self.bytes.extend_from_slice(image);
                self.rebase(image.clone());
            }
        }
    }

    /// Everything, or only what was appended when the part under the image is unchanged.
    pub(super) fn hash_into(&self, hash: &mut Xxh3) {
        let clean = self.base.as_ref().map_or(0, |base| base.len());
        let from = if self.dirty.is_empty() { clean } else { 0 };
        hash.update(&(self.bytes.len() as u64).to_le_bytes());
        hash.update(&(from as u64).to_le_bytes());
        hash.update(&self.bytes[from..]);
    }

    /// The same for a write-ahead log: page numbers, sizes and pages of its frames, without the salts and the checksums
    /// made of them, which SQLite draws from a generator that all threads of the process share.
    pub(super) fn hash_wal_into(&self, hash: &mut Xxh3) {
        let clean = self.base.as_ref().map_or(0, |base| base.len());
        let from = if self.dirty.is_empty() { clean } else { 0 };
        hash.update(&(self.bytes.len() as u64).to_le_bytes());
        hash.update(&(from as u64).to_le_bytes());
        let Some(page) = self.page_size() else {
            return;
        };
        for frame in self.bytes[from.max(WAL_HEADER)..].chunks(FRAME_HEADER + page) {
            hash.update(&frame[..frame.len().min(FRAME_SALTS)]);
            hash.update(frame.get(FRAME_HEADER..).unwrap_or_default());
        }
    }

    /// The page size in the header of a write-ahead log.
    fn page_size(&self) -> Option<usize> {
        let size = self.bytes.get(8..12)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(size)).ok()
    }

    fn is_base(&self) -> bool {
        let length = self.base.as_ref().map(|base| base.len());
        self.dirty.is_empty() && length == Some(self.bytes.len())
    }

    fn rebase(&mut self, base: Rc<[u8]>) {
        self.dirty.clear();
        self.marks.clear();
        self.marks.resize(base.len().div_ceil(BLOCK), false);
        self.base = Some(base);
        self.written = false;
    }

    fn touch(&mut self, at: usize, length: usize) {
        self.written = true;
        let tracked = self.base.as_ref().map_or(0, |base| base.len());
        let end = at.saturating_add(length).min(tracked);
        // A hole between the end of a shortened file and `at` needs no mark: shortening marked it.
        if at < end {
            for block in at / BLOCK..end.div_ceil(BLOCK) {
                if !self.marks[block] {
                    self.marks[block] = true;
                    self.dirty.push(block);
                }
            }
        }
    }
}
