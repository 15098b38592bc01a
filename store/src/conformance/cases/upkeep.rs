//! What time makes due: leases that expired, sessions that are idle, rows that are old, and a restored backup.

use super::super::bench::{Bench, LEASE_MS, done, event_of, new_session};
use super::super::{Kept, refused, same};
use super::Alone;
use crate::op::{Accept, Filter, NewSession};
use crate::reply::TaskState;

pub(super) const CASES: [Alone; 6] = [
    (
        "reaping queues again what has expired, and only that",
        reaped,
    ),
    ("an attempt that expired is a failed one", counted),
    ("a reaped task ends as was asked", cancelled),
    (
        "sweeping closes sessions that were idle, never one with work",
        idle,
    ),
    (
        "pruning deletes what is old and closed, and nothing open",
        pruned,
    ),
    ("after a restore nothing old is accepted", restored),
];

fn reaped(bench: &mut Bench<'_>) -> Kept {
    let old = bench.running("chat", "e1")?;
    bench.advance(LEASE_MS / 2);
    bench.running("other chat", "e2")?;
    bench.advance(LEASE_MS / 2);
    let reaped = bench.store.reap(10)?;
    same(
        "what is queued again",
        reaped.requeued,
        vec![old.task.clone()],
    )?;
    same("what is skipped", reaped.skipped, Vec::new())?;
    let next = bench.must_claim("w2")?;
    same("what is claimed", next.task, old.task)?;
    same(
        "the second time",
        bench.store.reap(10)?.requeued,
        Vec::new(),
    )
}

fn counted(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.advance(LEASE_MS);
    bench.store.reap(10)?;
    same("its failures", bench.must_claim("w1")?.failures, 1)?;
    bench.advance(LEASE_MS);
    same(
        "what ends",
        bench.store.reap(10)?.ended,
        vec![held.task.clone()],
    )?;
    let state = bench.state(&held.session, &held.task)?;
    same("its state", state, Some(TaskState::Dead))
}

fn cancelled(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let op = bench.op();
    let ask = crate::CancelHow::Ask;
    bench.store.cancel(op, held.task.clone(), "enough", ask)?;
    bench.advance(LEASE_MS);
    same(
        "what ends",
        bench.store.reap(10)?.ended,
        vec![held.task.clone()],
    )?;
    let state = bench.state(&held.session, &held.task)?;
    same("its state", state, Some(TaskState::Cancelled))
}

fn idle(bench: &mut Bench<'_>) -> Kept {
    for (chat, event) in [("a", "e1"), ("b", "e2")] {
        let op = bench.op();
        let new = NewSession {
            idle_ms: Some(5_000),
            ..new_session(event)
        };
        let event = Accept {
            new,
            ..event_of(chat, event)
        };
        bench.store.accept(op, event)?;
        bench.advance(1);
    }
    let held = bench.must_claim("w1")?;
    bench.complete(&held)?;
    bench.advance(4_999);
    same(
        "what is closed early",
        bench.store.sweep(10)?.closed,
        Vec::new(),
    )?;
    bench.advance(1);
    same(
        "what is closed",
        bench.store.sweep(10)?.closed,
        vec![held.session],
    )?;
    bench.advance(50_000);
    same("with a task", bench.store.sweep(10)?.closed, Vec::new())
}

fn pruned(bench: &mut Bench<'_>) -> Kept {
    for (chat, event) in [("a", "e1"), ("b", "e2"), ("c", "e3")] {
        bench.accept(chat, event)?;
        bench.advance(1);
    }
    for close in [true, false] {
        let held = bench.must_claim("w1")?;
        bench.complete(&held)?;
        if close {
            let op = bench.op();
            bench.store.close(op, held.session, "enough", false)?;
        }
    }
    bench.advance(100_000);
    bench.store.prune(1_000, 100)?;
    let left = bench.store.list(Filter::default(), None, 10)?;
    let ids: Vec<&str> = left.iter().map(|listed| listed.session.as_str()).collect();
    same("the sessions that are left", ids, vec!["s-e2", "s-e3"])?;
    refused(
        "the closed one",
        bench.store.show("s-e1".into()),
        "not_found",
    )?;
    same(
        "what is to be done",
        bench.must_claim("w1")?.task.as_str(),
        "t-e3",
    )
}

fn restored(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let reply = bench.running("other chat", "e2")?;
    bench.reply(&reply, "maybe sent")?;
    let version = bench.store.show(held.session.clone())?.version;
    let op = bench.op();
    let restored = bench.store.restored(op, 1_000)?;
    same(
        "what is queued again",
        restored.requeued,
        vec![held.task.clone()],
    )?;
    same("how many messages are unknown", restored.unknown, 1)?;
    let op = bench.op();
    refused(
        "the old fence",
        bench.store.complete(op, done(&held)),
        "fenced",
    )?;
    let op = bench.op();
    let session = held.session.clone();
    let answer = bench
        .store
        .migrate(op, session, "codex@1".into(), version, None);
    refused("the old version", answer, "stale")?;
    let op = bench.op();
    refused(
        "the same incarnation",
        bench.store.restored(op, 1_000),
        "stale",
    )?;
    let next = bench.must_claim("w1")?;
    same("whether its fence is higher", next.fence > held.fence, true)
}
