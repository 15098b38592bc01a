use xxhash_rust::xxh3::Xxh3;

use super::*;
use crate::disk::Image;
use crate::disk::externs::{drop_cache, seed_random};

/// Two warm connections and the image that every run starts from.
struct Pool {
    disk: Rc<Disk>,
    connections: [Connection; 2],
    image: Image,
}

impl Pool {
    fn new(mode: &str) -> Pool {
        let (template, _connection) = accounts(mode);
        Pool::from(&template.image())
    }

    /// As a fresh process does it.
    fn from(image: &Image) -> Pool {
        let disk = Disk::new();
        disk.restore(image);
        let connections = [open(&disk, 1), open(&disk, 2)];
        for connection in &connections {
            for sql in STATEMENTS {
                connection.prepare_cached(sql).unwrap();
            }
        }
        disk.restore(image);
        Pool {
            disk,
            connections,
            image: image.clone(),
        }
    }

    /// One run: what SQLite asked, and a digest of what it left.
    fn run(&self, statements: &[usize]) -> (Vec<Call>, u128) {
        self.disk.restore(&self.image);
        self.connections.iter().for_each(drop_cache);
        let recorder = Recorder::on(&self.disk);
        for (turn, statement) in statements.iter().enumerate() {
            self.disk.enter(turn as Conn % 2 + 1);
            let connection = &self.connections[turn % 2];
            let mut prepared = connection.prepare_cached(STATEMENTS[*statement]).unwrap();
            let mut rows = prepared.query([]).unwrap();
            while rows.next().unwrap().is_some() {}
        }
        self.disk.set_gatekeeper(None);
        (recorder.take(), self.digest())
    }

    fn digest(&self) -> u128 {
        let mut hash = Xxh3::new();
        self.disk.hash_into(&mut hash);
        hash.digest128()
    }
}

const STATEMENTS: [&str; 6] = [
    "SELECT * FROM account",
    "UPDATE account SET credits = credits + 1 WHERE id = 1",
    "INSERT INTO account(owner, credits) VALUES ('dave', 0)",
    "DELETE FROM account WHERE id > 2",
    "INSERT INTO account(owner) SELECT hex(zeroblob(3000)) FROM account, account",
    "SELECT sum(credits) FROM account WHERE owner = 'bob'",
];

#[test]
fn a_run_on_pooled_connections_does_not_depend_on_the_runs_before() {
    let subject = [0, 1, 2, 5, 4, 1, 3, 2, 0];
    let pool = Pool::new("wal");
    let fresh = Pool::from(&pool.image).run(&subject);
    for before in [
        &[0, 0][..],
        &[1, 1, 1],
        &[4, 4, 2, 4, 5],
        &[3, 3],
        &[2; 40],
        &[],
    ] {
        pool.run(before);
        assert_eq!(pool.run(&subject), fresh, "after {before:?}");
        assert!(!pool.disk.pool_stale());
    }
}

#[test]
fn an_interrupted_run_leaves_nothing_behind_once_it_is_rolled_back() {
    let pool = Pool::new("wal");
    let expected = pool.run(&[1, 2, 1]);
    pool.disk.restore(&pool.image);
    let sql =
        "BEGIN; UPDATE account SET credits = 1; SAVEPOINT s; INSERT INTO account DEFAULT VALUES";
    assert!(run(&pool.disk, 1, &pool.connections[0], sql).is_err());
    run(&pool.disk, 1, &pool.connections[0], "ROLLBACK").unwrap();
    assert_eq!(pool.run(&[1, 2, 1]), expected);
}

#[test]
fn what_a_pool_cannot_forget_makes_it_stale() {
    let stale = |sql: &str| {
        let pool = Pool::new("wal");
        run(&pool.disk, 1, &pool.connections[0], sql).unwrap();
        let stale = pool.disk.pool_stale();
        pool.disk.restore(&pool.image);
        assert!(!pool.disk.pool_stale(), "after restoring: {sql}");
        (stale, pool.disk.main_written())
    };
    assert_eq!(stale("UPDATE account SET credits = 1"), (false, false));
    assert_eq!(stale("SELECT * FROM account"), (false, false));
    assert_eq!(stale("CREATE TABLE t(x)"), (true, false));
    assert_eq!(stale("PRAGMA wal_checkpoint"), (true, false));
}

