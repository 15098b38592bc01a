//! After a restore from a backup nothing old is accepted.

use crate::kit::{LEASE_MS, World, done, item};
use lockstep_store::{Complete, Error, Fence, Send, Store, TaskState};

const NEXT: i64 = 2;
const BASE: i64 = 1_000_000;

fn restored(world: &mut World, incarnation: i64) -> Result<lockstep_store::Restored, Error> {
    let op = world.op();
    world.store.restored(op, incarnation)
}

#[test]
fn who_held_a_lease_in_the_backup_is_fenced_and_its_task_is_queued_again() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let told = restored(&mut world, NEXT).expect("restored");
    assert_eq!(told.requeued, std::slice::from_ref(&claimed.task));
    let op = world.op();
    let late = world.store.complete(op, done(&claimed));
    assert_eq!(
        late,
        Err(Error::Fenced {
            held: Fence(BASE),
            yours: Fence(1)
        })
    );
    let again = world.claim("w1").expect("ready");
    assert_eq!((again.fence, again.failures), (Fence(BASE + 1), 0));
    let op = world.op();
    assert_eq!(world.store.complete(op, done(&again)), Ok(TaskState::Done));
    world.is_sound();
}

#[test]
fn a_fence_that_was_issued_after_the_backup_is_stale_too() {
    let mut world = World::new();
    world.accept("42", "e1");
    // What the lost days have seen: fences up to 7.
    let lost = Fence(7);
    restored(&mut world, NEXT).expect("restored");
    let renewed = world.store.renew("s-e1".into(), lost, LEASE_MS);
    assert_eq!(renewed.expect_err("old").kind(), "fenced");
    // A session that is opened again under an id of the lost days does not repeat its fences either.
    world.accept("43", "e2");
    let claimed = world.claim("w1").map(|_| world.claim("w1"));
    assert_eq!(
        claimed.flatten().expect("the new session").fence,
        Fence(BASE + 1)
    );
    world.is_sound();
}

#[test]
fn versions_epochs_and_states_of_before_are_stale() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    let turn = Complete {
        resume_token: Some("abc".to_owned()),
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("done");
    let op = world.op();
    world
        .store
        .put_state(op, "s-e1".into(), 0, "{}")
        .expect("put");
    let version = world.store.show("s-e1".into()).expect("shown").version;
    restored(&mut world, NEXT).expect("restored");
    let stale = Err(Error::Stale { current: BASE });
    let op = world.op();
    assert_eq!(
        world
            .store
            .migrate(op, "s-e1".into(), "codex@1".into(), version, None),
        stale
    );
    let op = world.op();
    assert_eq!(
        world.store.drop_resume(op, "s-e1".into(), 1, "not found"),
        stale
    );
    let op = world.op();
    assert_eq!(world.store.put_state(op, "s-e1".into(), 1, "old"), stale);
}

#[test]
fn what_was_to_be_sent_may_have_been_sent_since() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let send = Send {
        dedup_key: "k1".to_owned(),
        body: "hello".to_owned(),
        route: String::new(),
    };
    let op = world.op();
    let turn = Complete {
        sends: vec![send],
        items: vec![item("a")],
        ..done(&claimed)
    };
    world.store.complete(op, turn).expect("done");
    assert_eq!(restored(&mut world, NEXT).expect("restored").unknown, 1);
    let op = world.op();
    let sending = world
        .store
        .claim_send(op, "sender", "", 10, LEASE_MS)
        .expect("claims");
    assert!(sending.is_empty());
    world.is_sound();
}

#[test]
fn an_incarnation_is_higher_than_all_before() {
    let mut world = World::new();
    assert_eq!(restored(&mut world, 1), Err(Error::Stale { current: 1 }));
    restored(&mut world, 1_790_000_000).expect("seconds");
    assert_eq!(
        restored(&mut world, NEXT),
        Err(Error::Stale {
            current: 1_790_000_000
        })
    );
    for wrong in [0, i64::from(i32::MAX) + 1] {
        assert_eq!(
            restored(&mut world, wrong)
                .expect_err("out of range")
                .kind(),
            "invalid"
        );
    }
    assert_eq!(
        world.store.stats().expect("stats").incarnation,
        1_790_000_000
    );
}
