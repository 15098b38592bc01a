//! A chat's keys, and accounts whose event ids are ordered.

use crate::kit::{World, done, event_of, key};
use lockstep_store::{ConvId, ConvKey, Error, Store, Verdict};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn link(world: &mut World, from: &str, alias: &str) -> Result<ConvId, Error> {
    let op = world.op();
    world.store.link_key(op, key(from), key(alias))
}

#[test]
fn a_chat_that_the_platform_renames_keeps_its_session() {
    let mut world = World::new();
    let first = world.accept("group", "e1");
    let conv = link(&mut world, "group", "supergroup").expect("linked");
    assert_eq!(conv.as_str(), "c-e1");
    assert_eq!(link(&mut world, "group", "supergroup"), Ok(conv));
    assert_eq!(world.accept("supergroup", "e2").session, first.session);
    assert_eq!(world.accept("group", "e3").session, first.session);
    world.is_sound();
}

#[test]
fn a_key_leaves_its_conversation_only_when_nothing_goes_on_there() {
    let mut world = World::new();
    let first = world.accept("group", "e1");
    let early = world.accept("supergroup", "e2");
    assert_eq!(
        link(&mut world, "group", "supergroup"),
        Err(Error::Changed {
            what: "conversation key",
            id: "supergroup".to_owned()
        })
    );
    let op = world.op();
    world
        .store
        .close(op, early.session, "migrated", false)
        .expect("closed");
    link(&mut world, "group", "supergroup").expect("linked");
    assert_eq!(world.accept("supergroup", "e3").session, first.session);
    assert_eq!(
        link(&mut world, "nowhere", "group")
            .expect_err("unknown")
            .kind(),
        "not_found"
    );
    world.is_sound();
}

/// Accepts an event with a number for an id, and ends its task.
fn number(world: &mut World, id: &str) -> Verdict {
    let op = world.op();
    let accepted = world
        .store
        .accept(op, event_of("42", id))
        .expect("accepted");
    if accepted.verdict == Verdict::Task {
        let claimed = world.claim("w1").expect("ready");
        let op = world.op();
        world.store.complete(op, done(&claimed)).expect("done");
    }
    accepted.verdict
}

fn ordered(world: &mut World) {
    let op = world.op();
    world
        .store
        .ordered_ids(op, "tenant", "tg", "bot", 7 * DAY_MS)
        .expect("declared");
}

#[test]
fn a_redelivery_after_pruning_is_old_where_ids_are_ordered() {
    let mut world = World::new();
    ordered(&mut world);
    for id in ["5", "-1", "x"] {
        assert_eq!(number(&mut world, id), Verdict::Task);
    }
    world.clock.advance(DAY_MS);
    assert_eq!(world.store.prune(1, 100).expect("pruned").inbox, 3);
    for (id, verdict) in [
        ("4", Verdict::Old),
        ("5", Verdict::Old),
        ("6", Verdict::Task),
        ("6", Verdict::Duplicate),
    ] {
        assert_eq!(number(&mut world, id), verdict, "{id}");
    }
    let op = world.op();
    let mut other = event_of("42", "5");
    other.key = ConvKey::chat("tenant", "tg", "other bot", "42");
    other.task = "t-other".into();
    other.new = crate::kit::new_session("other");
    let other = world.store.accept(op, other).expect("another account");
    assert_eq!(other.verdict, Verdict::Task);
    world.is_sound();
}

#[test]
fn after_a_long_silence_the_ids_may_begin_anew() {
    let mut world = World::new();
    ordered(&mut world);
    assert_eq!(number(&mut world, "1000"), Verdict::Task);
    world.clock.advance(DAY_MS);
    world.store.prune(1, 100).expect("pruned");
    assert_eq!(number(&mut world, "999"), Verdict::Old);
    world.clock.advance(8 * DAY_MS);
    assert_eq!(number(&mut world, "3"), Verdict::Task);
    assert_eq!(number(&mut world, "2"), Verdict::Task);
}

#[test]
fn an_event_that_is_too_old_changes_nothing() {
    let mut world = World::new();
    ordered(&mut world);
    number(&mut world, "10");
    world.clock.advance(DAY_MS);
    world.store.prune(1, 100).expect("pruned");
    let tasks = world.value("SELECT count(*) FROM task");
    let op = world.op();
    let old = world.store.accept(op, event_of("42", "9")).expect("told");
    assert_eq!((old.task.as_str(), old.session.as_str()), ("", ""));
    assert_eq!(world.value("SELECT count(*) FROM task"), tasks);
    assert_eq!(world.value("SELECT count(*) FROM inbox"), "0");
}

/// The account is noted to be alive only after a sixteenth of its gap, so its ids begin anew a sixteenth later.
#[test]
fn a_silence_is_measured_to_a_sixteenth_of_the_gap() {
    let mut world = World::new();
    let op = world.op();
    world
        .store
        .ordered_ids(op, "tenant", "tg", "bot", 1_600)
        .expect("declared");
    let noted = |world: &World| world.value("SELECT last_ms - 1000000 FROM inbox_mark");
    for (step_ms, id, at) in [(100, "5", "0"), (1, "6", "101"), (100, "7", "101")] {
        world.clock.advance(step_ms);
        assert_eq!(number(&mut world, id), Verdict::Task);
        assert_eq!(noted(&world), at);
    }
    world.clock.advance(1);
    world.store.prune(0, 100).expect("pruned");
    world.clock.advance(1_600 - 1);
    assert_eq!(
        number(&mut world, "7"),
        Verdict::Old,
        "1,700 after the last note"
    );
    world.clock.advance(1);
    assert_eq!(number(&mut world, "3"), Verdict::Task);
}
