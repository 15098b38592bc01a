//! Sessions that are idle for too long are closed; those that are not, are not.

use crate::kit::{World, done, event_of, item, key};
use lockstep_store::{Complete, Error, OpenPolicy, QueueFate, Reset, Send, Store};

const IDLE_MS: i64 = 10_000;

/// A session that closes after ten idle seconds, with one task.
fn short_lived() -> World {
    let mut world = World::new();
    let mut event = event_of("42", "e1");
    event.new.idle_ms = Some(IDLE_MS);
    let op = world.op();
    world.store.accept(op, event).expect("accepted");
    world
}

fn ends(world: &mut World, sends: Vec<Send>) {
    let claimed = world.claim("w1").expect("ready");
    let op = world.op();
    let turn = Complete {
        sends,
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("done");
}

fn closed(world: &mut World) -> Vec<String> {
    let swept = world.store.sweep(10).expect("swept");
    assert!(swept.skipped.is_empty(), "{swept:?}");
    world.is_sound();
    swept.closed.iter().map(ToString::to_string).collect()
}

#[test]
fn an_idle_session_is_closed_when_its_time_is_over() {
    let mut world = short_lived();
    ends(&mut world, Vec::new());
    world.clock.advance(IDLE_MS - 1);
    assert!(closed(&mut world).is_empty());
    world.clock.advance(1);
    assert_eq!(closed(&mut world), ["s-e1"]);
    assert_eq!(
        world.store.note("late".into(), "s-e1".into(), item("x")),
        Err(Error::Closed {
            reason: "expired".to_owned()
        })
    );
    assert_eq!(world.accept("42", "e2").session.as_str(), "s-e2");
}

#[test]
fn a_session_with_an_open_task_a_lease_or_a_message_is_not_idle() {
    let mut world = short_lived();
    world.clock.advance(2 * IDLE_MS);
    assert!(closed(&mut world).is_empty(), "a task is queued");
    world.claim("w1").expect("ready");
    world.clock.advance(2 * IDLE_MS);
    assert!(closed(&mut world).is_empty(), "a worker has it");
    world.store.reap(10).expect("reaped");
    ends(
        &mut world,
        vec![Send {
            dedup_key: "k".to_owned(),
            body: "hello".to_owned(),
            route: String::new(),
        }],
    );
    world.clock.advance(2 * IDLE_MS);
    assert!(closed(&mut world).is_empty(), "a message is to be sent");
}

#[test]
fn whatever_happens_in_a_session_prolongs_it() {
    let mut world = short_lived();
    ends(&mut world, Vec::new());
    world.clock.advance(IDLE_MS - 1);
    world.accept("42", "e2");
    ends(&mut world, Vec::new());
    world.clock.advance(IDLE_MS - 1);
    assert!(closed(&mut world).is_empty());
}

#[test]
fn the_next_generation_lives_as_long() {
    let mut world = short_lived();
    ends(&mut world, Vec::new());
    let op = world.op();
    let reset = Reset {
        session: "s-e1".into(),
        next: "s-next".into(),
        build: None,
        reason: "reset".to_owned(),
        queued: QueueFate::Cancel,
        force: false,
    };
    world.store.reset(op, reset).expect("reset");
    world.clock.advance(IDLE_MS);
    assert_eq!(closed(&mut world), ["s-next"]);
}

#[test]
fn a_session_without_a_limit_lives_for_ever() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    world.store.complete(op, done(&claimed)).expect("done");
    world.clock.advance(1_000 * 24 * 60 * 60 * 1_000);
    assert!(closed(&mut world).is_empty());
    for idle_ms in [0, i64::MAX] {
        let op = world.op();
        let mut new = crate::kit::new_session("new");
        new.idle_ms = Some(idle_ms);
        let refused = world
            .store
            .open_or_get(op, key("43"), OpenPolicy::Adopt, new);
        assert_eq!(refused.expect_err("out of range").kind(), "invalid");
    }
    for limit in [0, 10_001] {
        assert_eq!(
            world.store.sweep(limit).expect_err("limit").kind(),
            "invalid"
        );
    }
}
