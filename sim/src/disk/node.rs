//! A file of the disk: its bytes, who has it open, and for a database its WAL shared memory.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::content::Content;
use super::gate::FileKind;
use super::handle::Handle;
use super::shm::SharedMemory;

/// The first bytes of page 1 of every database, and where the schema cookie stands in that page.
const MAGIC: &[u8] = b"SQLite format 3\0";
const SCHEMA_COOKIE: std::ops::Range<usize> = 40..44;

pub(super) struct Node {
    pub(super) name: Rc<str>,
    pub(super) kind: FileKind,
    pub(super) content: RefCell<Content>,
    /// Every open handle, dead ones included. Locks are a property of the handles, so none can be orphaned.
    pub(super) openers: RefCell<Vec<Rc<Handle>>>,
    pub(super) shm: SharedMemory,
    /// The schema cookie of the last page 1 that was written, and the one at the time of the image.
    cookie: Cell<Option<[u8; 4]>>,
    cookie_before: Cell<Option<[u8; 4]>>,
}

impl Node {
    pub(super) fn new(name: &str, kind: FileKind) -> Rc<Node> {
        Rc::new(Node {
            name: name.into(),
            kind,
            content: RefCell::default(),
            openers: RefCell::default(),
            shm: SharedMemory::default(),
            cookie: Cell::new(None),
            cookie_before: Cell::new(None),
        })
    }

    pub(super) fn write(&self, at: usize, data: &[u8]) {
        if data.starts_with(MAGIC) && data.len() >= SCHEMA_COOKIE.end {
            let mut cookie = [0; 4];
            cookie.copy_from_slice(&data[SCHEMA_COOKIE]);
            self.cookie.set(Some(cookie));
        }
        self.content.borrow_mut().write(at, data);
    }

    pub(super) fn freeze(&self) -> Rc<[u8]> {
        self.cookie_before.set(self.cookie.get());
        self.content.borrow_mut().freeze()
    }

    pub(super) fn restore(&self, image: &Rc<[u8]>) {
        self.cookie.set(self.cookie_before.get());
        self.content.borrow_mut().restore(image);
    }

    pub(super) fn wal_restarted(&self) -> bool {
        self.kind == FileKind::Wal && self.content.borrow().head_rewritten()
    }

    /// A first page 1 in a WAL counts as a change: what it is compared with is not known here. Writing the schema during
    /// warm-up, or changing it twice back and forth, is all the same to the caller, who opens connections afresh.
    pub(super) fn schema_changed(&self) -> bool {
        self.cookie.get() != self.cookie_before.get()
    }

    pub(super) fn forget(&self, handle: &Handle) {
        self.openers
            .borrow_mut()
            .retain(|opener| !std::ptr::eq(&**opener, handle));
    }
}
