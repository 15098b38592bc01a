//! The simulated disk: an in-memory SQLite VFS on which real SQLite runs.
//!
//! This room owns the bytes of every simulated file, the locks between the connections of one disk, the WAL shared
//! memory, and the few raw SQLite functions that rusqlite does not offer ([`externs`], [`capture`]). It does not decide
//! anything: before an operation takes effect it asks the [`Gatekeeper`], which may suspend the calling coroutine, let the
//! operation fail, or say that the process has died meanwhile.
//!
//! Everything is single-threaded. The VFS is registered once for each process under the name `lockstep`; it finds its
//! disk through a registry of the thread, by the number in front of a file's name (`"3/main.db"`).
//!
//! Two rules keep suspension sound. No borrow of the disk lives across a call to the gatekeeper, because other coroutines
//! use other connections of the same disk in the meantime. And no callback unwinds through SQLite: a dead connection gets
//! an error code, and a gatekeeper promises not to panic.

mod backup;
pub mod capture;
mod content;
pub mod externs;
mod file;
mod gate;
mod handle;
mod image;
mod locks;
mod node;
mod shm;
mod vfs;

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use rusqlite::{Connection, OpenFlags};
use xxhash_rust::xxh3::Xxh3;

pub use backup::DatabaseCopy;
pub use gate::{Dead, FileKind, Gatekeeper, Method, Refusal};
pub use image::{Image, Shm, ShmHeader};
pub use shm::LogEnd;

use gate::Owner;
use node::Node;

/// Number of a connection, chosen by whoever opens it.
pub type Conn = u32;

/// One simulated disk: files, their locks and the WAL shared memory of its databases.
pub struct Disk {
    number: u32,
    nodes: RefCell<BTreeMap<Rc<str>, Rc<Node>>>,
    owners: RefCell<BTreeMap<Conn, Weak<Owner>>>,
    keeper: RefCell<Option<Rc<dyn Gatekeeper>>>,
    open_files: Cell<usize>,
}

impl Disk {
    /// An empty disk, known to the VFS until it is dropped.
    pub fn new() -> Rc<Disk> {
        vfs::register();
        vfs::enlist(|number| Disk {
            number,
            nodes: RefCell::default(),
            owners: RefCell::default(),
            keeper: RefCell::default(),
            open_files: Cell::new(0),
        })
    }

    /// Opens a connection to a database file of this disk, creating the file if it is absent.
    ///
    /// A number whose connection was killed may be used again.
    pub fn open(self: &Rc<Self>, file: &str, conn: Conn) -> rusqlite::Result<Connection> {
        let living = self.owner(conn).filter(|owner| !owner.is_dead());
        let owner = living.unwrap_or_else(|| self.new_owner(conn));
        owner.enter();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let path = format!("{}/{file}", self.number);
        Connection::open_with_flags_and_vfs(path, flags, vfs::NAME)
    }

