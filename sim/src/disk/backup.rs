//! Backups of one database: what is committed, and nothing that is not.

use std::rc::Rc;

use super::Disk;
use super::gate::FileKind;
use super::shm::SLOT_WRITE;

/// The committed contents of one database: its file, and its write-ahead log as far as that is committed.
#[derive(Clone)]
pub struct DatabaseCopy {
    main: Rc<str>,
    bytes: Rc<[u8]>,
    log: Rc<[u8]>,
}

impl Disk {
    /// Copies a database in WAL mode. `None` while somebody holds its write lock, or when its WAL index has to be recovered
    /// first, which the next reader does.
    pub fn copy_database(&self, file: &str) -> Option<DatabaseCopy> {
        let node = self.node(file)?;
        let is_writing =
            node.openers.borrow().iter().any(|handle| {
                !handle.owner.is_dead() && handle.shm_exclusive.get() & SLOT_WRITE != 0
            });
        if is_writing || !node.shm.is_settled() {
            return None;
        }
        let log = self.node(&log_of(file))?;
        let log = log.content.borrow();
        let committed = log.wal_length(node.shm.log_end().frame_count());
        Some(DatabaseCopy {
            main: node.name.clone(),
            bytes: node.content.borrow().bytes().into(),
            log: log.read(0, committed).into(),
        })
    }

    /// Puts a copy in the place of its database and forgets the WAL index. Nobody may use a connection to it that was open
    /// before: SQLite would go on with what that remembers.
    pub fn put_database_back(&self, copy: &DatabaseCopy) {
        let node = self.node_or_new(&copy.main, FileKind::Main);
        node.content.borrow_mut().replace(&copy.bytes);
        node.shm.clear();
        let log = self.node_or_new(&log_of(&copy.main), FileKind::Wal);
        log.content.borrow_mut().replace(&copy.log);
    }
}

fn log_of(file: &str) -> String {
    format!("{file}-wal")
}
