//! Services in other languages run the same statements without the Rust around them: what no law of the schema refuses is
//! refused by the statement itself.

use crate::kit::{World, done, statements};
use lockstep_store::{Ask, Store};
use rusqlite::ToSql;

/// How many rows a statement changes or answers when it is run by itself.
fn rows(world: &World, name: &str, params: &[(&str, &dyn ToSql)]) -> usize {
    let sql = statements();
    let text = sql.text(name).expect("known");
    let mut query = world.connection().prepare(text).expect("prepares");
    if query.column_count() == 0 {
        return query.execute(params).expect("runs");
    }
    let found = query.query_map(params, |_| Ok(())).expect("runs");
    found.count()
}

#[test]
fn an_active_session_is_not_pruned() {
    let mut world = World::new();
    let held = world.running("42", "e1");
    let op = world.op();
    world.store.complete(op, done(&held)).expect("done");
    let gone = "DELETE FROM inbox; DELETE FROM task";
    world
        .connection()
        .execute_batch(gone)
        .expect("an empty session");
    assert_eq!(rows(&world, "prune_session", &[(":session", &"s-e1")]), 0);
}

#[test]
fn a_closed_session_is_not_closed_again() {
    let mut world = World::new();
    world.accept("42", "e1");
    let op = world.op();
    world
        .store
        .close(op, "s-e1".into(), "over", false)
        .expect("closed");
    let params: &[(&str, &dyn ToSql)] = &[
        (":session", &"s-e1"),
        (":reason", &"again"),
        (":take", &0),
        (":now", &1),
    ];
    assert_eq!(rows(&world, "session_close", params), 0);
    assert_eq!(world.value("SELECT close_reason FROM session"), "over");
}

#[test]
fn what_has_ended_is_no_head_of_a_queue() {
    let mut world = World::new();
    let held = world.running("42", "e1");
    let op = world.op();
    world.store.complete(op, done(&held)).expect("done");
    world.clock.advance(5);
    world.accept("42", "e2");
    assert_eq!(rows(&world, "session_ready", &[(":session", &"s-e1")]), 1);
    assert_eq!(world.value("SELECT head_ready_ms FROM session"), "1000005");
}

#[test]
fn a_task_that_rests_is_not_woken_as_if_it_had_asked() {
    let mut world = World::new();
    let held = world.running("42", "e1");
    let op = world.op();
    world
        .store
        .snooze(op, held.task, held.fence, 500)
        .expect("rests");
    let params: &[(&str, &dyn ToSql)] = &[(":task", &"t-e1"), (":now", &7)];
    assert_eq!(rows(&world, "task_resume", params), 0);
    let held = {
        world.clock.advance(500);
        world.claim("w1").expect("rested")
    };
    let op = world.op();
    let ask = Ask {
        task: held.task,
        fence: held.fence,
        prompt: "p1".into(),
        choices: Vec::new(),
        text_ok: true,
        expires_in_ms: 1_000,
        items: Vec::new(),
        sends: Vec::new(),
        resume_token: None,
    };
    world.store.ask(op, ask).expect("asked");
    assert_eq!(rows(&world, "task_resume", params), 1);
}

#[test]
fn a_retired_build_gets_no_worker() {
    let mut world = World::new();
    let params: &[(&str, &dyn ToSql)] = &[
        (":worker", &"new"),
        (":build", &"claude@1"),
        (":home", &"h1"),
        (":now", &1),
    ];
    let op = world.op();
    world.store.retire(op, "claude@1".into()).expect("retired");
    assert_eq!(rows(&world, "worker_put", params), 0);
}
