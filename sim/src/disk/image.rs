//! Images of a whole disk, and copies of its WAL shared memory alone.

use std::rc::Rc;

use super::Disk;
use super::gate::FileKind;
use super::node::{Cookie, Node};
use super::shm::HEADER;

/// The contents of all files and of the WAL shared memory at a quiet moment: no transaction open, no lock held.
///
/// For a pool in WAL mode the WAL should hold at least one frame that is not checkpointed. Otherwise the first commit of
/// every run restarts the log, [`Disk::pool_stale`] says so, and the pool has to be opened afresh each time.
#[derive(Clone)]
pub struct Image {
    files: Vec<FileImage>,
}

#[derive(Clone)]
struct FileImage {
    name: Rc<str>,
    kind: FileKind,
    bytes: Rc<[u8]>,
    shm: Rc<[u8]>,
    cookie: Option<Cookie>,
}

impl Image {
    /// Names and bytes of the files, in the order of their names: what an export writes.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|file| (&*file.name, &*file.bytes))
    }
}

/// A copy of the WAL shared memory of all databases of a disk.
pub struct Shm {
    parts: Vec<(Rc<Node>, Vec<u8>)>,
}

#[cfg(test)]
impl Shm {
    pub(super) fn parts(&self) -> Vec<&[u8]> {
        self.parts
            .iter()
            .map(|(_, bytes)| bytes.as_slice())
            .collect()
    }
}

/// A copy of headers and checkpoint info only: all that a reader writes.
pub struct ShmHeader {
    parts: Vec<(Rc<Node>, [u8; HEADER])>,
}

impl Disk {
    /// Takes an image. Changes are tracked against it from now on.
    pub fn image(&self) -> Image {
        let nodes = self.nodes.borrow();
        let files = nodes.values().map(|node| {
            // A WAL that holds no page 1 yet continues the schema of its database.
            let main = node
                .name
                .strip_suffix("-wal")
                .and_then(|main| nodes.get(main));
            let cookie = node
                .cookie()
                .or_else(|| main.and_then(|main| main.cookie()));
            FileImage {
                name: node.name.clone(),
                kind: node.kind,
                bytes: node.freeze(cookie),
                shm: node.shm.copy().into(),
                cookie,
            }
        });
        Image {
            files: files.collect(),
        }
    }

    /// Puts an image back, in place: open connections go on with it. Costs little when it is the image that changes were
    /// tracked against and only WAL frames were appended since.
    ///
    /// Locks need no clearing, because only an open handle that lives can hold one: end or kill what still has one.
    pub fn restore(&self, image: &Image) {
        if !self.has_files_of(image) {
            let mut nodes = self.nodes.borrow_mut();
            let kept = std::mem::take(&mut *nodes);
            for file in &image.files {
                let node = kept
                    .get(&file.name)
                    .cloned()
                    .unwrap_or_else(|| Node::new(&file.name, file.kind));
                nodes.insert(file.name.clone(), node);
            }
        }
        for (node, file) in self.nodes.borrow().values().zip(&image.files) {
            node.restore(&file.bytes, file.cookie);
            node.shm.reserve(&file.shm);
            node.shm.restore(&file.shm);
        }
    }

    /// Copies the WAL shared memory of all databases, before a dead connection is drained or closed.
    pub fn shm_copy(&self) -> Shm {
        Shm {
            parts: self
                .mapped()
                .map(|node| (node.clone(), node.shm.copy()))
                .collect(),
        }
    }

    /// Puts the copy back.
    pub fn shm_restore(&self, copy: &Shm) {
        for (node, bytes) in &copy.parts {
            node.shm.restore(bytes);
        }
    }

    /// Copies what a reader may write, before the checker reads.
    pub fn shm_header_copy(&self) -> ShmHeader {
        let copy = |node: Rc<Node>| {
            let mut bytes = [0; HEADER];
            node.shm.copy_to(&mut bytes);
            (node, bytes)
        };
        ShmHeader {
            parts: self.mapped().map(copy).collect(),
        }
    }

    /// Puts the headers back.
    pub fn shm_header_restore(&self, copy: &ShmHeader) {
        for (node, bytes) in &copy.parts {
            node.shm.copy_from(bytes);
        }
    }

    fn mapped(&self) -> impl Iterator<Item = Rc<Node>> {
        let nodes = self.nodes.borrow();
        let mapped: Vec<_> = nodes
            .values()
            .filter(|node| node.shm.is_mapped())
            .cloned()
            .collect();
        mapped.into_iter()
    }

    fn has_files_of(&self, image: &Image) -> bool {
        let nodes = self.nodes.borrow();
        nodes.len() == image.files.len()
            && nodes
                .keys()
                .zip(&image.files)
                .all(|(name, file)| *name == file.name)
    }
}
