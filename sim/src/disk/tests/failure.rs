//! Operations that fail while their process lives on.

use rusqlite::ErrorCode;

use super::*;

/// Lets one operation fail, the first of its kind that comes, and may say that nothing can grow.
#[derive(Default)]
struct Failing {
    next: Cell<Option<(Method, FileKind)>>,
    /// So many of them pass before.
    skip: Cell<usize>,
    full: Cell<bool>,
}

impl Failing {
    fn on(disk: &Disk) -> Rc<Failing> {
        let failing = Rc::new(Failing::default());
        disk.set_gatekeeper(Some(failing.clone()));
        failing
    }

    fn one(&self, method: Method, file: FileKind) {
        self.next.set(Some((method, file)));
    }
}

impl Gatekeeper for Failing {
    fn pass(&self, _: Conn, method: Method, file: FileKind) -> Result<(), Refusal> {
        if self.next.get() != Some((method, file)) {
            return Ok(());
        }
        let left = self.skip.get();
        self.skip.set(left.saturating_sub(1));
        if left > 0 {
            return Ok(());
        }
        self.next.set(None);
        Err(Refusal::Failed)
    }

    fn is_full(&self, _: Conn) -> bool {
        self.full.get()
    }
}

const PAY: &str = "UPDATE account SET credits = credits + 1 WHERE id = 1";

fn extended_code(result: rusqlite::Result<()>) -> i32 {
    match result {
        Err(rusqlite::Error::SqliteFailure(error, _)) => error.extended_code,
        other => panic!("{other:?} is not a failure"),
    }
}

#[test]
fn a_failed_operation_has_its_own_code_and_the_connection_lives_on() {
    use rusqlite::ffi;
    let (disk, connection) = accounts("wal");
    let failing = Failing::on(&disk);
    for (method, code) in [
        (Method::Write, ffi::SQLITE_IOERR_WRITE),
        (Method::Sync, ffi::SQLITE_IOERR_FSYNC),
    ] {
        failing.one(method, FileKind::Wal);
        assert_eq!(extended_code(run(&disk, 1, &connection, PAY)), code);
        assert!(connection.is_autocommit());
        run(&disk, 1, &connection, PAY).unwrap();
    }
    let other = open(&disk, 2);
    failing.one(Method::Read, FileKind::Wal);
    let read = run(&disk, 2, &other, "SELECT * FROM account");
    assert_eq!(extended_code(read), ffi::SQLITE_IOERR_READ);
    disk.enter(2);
    assert_eq!(
        one::<i64>(&other, "SELECT credits FROM account WHERE id = 1"),
        12
    );
    assert_intact(&other);
}

#[test]
fn a_commit_whose_sync_failed_is_found_by_recovery_and_overwritten_by_the_next_writer() {
    for recovered in [true, false] {
        let (disk, connection) = accounts("wal");
        let failing = Failing::on(&disk);
        let before = disk.log_end("main.db");
        failing.one(Method::Sync, FileKind::Wal);
        assert!(run(&disk, 1, &connection, PAY).is_err());
        assert_eq!(disk.log_end("main.db"), before);
        if recovered {
            disk.kill(1);
            disk.forget_shm("main.db");
        } else {
            run(
                &disk,
                1,
                &connection,
                "UPDATE account SET credits = 5 WHERE id = 2",
            )
            .unwrap();
        }
        let reader = open(&disk, 2);
        let credits: i64 = one(&reader, "SELECT credits FROM account WHERE id = 1");
        assert_eq!(credits, if recovered { 11 } else { 10 });
        assert!(disk.log_end("main.db").continues(&before));
    }
}

#[test]
fn a_full_disk_takes_what_fits_and_refuses_what_grows() {
    for mode in MODES {
        let (disk, connection) = accounts(mode);
        let failing = Failing::on(&disk);
        failing.full.set(true);
        let grows = "INSERT INTO account(owner) SELECT hex(zeroblob(9000)) FROM account";
        let code = run(&disk, 1, &connection, grows).unwrap_err();
        assert_eq!(
            code.sqlite_error_code(),
            Some(ErrorCode::DiskFull),
            "{mode}"
        );
        assert_eq!(
            one::<i64>(&connection, "SELECT count(*) FROM account"),
            2,
            "{mode}"
        );
        failing.full.set(false);
        run(&disk, 1, &connection, grows).unwrap();
        assert_intact(&connection);
    }
}

/// Connection 1 dies between the two copies of the header that publishes its commit.
fn crash_while_publishing(disk: &Rc<Disk>, doomed: Connection) {
    let keeper = Dying::on(disk, |disk, conn, method| {
        let header = disk.shm_copy().parts().concat();
        conn == 1 && method == Method::ShmBarrier && header[..48] != header[48..96]
    });
    // A barrier cannot fail, so that SQLite may call this a success; nobody is left to hear it.
    let _ = run(disk, 1, &doomed, PAY);
    drop(doomed);
    disk.shm_restore(&keeper.at_death.take().unwrap());
}

/// A fault of SQLite 3.54.1, seen by the simulator (`walIndexRecover`): when a frame cannot be read, the index of the frames
/// read so far is copied over the shared one, which is still used by everybody who reads from an older snapshot. They then
/// find old pages, without an error.
///
/// No failure is injected there for as long as this test passes. When it fails, SQLite has been cured.
#[test]
fn a_recovery_that_fails_misleads_those_who_read_meanwhile() {
    let (disk, doomed) = accounts("wal");
    run(&disk, 1, &doomed, "PRAGMA wal_checkpoint").unwrap();
    run(&disk, 1, &doomed, PAY).unwrap();
    let reader = open(&disk, 2);
    run(
        &disk,
        2,
        &reader,
        "BEGIN; SELECT count(*) FROM sqlite_schema",
    )
    .unwrap();
    crash_while_publishing(&disk, doomed);
    let failing = Failing::on(&disk);
    failing.skip.set(1);
    failing.one(Method::Recover, FileKind::Wal);
    let other = disk.open("main.db", 3).unwrap();
    assert!(run(&disk, 3, &other, "SELECT * FROM account").is_err());
    assert_eq!(failing.next.get(), None, "recovery met the failure");
    disk.enter(2);
    let credits: i64 = one(&reader, "SELECT credits FROM account WHERE id = 1");
    assert_eq!(
        credits, 10,
        "11 is committed, and stands in the reader's snapshot"
    );
}
