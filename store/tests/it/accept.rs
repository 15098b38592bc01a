//! How work comes in.

use crate::kit::{World, event_of};
use lockstep_store::{Error, Store, Verdict};

#[test]
fn the_first_event_of_a_chat_opens_its_session_and_queues_a_task() {
    let mut world = World::new();
    let first = world.accept("42", "e1");
    assert_eq!(
        (first.verdict, first.task.as_str(), first.session.as_str()),
        (Verdict::Task, "t-e1", "s-e1")
    );
    let second = world.accept("42", "e2");
    assert_eq!(second.session.as_str(), "s-e1");
    assert_eq!(
        world.value("SELECT group_concat(task_id || pos) FROM task"),
        "t-e11,t-e22"
    );
    world.is_sound();
}

#[test]
fn a_redelivery_under_its_own_op_id_gets_the_first_answer() {
    let mut world = World::new();
    let first = world.accept("42", "e1");
    let mut again = event_of("42", "e1");
    again.task = "t-other".into();
    again.new.session = "s-other".into();
    let op = world.op();
    let second = world.store.accept(op, again).expect("accepted");
    assert_eq!(second.verdict, Verdict::Duplicate);
    assert_eq!(
        (&second.task, &second.session),
        (&first.task, &first.session)
    );
    assert_eq!(world.value("SELECT count(*) FROM task"), "1");
    assert_eq!(world.value("SELECT seen FROM inbox"), "2");
}

#[test]
fn the_same_event_with_another_body_is_reported_and_does_nothing() {
    let mut world = World::new();
    world.accept("42", "e1");
    let mut other = event_of("42", "e1");
    other.body = "something else".to_owned();
    let op = world.op();
    let answer = world.store.accept(op, other).expect("accepted");
    assert_eq!(
        (answer.verdict, answer.task.as_str()),
        (Verdict::Changed, "t-e1")
    );
    assert_eq!(world.value("SELECT count(*) FROM task"), "1");
}

#[test]
fn the_same_event_id_of_another_tenant_is_another_event() {
    let mut world = World::new();
    world.accept("42", "e1");
    let mut other = event_of("42", "e1");
    other.key.tenant = "another".to_owned();
    other.task = "t2".into();
    other.new.session = "s2".into();
    other.new.conv = "c2".into();
    let op = world.op();
    assert_eq!(
        world.store.accept(op, other).expect("accepted").verdict,
        Verdict::Task
    );
    world.is_sound();
}

#[test]
fn without_a_current_build_nothing_is_accepted_and_nothing_is_left() {
    let mut world = World::new();
    let before = world.contents();
    let mut event = event_of("42", "e1");
    event.new.runtime = "gemini".to_owned();
    let op = world.op();
    let refused = world.store.accept(op, event).expect_err("no build");
    assert_eq!(refused.kind(), "not_found");
    assert!(refused.is_definite());
    assert_eq!(world.contents(), before);
}

#[test]
fn a_task_without_any_failure_allowed_is_invalid() {
    let mut world = World::new();
    let mut event = event_of("42", "e1");
    event.max_failures = 0;
    let op = world.op();
    assert!(matches!(
        world.store.accept(op, event),
        Err(Error::Invalid {
            field: "max_failures",
            ..
        })
    ));
}
