//! Processes that die in the middle of a call, or before its answer is read. Whoever repeats the call gets what it promises.

use super::super::bench::{Bench, claim_of, done, event_of, item, press, question, reset_of};
use super::super::race::{Answer, Crash};
use super::super::{Failure, Kept, same};
use crate::Call;
use crate::op::{Complete, Op, QueueFate, Retry, Send};
use crate::reply::{Reply, TaskState, Verdict};

pub(super) const CASES: [(&str, Crash); 9] = [
    (
        "accepting an event",
        Crash {
            prepare: accept,
            judge: accepted,
        },
    ),
    (
        "accepting an event that the platform delivers again",
        Crash {
            prepare: accept,
            judge: delivered_again,
        },
    ),
    (
        "claiming",
        Crash {
            prepare: claim,
            judge: claimed,
        },
    ),
    (
        "completing, with history, messages and a token",
        Crash {
            prepare: complete,
            judge: completed,
        },
    ),
    (
        "failing",
        Crash {
            prepare: fail,
            judge: failed,
        },
    ),
    (
        "asking",
        Crash {
            prepare: ask,
            judge: asked,
        },
    ),
    (
        "pressing a button",
        Crash {
            prepare: answer,
            judge: answered,
        },
    ),
    (
        "resetting",
        Crash {
            prepare: reset,
            judge: was_reset,
        },
    ),
    (
        "migrating",
        Crash {
            prepare: migrate,
            judge: migrated,
        },
    ),
];

type Prepared = Result<Call, Failure>;

fn accept(bench: &mut Bench<'_>) -> Prepared {
    Ok(bench.call(Op::Accept(event_of("chat", "e1"))))
}

/// There is one task, and it runs once.
fn runs_once(bench: &mut Bench<'_>) -> Kept {
    let held = bench.must_claim("w1")?;
    bench.complete(&held)?;
    bench.nothing_for("w1")
}

fn accepted(bench: &mut Bench<'_>, repeated: Answer) -> Kept {
    match repeated? {
        Reply::Accepted(accepted) => same("its verdict", accepted.verdict, Verdict::Task)?,
        other => return wrong(&other),
    }
    runs_once(bench)
}

fn delivered_again(bench: &mut Bench<'_>, repeated: Answer) -> Kept {
    repeated?;
    // The platform knows no op_id.
    let again = bench.accept("chat", "e1")?;
    same("its verdict", again.verdict, Verdict::Duplicate)?;
    runs_once(bench)
}

fn wrong(reply: &Reply) -> Kept {
    Err(Failure::Broken(format!(
        "the repeated call answered {reply:?}"
    )))
}

fn claim(bench: &mut Bench<'_>) -> Prepared {
    bench.accept("chat", "e1")?;
    Ok(bench.call(claim_of("w1")))
}

fn claimed(bench: &mut Bench<'_>, repeated: Answer) -> Kept {
    let Reply::Claimed(leases) = repeated? else {
        return Ok(());
    };
    same("how many leases there are", leases.len(), 1)?;
    same("its attempt", leases[0].attempt, 1)?;
    same("its end", bench.complete(&leases[0])?, TaskState::Done)
}

fn complete(bench: &mut Bench<'_>) -> Prepared {
    let held = bench.running("chat", "e1")?;
    bench.accept("chat", "e2")?;
    let turn = Complete {
        items: vec![item("a"), item("b")],
        sends: vec![Send {
            dedup_key: "k".to_owned(),
            body: "hello".to_owned(),
            route: String::new(),
        }],
        resume_token: Some("native".to_owned()),
        ..done(&held)
    };
    Ok(bench.call(Op::Complete(turn)))
}

fn completed(bench: &mut Bench<'_>, repeated: Answer) -> Kept {
    same("the answer", repeated?, Reply::Task(TaskState::Done))?;
    let history = bench.store.history("s-e1".into(), 0, 0, 10)?;
    same("how many items there are", history.items.len(), 2)?;
    same("how many messages", bench.store.stats()?.pending_sends, 1)?;
    let next = bench.must_claim("w1")?;
    same("the next task", next.task.as_str(), "t-e2")?;
    same("its token", next.resume_token.as_deref(), Some("native"))
}

fn fail(bench: &mut Bench<'_>) -> Prepared {
    let held = bench.running("chat", "e1")?;
    Ok(bench.call(Op::Fail {
        task: held.task,
        fence: held.fence,
        error: "broken".to_owned(),
        retry: Retry::After { delay_ms: 0 },
    }))
}

fn failed(bench: &mut Bench<'_>, repeated: Answer) -> Kept {
    same("the answer", repeated?, Reply::Task(TaskState::Queued))?;
    let again = bench.must_claim("w1")?;
    same(
        "its attempt and failures",
        (again.attempt, again.failures),
        (2, 1),
    )
}

fn ask(bench: &mut Bench<'_>) -> Prepared {
    let held = bench.running("chat", "e1")?;
    Ok(bench.call(Op::Ask(question(&held, "p1"))))
}

fn asked(bench: &mut Bench<'_>, repeated: Answer) -> Kept {
    same("the answer", repeated?, Reply::Task(TaskState::Waiting))?;
    let op = bench.op();
    let pressed = bench.store.answer(op, press("chat", "b1", "p1", "yes"))?;
    same("whether a press takes", pressed.took, true)?;
    runs_once(bench)
}

fn answer(bench: &mut Bench<'_>) -> Prepared {
    let held = bench.running("chat", "e1")?;
    bench.ask(&held, "p1")?;
    Ok(bench.call(Op::Answer(press("chat", "b1", "p1", "yes"))))
}

fn answered(bench: &mut Bench<'_>, repeated: Answer) -> Kept {
    match repeated? {
        Reply::Answered(answered) => same("whether it took", answered.took, true)?,
        other => return wrong(&other),
    }
    runs_once(bench)
}

fn reset(bench: &mut Bench<'_>) -> Prepared {
    let session = bench.session("chat", "e1")?;
    let reset = reset_of(&session, "s-next", QueueFate::Move, false);
    Ok(bench.call(Op::Reset(reset)))
}

fn was_reset(bench: &mut Bench<'_>, repeated: Answer) -> Kept {
    match repeated? {
        Reply::Reset(was) => same("its generation", was.gen_no, 2)?,
        other => return wrong(&other),
    }
    let next = bench.accept("chat", "e2")?;
    same("where the next event goes", next.session.as_str(), "s-next")?;
    same(
        "the first task",
        bench.must_claim("w1")?.task.as_str(),
        "t-e1",
    )
}

fn migrate(bench: &mut Bench<'_>) -> Prepared {
    let session = bench.session("chat", "e1")?;
    let expected_version = bench.store.show(session.clone())?.version;
    Ok(bench.call(Op::Migrate {
        session,
        to_build: "codex@1".into(),
        expected_version,
        converted: None,
    }))
}

fn migrated(bench: &mut Bench<'_>, repeated: Answer) -> Kept {
    repeated?;
    bench.nothing_for("w1")?;
    bench.must_claim("x1")?;
    Ok(())
}
