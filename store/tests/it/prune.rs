//! What is old goes, what is needed stays.

use crate::kit::{World, done, item, key, message, new_session, question};
use lockstep_store::{
    Ask, Claimed, Complete, OpenPolicy, Pruned, QueueFate, Reset, Retry, Store, Verdict,
};

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
        sends: vec![message("k")],
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

fn reset_of(session: &str, next: &str) -> Reset {
    Reset {
        session: session.into(),
        next: next.into(),
        build: None,
        reason: "reset".to_owned(),
        queued: QueueFate::Move,
        force: false,
    }
}

/// A task that left something behind in `s-e1`, ended in `s-next`, and whose first session cannot go yet.
fn left_behind(leave: fn(&mut World, &Claimed)) -> World {
    let mut world = World::new();
    let first = world.running("42", "e1");
    let op = world.op();
    let sends = vec![message("unsettled")];
    world
        .store
        .complete(
            op,
            Complete {
                sends,
                ..done(&first)
            },
        )
        .expect("done");
    let held = world.running("42", "e2");
    leave(&mut world, &held);
    let op = world.op();
    world
        .store
        .reset(op, reset_of("s-e1", "s-next"))
        .expect("reset");
    let held = world.claim("w1").expect("moved");
    let op = world.op();
    world.store.complete(op, done(&held)).expect("done");
    closes(&mut world, "s-next");
    world.clock.advance(HOUR_MS + 1);
    world
}

/// The first session keeps its message, and so all that belongs to it; the second keeps the task.
fn keeps_the_task(mut world: World) {
    assert_eq!(prune(&mut world).sessions, 0);
    assert_eq!(
        world.value("SELECT count(*) FROM task WHERE task_id = 't-e2'"),
        "1"
    );
    let settle = "UPDATE outbox SET state = 'dropped', ended_ms = 0, ready_ms = NULL, sender = NULL, until_ms = NULL";
    world.connection().execute(settle, []).expect("settled");
    let rounds: u64 = (0..3).map(|_| prune(&mut world).sessions).sum();
    assert_eq!((rounds, count(&world, "task").as_str()), (2, "0"));
}

fn gives_back(world: &mut World, held: &Claimed) {
    let op = world.op();
    let back = world.store.give_back(op, held.task.clone(), held.fence);
    back.expect("given back");
}

#[test]
fn a_task_stays_while_its_history_in_an_older_session_does() {
    keeps_the_task(left_behind(|world, held| {
        let op = world.op();
        let items = vec![item("a")];
        let appended = world
            .store
            .append(op, held.session.clone(), held.fence, 1, items);
        appended.expect("appended");
        gives_back(world, held);
    }));
}

#[test]
fn a_task_stays_while_its_message_in_an_older_session_does() {
    keeps_the_task(left_behind(|world, held| {
        let op = world.op();
        let ask = Ask {
            sends: vec![message("a question")],
            ..question(held, "p1", 1_000)
        };
        world.store.ask(op, ask).expect("asked");
        let op = world.op();
        world.store.revoke(op, "p1".into()).expect("withdrawn");
    }));
}

#[test]
fn a_task_stays_while_the_one_that_did_it_again_does() {
    let mut world = World::new();
    let held = world.running("42", "e1");
    let op = world.op();
    let failed = world
        .store
        .fail(op, held.task, held.fence, "broken", Retry::Never);
    failed.expect("failed");
    let op = world.op();
    world
        .store
        .reset(op, reset_of("s-e1", "s-next"))
        .expect("reset");
    let op = world.op();
    world
        .store
        .retry(op, "t-e1".into(), "t-again".into())
        .expect("queued");
    world.clock.advance(HOUR_MS + 1);
    assert_eq!(prune(&mut world).sessions, 0);
    assert_eq!(
        world.value("SELECT count(*) FROM task WHERE task_id = 't-e1'"),
        "1"
    );
}

#[test]
fn the_highest_generation_that_went_is_kept_for_each_chat() {
    let mut world = World::new();
    let generations = |world: &World| {
        world.value("SELECT group_concat(pruned_gen) FROM (SELECT pruned_gen FROM conversation ORDER BY conv_id)")
    };
    let first = world.running("42", "e1");
    world.accept("43", "e0");
    let op = world.op();
    let sends = vec![message("unsettled")];
    world
        .store
        .complete(
            op,
            Complete {
                sends,
                ..done(&first)
            },
        )
        .expect("done");
    for (from, to) in [("s-e1", "s-2"), ("s-2", "s-3")] {
        let op = world.op();
        world.store.reset(op, reset_of(from, to)).expect("reset");
    }
    world.clock.advance(HOUR_MS + 1);
    assert_eq!(prune(&mut world).sessions, 1, "the first has a message");
    assert_eq!(generations(&world), "0,2");
    let settle = "UPDATE outbox SET state = 'dropped', ended_ms = 0, ready_ms = NULL";
    world.connection().execute(settle, []).expect("settled");
    assert_eq!(prune(&mut world).sessions, 1);
    assert_eq!(generations(&world), "0,2");
}

#[test]
fn a_limit_is_for_each_kind_of_row() {
    let mut world = World::new();
    for chat in ["1", "2", "3"] {
        ends(&mut world, chat, &format!("e{chat}"));
        closes(&mut world, &format!("s-e{chat}"));
    }
    world.clock.advance(HOUR_MS + 1);
    let one = Pruned {
        op_results: 1,
        audit: 1,
        inbox: 1,
        sessions: 0,
    };
    assert_eq!(
        world.store.prune(HOUR_MS, 1),
        Ok(Pruned { sessions: 1, ..one })
    );
    assert_eq!(count(&world, "session"), "2");
}

#[test]
fn a_limit_is_for_sessions_too() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        let op = world.op();
        let (policy, new) = (OpenPolicy::Adopt, new_session(name));
        world
            .store
            .open_or_get(op, key(name), policy, new)
            .expect("opened");
        closes(&mut world, &format!("s-{name}"));
    }
    world.clock.advance(HOUR_MS + 1);
    let sizes: Vec<u64> = (0..3)
        .map(|_| world.store.prune(HOUR_MS, 2).expect("pruned").sessions)
        .collect();
    assert_eq!(sizes, [2, 1, 0]);
}
