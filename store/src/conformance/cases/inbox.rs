//! Events that are delivered again, by platforms that know nothing of op_ids.

use super::super::bench::{Bench, event_of, key, new_session, reset_of};
use super::super::{Kept, same};
use super::Alone;
use crate::op::{Accept, ConvKey, QueueFate};
use crate::reply::Verdict;

pub(super) const CASES: [Alone; 5] = [
    (
        "a redelivery gets the first answer and makes no second task",
        redelivered,
    ),
    (
        "the same event with another body is reported, not executed",
        changed,
    ),
    (
        "an event is remembered after its task and its session have ended",
        remembered,
    ),
    (
        "equal ids of different accounts are different events",
        accounts,
    ),
    ("ordered ids are remembered beyond pruning", ordered),
];

/// The same event once more, as a process with ids of its own would deliver it.
fn again(event: &str) -> Accept {
    Accept {
        task: "t-again".into(),
        ..event_of("chat", event)
    }
}

fn redelivered(bench: &mut Bench<'_>) -> Kept {
    let first = bench.accept("chat", "e1")?;
    same("the first verdict", first.verdict, Verdict::Task)?;
    let op = bench.op();
    let second = bench.store.accept(op, again("e1"))?;
    same("the second", second.verdict, Verdict::Duplicate)?;
    same("its task", second.task, first.task)?;
    same("its session", second.session, first.session)?;
    let held = bench.must_claim("w1")?;
    bench.complete(&held)?;
    bench.nothing_for("w1")
}

fn changed(bench: &mut Bench<'_>) -> Kept {
    let first = bench.accept("chat", "e1")?;
    let op = bench.op();
    let body = "edited".to_owned();
    let second = bench.store.accept(
        op,
        Accept {
            body,
            ..again("e1")
        },
    )?;
    same("the verdict", second.verdict, Verdict::Changed)?;
    same("its task", second.task, first.task)?;
    let held = bench.must_claim("w1")?;
    same("what runs", held.input.as_str(), "body of e1")?;
    bench.complete(&held)?;
    bench.nothing_for("w1")
}

fn remembered(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.complete(&held)?;
    let op = bench.op();
    let reset = reset_of(&held.session, "s-next", QueueFate::Move, false);
    bench.store.reset(op, reset)?;
    let op = bench.op();
    let second = bench.store.accept(op, again("e1"))?;
    same("the verdict", second.verdict, Verdict::Duplicate)?;
    same("its session", second.session, held.session)?;
    bench.nothing_for("w1")
}

fn accounts(bench: &mut Bench<'_>) -> Kept {
    bench.accept("chat", "e1")?;
    let other = ConvKey {
        account: "other bot".to_owned(),
        ..key("chat")
    };
    let op = bench.op();
    let mut event = again("e1");
    event.key = other;
    event.new = new_session("other");
    let second = bench.store.accept(op, event)?;
    same("the verdict", second.verdict, Verdict::Task)
}

fn ordered(bench: &mut Bench<'_>) -> Kept {
    let op = bench.op();
    bench
        .store
        .ordered_ids(op, "tenant", "tg", "bot", 1_000_000)?;
    for event in ["7", "8"] {
        let held = bench.running("chat", event)?;
        bench.complete(&held)?;
    }
    bench.advance(10_000);
    bench.store.prune(5_000, 100)?;
    let op = bench.op();
    let old = bench.store.accept(op, again("7"))?;
    same("the verdict of an old one", old.verdict, Verdict::Old)?;
    let new = bench.accept("chat", "9")?;
    same("the verdict of a new one", new.verdict, Verdict::Task)
}
