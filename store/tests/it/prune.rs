//! What is old goes, what is needed stays.

use crate::kit::{World, done, item};
use lockstep_store::{Complete, Pruned, QueueFate, Reset, Retry, Store, Verdict};

const HOUR_MS: i64 = 60 * 60 * 1_000;

fn ends(world: &mut World, chat: &str, event: &str) {
    let claimed = world.running(chat, event);
    let op = world.op();
    let turn = Complete {
        items: vec![item("a")],
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("done");
}

fn closes(world: &mut World, session: &str) {
    let op = world.op();
    world
        .store
        .close(op, session.into(), "over", false)
        .expect("closed");
}

fn count(world: &World, table: &str) -> String {
    world.value(&format!("SELECT count(*) FROM {table}"))
}

fn prune(world: &mut World) -> Pruned {
    let pruned = world.store.prune(HOUR_MS, 1_000).expect("pruned");
    world.is_sound();
    pruned
}

#[test]
fn an_old_closed_session_goes_with_all_that_belongs_to_it() {
    let mut world = World::new();
    ends(&mut world, "42", "e1");
    let op = world.op();
    world
        .store
        .note(op, "s-e1".into(), item("note"))
        .expect("noted");
    let op = world.op();
    world
        .store
        .put_state(op, "s-e1".into(), 0, "{}")
        .expect("put");
    closes(&mut world, "s-e1");
    assert_eq!(prune(&mut world), Pruned::default(), "too young");
    world.clock.advance(HOUR_MS + 1);
    let pruned = prune(&mut world);
    assert_eq!((pruned.sessions, pruned.inbox), (1, 1));
    for table in [
        "session",
        "task",
        "item",
        "note",
        "session_data",
        "inbox",
        "op_result",
        "audit",
    ] {
        assert_eq!(count(&world, table), "0", "{table}");
    }
    assert_eq!(prune(&mut world), Pruned::default(), "nothing is left");
}

#[test]
fn generations_do_not_begin_anew() {
    let mut world = World::new();
    ends(&mut world, "42", "e1");
    closes(&mut world, "s-e1");
    world.clock.advance(HOUR_MS + 1);
    assert_eq!(prune(&mut world).sessions, 1);
    world.accept("42", "e2");
    assert_eq!(world.store.show("s-e2".into()).expect("shown").gen_no, 2);
}

#[test]
fn what_is_active_or_open_stays_however_old_it_is() {
    let mut world = World::new();
    ends(&mut world, "42", "e1");
    world.accept("43", "e2");
    world.clock.advance(100 * HOUR_MS);
    let pruned = prune(&mut world);
    assert_eq!(
        (pruned.sessions, pruned.inbox),
        (0, 1),
        "only the ended event"
    );
    assert_eq!(count(&world, "item"), "1");
    let op = world.op();
    let again = world.store.accept(op, crate::kit::event_of("43", "e2"));
    assert_eq!(again.expect("known").verdict, Verdict::Duplicate);
}

#[test]
fn a_session_stays_while_a_message_of_it_is_not_settled() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    let turn = Complete {
        sends: vec![lockstep_store::Send {
            dedup_key: "k".to_owned(),
            body: "hello".to_owned(),
            route: String::new(),
        }],
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("done");
    closes(&mut world, "s-e1");
    world.clock.advance(HOUR_MS + 1);
    assert_eq!(prune(&mut world).sessions, 0);
    assert_eq!(count(&world, "outbox"), "1");
}

/// An attempt in one generation, the end in the next: both leave history behind.
#[test]
fn a_task_that_was_moved_goes_with_its_last_session_and_the_first_after_it() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    world
        .store
        .append(op, "s-e1".into(), claimed.fence, 1, vec![item("a")])
        .expect("appended");
    let op = world.op();
    world
        .store
        .fail(
            op,
            claimed.task,
            claimed.fence,
            "broken",
            Retry::After { delay_ms: 0 },
        )
        .expect("queued again");
    let op = world.op();
    let reset = Reset {
        session: "s-e1".into(),
        next: "s-next".into(),
        build: None,
        reason: "reset".to_owned(),
        queued: QueueFate::Move,
        force: false,
    };
    world.store.reset(op, reset).expect("reset");
    world.clock.advance(HOUR_MS + 1);
    assert_eq!(prune(&mut world).sessions, 0, "its task is still open");
    let claimed = world.claim("w1").expect("moved");
    let op = world.op();
    world.store.complete(op, done(&claimed)).expect("done");
    closes(&mut world, "s-next");
    world.clock.advance(HOUR_MS + 1);
    let rounds: Vec<u64> = (0..3).map(|_| prune(&mut world).sessions).collect();
    assert_eq!(rounds, [1, 1, 0]);
    for table in ["session", "task", "item"] {
        assert_eq!(count(&world, table), "0", "{table}");
    }
}

#[test]
fn a_limit_bounds_one_call_and_the_next_goes_on() {
    let mut world = World::new();
    for chat in ["1", "2", "3"] {
        ends(&mut world, chat, &format!("e{chat}"));
        closes(&mut world, &format!("s-e{chat}"));
    }
    world.clock.advance(HOUR_MS + 1);
    let sizes: Vec<u64> = (0..3)
        .map(|_| world.store.prune(HOUR_MS, 2).expect("pruned").sessions)
        .collect();
    assert_eq!(sizes, [2, 1, 0]);
    for (keep_ms, limit) in [(-1, 1), (i64::MAX, 1), (0, 0), (0, 10_001)] {
        let refused = world.store.prune(keep_ms, limit);
        assert_eq!(refused.expect_err("out of range").kind(), "invalid");
    }
}

#[test]
fn an_op_id_whose_answer_was_forgotten_is_work_once_more() {
    let mut world = World::new();
    let session = world.accept("42", "e1").session;
    let note = |world: &mut World| {
        world
            .store
            .note("old".into(), session.clone(), item("seen"))
    };
    assert_eq!(note(&mut world), Ok(1));
    assert_eq!(note(&mut world), Ok(1));
    // As a prune does that comes to its limit between the two tables.
    let forget = "DELETE FROM op_result WHERE op_id = 'old'";
    world.connection().execute(forget, []).expect("forgets");
    assert_eq!(note(&mut world), Ok(2));
}
