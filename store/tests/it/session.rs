//! A session's life besides its turns.

use crate::kit::{World, done, item, key, new_session};
use lockstep_store::{Complete, Error, OpenPolicy, QueueFate, Reset, Store};

fn reset(next: &str, queued: QueueFate, force: bool) -> Reset {
    Reset {
        session: "s-e1".into(),
        next: next.into(),
        build: None,
        reason: "reset".to_owned(),
        queued,
        force,
    }
}

#[test]
fn open_or_get_adopts_fails_or_replaces() {
    let mut world = World::new();
    let open = |world: &mut World, policy, name| {
        let op = world.op();
        world
            .store
            .open_or_get(op, key("42"), policy, new_session(name))
    };
    let first = open(&mut world, OpenPolicy::Adopt, "a").expect("opened");
    assert_eq!((first.created, first.gen_no), (true, 1));
    let second = open(&mut world, OpenPolicy::Adopt, "b").expect("adopted");
    assert_eq!((second.created, second.session), (false, first.session));
    assert_eq!(
        open(&mut world, OpenPolicy::Fail, "c")
            .expect_err("active")
            .kind(),
        "closed"
    );
    let next = open(&mut world, OpenPolicy::Replace, "d").expect("replaced");
    assert_eq!(
        (next.created, next.gen_no, next.session.as_str()),
        (true, 2, "s-d")
    );
    world.is_sound();
}

#[test]
fn closing_ends_everything_open_and_needs_force_under_a_lease() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    world.accept("42", "e2");
    let (a, b, c) = (world.op(), world.op(), world.op());
    let leased = Error::Leased {
        until_ms: claimed.until_ms,
    };
    assert_eq!(
        world.store.close(a, "s-e1".into(), "idle", false),
        Err(leased)
    );
    let closed = world
        .store
        .close(b, "s-e1".into(), "operator", true)
        .expect("forced");
    assert_eq!(closed.cancelled.len(), 2);
    assert_eq!(
        world
            .store
            .complete(c, done(&claimed))
            .expect_err("fenced")
            .kind(),
        "fenced"
    );
    assert!(!world.store.show("s-e1".into()).expect("shown").active);
    world.is_sound();
}

#[test]
fn a_reset_cancels_the_queue_and_opens_the_next_generation() {
    let mut world = World::new();
    world.accept("42", "e1");
    let op = world.op();
    let was = world
        .store
        .reset(op, reset("s2", QueueFate::Cancel, false))
        .expect("reset");
    assert_eq!(
        (was.gen_no, was.cancelled.len(), was.moved.len()),
        (2, 1, 0)
    );
    assert_eq!(world.accept("42", "e2").session.as_str(), "s2");
    world.is_sound();
}

#[test]
fn a_reset_moves_the_queue_in_order_also_of_a_task_that_was_tried_before() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    let items = vec![item("half")];
    world
        .store
        .append(op, claimed.session.clone(), claimed.fence, 1, items)
        .expect("appended");
    world.accept("42", "e2");
    world.expire();
    world.store.reap(1).expect("reaped");
    let op = world.op();
    let was = world
        .store
        .reset(op, reset("s2", QueueFate::Move, false))
        .expect("reset");
    assert_eq!(was.moved.len(), 2);
    world.is_sound();
    assert_eq!(world.claim("w1").expect("moved").task.as_str(), "t-e1");
    assert_eq!(world.value("SELECT session_id FROM item"), "s-e1");
    world.is_sound();
}

/// Found by a simulated run (seed 10023168679344629413): fences that began anew in the next generation gave a moved task
/// the number that its first, expired holder still had.
#[test]
fn the_holder_of_a_moved_task_stays_fenced_in_the_next_generation() {
    let mut world = World::new();
    let stale = world.running("42", "e1");
    world.expire();
    world.store.reap(1).expect("reaped");
    let op = world.op();
    let moved = reset("s2", QueueFate::Move, false);
    world.store.reset(op, moved).expect("reset");
    let fresh = world.claim("w1").expect("moved");
    assert_eq!(fresh.task, stale.task);
    assert!(
        fresh.fence > stale.fence,
        "fences go on in the next generation"
    );
    let op = world.op();
    let refused = world.store.complete(op, done(&stale)).expect_err("stale");
    assert_eq!(refused.kind(), "fenced");
    world.is_sound();
}

#[test]
fn a_forced_reset_ends_what_runs_and_moves_what_waits_its_turn() {
    let mut world = World::new();
    world.running("42", "e1");
    world.accept("42", "e2");
    let (a, b) = (world.op(), world.op());
    let refused = world.store.reset(a, reset("s2", QueueFate::Move, false));
    assert_eq!(refused.expect_err("held").kind(), "leased");
    let was = world
        .store
        .reset(b, reset("s2", QueueFate::Move, true))
        .expect("forced");
    assert_eq!(
        (was.cancelled[0].as_str(), was.moved[0].as_str()),
        ("t-e1", "t-e2")
    );
    let ended = "SELECT end_fence FROM task WHERE task_id = 't-e1'";
    assert_eq!(world.value(ended), "1");
    world.is_sound();
}

