//! Beside the turn: notes from outside, and the application's state.

use crate::kit::{World, done, item};
use lockstep_store::{Error, State, Store};

#[test]
fn a_note_never_lands_in_the_history_of_the_holder() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    for n in 1..=2 {
        let op = world.op();
        assert_eq!(
            world.store.note(op, "s-e1".into(), item("from outside")),
            Ok(n)
        );
    }
    let op = world.op();
    assert_eq!(
        world
            .store
            .append(op, "s-e1".into(), claimed.fence, 1, vec![item("mine")]),
        Ok(2)
    );
    let page = world.store.history("s-e1".into(), 0, 0, 10).expect("page");
    let notes: Vec<(i64, &str)> = page
        .notes
        .iter()
        .map(|note| (note.n, &*note.body))
        .collect();
    assert_eq!(notes, [(1, "from outside"), (2, "from outside")]);
    assert_eq!(page.items.len(), 1);
    let rest = world.store.history("s-e1".into(), 1, 1, 10).expect("page");
    assert_eq!((rest.items.len(), rest.notes.len()), (0, 1));
    world.is_sound();
}

#[test]
fn a_closed_session_takes_neither_notes_nor_state() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    world.store.complete(op, done(&claimed)).expect("done");
    let op = world.op();
    world
        .store
        .put_state(op, "s-e1".into(), 0, "{}")
        .expect("put");
    let op = world.op();
    world
        .store
        .close(op, "s-e1".into(), "over", false)
        .expect("closed");
    let closed = Error::Closed {
        reason: "over".to_owned(),
    };
    let op = world.op();
    assert_eq!(
        world.store.note(op, "s-e1".into(), item("late")),
        Err(closed.clone())
    );
    for version in [0, 1] {
        let op = world.op();
        assert_eq!(
            world.store.put_state(op, "s-e1".into(), version, "late"),
            Err(closed.clone())
        );
    }
    assert_eq!(
        world.store.get_state("s-e1".into()),
        Ok(State {
            version: 1,
            body: "{}".to_owned()
        })
    );
}

#[test]
fn the_state_is_replaced_only_by_who_knows_it() {
    let mut world = World::new();
    world.accept("42", "e1");
    let put = |world: &mut World, version, body: &str| {
        let op = world.op();
        world.store.put_state(op, "s-e1".into(), version, body)
    };
    assert_eq!(
        world.store.get_state("s-e1".into()),
        Ok(State {
            version: 0,
            body: String::new()
        })
    );
    assert_eq!(put(&mut world, 7, "a"), Err(Error::Stale { current: 0 }));
    assert_eq!(put(&mut world, 0, "a"), Ok(1));
    assert_eq!(put(&mut world, 0, "b"), Err(Error::Stale { current: 1 }));
    assert_eq!(put(&mut world, 1, "b"), Ok(2));
    assert_eq!(put(&mut world, 1, "c"), Err(Error::Stale { current: 2 }));
    let op = world.op();
    let unknown = world.store.put_state(op, "nothing".into(), 0, "a");
    assert_eq!(unknown.expect_err("unknown").kind(), "not_found");
    assert_eq!(
        world
            .store
            .get_state("nothing".into())
            .expect_err("unknown")
            .kind(),
        "not_found"
    );
}

#[test]
fn the_state_of_another_session_stays_as_it_is() {
    let mut world = World::new();
    let put = |world: &mut World, session: &str, version, body: &str| {
        let op = world.op();
        world.store.put_state(op, session.into(), version, body)
    };
    for event in ["e1", "e2", "e3"] {
        world.accept(event, event);
        put(&mut world, &format!("s-{event}"), 0, "old").expect("put");
    }
    put(&mut world, "s-e1", 1, "new").expect("put");
    let other = world.store.get_state("s-e2".into()).expect("a state");
    assert_eq!((other.version, other.body.as_str()), (1, "old"));
    let op = world.op();
    world
        .store
        .close(op, "s-e3".into(), "over", false)
        .expect("closed");
    let refused = put(&mut world, "s-e3", 1, "late");
    assert_eq!(refused.expect_err("closed").kind(), "closed");
}

#[test]
fn items_and_notes_are_read_page_by_page() {
    let mut world = World::new();
    let held = world.running("42", "e1");
    let op = world.op();
    let items = ["a", "b", "c"].map(item).to_vec();
    let session = held.session.clone();
    world
        .store
        .append(op, session.clone(), held.fence, 1, items)
        .expect("appended");
    for note in ["x", "y", "z"] {
        let op = world.op();
        world
            .store
            .note(op, session.clone(), item(note))
            .expect("noted");
    }
    let mut page = |after| {
        let page = world
            .store
            .history(session.clone(), after, after, 2)
            .expect("a page");
        let items: String = page.items.into_iter().map(|item| item.body).collect();
        let notes: String = page.notes.into_iter().map(|note| note.body).collect();
        (items, notes)
    };
    assert_eq!(page(0), ("ab".to_owned(), "xy".to_owned()));
    assert_eq!(page(2), ("c".to_owned(), "z".to_owned()));
}
