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

/// SQLite's version of a schema: connections that remember another one read the schema again.
pub(super) type Cookie = [u8; 4];

pub(super) struct Node {
    pub(super) name: Rc<str>,
    pub(super) kind: FileKind,
    pub(super) content: RefCell<Content>,
    /// Every open handle, dead ones included. Locks are a property of the handles, so none can be orphaned.
    pub(super) openers: RefCell<Vec<Rc<Handle>>>,
    pub(super) shm: SharedMemory,
    /// The schema cookie of the last page 1 that was written, and the one at the time of the image.
    cookie: Cell<Option<Cookie>>,
    cookie_before: Cell<Option<Cookie>>,
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
        if let Some(cookie) = cookie_in(data) {
            self.cookie.set(Some(cookie));
        }
        self.content.borrow_mut().write(at, data);
    }

    /// The schema cookie of the page 1 that was written last, else of the one at the start of the file.
    pub(super) fn cookie(&self) -> Option<Cookie> {
        self.cookie
            .get()
            .or_else(|| cookie_in(self.content.borrow().bytes()))
    }

    pub(super) fn freeze(&self, cookie: Option<Cookie>) -> Rc<[u8]> {
        self.set_cookie(cookie);
        self.content.borrow_mut().freeze()
    }

    pub(super) fn restore(&self, image: &Rc<[u8]>, cookie: Option<Cookie>) {
        self.set_cookie(cookie);
        self.content.borrow_mut().restore(image);
    }

    fn set_cookie(&self, cookie: Option<Cookie>) {
        self.cookie.set(cookie);
        self.cookie_before.set(cookie);
    }

    pub(super) fn wal_restarted(&self) -> bool {
        self.kind == FileKind::Wal && self.content.borrow().head_rewritten()
    }

    pub(super) fn schema_changed(&self) -> bool {
        self.cookie.get() != self.cookie_before.get()
    }

    /// It was there when the image was taken that the disk goes back to.
    pub(super) fn is_in_image(&self) -> bool {
        self.content.borrow().is_tracked()
    }

    pub(super) fn forget(&self, handle: &Handle) {
        self.openers
            .borrow_mut()
            .retain(|opener| !std::ptr::eq(&**opener, handle));
    }
}

fn cookie_in(page: &[u8]) -> Option<Cookie> {
    if !page.starts_with(MAGIC) {
        return None;
    }
    page.get(SCHEMA_COOKIE)?.try_into().ok()
}
