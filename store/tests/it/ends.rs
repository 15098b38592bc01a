//! The ends that a turn may come to, and what a worker may no longer do after them.

use crate::kit::{LEASE_MS, World, done, item};
use lockstep_store::{CancelHow, Complete, Error, Fence, Retry, Store, TaskState};

#[test]
fn a_lease_that_has_expired_and_was_not_taken_may_still_complete() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    world.expire();
    let op = world.op();
    assert_eq!(
        world.store.complete(op, done(&claimed)),
        Ok(TaskState::Done)
    );
    world.is_sound();
}

#[test]
fn who_lost_the_lease_changes_nothing_any_more() {
    let mut world = World::new();
    let lost = world.running("42", "e1");
    world.expire();
    world.store.reap(10).expect("reaps");
    let holder = world.claim("w2").expect("taken over");
    assert!(holder.fence > lost.fence);
    let before = world.contents();
    let fenced = Error::Fenced {
        held: holder.fence,
        yours: lost.fence,
    };
    let (session, fence) = (lost.session.clone(), lost.fence);
    let ops = [
        world.op(),
        world.op(),
        world.op(),
        world.op(),
        world.op(),
        world.op(),
    ];
    let [a, b, c, d, e, f] = ops;
    assert_eq!(world.store.complete(a, done(&lost)), Err(fenced.clone()));
    assert_eq!(
        world.store.complete(
            b,
            Complete {
                items: vec![item("x")],
                ..done(&lost)
            }
        ),
        Err(fenced.clone())
    );
    assert_eq!(
        world
            .store
            .fail(c, lost.task.clone(), fence, "x", Retry::Never),
        Err(fenced.clone())
    );
    assert_eq!(
        world
            .store
            .append(d, session.clone(), fence, 1, vec![item("x")]),
        Err(fenced.clone())
    );
    assert_eq!(
        world.store.set_resume(e, session.clone(), fence, "tok", 0),
        Err(fenced.clone())
    );
    let own = CancelHow::Own { fence };
    assert_eq!(
        world.store.cancel(f, lost.task.clone(), "x", own),
        Err(fenced.clone())
    );
    assert_eq!(world.store.renew(session, fence, LEASE_MS), Err(fenced));
    assert_eq!(world.contents(), before);
}

#[test]
fn between_the_reaper_and_the_next_claim_the_old_holder_is_fenced_too() {
    let mut world = World::new();
    let lost = world.running("42", "e1");
    world.expire();
    world.store.reap(10).expect("reaps");
    let op = world.op();
    let refused = world.store.complete(op, done(&lost)).expect_err("taken");
    assert_eq!(
        refused,
        Error::Fenced {
            held: Fence(2),
            yours: Fence(1)
        }
    );
}

#[test]
fn a_failed_attempt_is_queued_again_until_its_failures_are_used_up() {
    let mut world = World::new();
    world.accept("42", "e1");
    for (rest_ms, state) in [
        (0, TaskState::Queued),
        (5_000, TaskState::Queued),
        (0, TaskState::Dead),
    ] {
        let claimed = world.claim("w1").expect("ready");
        let op = world.op();
        let retry = Retry::After { delay_ms: rest_ms };
        assert_eq!(
            world
                .store
                .fail(op, claimed.task.clone(), claimed.fence, "boom", retry),
            Ok(state)
        );
        if rest_ms > 0 {
            assert!(world.claim("w1").is_none(), "it rests");
            world.clock.advance(rest_ms);
        }
        world.is_sound();
    }
    assert!(world.claim("w1").is_none());
}

#[test]
fn a_failure_for_good_lets_the_next_task_run() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    world.accept("42", "e2");
    let op = world.op();
    let state = world
        .store
        .fail(op, claimed.task, claimed.fence, "boom", Retry::Never);
    assert_eq!(state, Ok(TaskState::Failed));
    assert_eq!(world.claim("w1").expect("next").task.as_str(), "t-e2");
}

#[test]
fn a_queued_task_is_cancelled_at_once_and_a_running_one_through_its_worker() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let waiting = world.accept("42", "e2");
    let (a, b, c) = (world.op(), world.op(), world.op());
    let ask = CancelHow::Ask;
    assert_eq!(
        world.store.cancel(a, waiting.task, "user", ask),
        Ok(TaskState::Cancelled)
    );
    assert_eq!(
        world.store.cancel(b, claimed.task.clone(), "user", ask),
        Ok(TaskState::Running)
    );
    assert!(
        world
            .store
            .renew(claimed.session.clone(), claimed.fence, LEASE_MS)
            .expect("held")
            .cancel_asked
    );
    let own = CancelHow::Own {
        fence: claimed.fence,
    };
    assert_eq!(
        world.store.cancel(c, claimed.task, "user", own),
        Ok(TaskState::Cancelled)
    );
    assert_eq!(world.value("SELECT count(*) FROM lease"), "0");
    world.is_sound();
}

#[test]
fn a_running_task_is_cancelled_by_force_and_its_worker_is_fenced() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    world.accept("42", "e2");
    let (a, b) = (world.op(), world.op());
    let forced = world
        .store
        .cancel(a, claimed.task.clone(), "operator", CancelHow::Force);
    assert_eq!(forced, Ok(TaskState::Cancelled));
    assert_eq!(
        world
            .store
            .complete(b, done(&claimed))
            .expect_err("fenced")
            .kind(),
        "fenced"
    );
    assert_eq!(world.claim("w1").expect("next").task.as_str(), "t-e2");
    world.is_sound();
}

#[test]
fn an_ended_task_stays_as_it_ended() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let (a, b, c) = (world.op(), world.op(), world.op());
    world.store.complete(a, done(&claimed)).expect("done");
    let closed = Error::Closed {
        reason: "done".to_owned(),
    };
    assert_eq!(world.store.complete(b, done(&claimed)), Err(closed.clone()));
    assert_eq!(
        world
            .store
            .cancel(c, claimed.task, "late", CancelHow::Force),
        Err(closed)
    );
}

#[test]
fn after_its_own_turn_a_worker_is_told_that_the_turn_has_ended() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let (a, b) = (world.op(), world.op());
    world.store.complete(a, done(&claimed)).expect("done");
    let ended = Err(Error::Closed {
        reason: "the turn has ended".to_owned(),
    });
    assert_eq!(
        world.store.append(
            b,
            claimed.session.clone(),
            claimed.fence,
            1,
            vec![item("a")]
        ),
        ended
    );
    let renewed = world.store.renew(claimed.session, claimed.fence, LEASE_MS);
    assert_eq!(renewed.expect_err("ended").kind(), "closed");
}
