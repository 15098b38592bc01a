//! A task again: given back, put to rest, done once more.

use crate::kit::{World, done};
use lockstep_store::{CancelHow, Claimed, Error, Fence, Retry, Store, TaskId, TaskState};

fn give_back(world: &mut World, claimed: &Claimed) -> Result<TaskState, Error> {
    let op = world.op();
    world
        .store
        .give_back(op, claimed.task.clone(), claimed.fence)
}

fn snooze(world: &mut World, claimed: &Claimed, delay_ms: i64) -> Result<TaskState, Error> {
    let op = world.op();
    world
        .store
        .snooze(op, claimed.task.clone(), claimed.fence, delay_ms)
}

/// A task of its own, ended by its worker.
fn failed(world: &mut World, event: &str) -> TaskId {
    let claimed = world.running("42", event);
    let op = world.op();
    let ended = world.store.fail(
        op,
        claimed.task.clone(),
        claimed.fence,
        "broken",
        Retry::Never,
    );
    assert_eq!(ended, Ok(TaskState::Failed));
    claimed.task
}

#[test]
fn a_task_that_was_given_back_is_claimed_again_at_once_and_has_not_failed() {
    let mut world = World::new();
    let first = world.running("42", "e1");
    world.accept("42", "e2");
    assert_eq!(give_back(&mut world, &first), Ok(TaskState::Queued));
    let second = world.claim("w2").expect("ready");
    assert_eq!((&second.task, second.fence), (&first.task, Fence(2)));
    assert_eq!((second.attempt, second.failures), (2, 0));
    world.is_sound();
}

#[test]
fn a_task_that_rests_holds_back_its_session_and_does_not_fail() {
    let mut world = World::new();
    let mut claimed = world.running("42", "e1");
    world.accept("42", "e2");
    for attempt in 1..=5 {
        assert_eq!(snooze(&mut world, &claimed, 500), Ok(TaskState::Queued));
        assert!(world.claim("w1").is_none());
        world.clock.advance(500);
        claimed = world.claim("w1").expect("rested");
        assert_eq!(claimed.task.as_str(), "t-e1");
        assert_eq!((claimed.attempt, claimed.failures), (attempt + 1, 0));
    }
    world.is_sound();
}

#[test]
fn what_is_given_back_after_a_request_to_cancel_is_cancelled() {
    let mut world = World::new();
    for event in ["e1", "e2"] {
        let claimed = world.running(event, event);
        let op = world.op();
        world
            .store
            .cancel(op, claimed.task.clone(), "stop", CancelHow::Ask)
            .expect("asked");
        let ended = match event {
            "e1" => give_back(&mut world, &claimed),
            _ => snooze(&mut world, &claimed, 10),
        };
        assert_eq!(ended, Ok(TaskState::Cancelled));
        world.is_sound();
    }
}

#[test]
fn only_the_holder_gives_back() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    world.expire();
    world.store.reap(10).expect("reaped");
    let fenced = Error::Fenced {
        held: Fence(2),
        yours: Fence(1),
    };
    assert_eq!(give_back(&mut world, &claimed), Err(fenced.clone()));
    assert_eq!(snooze(&mut world, &claimed, 0), Err(fenced));
    let next = world.claim("w1").expect("queued again");
    let op = world.op();
    world.store.complete(op, done(&next)).expect("done");
    let closed = give_back(&mut world, &next);
    assert_eq!(
        closed,
        Err(Error::Closed {
            reason: "done".to_owned()
        })
    );
    let unknown = Claimed {
        task: "nothing".into(),
        ..next.clone()
    };
    assert_eq!(
        give_back(&mut world, &unknown).expect_err("unknown").kind(),
        "not_found"
    );
    assert_eq!(
        snooze(&mut world, &next, -1).expect_err("backwards").kind(),
        "invalid"
    );
}

#[test]
fn what_failed_is_done_once_more_as_a_task_of_its_own() {
    let mut world = World::new();
    let task = failed(&mut world, "e1");
    world.accept("42", "e2");
    let op = world.op();
    let session = world
        .store
        .retry(op, task.clone(), "again".into())
        .expect("queued");
    assert_eq!(session.as_str(), "s-e1");
    for expected in ["t-e2", "again"] {
        let claimed = world.claim("w1").expect("ready");
        assert_eq!(claimed.task.as_str(), expected);
        assert_eq!(claimed.kind, "turn");
        let op = world.op();
        world.store.complete(op, done(&claimed)).expect("done");
    }
    assert_eq!(
        world.value("SELECT input FROM task WHERE task_id = 'again'"),
        "body of e1"
    );
    assert_eq!(
        world.value("SELECT state FROM task WHERE task_id = 't-e1'"),
        "failed"
    );
    world.is_sound();
}

#[test]
fn a_retry_wakes_an_idle_session_and_finds_the_next_generation() {
    let mut world = World::new();
    let task = failed(&mut world, "e1");
    let op = world.op();
    world
        .store
        .close(op, "s-e1".into(), "over", false)
        .expect("closed");
    let op = world.op();
    let refused = world.store.retry(op, task.clone(), "again".into());
    assert_eq!(
        refused,
        Err(Error::Closed {
            reason: "no active session".to_owned()
        })
    );
    let claimed = world.running("42", "e2");
    let op = world.op();
    world.store.complete(op, done(&claimed)).expect("done");
    let op = world.op();
    let session = world.store.retry(op, task, "again".into());
    assert_eq!(session, Ok("s-e2".into()));
    assert_eq!(world.claim("w1").expect("ready").task.as_str(), "again");
    world.is_sound();
}

#[test]
fn each_task_is_retried_at_most_once_and_only_if_it_failed() {
    let mut world = World::new();
    let task = failed(&mut world, "e1");
    let op = world.op();
    world
        .store
        .retry(op, task.clone(), "again".into())
        .expect("queued");
    let before = world.contents();
    let op = world.op();
    let twice = world.store.retry(op, task.clone(), "more".into());
    assert_eq!(
        twice,
        Err(Error::Constraint {
            name: "task_retry_of".to_owned()
        })
    );
    let op = world.op();
    let running = world.store.retry(op, "again".into(), "more".into());
    assert_eq!(
        running,
        Err(Error::Closed {
            reason: "queued".to_owned()
        })
    );
    let op = world.op();
    let unknown = world.store.retry(op, "nothing".into(), "more".into());
    assert_eq!(unknown.expect_err("unknown").kind(), "not_found");
    assert_eq!(world.contents(), before);
}

#[test]
fn a_retry_waits_its_turn_behind_what_runs() {
    let mut world = World::new();
    let task = failed(&mut world, "e1");
    world.running("42", "e2");
    let op = world.op();
    world.store.retry(op, task, "again".into()).expect("queued");
    assert_eq!(world.value("SELECT head_ready_ms FROM session"), "null");
    assert!(world.claim("w2").is_none());
    world.is_sound();
}