    /// Lets a connection of this disk see another file under a name.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn attach(&self, connection: &Connection, file: &str, name: &str) -> rusqlite::Result<()> {
        let path = format!("{}/{file}", self.number);
        connection.execute("ATTACH ?1 AS ?2", [path.as_str(), name])?;
        // Files are opened in the name of whoever runs: the log, too, is opened now.
        let read = format!("SELECT count(*) FROM \"{name}\".sqlite_schema");
        connection.query_row(&read, [], |_| Ok(()))
    }

    /// Says which connection is about to run. Called before each call into SQLite: files that SQLite opens by itself
    /// (WAL, journal, temporary files) and waits of its busy handler carry no other mark of their connection.
    pub fn enter(&self, conn: Conn) {
        if let Some(owner) = self.owner(conn) {
            owner.enter();
        }
    }

    /// Installs the simulator's side. With `None`, operations pass freely: set-up, and the checker's own reading.
    pub fn set_gatekeeper(&self, keeper: Option<Rc<dyn Gatekeeper>>) {
        // The old keeper is dropped after the borrow has ended: its drop may come back to this disk.
        let old = self.keeper.replace(keeper);
        drop(old);
    }

    /// The process of this connection is gone. Its file and shared memory locks are released, every later operation of
    /// its handles fails without effect, and closing it does no harm.
    ///
    /// SQLite still writes WAL shared memory while a dead connection is drained or closed, because it does that through
    /// mapped memory: wrap both in [`Disk::shm_copy`] and [`Disk::shm_restore`].
    pub fn kill(&self, conn: Conn) {
        if let Some(owner) = self.owner(conn) {
            owner.die();
        }
    }

    /// Takes a killed connection back into a pool: a new process may have it. Its transaction is rolled back and its locks
    /// are gone. Restore an image afterwards, which also puts back the WAL shared memory that this writes.
    ///
    /// # Errors
    /// Those of SQLite, when the connection is no longer usable; it must be dropped then.
    pub fn revive(&self, connection: &Connection, conn: Conn) -> rusqlite::Result<()> {
        let Some(owner) = self.owner(conn) else {
            return Err(rusqlite::Error::InvalidQuery);
        };
        owner.revive();
        owner.enter();
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        // SQLite holds nothing any more. It gave up its locks while it was dead, when nobody listened.
        for node in self.nodes.borrow().values() {
            for handle in node
                .openers
                .borrow()
                .iter()
                .filter(|handle| Rc::ptr_eq(&handle.owner, &owner))
            {
                handle.shm_shared.set(0);
                handle.shm_exclusive.set(0);
            }
        }
        let mut probe = connection.prepare_cached("SELECT count(*) FROM sqlite_schema")?;
        probe.query_row([], |_| Ok(()))
    }

    /// True when a database file of the image (not only its WAL) was written since the last [`Disk::restore`] or [`Disk::image`].
    pub fn main_written(&self) -> bool {
        self.nodes.borrow().values().any(|node| {
            node.kind == FileKind::Main && node.is_in_image() && node.content.borrow().written()
        })
    }

    /// True when connections that lived through this run remember something that [`Disk::restore`] cannot take back, so
    /// that a pool must be opened afresh: a database file of the image was written (checkpoint, rollback-journal mode), the WAL was
    /// restarted over frames of the image (each connection counts restarts), or the schema changed.
    pub fn pool_stale(&self) -> bool {
        let restarted = |node: &Rc<Node>| node.is_in_image() && node.wal_restarted();
        self.main_written() || self.schema_changed() || self.nodes.borrow().values().any(restarted)
    }

    /// True when a database of the image got another schema since then, or somebody has begun to write one.
    pub fn schema_changed(&self) -> bool {
        let nodes = self.nodes.borrow();
        let changed = |node: &Rc<Node>| node.is_in_image() && node.schema_changed();
        nodes.values().any(changed)
    }

    /// Feeds the bytes of all files, in the order of their names. What is still as in the image is fed as its length
    /// only: the digest of an unwritten file says that it is unwritten. Salts and checksums of a WAL are left out, and all of
    /// a rollback journal but its length.
    pub fn hash_into(&self, hash: &mut Xxh3) {
        for (name, node) in self.nodes.borrow().iter() {
            hash.update(name.as_bytes());
            match node.kind {
                FileKind::Wal => node.content.borrow().hash_wal_into(hash),
                // The same goes for the number that a rollback journal begins with and for its checksums.
                FileKind::Journal => hash.update(&node.content.borrow().len().to_le_bytes()),
                _ => node.content.borrow().hash_into(hash),
            }
        }
    }

    /// Flips all bits of one byte of a file. Returns false when there is no such byte.
    pub fn flip_byte(&self, file: &str, offset: usize) -> bool {
        let node = self.node(file);
        node.is_some_and(|node| node.content.borrow_mut().flip(offset))
    }

    /// A copy of the bytes of a file, `None` when there is no such file.
    pub fn file_bytes(&self, file: &str) -> Option<Vec<u8>> {
        Some(self.node(file)?.content.borrow().bytes().to_vec())
    }

    /// Creates or replaces a file. No connection may have it open: SQLite would keep pages of the old bytes.
    pub fn load_file(&self, file: &str, bytes: &[u8]) {
        let node = Node::new(file, FileKind::of_name(file));
        node.content.borrow_mut().write(0, bytes);
        self.nodes.borrow_mut().insert(node.name.clone(), node);
    }

    /// What a machine does when the last process that had the WAL shared memory mapped is gone: the memory is zeroed,
    /// and the next reader recovers it from the WAL.
    pub fn forget_shm(&self, file: &str) {
        if let Some(node) = self.node(file) {
            node.shm.clear();
        }
    }

    /// Whether this connection holds the write lock and has written to the write-ahead log: what it did may be found there.
    pub fn has_logged(&self, conn: Conn) -> bool {
        self.owner(conn).is_some_and(|owner| owner.logged.get())
    }

    /// How far the write-ahead log of a database is committed, as its WAL index says.
    pub fn log_end(&self, file: &str) -> LogEnd {
        self.node(file)
            .map_or(LogEnd::default(), |node| node.shm.log_end())
    }

    /// How many file handles SQLite has open on this disk, temporary files included. For tests of leaks.
    pub fn open_files(&self) -> usize {
        self.open_files.get()
    }

    fn owner(&self, conn: Conn) -> Option<Rc<Owner>> {
        self.owners.borrow().get(&conn).and_then(Weak::upgrade)
    }

    fn new_owner(self: &Rc<Self>, conn: Conn) -> Rc<Owner> {
        let owner = Owner::new(self.clone(), conn);
        let mut owners = self.owners.borrow_mut();
        owners.retain(|_, weak| weak.strong_count() > 0);
        owners.insert(conn, Rc::downgrade(&owner));
        owner
    }

    fn node(&self, file: &str) -> Option<Rc<Node>> {
        self.nodes.borrow().get(file).cloned()
    }

    fn node_or_new(&self, file: &str, kind: FileKind) -> Rc<Node> {
        if let Some(node) = self.node(file) {
            return node;
        }
        let node = Node::new(file, kind);
        self.nodes
            .borrow_mut()
            .insert(node.name.clone(), node.clone());
        node
    }

    fn remove(&self, file: &str) -> bool {
        self.nodes.borrow_mut().remove(file).is_some()
    }

    fn keeper(&self) -> Option<Rc<dyn Gatekeeper>> {
        self.keeper.borrow().clone()
    }
}
