//! Looking: lists, numbers, and why nothing is happening.

use crate::kit::{LEASE_MS, World, done};
use lockstep_store::{Filter, Listed, QueueFate, Reset, Retry, SessionId, Store, Why};

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

/// One chat that moved between the classes and back, and another; tasks are open here and there.
fn generations() -> World {
    let mut world = World::new();
    world.running("1", "e1");
    for (from, to, build) in [("s-e1", "s-f", "codex@1"), ("s-f", "s-g", "claude@1")] {
        let op = world.op();
        let reset = Reset {
            session: from.into(),
            next: to.into(),
            build: Some(build.into()),
            reason: "again".to_owned(),
            queued: QueueFate::Move,
            force: true,
        };
        world.store.reset(op, reset).expect("reset");
        world.accept("1", &format!("of {to}"));
    }
    world.accept("2", "e2");
    world
}

#[test]
fn every_filter_takes_what_it_says() {
    let mut world = generations();
    let all = world
        .store
        .list(Filter::default(), None, 100)
        .expect("listed");
    let open: Vec<i64> = all.iter().map(|line| line.open_tasks).collect();
    assert_eq!((all.len(), open), (4, vec![0, 1, 0, 2]));
    let convs = [None, Some("c-e1".into()), Some("c-e2".into())];
    let classes = [None, Some("claude/1".into()), Some("codex/1".into())];
    for ((conv, class), active) in convs
        .iter()
        .flat_map(|conv| classes.iter().map(move |class| (conv, class)))
        .flat_map(|both| [None, Some(true), Some(false)].map(|active| (both, active)))
    {
        let filter = Filter {
            active,
            class: class.clone(),
            conv: conv.clone(),
        };
        let fits = |line: &&Listed| {
            active.is_none_or(|active| line.active == active)
                && class.as_ref().is_none_or(|class| line.class == *class)
                && conv.as_ref().is_none_or(|conv| line.conv == *conv)
        };
        for (skipped, limit) in [(0, 1), (0, 2), (0, 9), (1, 1), (1, 9)] {
            let fitting: Vec<Listed> = all.iter().filter(fits).cloned().collect();
            let after = (skipped > 0)
                .then(|| fitting.first().map(|line| line.session.clone()))
                .flatten();
            let skipped = usize::from(after.is_some());
            let page = world
                .store
                .list(filter.clone(), after, limit)
                .expect("listed");
            let should_be: Vec<Listed> = fitting
                .into_iter()
                .skip(skipped)
                .take(limit as usize)
                .collect();
            assert_eq!(page, should_be, "{filter:?}");
        }
    }
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

#[test]
fn a_session_is_shown_with_its_first_thousand_tasks() {
    let mut world = World::new();
    for n in 0..1_001 {
        world.accept("42", &format!("e{n}"));
    }
    let shown = world.store.show("s-e0".into()).expect("shown");
    assert_eq!(shown.tasks.len(), 1_000);
}
