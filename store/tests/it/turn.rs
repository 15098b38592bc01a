//! One turn of a worker, and the ways it may end.

use crate::kit::{LEASE_MS, World, done, event_of};
use lockstep_store::{CancelHow, Complete, Error, Fence, Item, Retry, Send, Store, TaskState};

fn item(body: &str) -> Item {
    Item {
        kind: "msg".to_owned(),
        body: body.to_owned(),
    }
}

#[test]
fn a_session_is_worked_off_first_in_first_out_under_growing_fences() {
    let mut world = World::new();
    for event in ["e1", "e2", "e3"] {
        world.accept("42", event);
    }
    for (task, fence) in [("t-e1", 1), ("t-e2", 2), ("t-e3", 3)] {
        let claimed = world.claim("w1").expect("ready");
        assert_eq!((claimed.task.as_str(), claimed.fence), (task, Fence(fence)));
        assert_eq!(claimed.until_ms, 1_000_000 + LEASE_MS);
        assert!(world.claim("w2").is_none(), "one lease for a session");
        let op = world.op();
        assert_eq!(
            world.store.complete(op, done(&claimed)),
            Ok(TaskState::Done)
        );
        world.is_sound();
    }
    assert!(world.claim("w1").is_none());
}

#[test]
fn a_claim_takes_several_sessions_the_longest_ready_first() {
    let mut world = World::new();
    for (chat, event) in [("1", "e1"), ("2", "e2"), ("3", "e3")] {
        world.accept(chat, event);
        world.clock.advance(1);
    }
    let op = world.op();
    let claimed = world
        .store
        .claim(op, "w1".into(), 2, LEASE_MS)
        .expect("claims");
    let tasks: Vec<&str> = claimed
        .iter()
        .map(|claimed| claimed.task.as_str())
        .collect();
    assert_eq!(tasks, ["t-e1", "t-e2"]);
    world.is_sound();
}

#[test]
fn a_worker_of_another_class_finds_nothing() {
    let mut world = World::new();
    world.accept("42", "e1");
    assert!(world.claim("x1").is_none());
}

#[test]
fn a_session_with_a_token_goes_only_to_the_home_of_the_token() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    world
        .store
        .complete(
            op,
            Complete {
                resume_token: Some("abc".to_owned()),
                ..done(&claimed)
            },
        )
        .expect("done");
    world.accept("42", "e2");
    assert!(world.claim("w2").is_none());
    let next = world.claim("w1").expect("at home");
    assert_eq!((next.resume_token.as_deref(), next.epoch), (Some("abc"), 1));
    world.is_sound();
}

#[test]
fn everything_of_a_turn_is_one_commit() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let sends = ["k1", "k2"].map(|key| Send {
        dedup_key: key.to_owned(),
        body: "hello".to_owned(),
    });
    let turn = Complete {
        items: vec![item("a"), item("b")],
        sends: sends.to_vec(),
        ..done(&claimed)
    };
    let op = world.op();
    world.store.complete(op, turn).expect("done");
    assert_eq!(
        world.value("SELECT group_concat(seq || body || fence) FROM item"),
        "1a1,2b1"
    );
    assert_eq!(
        world.value("SELECT group_concat(n || dedup_key || state) FROM outbox"),
        "1k1pending,2k2pending"
    );
    assert_eq!(world.value("SELECT count(*) FROM lease"), "0");
    world.is_sound();
}

