//! What becomes of leases whose holders fell silent.

use crate::kit::{LEASE_MS, World, event_of};
use lockstep_store::{CancelHow, Reaped, Store, TaskState};

#[test]
fn an_expired_lease_is_taken_back_and_its_task_goes_on_elsewhere() {
    let mut world = World::new();
    let lost = world.running("42", "e1");
    assert_eq!(world.store.reap(10), Ok(Reaped::default()), "not expired");
    assert!(world.claim("w2").is_none());
    world.expire();
    assert!(
        world.claim("w2").is_none(),
        "a claim does not take over by itself"
    );
    assert_eq!(
        world.store.reap(10).expect("reaps").requeued,
        std::slice::from_ref(&lost.task)
    );
    world.is_sound();
    let next = world.claim("w2").expect("ready");
    assert_eq!((next.task, next.attempt, next.failures), (lost.task, 2, 1));
    world.is_sound();
}

#[test]
fn a_lease_that_was_renewed_is_left_alone() {
    let mut world = World::new();
    let held = world.running("42", "e1");
    world.clock.advance(LEASE_MS);
    world
        .store
        .renew(held.session, held.fence, LEASE_MS)
        .expect("renewed late");
    assert_eq!(world.store.reap(10), Ok(Reaped::default()));
}

#[test]
fn a_task_that_kills_its_workers_is_buried_and_the_next_one_runs() {
    let mut world = World::new();
    world.accept("42", "e1");
    world.accept("42", "e2");
    for round in 1..=3 {
        assert_eq!(world.claim("w1").expect("ready").task.as_str(), "t-e1");
        world.expire();
        let reaped = world.store.reap(10).expect("reaps");
        assert_eq!(reaped.ended.len(), usize::from(round == 3));
    }
    assert_eq!(
        world.value("SELECT state FROM task WHERE task_id = 't-e1'"),
        "dead"
    );
    assert_eq!(world.claim("w1").expect("the next").task.as_str(), "t-e2");
    world.is_sound();
}

#[test]
fn a_cancelled_task_whose_worker_died_ends_cancelled() {
    let mut world = World::new();
    let lost = world.running("42", "e1");
    let op = world.op();
    assert_eq!(
        world.store.cancel(op, lost.task, "user", CancelHow::Ask),
        Ok(TaskState::Running)
    );
    world.expire();
    assert_eq!(world.store.reap(10).expect("reaps").ended.len(), 1);
    assert_eq!(world.value("SELECT state FROM task"), "cancelled");
}

#[test]
fn one_bad_row_does_not_stop_the_others() {
    let mut world = World::new();
    for (chat, event) in [("1", "e1"), ("2", "e2")] {
        let op = world.op();
        world
            .store
            .accept(op, event_of(chat, event))
            .expect("accepted");
        world.claim("w1").expect("claimed");
        world.clock.advance(1);
    }
    let bad = "CREATE TRIGGER bad BEFORE UPDATE ON task WHEN OLD.task_id = 't-e1' BEGIN SELECT RAISE(ABORT, 'bad'); END";
    world.connection().execute_batch(bad).expect("a bad row");
    world.expire();
    let reaped = world.store.reap(10).expect("reaps");
    assert_eq!(
        reaped.skipped,
        [("s-e1".into(), "refused by bad".to_owned())]
    );
    assert_eq!(reaped.requeued, ["t-e2".into()]);
    assert_eq!(world.store.reap(10).expect("again").skipped.len(), 1);
}

#[test]
fn the_highest_time_that_a_reaper_has_seen_is_kept() {
    let mut world = World::new();
    for (event, now, highest) in [
        ("e1", 2_000_000, "2001001"),
        ("e2", 1_500_000, "2001001"),
        ("e3", 2_500_000, "2501001"),
    ] {
        world.clock.set(now);
        world.running(event, event);
        world.expire();
        world.store.reap(10).expect("reaps");
        assert_eq!(world.value("SELECT clock_high_ms FROM meta"), highest);
        let op = world.op();
        let session = format!("s-{event}").as_str().into();
        world
            .store
            .close(op, session, "over", false)
            .expect("closes");
    }
}
