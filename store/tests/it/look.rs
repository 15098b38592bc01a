//! Looking: lists, numbers, and why nothing is happening.

use crate::kit::{LEASE_MS, World, done};
use lockstep_store::{Filter, Retry, SessionId, Store, Why};

fn why(world: &mut World) -> Vec<Why> {
    world
        .store
        .explain(SessionId::from("s-e1"))
        .expect("explained")
        .why
}

#[test]
fn an_empty_queue_a_ready_head_and_a_closed_session_say_so() {
    let mut world = World::new();
    world.accept("42", "e1");
    world.clock.advance(5);
    assert_eq!(
        why(&mut world),
        [Why::Ready {
            task: "t-e1".into(),
            since_ms: 1_000_000
        }]
    );
    let claimed = world.claim("w1").expect("ready");
    let op = world.op();
    world.store.complete(op, done(&claimed)).expect("done");
    assert_eq!(why(&mut world), [Why::Idle]);
    let op = world.op();
    world
        .store
        .close(op, "s-e1".into(), "over", false)
        .expect("closed");
    assert_eq!(
        why(&mut world),
        [Why::Closed {
            reason: "over".to_owned()
        }]
    );
    let unknown = world.store.explain("nothing".into());
    assert_eq!(unknown.expect_err("unknown").kind(), "not_found");
}

#[test]
fn a_queue_stands_behind_a_lease_and_the_lease_may_have_expired() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    world.accept("42", "e2");
    world.accept("42", "e3");
    for expired in [false, true] {
        assert_eq!(
            why(&mut world),
            [
                Why::Leased {
                    worker: "w1".into(),
                    task: "t-e1".into(),
                    until_ms: claimed.until_ms,
                    expired
                },
                Why::QueuedBehind {
                    task: "t-e1".into(),
                    queued: 2
                }
            ]
        );
        world.expire();
    }
}

#[test]
fn a_head_that_rests_names_its_error_and_a_missing_worker_its_class() {
    let mut world = World::new();
    let claimed = world.running("42", "e1");
    world.accept("42", "e2");
    let op = world.op();
    world
        .store
        .fail(
            op,
            claimed.task,
            claimed.fence,
            "overloaded",
            Retry::After { delay_ms: 9 },
        )
        .expect("queued again");
    for worker in ["w1", "w2"] {
        let op = world.op();
        world.store.worker_gone(op, worker.into()).expect("gone");
    }
    let op = world.op();
    world.store.drain(op, "claude@1".into()).expect("drains");
    assert_eq!(
        why(&mut world),
        [
            Why::Resting {
                task: "t-e1".into(),
                until_ms: 1_000_009,
                last_error: Some("overloaded".to_owned())
            },
            Why::QueuedBehind {
                task: "t-e1".into(),
                queued: 1
            },
            Why::NoWorker {
                class: "claude/1".into(),
                home: None
            },
            Why::Build {
                build: "claude@1".into(),
                state: "draining".to_owned()
            }
        ]
    );
}

#[test]
fn sessions_are_listed_page_by_page_and_filtered() {
    let mut world = World::new();
    for (chat, event) in [("1", "e1"), ("2", "e2"), ("3", "e3")] {
        world.accept(chat, event);
    }
    let op = world.op();
    world
        .store
        .close(op, "s-e2".into(), "over", false)
        .expect("closed");
    let names = |world: &mut World, filter: Filter, after: Option<&str>, limit| -> Vec<String> {
        let page = world
            .store
            .list(filter, after.map(SessionId::from), limit)
            .expect("listed");
        page.iter().map(|line| line.session.to_string()).collect()
    };
    assert_eq!(
        names(&mut world, Filter::default(), None, 2),
        ["s-e1", "s-e2"]
    );
    assert_eq!(
        names(&mut world, Filter::default(), Some("s-e2"), 2),
        ["s-e3"]
    );
    let active = |active| Filter {
        active: Some(active),
        ..Filter::default()
    };
    assert_eq!(names(&mut world, active(true), None, 9), ["s-e1", "s-e3"]);
    assert_eq!(names(&mut world, active(false), None, 9), ["s-e2"]);
    let of_conv = Filter {
        conv: Some("c-e3".into()),
        ..Filter::default()
    };
    assert_eq!(names(&mut world, of_conv, None, 9), ["s-e3"]);
    let of_class = Filter {
        class: Some("codex/1".into()),
        ..Filter::default()
    };
    assert!(names(&mut world, of_class, None, 9).is_empty());
    let refused = world.store.list(Filter::default(), None, 0);
    assert_eq!(refused.expect_err("no limit").kind(), "invalid");
}

#[test]
fn numbers_count_what_is_open() {
    let mut world = World::new();
    world.accept("1", "e1");
    world.clock.advance(7);
    world.running("2", "e2");
    world.accept("2", "e3");
    let stats = world.store.stats().expect("stats");
    assert_eq!((stats.active_sessions, stats.queued), (2, 2));
    assert_eq!((stats.running, stats.waiting, stats.dead), (1, 0, 0));
    assert_eq!(stats.ready, [("claude/1".into(), 1)]);
    assert_eq!(
        stats.workers,
        [("claude/1".into(), 2), ("codex/1".into(), 1)]
    );
    assert_eq!(stats.oldest_ready_ms, Some(0));
    assert_eq!(stats.expired_leases, 0);
    world.clock.advance(LEASE_MS);
    let stats = world.store.stats().expect("stats");
    assert_eq!(
        (stats.expired_leases, stats.oldest_ready_ms),
        (1, Some(LEASE_MS))
    );
}
