//! Kept answers: lost acknowledgements and reused op_ids.

use crate::kit::{LEASE_MS, World, done, event_of};
use lockstep_store::{Call, Error, Op, OpId, Store};

#[test]
fn a_call_whose_answer_was_lost_is_repeated_and_happens_once() {
    let mut world = World::new();
    let op = world.op();
    let first = world
        .store
        .accept(op.clone(), event_of("42", "e1"))
        .expect("accepted");
    let before = world.contents();
    assert_eq!(world.store.accept(op, event_of("42", "e1")), Ok(first));
    assert_eq!(world.contents(), before);

    let op = world.op();
    let claimed = world
        .store
        .claim(op.clone(), "w1".into(), 1, LEASE_MS)
        .expect("claims");
    world.expire();
    assert_eq!(
        world.store.claim(op, "w1".into(), 1, LEASE_MS),
        Ok(claimed.clone())
    );

    let op = world.op();
    world
        .store
        .complete(op.clone(), done(&claimed[0]))
        .expect("done");
    world.accept("42", "e2");
    world.claim("w1").expect("the next turn");
    let before = world.contents();
    world
        .store
        .complete(op, done(&claimed[0]))
        .expect("told again, though long fenced");
    assert_eq!(world.contents(), before);
    world.is_sound();
}

#[test]
fn an_op_id_that_was_used_for_another_request_is_refused() {
    let mut world = World::new();
    let op = world.op();
    world
        .store
        .accept(op.clone(), event_of("42", "e1"))
        .expect("accepted");
    let reused = Err(Error::OpIdReused { op_id: op.clone() });
    assert_eq!(world.store.accept(op.clone(), event_of("42", "e2")), reused);
    let claimed = world
        .store
        .claim(op.clone(), "w1".into(), 1, LEASE_MS)
        .expect_err("another operation");
    assert_eq!(claimed, Error::OpIdReused { op_id: op });
}

#[test]
fn a_refusal_is_not_kept() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    let refused = world.store.close(op.clone(), "s-e1".into(), "idle", false);
    assert_eq!(refused.expect_err("held").kind(), "leased");
    let other = world.op();
    world.store.complete(other, done(&claimed)).expect("done");
    world
        .store
        .close(op, "s-e1".into(), "idle", false)
        .expect("the same call, later");
}

#[test]
fn an_op_id_is_required_where_an_answer_is_kept_and_refused_elsewhere() {
    let mut world = World::new();
    let set_current = Op::SetCurrent {
        build: "claude@1".into(),
    };
    let without = world.store.apply(&Call {
        op_id: None,
        op: set_current,
    });
    assert_eq!(without.expect_err("missing").kind(), "invalid");
    let with = world.store.apply(&Call {
        op_id: Some(OpId::from("x")),
        op: Op::Reap { limit: 1 },
    });
    assert_eq!(with.expect_err("superfluous").kind(), "invalid");
}

#[test]
fn registrations_are_repeated_safely_and_contradictions_are_told() {
    let mut world = World::new();
    let (a, b, c) = (world.op(), world.op(), world.op());
    world
        .store
        .register_build(a, "claude@1".into(), "claude", "claude/1".into())
        .expect("the same");
    let other = world
        .store
        .register_build(b, "claude@1".into(), "claude", "claude/2".into());
    assert_eq!(other.expect_err("another class").kind(), "changed");
    let worker = world
        .store
        .register_worker(c, "w1".into(), "claude@1".into(), "h1");
    assert_eq!(
        worker,
        Err(Error::Constraint {
            name: "worker_pkey".to_owned()
        })
    );
}

#[test]
fn a_call_survives_its_journey_through_json() {
    let call = Call {
        op_id: Some("op1".into()),
        op: Op::Accept(event_of("42", "e1")),
    };
    let text = serde_json::to_string(&call).expect("serialized");
    assert_eq!(serde_json::from_str::<Call>(&text).expect("read"), call);
}
