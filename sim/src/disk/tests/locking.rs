use super::*;

#[test]
fn two_connections_see_each_others_commits_in_every_journal_mode() {
    for mode in MODES {
        let (disk, first) = accounts(mode);
        let second = open(&disk, 2);
        assert_eq!(
            one::<String>(&second, "PRAGMA journal_mode"),
            if mode == "wal" { "wal" } else { "delete" }
        );
        for round in 0..5 {
            run(
                &disk,
                1,
                &first,
                "UPDATE account SET credits = credits + 1 WHERE id = 1",
            )
            .unwrap();
            disk.enter(2);
            assert_eq!(
                one::<i64>(&second, "SELECT credits FROM account WHERE id = 1"),
                11 + 2 * round,
                "{mode}"
            );
            run(
                &disk,
                2,
                &second,
                "UPDATE account SET credits = credits + 1 WHERE id = 1",
            )
            .unwrap();
            disk.enter(1);
            assert_eq!(
                one::<i64>(&first, "SELECT credits FROM account WHERE id = 1"),
                12 + 2 * round,
                "{mode}"
            );
        }
        assert_intact(&first);
    }
}

#[test]
fn a_second_writer_is_busy_at_once_when_it_does_not_wait() {
    for mode in MODES {
        let (disk, first) = accounts(mode);
        let second = open(&disk, 2);
        let recorder = Recorder::on(&disk);
        run(
            &disk,
            1,
            &first,
            "BEGIN IMMEDIATE; UPDATE account SET credits = 0",
        )
        .unwrap();
        assert!(is_busy(run(&disk, 2, &second, "BEGIN IMMEDIATE")), "{mode}");
        assert_eq!(recorder.sleeps.get(), 0);
        run(&disk, 1, &first, "COMMIT").unwrap();
        run(&disk, 2, &second, "BEGIN IMMEDIATE; COMMIT").unwrap();
    }
}

#[test]
fn a_waiting_writer_sleeps_in_virtual_time_until_its_timeout() {
    let (disk, first) = accounts("wal");
    let second = open(&disk, 2);
    second
        .busy_timeout(std::time::Duration::from_secs(5))
        .unwrap();
    let recorder = Recorder::on(&disk);
    run(&disk, 1, &first, "BEGIN IMMEDIATE").unwrap();
    assert!(is_busy(run(&disk, 2, &second, "BEGIN IMMEDIATE")));
    assert!(
        (4_900_000..=5_000_000).contains(&recorder.sleeps.get()),
        "{}",
        recorder.sleeps.get()
    );
}

#[test]
fn wal_readers_keep_their_snapshot_and_do_not_block_the_writer() {
    let (disk, writer) = accounts("wal");
    let reader = open(&disk, 2);
    run(&disk, 2, &reader, "BEGIN; SELECT * FROM account").unwrap();
    run(&disk, 1, &writer, "UPDATE account SET credits = 99").unwrap();
    assert_eq!(
        one::<i64>(&reader, "SELECT credits FROM account WHERE id = 1"),
        10
    );
    // A reader of an old snapshot may not write over what it has not seen.
    assert!(is_busy(run(
        &disk,
        2,
        &reader,
        "UPDATE account SET credits = 0"
    )));
    run(&disk, 2, &reader, "COMMIT").unwrap();
    assert_eq!(
        one::<i64>(&reader, "SELECT credits FROM account WHERE id = 1"),
        99
    );
}

#[test]
fn in_rollback_mode_a_reader_blocks_the_commit_and_a_waiting_commit_blocks_new_readers() {
    let (disk, writer) = accounts("delete");
    let (reader, late) = (open(&disk, 2), open(&disk, 3));
    run(&disk, 2, &reader, "BEGIN; SELECT * FROM account").unwrap();
    run(&disk, 1, &writer, "BEGIN; UPDATE account SET credits = 99").unwrap();
    // RESERVED still lets a reader in; the PENDING that the refused commit leaves behind does not.
    run(&disk, 3, &late, "SELECT * FROM account").unwrap();
    assert!(is_busy(run(&disk, 1, &writer, "COMMIT")));
    assert!(is_busy(run(&disk, 3, &late, "SELECT * FROM account")));
    run(&disk, 2, &reader, "COMMIT").unwrap();
    run(&disk, 1, &writer, "COMMIT").unwrap();
    assert_eq!(
        one::<i64>(&late, "SELECT credits FROM account WHERE id = 1"),
        99
    );
}

#[test]
fn the_simulator_is_asked_at_every_point_of_a_commit() {
    let (disk, connection) = accounts("wal");
    let recorder = Recorder::on(&disk);
    run(
        &disk,
        1,
        &connection,
        "UPDATE account SET credits = 0 WHERE id = 1",
    )
    .unwrap();
    let calls: Vec<_> = recorder
        .take()
        .into_iter()
        .map(|(_, method, file)| format!("{method} {file}"))
        .collect();
    // A read mark is raised, the snapshot taken, the write lock taken; the commit is written, made durable and published.
    let expected = "xShmBarrier shm, xShmLock shm, xShmUnlock shm, xShmLock shm, xShmBarrier shm, xShmLock shm, \
                    xWrite wal, xWrite wal, xSync wal, xShmBarrier shm, xShmUnlock shm, xShmUnlock shm";
    assert_eq!(calls.join(", "), expected);
    assert_eq!(*recorder.commits.borrow(), [1]);
}

#[test]
fn two_databases_of_one_disk_have_their_own_locks() {
    let (disk, first) = accounts("wal");
    let other = disk.open("other.db", 1).unwrap();
    other
        .execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t(x)")
        .unwrap();
    run(&disk, 1, &first, "BEGIN IMMEDIATE").unwrap();
    run(
        &disk,
        1,
        &other,
        "BEGIN IMMEDIATE; INSERT INTO t VALUES (1); COMMIT",
    )
    .unwrap();
    assert!(
        disk.file_bytes("other.db-wal")
            .is_some_and(|bytes| !bytes.is_empty())
    );
}

#[test]
fn closing_the_last_connection_cleans_up_and_another_machine_can_load_the_file() {
    let (disk, connection) = accounts("wal");
    drop(connection);
    assert_eq!(disk.open_files(), 0);
    assert_eq!(disk.file_bytes("main.db-wal"), None);
    let elsewhere = Disk::new();
    elsewhere.load_file("main.db", &disk.file_bytes("main.db").unwrap());
    assert_eq!(
        one::<i64>(&open(&elsewhere, 7), "SELECT sum(credits) FROM account"),
        30
    );
}

#[test]
fn temporary_files_belong_to_nobody_else_and_pass_no_gate() {
    let (disk, connection) = accounts("wal");
    run(
        &disk,
        1,
        &connection,
        "PRAGMA cache_size = 2; PRAGMA temp_store = FILE",
    )
    .unwrap();
    let recorder = Recorder::on(&disk);
    let sql = "CREATE TEMP TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
               SELECT i, hex(zeroblob(200)) AS pad FROM n ORDER BY i DESC";
    run(&disk, 1, &connection, sql).unwrap();
    assert!(
        recorder
            .take()
            .iter()
            .all(|(_, _, file)| *file != "temp" && *file != "journal")
    );
    assert_eq!(one::<i64>(&connection, "SELECT count(*) FROM big"), 2000);
}
