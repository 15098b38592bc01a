//! Builds and workers on their way out, and the edges between classes.

use crate::kit::{LEASE_MS, World, done};
use lockstep_store::{
    Complete, Converted, Converter, Error, Fence, OpenPolicy, Reaped, Store, TaskState,
};

fn leaves_a_token(world: &mut World, event: &str) {
    let claimed = world.running("42", event);
    let op = world.op();
    let turn = Complete {
        resume_token: Some("abc".to_owned()),
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("done");
}

fn version(world: &mut World) -> i64 {
    world.store.show("s-e1".into()).expect("shown").version
}

fn migrate(world: &mut World, converted: Option<Converted>) -> Result<i64, Error> {
    let (op, version) = (world.op(), version(world));
    world
        .store
        .migrate(op, "s-e1".into(), "codex@1".into(), version, converted)
}

fn made(converter: &str) -> Option<Converted> {
    Some(Converted {
        converter: converter.to_owned(),
        token: "xyz".to_owned(),
        home: "h1".to_owned(),
    })
}

/// Replaces the world's edge by one with a converter that makes tokens.
fn with_converter(world: &mut World) {
    world
        .connection()
        .execute_batch("DELETE FROM resume_edge")
        .expect("no edge");
    let op = world.op();
    world
        .store
        .allow_move(
            op,
            "claude/1".into(),
            "codex/1".into(),
            Converter::Named("transcript".to_owned()),
        )
        .expect("edge");
}

#[test]
fn a_build_that_drains_gets_no_new_sessions_and_finishes_what_it_has() {
    let mut world = World::new();
    world.accept("42", "e1");
    let op = world.op();
    world.store.drain(op, "claude@1".into()).expect("drains");
    assert!(world.claim("w1").is_some());
    let op = world.op();
    let refused = world.store.open_or_get(
        op,
        crate::kit::key("43"),
        OpenPolicy::Adopt,
        crate::kit::new_session("new"),
    );
    assert_eq!(refused.expect_err("no current build").kind(), "not_found");
    world.is_sound();
}

#[test]
fn a_build_is_retired_when_its_workers_hold_nothing_and_never_comes_back() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    assert_eq!(
        world.store.retire(op, "claude@1".into()),
        Err(Error::Leased {
            until_ms: claimed.until_ms
        })
    );
    let op = world.op();
    world.store.complete(op, done(&claimed)).expect("done");
    for _ in 0..2 {
        let op = world.op();
        world.store.retire(op, "claude@1".into()).expect("retired");
    }
    let op = world.op();
    let back = world.store.drain(op, "claude@1".into());
    assert_eq!(
        back,
        Err(Error::Closed {
            reason: "retired".to_owned()
        })
    );
    world
        .connection()
        .execute_batch("UPDATE session SET head_ready_ms = 0")
        .expect("ready");
    let op = world.op();
    let idle = world.store.claim(op, "w1".into(), 1, LEASE_MS);
    assert_eq!(idle.expect_err("retired").kind(), "closed");
    for unknown in [0, 1] {
        let op = world.op();
        let refused = match unknown {
            0 => world.store.drain(op, "nothing".into()),
            _ => world.store.retire(op, "nothing".into()),
        };
        assert_eq!(refused.expect_err("unknown").kind(), "not_found");
    }
}

#[test]
fn a_worker_that_drains_finishes_what_it_holds_and_gets_nothing_more() {
    let mut world = World::new();
    let claimed = world.running("1", "e1");
    world.accept("2", "e2");
    let op = world.op();
    world.store.worker_drain(op, "w1".into()).expect("drains");
    assert!(world.claim("w1").is_none());
    let op = world.op();
    assert_eq!(
        world.store.complete(op, done(&claimed)),
        Ok(TaskState::Done)
    );
    assert!(world.claim("w2").is_some());
    world.is_sound();
}

