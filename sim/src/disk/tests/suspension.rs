use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::*;
use crate::disk::Image;

/// Suspends the running coroutine at every gate and every wait.
struct Switching {
    yielder: Cell<Option<*const Yielder<(), ()>>>,
    passed: Cell<usize>,
}

impl Switching {
    fn suspend(&self) {
        if let Some(yielder) = self.yielder.get() {
            // SAFETY: set by the coroutine that runs now to its own yielder, which lives until that coroutine ends.
            unsafe { &*yielder }.suspend(());
            self.yielder.set(Some(yielder));
            self.passed.set(self.passed.get() + 1);
        }
    }
}

impl Gatekeeper for Switching {
    fn pass(&self, _: Conn, _: Method, _: FileKind) -> Result<(), Refusal> {
        self.suspend();
        Ok(())
    }

    fn sleep(&self, _: Conn, _: u64) -> Result<(), Dead> {
        self.suspend();
        Ok(())
    }

    fn committed(&self, _: Conn, _: LogEnd) {
        self.suspend();
    }
}

fn actor(
    keeper: Rc<Switching>,
    disk: Rc<Disk>,
    connection: Connection,
    conn: Conn,
) -> Coroutine<(), (), ()> {
    Coroutine::new(move |yielder, ()| {
        for _ in 0..5 {
            keeper.yielder.set(Some(yielder));
            let sql =
                "BEGIN IMMEDIATE; UPDATE account SET credits = credits + 1 WHERE id = 1; COMMIT";
            run(&disk, conn, &connection, sql).unwrap();
        }
        // Closing is a call into SQLite as well.
        drop(connection);
    })
}

/// Three writers, switched between by a cheap deterministic dice. Returns how often they were switched and the bytes of
/// the disk. A WAL that goes on from an image draws no salts, so other tests of this process do not matter.
fn interleave(image: &Image, mut dice: u64) -> (usize, i64, Vec<u8>) {
    let disk = Disk::new();
    disk.restore(image);
    let watcher = open(&disk, 1);
    let keeper = Rc::new(Switching {
        yielder: Cell::new(None),
        passed: Cell::new(0),
    });
    let mut actors: Vec<_> = (2..5)
        .map(|conn| {
            let connection = open(&disk, conn);
            connection
                .busy_timeout(std::time::Duration::from_secs(500))
                .unwrap();
            actor(keeper.clone(), disk.clone(), connection, conn)
        })
        .collect();
    disk.set_gatekeeper(Some(keeper.clone()));
    while !actors.is_empty() {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let chosen = (dice >> 33) as usize % actors.len();
        if let CoroutineResult::Return(()) = actors[chosen].resume(()) {
            drop(actors.swap_remove(chosen));
        }
    }
    disk.set_gatekeeper(None);
    disk.enter(1);
    let credits = one(&watcher, "SELECT credits FROM account WHERE id = 1");
    assert_intact(&watcher);
    let mut bytes = disk.file_bytes("main.db").unwrap();
    bytes.extend(disk.file_bytes("main.db-wal").unwrap_or_default());
    (keeper.passed.get(), credits, bytes)
}

#[test]
fn coroutines_suspended_inside_sqlite_do_not_disturb_each_other() {
    for mode in ["wal", "delete"] {
        let (template, _connection) = accounts(mode);
        let image = template.image();
        let mut distinct = std::collections::BTreeSet::new();
        for dice in 0..10 {
            let (passed, credits, bytes) = interleave(&image, dice);
            assert_eq!(credits, 25, "{mode}");
            assert!(
                (passed, credits, bytes) == interleave(&image, dice),
                "{mode}: not the same twice"
            );
            distinct.insert(passed);
        }
        assert!(distinct.len() > 3, "{mode}: the dice changed nothing");
    }
}