#[test]
fn the_next_generation_may_run_another_runtime() {
    let mut world = World::new();
    world.accept("42", "e1");
    let op = world.op();
    let other = Reset {
        build: Some("codex@1".into()),
        ..reset("s2", QueueFate::Move, false)
    };
    world.store.reset(op, other).expect("reset");
    assert!(world.claim("w1").is_none());
    assert_eq!(
        world.claim("x1").expect("codex's now").session.as_str(),
        "s2"
    );
    world.is_sound();
}

#[test]
fn a_token_is_replaced_by_the_holder_who_knows_its_epoch() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let set = |world: &mut World, token: &str, epoch| {
        let op = world.op();
        world
            .store
            .set_resume(op, claimed.session.clone(), claimed.fence, token, epoch)
    };
    assert_eq!(set(&mut world, "a", 0), Ok(1));
    assert_eq!(set(&mut world, "b", 0), Err(Error::Stale { current: 1 }));
    assert_eq!(set(&mut world, "b", 1), Ok(2));
    world.is_sound();
}

#[test]
fn a_token_is_told_only_to_its_class_and_home() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    let turn = Complete {
        resume_token: Some("abc".to_owned()),
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("done");
    let pointer = world
        .store
        .resume("s-e1".into(), "w1".into())
        .expect("at home");
    assert_eq!((pointer.token.as_deref(), pointer.epoch), (Some("abc"), 1));
    for stranger in ["w2", "x1"] {
        let refused = world
            .store
            .resume("s-e1".into(), stranger.into())
            .expect_err("not at home");
        let Error::RuntimeMismatch { bound, yours } = refused else {
            unreachable!("{refused}")
        };
        assert_eq!(bound.class.as_str(), "claude/1");
        assert_ne!(bound, yours);
    }
}

#[test]
fn a_session_without_a_token_begins_anywhere_in_its_class() {
    let mut world = World::new();
    world.accept("42", "e1");
    for worker in ["w1", "w2"] {
        assert_eq!(
            world
                .store
                .resume("s-e1".into(), worker.into())
                .expect("class")
                .token,
            None
        );
    }
    assert_eq!(
        world
            .store
            .resume("s-e1".into(), "x1".into())
            .expect_err("class")
            .kind(),
        "runtime_mismatch"
    );
}

#[test]
fn a_migration_follows_an_edge_drops_the_token_and_needs_the_version() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let version = world.store.show("s-e1".into()).expect("shown").version;
    let op = world.op();
    let under_lease = world
        .store
        .migrate(op, "s-e1".into(), "codex@1".into(), version, None);
    assert_eq!(
        under_lease,
        Err(Error::Leased {
            until_ms: claimed.until_ms
        })
    );
    let op = world.op();
    let turn = Complete {
        resume_token: Some("abc".to_owned()),
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("done");
    let op = world.op();
    let stale = world
        .store
        .migrate(op, "s-e1".into(), "codex@1".into(), version, None);
    assert_eq!(
        stale,
        Err(Error::Stale {
            current: version + 1
        })
    );
    let op = world.op();
    assert_eq!(
        world
            .store
            .migrate(op, "s-e1".into(), "codex@1".into(), version + 1, None),
        Ok(version + 2)
    );
    let shown = world.store.show("s-e1".into()).expect("shown");
    assert_eq!(
        (shown.class.as_str(), shown.resume_token, shown.epoch),
        ("codex/1", None, 2)
    );
    let op = world.op();
    let back = world
        .store
        .migrate(op, "s-e1".into(), "claude@1".into(), version + 2, None);
    assert_eq!(back.expect_err("no edge back").kind(), "runtime_mismatch");
    world.is_sound();
}

#[test]
fn inside_its_class_a_session_moves_freely_and_keeps_its_token() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let (a, b, c) = (world.op(), world.op(), world.op());
    let turn = Complete {
        resume_token: Some("abc".to_owned()),
        ..done(&claimed)
    };
    world.store.complete(a, turn).expect("done");
    world
        .store
        .register_build(b, "claude@2".into(), "claude", "claude/1".into())
        .expect("build");
    let version = world.store.show("s-e1".into()).expect("shown").version;
    world
        .store
        .migrate(c, "s-e1".into(), "claude@2".into(), version, None)
        .expect("moved");
    let shown = world.store.show("s-e1".into()).expect("shown");
    assert_eq!(
        (shown.build.as_str(), shown.resume_token.as_deref()),
        ("claude@2", Some("abc"))
    );
}

#[test]
fn two_sessions_cannot_share_a_token() {
    let mut world = World::new();
    for (chat, event) in [("1", "e1"), ("2", "e2")] {
        let claimed = world.running(chat, event);
        let op = world.op();
        let turn = Complete {
            resume_token: Some("abc".to_owned()),
            ..done(&claimed)
        };
        let ended = world.store.complete(op, turn);
        if event == "e2" {
            assert_eq!(
                ended,
                Err(Error::Constraint {
                    name: "session_one_token".to_owned()
                })
            );
        }
    }
}