#[test]
fn a_worker_that_is_gone_leaves_its_tasks_to_others_and_is_fenced() {
    let mut world = World::new();
    let first = world.running("1", "e1");
    let second = world.running("2", "e2");
    let op = world.op();
    let gone = world.store.worker_gone(op, "w1".into()).expect("gone");
    assert_eq!(
        gone,
        Reaped {
            requeued: vec![first.task.clone(), second.task.clone()],
            ..Reaped::default()
        }
    );
    let op = world.op();
    let late = world.store.complete(op, done(&first));
    assert_eq!(
        late,
        Err(Error::Fenced {
            held: Fence(2),
            yours: Fence(1)
        })
    );
    assert_eq!(world.claim("w2").expect("ready").failures, 1);
    let op = world.op();
    assert_eq!(
        world.store.worker_gone(op, "w1".into()),
        Ok(Reaped::default())
    );
    let op = world.op();
    assert_eq!(
        world
            .store
            .worker_drain(op, "w1".into())
            .expect_err("gone")
            .kind(),
        "closed"
    );
    world.is_sound();
}

#[test]
fn an_unknown_worker_is_told_so() {
    let mut world = World::new();
    let (a, b) = (world.op(), world.op());
    assert_eq!(
        world
            .store
            .worker_gone(a, "nobody".into())
            .expect_err("unknown")
            .kind(),
        "not_found"
    );
    assert_eq!(
        world
            .store
            .worker_drain(b, "nobody".into())
            .expect_err("unknown")
            .kind(),
        "not_found"
    );
}

#[test]
fn a_worker_that_died_too_often_over_a_task_buries_it() {
    let mut world = World::new();
    world.accept("42", "e1");
    for n in 1..=3 {
        let worker = format!("fresh{n}");
        let op = world.op();
        world
            .store
            .register_worker(op, worker.as_str().into(), "claude@1".into(), "h1")
            .expect("registered");
        world.claim(&worker).expect("ready");
        let op = world.op();
        let gone = world
            .store
            .worker_gone(op, worker.as_str().into())
            .expect("gone");
        assert_eq!(
            (gone.requeued.len(), gone.ended.len()),
            match n {
                3 => (0, 1),
                _ => (1, 0),
            }
        );
    }
    assert_eq!(world.value("SELECT state FROM task"), "dead");
    assert_eq!(world.value("SELECT last_error FROM task"), "worker gone");
    world.is_sound();
}

#[test]
fn an_edge_is_allowed_once() {
    let mut world = World::new();
    let allow = |world: &mut World, converter| {
        let op = world.op();
        world
            .store
            .allow_move(op, "claude/1".into(), "codex/1".into(), converter)
    };
    assert_eq!(allow(&mut world, Converter::DropToken), Ok(()));
    assert_eq!(
        allow(&mut world, Converter::ReplayItems)
            .expect_err("another")
            .kind(),
        "changed"
    );
}

#[test]
fn an_edge_is_known_by_both_its_ends() {
    let mut world = World::new();
    let allow = |world: &mut World, from: &str, to: &str, converter| {
        let op = world.op();
        world
            .store
            .allow_move(op, from.into(), to.into(), converter)
    };
    let named = || Converter::Named("transcript".to_owned());
    let edges = [("claude/1", "gemini/1"), ("gemini/1", "codex/1")];
    for _ in 0..2 {
        for (from, to) in edges {
            assert_eq!(allow(&mut world, from, to, named()), Ok(()));
        }
        let first = allow(&mut world, "claude/1", "codex/1", Converter::DropToken);
        assert_eq!(first, Ok(()));
    }
}

#[test]
fn a_converter_takes_the_token_into_the_new_class() {
    let mut world = World::new();
    with_converter(&mut world);
    leaves_a_token(&mut world, "e1");
    for wrong in [None, made("another")] {
        let refused = migrate(&mut world, wrong).expect_err("not converted");
        assert!(
            matches!(
                refused,
                Error::Invalid {
                    field: "converted",
                    ..
                }
            ),
            "{refused}"
        );
    }
    migrate(&mut world, made("transcript")).expect("moved");
    let pointer = world
        .store
        .resume("s-e1".into(), "x1".into())
        .expect("its class now");
    assert_eq!((pointer.token.as_deref(), pointer.epoch), (Some("xyz"), 2));
    world.is_sound();
}

#[test]
fn a_converter_without_a_token_has_nothing_to_convert() {
    let mut world = World::new();
    with_converter(&mut world);
    world.accept("42", "e1");
    assert_eq!(
        migrate(&mut world, made("transcript"))
            .expect_err("nothing to convert")
            .kind(),
        "invalid"
    );
    migrate(&mut world, None).expect("moved");
    world.is_sound();
}

