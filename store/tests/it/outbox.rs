//! Sending: in order, under a number for each attempt, and never twice without a mark.

use crate::kit::{LEASE_MS, World, done};
use lockstep_store::{Complete, Error, Fence, NotSent, Resolve, Send, Sending, Store, Why};

/// A turn in `chat` that leaves these messages behind.
fn leaves(world: &mut World, chat: &str, event: &str, keys: &[&str], route: &str) {
    let claimed = world.running(chat, event);
    let sends = keys.iter().map(|key| Send {
        dedup_key: (*key).to_owned(),
        body: format!("body of {key}"),
        route: route.to_owned(),
    });
    let turn = Complete {
        sends: sends.collect(),
        ..done(&claimed)
    };
    let op = world.op();
    world.store.complete(op, turn).expect("done");
}

fn claim(world: &mut World, route: &str) -> Vec<Sending> {
    let op = world.op();
    let sending = world
        .store
        .claim_send(op, "sender", route, 10, LEASE_MS)
        .expect("claims");
    world.is_sound();
    sending
}

/// The one message that may go out now.
fn only(world: &mut World) -> Sending {
    let mut sending = claim(world, "");
    assert_eq!(sending.len(), 1, "{sending:?}");
    sending.remove(0)
}

fn sent(world: &mut World, of: &Sending) -> Result<(), Error> {
    let op = world.op();
    world
        .store
        .sent(op, of.session.clone(), of.n, of.send_no, "id at provider")
}

fn not_sent(world: &mut World, of: &Sending, then: NotSent) -> Result<(), Error> {
    let op = world.op();
    world
        .store
        .not_sent(op, of.session.clone(), of.n, of.send_no, "refused", then)
}

fn unknown(world: &mut World, of: &Sending) -> Result<(), Error> {
    let op = world.op();
    world
        .store
        .unknown(op, of.session.clone(), of.n, of.send_no, "timeout")
}

fn resolve(world: &mut World, of: &Sending, how: Resolve) -> Result<(), Error> {
    let op = world.op();
    world.store.resolve(op, of.session.clone(), of.n, how)
}

fn closed(state: &str) -> Result<(), Error> {
    Err(Error::Closed {
        reason: state.to_owned(),
    })
}

fn one_message() -> World {
    let mut world = World::new();
    leaves(&mut world, "42", "e1", &["k1"], "");
    world
}

#[test]
fn the_messages_of_a_session_leave_in_order_one_at_a_time() {
    let mut world = World::new();
    leaves(&mut world, "42", "e1", &["k1", "k2"], "");
    leaves(&mut world, "42", "e2", &["k3"], "");
    for (n, key) in [(1, "k1"), (2, "k2"), (3, "k3")] {
        let sending = only(&mut world);
        assert_eq!(
            (sending.n, &*sending.dedup_key, sending.send_no),
            (n, key, 1)
        );
        assert_eq!(
            (sending.repeat, &*sending.body),
            (false, &*format!("body of {key}"))
        );
        assert!(claim(&mut world, "").is_empty(), "one at a time");
        assert_eq!(sent(&mut world, &sending), Ok(()));
    }
    assert!(claim(&mut world, "").is_empty());
}

#[test]
fn sessions_do_not_wait_for_each_other_and_routes_are_apart() {
    let mut world = World::new();
    leaves(&mut world, "1", "e1", &["k1"], "telegram");
    leaves(&mut world, "2", "e2", &["k1"], "telegram");
    leaves(&mut world, "3", "e3", &["k1"], "mail");
    assert!(claim(&mut world, "").is_empty());
    let sessions: Vec<String> = claim(&mut world, "telegram")
        .iter()
        .map(|sending| sending.session.to_string())
        .collect();
    assert_eq!(sessions, ["s-e1", "s-e2"]);
    assert_eq!(claim(&mut world, "mail").len(), 1);
}

#[test]
fn what_was_certainly_not_sent_goes_out_again_after_a_rest_or_never() {
    let mut world = World::new();
    leaves(&mut world, "42", "e1", &["k1", "k2"], "");
    let first = only(&mut world);
    assert_eq!(
        not_sent(&mut world, &first, NotSent::Again { delay_ms: 500 }),
        Ok(())
    );
    assert!(
        claim(&mut world, "").is_empty(),
        "it rests, and k2 behind it"
    );
    world.clock.advance(500);
    let second = only(&mut world);
    assert_eq!((second.n, second.send_no, second.repeat), (1, 2, false));
    assert_eq!(not_sent(&mut world, &second, NotSent::Drop), Ok(()));
    assert_eq!(only(&mut world).n, 2);
    assert_eq!(
        world.value("SELECT state || last_error FROM outbox WHERE n = 1"),
        "droppedrefused"
    );
}

#[test]
fn an_unknown_outcome_stays_unknown_and_holds_back_what_follows() {
    let mut world = World::new();
    leaves(&mut world, "42", "e1", &["k1", "k2"], "");
    let first = only(&mut world);
    for _ in 0..2 {
        assert_eq!(unknown(&mut world, &first), Ok(()));
        assert!(claim(&mut world, "").is_empty());
        world.clock.advance(100 * LEASE_MS);
    }
    let why = world.store.explain("s-e1".into()).expect("explained").why;
    assert_eq!(why, [Why::Idle, Why::SendUnknown { n: 1, behind: 1 }]);
    assert_eq!(resolve(&mut world, &first, Resolve::Resend), Ok(()));
    let again = only(&mut world);
    assert_eq!((again.n, again.send_no, again.repeat), (1, 2, true));
    assert_eq!(sent(&mut world, &again), Ok(()));
    assert_eq!(only(&mut world).n, 2);
}

