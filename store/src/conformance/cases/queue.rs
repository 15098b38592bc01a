//! Tasks: their order, their leases, how they end.

use super::super::bench::{Bench, LEASE_MS};
use super::super::{Kept, refused, same};
use super::Alone;
use crate::op::{CancelHow, Retry};
use crate::reply::{Claimed, TaskState};

pub(super) const CASES: [Alone; 11] = [
    (
        "a session's tasks run one at a time, first in first out",
        in_order,
    ),
    (
        "sessions run beside each other, up to the limit of the claim",
        beside,
    ),
    (
        "a failed attempt is queued again at its old place",
        old_place,
    ),
    ("a task is dead when its failures are used up", dead),
    ("a task that fails for good lets the next one run", for_good),
    ("a task that rests holds back its session", resting),
    ("giving back and snoozing count no failure", no_failure),
    ("a task that failed is retried once, as a new one", retried),
    ("a queued task is cancelled at once", cancelled),
    ("a running task's worker is told to stop", told_to_stop),
    ("renewing prolongs a lease and never shortens it", renewed),
];

const AT_ONCE: Retry = Retry::After { delay_ms: 0 };

fn in_order(bench: &mut Bench<'_>) -> Kept {
    for event in ["e1", "e2", "e3"] {
        bench.accept("chat", event)?;
    }
    for task in ["t-e1", "t-e2", "t-e3"] {
        let held = bench.must_claim("w1")?;
        same("the next task", held.task.as_str(), task)?;
        bench.nothing_for("w2")?;
        same("its end", bench.complete(&held)?, TaskState::Done)?;
    }
    bench.nothing_for("w1")
}

fn beside(bench: &mut Bench<'_>) -> Kept {
    for (chat, event) in [("a", "e1"), ("b", "e2"), ("c", "e3")] {
        bench.accept(chat, event)?;
        bench.advance(1);
    }
    let op = bench.op();
    let two = bench.store.claim(op, "w1".into(), 2, LEASE_MS)?;
    let tasks: Vec<&str> = two.iter().map(|held| held.task.as_str()).collect();
    same("what two are", tasks, vec!["t-e1", "t-e2"])?;
    same("the third", bench.must_claim("w2")?.task.as_str(), "t-e3")
}

fn old_place(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.accept("chat", "e2")?;
    same("the answer", bench.fail(&held, AT_ONCE)?, TaskState::Queued)?;
    let again = bench.must_claim("w2")?;
    same("the next task", again.task, held.task)?;
    same(
        "its attempt and failures",
        (again.attempt, again.failures),
        (2, 1),
    )
}

fn dead(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.accept("chat", "e2")?;
    bench.fail(&held, AT_ONCE)?;
    let again = bench.must_claim("w1")?;
    same("the answer", bench.fail(&again, AT_ONCE)?, TaskState::Dead)?;
    same(
        "the next task",
        bench.must_claim("w1")?.task.as_str(),
        "t-e2",
    )
}

fn for_good(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.accept("chat", "e2")?;
    same(
        "the answer",
        bench.fail(&held, Retry::Never)?,
        TaskState::Failed,
    )?;
    same(
        "the next task",
        bench.must_claim("w1")?.task.as_str(),
        "t-e2",
    )
}

fn resting(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.accept("chat", "e2")?;
    bench.fail(&held, Retry::After { delay_ms: 500 })?;
    bench.advance(499);
    bench.nothing_for("w1")?;
    bench.advance(1);
    same("the next task", bench.must_claim("w1")?.task, held.task)
}

fn no_failure(bench: &mut Bench<'_>) -> Kept {
    let counts = |held: &Claimed| (held.attempt, held.failures);
    let held = bench.running("chat", "e1")?;
    let op = bench.op();
    let back = bench.store.give_back(op, held.task.clone(), held.fence)?;
    same("the answer", back, TaskState::Queued)?;
    let held = bench.must_claim("w1")?;
    same("its attempt and failures", counts(&held), (2, 0))?;
    let op = bench.op();
    let rest = bench.store.snooze(op, held.task.clone(), held.fence, 300)?;
    same("the answer", rest, TaskState::Queued)?;
    bench.nothing_for("w1")?;
    bench.advance(300);
    let held = bench.must_claim("w1")?;
    same("its attempt and failures", counts(&held), (3, 0))
}

fn retried(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let retry = |bench: &mut Bench<'_>, again: &str| {
        let op = bench.op();
        bench.store.retry(op, "t-e1".into(), again.into())
    };
    refused("retrying what runs", retry(bench, "t-new"), "closed")?;
    bench.fail(&held, Retry::Never)?;
    same("its session", retry(bench, "t-new")?, held.session)?;
    let again = bench.must_claim("w1")?;
    same("the new task", again.task.as_str(), "t-new")?;
    same("its input", again.input, held.input)?;
    refused("a second retry", retry(bench, "t-newer"), "constraint")
}

fn cancel(bench: &mut Bench<'_>, task: &str, how: CancelHow) -> Result<TaskState, crate::Error> {
    let op = bench.op();
    bench.store.cancel(op, task.into(), "changed my mind", how)
}

fn cancelled(bench: &mut Bench<'_>) -> Kept {
    bench.accept("chat", "e1")?;
    bench.accept("chat", "e2")?;
    let state = cancel(bench, "t-e1", CancelHow::Ask)?;
    same("the answer", state, TaskState::Cancelled)?;
    let held = bench.must_claim("w1")?;
    same("the next task", held.task.as_str(), "t-e2")?;
    bench.complete(&held)?;
    refused(
        "cancelling what is done",
        cancel(bench, "t-e2", CancelHow::Ask),
        "closed",
    )
}

fn told_to_stop(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let before = bench
        .store
        .renew(held.session.clone(), held.fence, LEASE_MS)?;
    same("whether it is told before", before.cancel_asked, false)?;
    let state = cancel(bench, "t-e1", CancelHow::Ask)?;
    same("the answer", state, TaskState::Running)?;
    let after = bench
        .store
        .renew(held.session.clone(), held.fence, LEASE_MS)?;
    same("whether it is told", after.cancel_asked, true)?;
    let fence = held.fence;
    let state = cancel(bench, "t-e1", CancelHow::Own { fence })?;
    same("the worker's answer", state, TaskState::Cancelled)?;
    bench.nothing_for("w1")
}

fn renewed(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.advance(600);
    let renew = |bench: &mut Bench<'_>, lease_ms| {
        bench
            .store
            .renew(held.session.clone(), held.fence, lease_ms)
    };
    let longer = renew(bench, LEASE_MS)?;
    same("its end", longer.until_ms, held.until_ms + 600)?;
    same("what is left", longer.left_ms, LEASE_MS)?;
    let shorter = renew(bench, 1)?;
    same(
        "its end after a shorter one",
        shorter.until_ms,
        longer.until_ms,
    )?;
    bench.advance(LEASE_MS - 1);
    same("what is reaped", bench.store.reap(10)?.requeued, Vec::new())
}
