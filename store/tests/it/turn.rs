//! One turn of a worker: claim, renew, append, complete.

use crate::kit::{LEASE_MS, World, done, event_of, item};
use lockstep_store::{Complete, Error, Fence, Send, Store, TaskState};

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
        route: String::new(),
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
            route: String::new(),
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

#[test]
fn only_the_holder_of_the_cancelled_task_is_told() {
    let mut world = World::new();
    let cancel = |world: &mut World, task: &lockstep_store::TaskId| {
        let op = world.op();
        let how = lockstep_store::CancelHow::Ask;
        let state = world.store.cancel(op, task.clone(), "stop", how);
        assert_eq!(state, Ok(TaskState::Running));
    };
    let told = |world: &mut World, held: &lockstep_store::Claimed| {
        let renewed = world.store.renew(held.session.clone(), held.fence, 1_000);
        renewed.expect("renewed").cancel_asked
    };
    let first = world.running("42", "e1");
    let other = world.running("43", "e2");
    cancel(&mut world, &first.task);
    assert!(told(&mut world, &first));
    assert!(!told(&mut world, &other));
    // It was too late: the turn ends well, and the next one knows nothing of it.
    let op = world.op();
    world.store.complete(op, done(&first)).expect("done");
    let next = world.running("42", "e3");
    assert!(!told(&mut world, &next));
}
