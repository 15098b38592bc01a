//! Sessions that are idle for too long are closed; those that are not, are not.

use crate::kit::{World, done, event_of, item, key, message, question};
use std::cell::Cell;

use lockstep_store::{
    Ask, Clock, Complete, Error, OpenPolicy, QueueFate, Reset, Send, SqliteStore, Statements, Store,
};

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
    ends(&mut world, vec![message("k")]);
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

/// A session that closes soon, one whose question expires, and one whose message is being sent.
fn three_kinds(world: &mut World, n: usize) {
    let opened = |world: &mut World, kind: &str, idle_ms| {
        let name = format!("{kind}{n}");
        let mut new = event_of("42", &name).new;
        new.idle_ms = idle_ms;
        let op = world.op();
        let policy = OpenPolicy::Adopt;
        world
            .store
            .open_or_get(op, key(&name), policy, new)
            .expect("opened");
        name
    };
    opened(world, "idle", Some(1));
    let asks = opened(world, "asks", None);
    let claimed = world.running(&asks, &format!("e-{asks}"));
    let ask = Ask {
        sends: vec![message("k")],
        ..question(&claimed, &asks, 1)
    };
    let op = world.op();
    world.store.ask(op, ask).expect("asked");
    let op = world.op();
    world
        .store
        .claim_send(op, "sender", "", 1, 1)
        .expect("sends");
}

#[test]
fn each_row_that_is_due_is_told_and_a_limit_is_for_each_kind() {
    let mut world = World::new();
    for n in 0..3 {
        three_kinds(&mut world, n);
    }
    world.clock.advance(1);
    for size in [2, 1, 0] {
        let swept = world.store.sweep(2).expect("swept");
        let sizes = (swept.expired.len(), swept.unknown.len(), swept.closed.len());
        assert_eq!(sizes, (size, size, size), "{swept:?}");
        world.is_sound();
    }
}

#[test]
fn what_is_not_idle_does_not_stand_in_the_way_of_what_is() {
    let mut world = World::new();
    let open = |world: &mut World, name: &str| {
        let mut new = event_of("42", name).new;
        new.idle_ms = Some(IDLE_MS);
        let op = world.op();
        let policy = OpenPolicy::Adopt;
        world
            .store
            .open_or_get(op, key(name), policy, new)
            .expect("opened");
        world.clock.advance(1);
    };
    open(&mut world, "closed");
    let op = world.op();
    world
        .store
        .close(op, "s-closed".into(), "over", false)
        .expect("closed");
    open(&mut world, "works");
    world.accept("works", "e1");
    open(&mut world, "sends");
    let claimed = world.claim("w1").expect("work");
    let op = world.op();
    let turn = Complete {
        sends: vec![message("k")],
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("done");
    world.accept("sends", "e2");
    world.clock.advance(1);
    open(&mut world, "idle");
    world.clock.advance(IDLE_MS);
    let swept = world.store.sweep(1).expect("swept");
    assert_eq!(swept.closed, ["s-idle".into()]);
}

#[test]
fn a_session_whose_messages_are_settled_may_be_idle() {
    let mut world = short_lived();
    ends(&mut world, vec![message("k")]);
    let op = world.op();
    let sending = world
        .store
        .claim_send(op, "sender", "", 1, 1_000)
        .expect("sends");
    let (op, one) = (world.op(), &sending[0]);
    world
        .store
        .sent(op, one.session.clone(), one.n, one.send_no, "id")
        .expect("sent");
    world.clock.advance(IDLE_MS);
    assert_eq!(closed(&mut world), ["s-e1"]);
}

#[test]
fn a_row_that_cannot_be_swept_is_named_and_does_not_stop_the_others() {
    let mut world = World::new();
    for n in 0..2 {
        three_kinds(&mut world, n);
    }
    world.clock.advance(1);
    let refuse = "CREATE TRIGGER bad BEFORE UPDATE ON outbox WHEN OLD.session_id = 's-asks0'
        BEGIN SELECT RAISE(ABORT, 'bad'); END";
    world.connection().execute_batch(refuse).expect("a trigger");
    let swept = world.store.sweep(10).expect("swept");
    let name = swept
        .skipped
        .iter()
        .map(|(name, why)| format!("{name}: {why}"));
    assert_eq!(name.collect::<Vec<_>>(), ["s-asks0/1: refused by bad"]);
    assert_eq!(swept.unknown, [("s-asks1".into(), 1)]);
    assert_eq!((swept.expired.len(), swept.closed.len()), (2, 2));
}

/// Late when it is read for the first time, early from then on.
#[derive(Default)]
struct SetBack {
    readings: Cell<u32>,
}

impl Clock for SetBack {
    fn now_ms(&self) -> i64 {
        self.readings.set(self.readings.get() + 1);
        match self.readings.get() {
            1 => 9_000_000,
            _ => 1_000_100,
        }
    }
}

/// Found by the sweep of the default world: a clock that is set back between the list and the row.
#[test]
fn a_question_whose_time_is_not_over_any_more_stays_open() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    let ask = question(&claimed, "q", 60_000);
    world.store.ask(op, ask).expect("asks");
    let conn = world.store.into_connection();
    let clock = SetBack::default();
    let mut store = SqliteStore::from_ready_connection(conn, clock, Statements::reference());
    let swept = store.sweep(10).expect("swept");
    assert!(swept.expired.is_empty(), "{swept:?}");
}