#[test]
fn whoever_looks_at_the_provider_settles_it() {
    for (how, state) in [
        (
            Resolve::Sent {
                provider_id: "7".to_owned(),
            },
            "sent",
        ),
        (Resolve::Drop, "dropped"),
    ] {
        let mut world = one_message();
        let sending = only(&mut world);
        assert_eq!(
            resolve(&mut world, &sending, how.clone()),
            closed("sending")
        );
        unknown(&mut world, &sending).expect("unknown");
        assert_eq!(resolve(&mut world, &sending, how.clone()), Ok(()));
        assert_eq!(world.value("SELECT state FROM outbox"), state);
        assert_eq!(resolve(&mut world, &sending, how), closed(state));
        world.is_sound();
    }
}

#[test]
fn a_sender_that_is_silent_leaves_the_outcome_unknown_and_may_still_report() {
    let mut world = one_message();
    let sending = only(&mut world);
    assert!(world.store.sweep(10).expect("swept").unknown.is_empty());
    world.clock.advance(LEASE_MS);
    let swept = world.store.sweep(10).expect("swept");
    assert_eq!(swept.unknown, [("s-e1".into(), 1)]);
    assert!(claim(&mut world, "").is_empty(), "not pending again");
    assert_eq!(sent(&mut world, &sending), Ok(()));
    assert_eq!(world.value("SELECT state FROM outbox"), "sent");
    assert_eq!(sent(&mut world, &sending), closed("sent"));
    assert_eq!(unknown(&mut world, &sending), closed("sent"));
}

#[test]
fn a_late_certainty_that_it_was_not_sent_is_marked_all_the_same() {
    let mut world = one_message();
    let sending = only(&mut world);
    unknown(&mut world, &sending).expect("unknown");
    let again = NotSent::Again { delay_ms: 0 };
    assert_eq!(not_sent(&mut world, &sending, again), Ok(()));
    assert!(only(&mut world).repeat);
}

#[test]
fn only_the_last_attempt_reports() {
    let mut world = one_message();
    let first = only(&mut world);
    not_sent(&mut world, &first, NotSent::Again { delay_ms: 0 }).expect("again");
    assert_eq!(sent(&mut world, &first), closed("pending"));
    let second = only(&mut world);
    let fenced = Err(Error::Fenced {
        held: Fence(2),
        yours: Fence(1),
    });
    assert_eq!(sent(&mut world, &first), fenced);
    assert_eq!(not_sent(&mut world, &first, NotSent::Drop), fenced);
    assert_eq!(unknown(&mut world, &first), fenced);
    assert_eq!(sent(&mut world, &second), Ok(()));
}

#[test]
fn a_message_that_does_not_exist_is_told_so() {
    let mut world = one_message();
    let mut nothing = only(&mut world);
    nothing.n = 9;
    assert_eq!(
        sent(&mut world, &nothing).expect_err("unknown").kind(),
        "not_found"
    );
    assert_eq!(
        resolve(&mut world, &nothing, Resolve::Drop)
            .expect_err("unknown")
            .kind(),
        "not_found"
    );
    for (limit, lease_ms) in [(0, 1), (1, 0)] {
        let op = world.op();
        let refused = world.store.claim_send(op, "sender", "", limit, lease_ms);
        assert_eq!(refused.expect_err("out of range").kind(), "invalid");
    }
}

#[test]
fn a_closed_session_still_says_its_last_words() {
    let mut world = one_message();
    let op = world.op();
    world
        .store
        .close(op, "s-e1".into(), "over", false)
        .expect("closed");
    let sending = only(&mut world);
    assert_eq!(sent(&mut world, &sending), Ok(()));
    world.is_sound();
}

#[test]
fn an_idle_sender_writes_nothing_and_a_stuck_session_costs_it_nothing() {
    let mut world = World::new();
    let keys: Vec<String> = (0..100).map(|n| format!("k{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    leaves(&mut world, "42", "e1", &keys, "");
    let first = only(&mut world);
    unknown(&mut world, &first).expect("unknown");
    let before = world.contents();
    assert!(claim(&mut world, "").is_empty());
    assert_eq!(world.contents(), before);
    assert_eq!(
        world.value("SELECT count(*) FROM outbox WHERE ready_ms IS NOT NULL"),
        "0"
    );
}

#[test]
fn a_message_goes_out_at_once_when_all_before_it_are_settled() {
    let mut world = World::new();
    for (event, then) in [("e1", None), ("e2", Some(NotSent::Drop)), ("e3", None)] {
        leaves(&mut world, "42", event, &[event], "");
        let sending = only(&mut world);
        assert_eq!(sending.body, format!("body of {event}"));
        match then {
            None => sent(&mut world, &sending),
            Some(then) => not_sent(&mut world, &sending, then),
        }
        .expect("settled");
    }
}
