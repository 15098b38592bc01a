//! After a restore from a backup nothing old is accepted.

use crate::kit::{LEASE_MS, World, done, item, message, question};
use lockstep_store::{Complete, Error, Fence, NotSent, Resolve, Send, Store, TaskState, Why};

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

#[test]
fn numbers_that_are_ahead_of_the_incarnation_grow_all_the_same() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    let sends = vec![message("k")];
    world
        .store
        .complete(
            op,
            Complete {
                sends,
                ..done(&claimed)
            },
        )
        .expect("done");
    let op = world.op();
    world
        .store
        .put_state(op, "s-e1".into(), 0, "{}")
        .expect("put");
    let ahead = "UPDATE session SET fence = 5000000, version = 5000000, resume_epoch = 5000000;
        UPDATE session_data SET version = 5000000; UPDATE outbox SET send_no = 5000000";
    world.connection().execute_batch(ahead).expect("ahead");
    restored(&mut world, NEXT).expect("restored");
    let numbers = "SELECT fence || ' ' || s.version || ' ' || resume_epoch || ' ' || d.version || ' ' || send_no
        FROM session s JOIN session_data d USING (session_id) JOIN outbox USING (session_id)";
    assert_eq!(world.value(numbers), ["5000001"; 5].join(" "));
}

#[test]
fn of_several_unknown_messages_one_is_settled_and_nothing_goes_out_ahead() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    let op = world.op();
    let sends = ["1", "2", "3", "4"].map(message).to_vec();
    world
        .store
        .complete(
            op,
            Complete {
                sends,
                ..done(&claimed)
            },
        )
        .expect("done");
    assert_eq!(restored(&mut world, NEXT).expect("restored").unknown, 4);
    let states = |world: &World| {
        world.value("SELECT group_concat(state) FROM (SELECT state FROM outbox ORDER BY n)")
    };
    let op = world.op();
    world
        .store
        .resolve(op, "s-e1".into(), 2, Resolve::Drop)
        .expect("resolved");
    assert_eq!(states(&world), "unknown,dropped,unknown,unknown");
    let explained = world.store.explain("s-e1".into()).expect("explained");
    let stuck = Why::SendUnknown { n: 1, behind: 2 };
    assert!(explained.why.contains(&stuck), "{explained:?}");
    // A report that comes late after all is about one message too.
    let op = world.op();
    let id = "id at provider";
    world
        .store
        .sent(op, "s-e1".into(), 3, BASE, id)
        .expect("reported");
    let op = world.op();
    let again = NotSent::Again { delay_ms: 0 };
    let fenced = world
        .store
        .not_sent(op, "s-e1".into(), 4, BASE - 1, "limit", again);
    assert_eq!(fenced.expect_err("another attempt").kind(), "fenced");
    assert_eq!(states(&world), "unknown,dropped,sent,unknown");
    let op = world.op();
    world
        .store
        .unknown(op, "s-e1".into(), 4, BASE, "no trace")
        .expect("still unknown");
    assert_eq!(
        world.value("SELECT count(*) FROM outbox WHERE last_error = 'no trace'"),
        "1"
    );
    let op = world.op();
    world
        .store
        .not_sent(op, "s-e1".into(), 1, BASE, "limit", again)
        .expect("again");
    assert_eq!(states(&world), "pending,dropped,sent,unknown");
    world.is_sound();
}

#[test]
fn who_waits_for_an_answer_goes_on_waiting() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    world.accept("42", "e2");
    let op = world.op();
    let ask = question(&claimed, "p1", 60_000);
    world.store.ask(op, ask).expect("asked");
    restored(&mut world, NEXT).expect("restored");
    assert_eq!(world.value("SELECT head_ready_ms FROM session"), "null");
    world.is_sound();
}