#[test]
fn a_restored_rollback_mode_disk_has_its_old_pages_again() {
    let pool = Pool::new("delete");
    let before = pool.disk.file_bytes("main.db");
    for statements in [&[4, 4][..], &[1, 2], &[1]] {
        pool.run(statements);
        assert!(pool.disk.main_written() && pool.disk.file_bytes("main.db") != before);
        pool.disk.restore(&pool.image);
        assert!(pool.disk.file_bytes("main.db") == before);
        assert!(!pool.disk.main_written());
    }
}

#[test]
fn an_image_can_be_put_on_another_disk() {
    let pool = Pool::new("wal");
    let elsewhere = Disk::new();
    elsewhere.restore(&pool.image);
    let reader = open(&elsewhere, 9);
    assert_eq!(one::<i64>(&reader, "SELECT sum(credits) FROM account"), 30);
    assert_eq!(
        pool.image.files().map(|(name, _)| name).collect::<Vec<_>>(),
        ["main.db", "main.db-wal"]
    );
}

#[test]
fn one_altered_byte_changes_the_digest() {
    let pool = Pool::new("wal");
    let (_, clean) = pool.run(&[1, 2]);
    let length = pool.disk.file_bytes("main.db-wal").unwrap().len();
    for (file, offset) in [
        ("main.db", 0),
        ("main.db", 4095),
        ("main.db-wal", 40),
        ("main.db-wal", length - 1),
    ] {
        assert!(pool.disk.flip_byte(file, offset));
        assert_ne!(pool.digest(), clean, "{file} {offset}");
        assert_eq!(pool.run(&[1, 2]).1, clean, "restored: {file} {offset}");
    }
    assert!(!pool.disk.flip_byte("main.db-wal", length) && !pool.disk.flip_byte("absent", 0));
}

#[test]
fn ten_thousand_restores_leave_no_file_and_no_memory_behind() {
    let pool = Pool::new("wal");
    let files = pool.disk.open_files();
    let used = || unsafe { rusqlite::ffi::sqlite3_memory_used() };
    pool.run(&[1, 2]);
    let before = used();
    for _ in 0..10_000 {
        pool.run(&[1, 2]);
    }
    assert_eq!(pool.disk.open_files(), files);
    assert!(used() - before < 1_000_000, "{} bytes", used() - before);
}

#[test]
fn growing_a_database_is_no_change_of_its_schema() {
    let (donor, connection) = accounts("wal");
    drop(connection);
    let disk = Disk::new();
    disk.load_file("main.db", &donor.file_bytes("main.db").unwrap());
    let connection = open(&disk, 1);
    run(&disk, 1, &connection, "UPDATE account SET credits = 0").unwrap();
    let image = disk.image();
    // More rows than fit into the pages that are there: page 1 is written, with the same schema cookie as before.
    run(
        &disk,
        1,
        &connection,
        "INSERT INTO account(owner) SELECT hex(zeroblob(5000))",
    )
    .unwrap();
    assert!(!disk.pool_stale());
    disk.restore(&image);
    run(
        &disk,
        1,
        &connection,
        "ALTER TABLE account ADD COLUMN plan TEXT",
    )
    .unwrap();
    assert!(disk.pool_stale());
}

#[test]
fn a_seed_decides_what_sqlite_draws() {
    let (_disk, connection) = accounts("wal");
    let draw = |seed| {
        seed_random(seed);
        one::<i64>(&connection, "SELECT random()")
    };
    // Other tests of this process draw from the same source, so that two draws may differ; but no two are ever equal
    // by chance.
    for seed in [0, 1, u32::MAX] {
        assert!((0..1000).any(|_| draw(seed) == draw(seed)), "seed {seed}");
    }
    assert!((0..1000).all(|_| draw(1) != draw(2)));
}
