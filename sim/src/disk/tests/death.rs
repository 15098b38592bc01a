use super::*;
use crate::disk::Shm;

/// Kills connection 1, drains it as the protocol wants, and closes it.
fn bury(disk: &Disk, connection: Connection) {
    disk.kill(1);
    let shm = disk.shm_copy();
    drop(connection);
    disk.shm_restore(&shm);
}

#[test]
fn death_in_a_transaction_loses_only_what_was_not_committed() {
    for mode in MODES {
        let (disk, doomed) = accounts(mode);
        let survivor = open(&disk, 2);
        run(
            &disk,
            1,
            &doomed,
            "UPDATE account SET credits = 11 WHERE id = 1",
        )
        .unwrap();
        run(
            &disk,
            1,
            &doomed,
            "BEGIN IMMEDIATE; UPDATE account SET credits = 0",
        )
        .unwrap();
        bury(&disk, doomed);
        disk.enter(2);
        assert_eq!(
            one::<i64>(&survivor, "SELECT sum(credits) FROM account"),
            31,
            "{mode}"
        );
        run(
            &disk,
            2,
            &survivor,
            "UPDATE account SET credits = credits + 1",
        )
        .unwrap();
        assert_intact(&survivor);
        drop(survivor);
        assert_eq!(disk.open_files(), 0);
    }
}

/// Whether a statement reported success to a process that died at its n-th operation, and whether it died at all.
fn commit_and_die(disk: &Disk, recorder: &Recorder, doomed: &Connection, n: usize) -> (bool, bool) {
    recorder.victim.set(Some((1, n)));
    let result = run(
        disk,
        1,
        doomed,
        "BEGIN IMMEDIATE; UPDATE account SET credits = credits + 1; COMMIT",
    );
    let died = recorder.victim.get() == Some((1, 0)) && result.is_err();
    recorder.victim.set(None);
    (result.is_ok(), died)
}

#[test]
fn death_at_any_operation_of_a_commit_keeps_what_was_acknowledged() {
    for mode in MODES {
        for with_survivor in [false, true] {
            let mut deaths = 0;
            for n in 0.. {
                let (disk, doomed) = accounts(mode);
                let survivor = with_survivor.then(|| open(&disk, 2));
                run(
                    &disk,
                    1,
                    &doomed,
                    "INSERT INTO account VALUES (3, 'carol', 30)",
                )
                .unwrap();
                let recorder = Recorder::on(&disk);
                let (acknowledged, died) = commit_and_die(&disk, &recorder, &doomed, n);
                bury(&disk, doomed);
                if !with_survivor {
                    disk.forget_shm("main.db");
                }
                let next = survivor.unwrap_or_else(|| open(&disk, 3));
                let sum: i64 = one(&next, "SELECT sum(credits) FROM account");
                assert!(
                    sum == 63 || (sum == 60 && !acknowledged),
                    "{mode}, operation {n}: {sum}"
                );
                run(&disk, 3, &next, "UPDATE account SET credits = 5").unwrap();
                assert_intact(&next);
                if !died {
                    break;
                }
                deaths += 1;
            }
            assert!(deaths >= 8, "{mode}: {deaths}");
        }
    }
}

#[test]
fn everything_fails_without_effect_for_a_dead_connection() {
    for mode in MODES {
        let (disk, doomed) = accounts(mode);
        run(
            &disk,
            1,
            &doomed,
            "BEGIN IMMEDIATE; UPDATE account SET credits = 0",
        )
        .unwrap();
        let recorder = Recorder::on(&disk);
        disk.kill(1);
        let before = (
            disk.file_bytes("main.db"),
            disk.file_bytes("main.db-wal"),
            disk.file_bytes("main.db-journal"),
        );
        for sql in [
            "COMMIT",
            "ROLLBACK",
            "SELECT * FROM account",
            "DELETE FROM account",
        ] {
            let result = run(&disk, 1, &doomed, sql);
            assert!(result.is_err() || sql == "ROLLBACK", "{mode}: {sql}");
        }
        drop(doomed);
        let after = (
            disk.file_bytes("main.db"),
            disk.file_bytes("main.db-wal"),
            disk.file_bytes("main.db-journal"),
        );
        assert!(before == after, "{mode}");
        assert_eq!(recorder.take(), []);
        assert_eq!(disk.open_files(), 0);
    }
}

#[test]
fn what_a_drained_connection_writes_to_shared_memory_is_taken_back() {
    let mut harmed = 0;
    for n in 0..12 {
        let (disk, doomed) = accounts("wal");
        let survivor = open(&disk, 2);
        run(&disk, 2, &survivor, "BEGIN; SELECT * FROM account").unwrap();
        let left: Cell<usize> = Cell::new(n);
        let keeper = Dying::on(&disk, move |_, _, _| {
            left.replace(left.get().wrapping_sub(1)) == 0
        });
        let _ = run(
            &disk,
            1,
            &doomed,
            "UPDATE account SET credits = credits + 1",
        );
        let Some(at_death) = keeper.at_death.take() else {
            break;
        };
        drop(doomed);
        let bytes = |shm: &Shm| shm.parts().concat();
        harmed += usize::from(bytes(&disk.shm_copy()) != bytes(&at_death));
        disk.shm_restore(&at_death);
        assert_eq!(bytes(&disk.shm_copy()), bytes(&at_death));
        disk.set_gatekeeper(None);
        run(
            &disk,
            2,
            &survivor,
            "COMMIT; UPDATE account SET credits = 7",
        )
        .unwrap();
        assert_intact(&survivor);
    }
    assert!(
        harmed > 0,
        "the drain never wrote shared memory: this test shows nothing"
    );
}

#[test]
fn a_number_can_be_used_again_after_death() {
    let (disk, doomed) = accounts("wal");
    disk.kill(1);
    let heir = open(&disk, 1);
    assert!(run(&disk, 1, &doomed, "SELECT * FROM account").is_err());
    let shm = disk.shm_copy();
    drop(doomed);
    disk.shm_restore(&shm);
    run(&disk, 1, &heir, "UPDATE account SET credits = 1").unwrap();
    assert_eq!(one::<i64>(&heir, "SELECT sum(credits) FROM account"), 2);
}

/// Found by 100,000 seeds: what a connection had logged when it died was held against the process that had it next.
#[test]
fn a_connection_that_was_taken_back_has_logged_nothing() {
    let (disk, doomed) = accounts("wal");
    let recorder = Recorder::on(&disk);
    let mut died_after_logging = 0;
    for n in 0.. {
        let (_, died) = commit_and_die(&disk, &recorder, &doomed, n);
        if !died {
            break;
        }
        died_after_logging += usize::from(disk.has_logged(1));
        disk.revive(&doomed, 1).unwrap();
        assert!(!disk.has_logged(1), "died at operation {n}");
    }
    assert!(died_after_logging > 0);
}