#[test]
fn where_tokens_are_dropped_none_is_brought_along() {
    let mut world = World::new();
    leaves_a_token(&mut world, "e1");
    assert_eq!(
        migrate(&mut world, made("drop-token"))
            .expect_err("dropped")
            .kind(),
        "invalid"
    );
    let (op, version) = (world.op(), version(&mut world));
    let inside = world.store.migrate(
        op,
        "s-e1".into(),
        "claude@1".into(),
        version,
        made("drop-token"),
    );
    assert_eq!(inside.expect_err("inside the class").kind(), "invalid");
    migrate(&mut world, None).expect("moved");
    world.is_sound();
}

#[test]
fn a_lost_token_is_given_up_by_who_knows_it_and_can_say_why() {
    let mut world = World::new();
    leaves_a_token(&mut world, "e1");
    world.accept("42", "e2");
    assert!(world.claim("w2").is_none(), "not its home");
    let drop = |world: &mut World, epoch, evidence: &str| {
        let op = world.op();
        world.store.drop_resume(op, "s-e1".into(), epoch, evidence)
    };
    assert_eq!(
        drop(&mut world, 1, " ").expect_err("why?").kind(),
        "invalid"
    );
    assert_eq!(
        drop(&mut world, 0, "no such session"),
        Err(Error::Stale { current: 1 })
    );
    assert_eq!(drop(&mut world, 1, "no such session"), Ok(2));
    assert_eq!(
        drop(&mut world, 2, "again").expect_err("none").kind(),
        "invalid"
    );
    let claimed = world.claim("w2").expect("any home");
    assert_eq!((claimed.resume_token, claimed.epoch), (None, 2));
    assert_eq!(
        world.value("SELECT detail FROM audit WHERE op = 'drop_resume'"),
        "no such session"
    );
    world.is_sound();
}

#[test]
fn an_edge_that_only_begins_or_only_ends_there_leads_nowhere() {
    let mut world = World::new();
    world.accept("42", "e1");
    let op = world.op();
    world
        .store
        .register_build(op, "gemini@1".into(), "gemini", "gemini/1".into())
        .expect("build");
    let to_gemini = |world: &mut World| {
        let (op, version) = (world.op(), version(world));
        let moved = world
            .store
            .migrate(op, "s-e1".into(), "gemini@1".into(), version, None);
        moved.expect_err("no edge").kind()
    };
    assert_eq!(
        to_gemini(&mut world),
        "runtime_mismatch",
        "claude to codex is known"
    );
    let op = world.op();
    let (from, to) = ("claude/1".into(), "gemini/1".into());
    world
        .store
        .allow_move(op, from, to, Converter::DropToken)
        .expect("edge");
    migrate(&mut world, None).expect("to codex");
    assert_eq!(
        to_gemini(&mut world),
        "runtime_mismatch",
        "claude to gemini is known"
    );
}

#[test]
fn a_build_that_was_retired_gets_no_next_generation() {
    let mut world = World::new();
    world.accept("42", "e1");
    let op = world.op();
    world.store.retire(op, "claude@1".into()).expect("retired");
    let op = world.op();
    let reset = lockstep_store::Reset {
        session: "s-e1".into(),
        next: "s-next".into(),
        build: None,
        reason: "again".to_owned(),
        queued: lockstep_store::QueueFate::Move,
        force: false,
    };
    let refused = world.store.reset(op, reset);
    assert_eq!(refused.expect_err("no build").kind(), "not_found");
}

#[test]
fn the_token_of_a_closed_session_stays_as_it_was() {
    let mut world = World::new();
    leaves_a_token(&mut world, "e1");
    let op = world.op();
    world
        .store
        .close(op, "s-e1".into(), "over", false)
        .expect("closed");
    let op = world.op();
    let refused = world.store.drop_resume(op, "s-e1".into(), 1, "gone");
    assert_eq!(refused.expect_err("closed").kind(), "closed");
}

#[test]
fn a_worker_is_seen_later_or_not_at_all() {
    let mut world = World::new();
    let seen = |world: &mut World, now_ms| {
        world.clock.set(now_ms);
        world.store.worker_seen("w1".into()).expect("known");
        world.value("SELECT seen_ms FROM worker WHERE worker_id = 'w1'")
    };
    assert_eq!(seen(&mut world, 1_500_000), "1500000");
    assert_eq!(seen(&mut world, 1_400_000), "1500000");
}