#[test]
fn a_message_that_was_sent_before_refuses_the_whole_turn() {
    let mut world = World::new();
    let send = || {
        vec![Send {
            dedup_key: "k1".to_owned(),
            body: "hello".to_owned(),
        }]
    };
    let first = world.running("42", "e1");
    let op = world.op();
    world
        .store
        .complete(
            op,
            Complete {
                sends: send(),
                ..done(&first)
            },
        )
        .expect("done");
    let second = world.running("42", "e2");
    let before = world.contents();
    let op = world.op();
    let refused = world.store.complete(
        op,
        Complete {
            items: vec![item("a")],
            sends: send(),
            ..done(&second)
        },
    );
    assert_eq!(
        refused,
        Err(Error::Constraint {
            name: "outbox_dedup".to_owned()
        })
    );
    assert_eq!(world.contents(), before);
}

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
fn a_renewal_prolongs_never_shortens_and_survives_a_clock_that_steps_back() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let renew = |world: &mut World| {
        world
            .store
            .renew(claimed.session.clone(), claimed.fence, LEASE_MS)
            .expect("renewed")
    };
    world.clock.advance(500);
    assert_eq!(renew(&mut world).until_ms, 1_000_500 + LEASE_MS);
    world.clock.set(1_000);
    let renewed = renew(&mut world);
    assert_eq!(
        (renewed.until_ms, renewed.left_ms),
        (1_000_500 + LEASE_MS, 999_500 + LEASE_MS)
    );
    world.is_sound();
}

#[test]
fn history_is_appended_at_the_end_that_the_holder_has_seen() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let append = |world: &mut World, seq, items| {
        let op = world.op();
        world
            .store
            .append(op, claimed.session.clone(), claimed.fence, seq, items)
    };
    assert_eq!(append(&mut world, 1, vec![item("a"), item("b")]), Ok(3));
    assert_eq!(
        append(&mut world, 2, vec![item("c")]),
        Err(Error::Stale { current: 3 })
    );
    assert_eq!(append(&mut world, 3, vec![item("c")]), Ok(4));
    assert!(matches!(
        append(&mut world, 4, vec![]),
        Err(Error::Invalid { field: "items", .. })
    ));
    world.is_sound();
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
fn an_unknown_or_gone_worker_is_told_so() {
    let mut world = World::new();
    world.accept("42", "e1");
    let (a, b) = (world.op(), world.op());
    let nobody = world
        .store
        .claim(a, "nobody".into(), 1, LEASE_MS)
        .expect_err("unknown");
    assert_eq!(nobody.kind(), "not_found");
    world
        .connection()
        .execute_batch("UPDATE worker SET state = 'gone'")
        .expect("gone");
    assert_eq!(
        world
            .store
            .claim(b, "w1".into(), 1, LEASE_MS)
            .expect_err("gone")
            .kind(),
        "closed"
    );
}

#[test]
fn an_idle_poll_writes_nothing() {
    let mut world = World::new();
    let before = world.contents();
    assert!(world.claim("w1").is_none());
    assert_eq!(world.contents(), before);
}

#[test]
fn a_lease_needs_a_length_and_a_claim_a_limit() {
    let mut world = World::new();
    let (a, b) = (world.op(), world.op());
    assert_eq!(
        world
            .store
            .claim(a, "w1".into(), 0, LEASE_MS)
            .expect_err("none")
            .kind(),
        "invalid"
    );
    assert_eq!(
        world
            .store
            .claim(b, "w1".into(), 1, 0)
            .expect_err("no time")
            .kind(),
        "invalid"
    );
    let mut event = event_of("42", "e1");
    event.max_failures = 5_000;
    let op = world.op();
    assert_eq!(
        world.store.accept(op, event).expect_err("too many").kind(),
        "invalid"
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

#[test]
fn a_session_that_is_ready_by_mistake_does_not_hold_up_the_others() {
    let mut world = World::new();
    let claimed = world.running("1", "e1");
    let op = world.op();
    world.store.complete(op, done(&claimed)).expect("done");
    world
        .connection()
        .execute_batch("UPDATE session SET head_ready_ms = 0")
        .expect("by mistake");
    world.accept("2", "e2");
    let op = world.op();
    let claimed = world
        .store
        .claim(op, "w1".into(), 10, LEASE_MS)
        .expect("claims");
    assert_eq!(claimed.len(), 1);
    world.is_sound();
}
