//! Who lost a lease changes nothing any more, however it was lost.

use super::super::bench::{Bench, LEASE_MS, done, item, other, question, reset_of};
use super::super::{Kept, refused, same};
use super::Alone;
use crate::Error;
use crate::op::{CancelHow, Op, QueueFate, Retry};
use crate::reply::{Claimed, TaskState};

pub(super) const CASES: [Alone; 8] = [
    (
        "an expired lease that nobody took back may still complete",
        late_but_alone,
    ),
    ("a fence that was never issued is refused", never_issued),
    ("who was reaped is fenced", reaped),
    (
        "who was reaped is fenced while another runs the task",
        taken_over,
    ),
    ("who was declared dead is fenced", declared_dead),
    ("who held a closed session is fenced", closed),
    (
        "who held a session that was reset is fenced, and in the next generation too",
        reset,
    ),
    ("whose task was cancelled by force is fenced", cancelled),
];

/// How the operations of a session that is closed may refuse: who lost the lease learns it either way.
const ENDED: [&str; 2] = ["fenced", "closed"];

/// Every operation that takes a fence refuses this one, and nothing is written.
fn fenced(bench: &mut Bench<'_>, old: &Claimed) -> Kept {
    shut_out(bench, old, &["fenced"])
}

/// Every operation that takes a fence, by somebody who is late.
fn all_fenced(old: &Claimed) -> [Op; 9] {
    let (session, task, fence) = (old.session.clone(), old.task.clone(), old.fence);
    [
        Op::Complete(done(old)),
        Op::Fail {
            task: task.clone(),
            fence,
            error: "late".to_owned(),
            retry: Retry::Never,
        },
        Op::GiveBack {
            task: task.clone(),
            fence,
        },
        Op::Snooze {
            task: task.clone(),
            fence,
            delay_ms: 1,
        },
        Op::Cancel {
            task,
            reason: "late".to_owned(),
            how: CancelHow::Own { fence },
        },
        Op::Append {
            session: session.clone(),
            fence,
            expected_seq: old.next_seq,
            items: vec![item("late")],
        },
        Op::SetResume {
            session: session.clone(),
            fence,
            token: "late".to_owned(),
            epoch: old.epoch,
        },
        Op::Renew {
            session,
            fence,
            lease_ms: LEASE_MS,
        },
        Op::Ask(question(old, "late")),
    ]
}

fn shut_out(bench: &mut Bench<'_>, old: &Claimed, kinds: &[&str]) -> Kept {
    for op in all_fenced(old) {
        let name = op.name();
        let call = bench.call(op);
        let answer = bench.store.apply(&call);
        match &answer {
            // A store without questions keeps the rest.
            Err(Error::Invalid { field: "op", .. }) if name == "ask" => {}
            Err(error) if kinds.contains(&error.kind()) => {}
            _ => refused(name, answer, kinds[0])?,
        }
    }
    let history = bench.store.history(old.session.clone(), 0, 0, 10)?;
    same("its history", history.items.len(), 0)
}

fn late_but_alone(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.advance(10 * LEASE_MS);
    bench.nothing_for("w2")?;
    same("the answer", bench.complete(&held)?, TaskState::Done)
}

fn never_issued(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let wrong = Claimed {
        fence: other(held.fence),
        ..held.clone()
    };
    fenced(bench, &wrong)?;
    same(
        "the holder's answer",
        bench.complete(&held)?,
        TaskState::Done,
    )
}

fn reaped(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.advance(LEASE_MS);
    same(
        "what is reaped",
        bench.store.reap(10)?.requeued,
        vec![held.task.clone()],
    )?;
    fenced(bench, &held)
}

fn taken_over(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.advance(LEASE_MS);
    bench.store.reap(10)?;
    let next = bench.must_claim("w2")?;
    same("the next one's task", &next.task, &held.task)?;
    same("whether its fence is higher", next.fence > held.fence, true)?;
    fenced(bench, &held)?;
    same(
        "the next one's answer",
        bench.complete(&next)?,
        TaskState::Done,
    )
}

fn declared_dead(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let op = bench.op();
    let gone = bench.store.worker_gone(op, "w1".into())?;
    same(
        "what is queued again",
        gone.requeued,
        vec![held.task.clone()],
    )?;
    bench.must_claim("w2")?;
    fenced(bench, &held)
}

fn closed(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let op = bench.op();
    bench
        .store
        .close(op, held.session.clone(), "enough", true)?;
    shut_out(bench, &held, &ENDED)
}

fn reset(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.accept("chat", "e2")?;
    let op = bench.op();
    let reset = reset_of(&held.session, "s-next", QueueFate::Move, true);
    bench.store.reset(op, reset)?;
    shut_out(bench, &held, &ENDED)?;
    let next = bench.must_claim("w2")?;
    same("the next task", next.task.as_str(), "t-e2")?;
    same("whether its fence is higher", next.fence > held.fence, true)?;
    let confused = Claimed {
        fence: held.fence,
        ..next
    };
    fenced(bench, &confused)
}

fn cancelled(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let op = bench.op();
    let state = bench
        .store
        .cancel(op, held.task.clone(), "now", CancelHow::Force)?;
    same("the answer", state, TaskState::Cancelled)?;
    fenced(bench, &held)
}
