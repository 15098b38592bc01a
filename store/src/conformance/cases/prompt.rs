//! Questions and their buttons: one outcome, whoever presses, and whenever.

use super::super::bench::{Bench, PATIENCE_MS, event_of, press};
use super::super::{Failure, Kept, refused, same};
use super::Alone;
use crate::Error;
use crate::op::{Accept, CancelHow, WhenWaiting};
use crate::reply::{Answered, Claimed, PromptOutcome, TaskState, Verdict};

pub(super) const CASES: [Alone; 9] = [
    ("a question ends the turn and holds back the queue", asked),
    (
        "the first press decides, and the task learns of it",
        decided,
    ),
    ("a later press gets the recorded outcome", late),
    (
        "a redelivered press is answered as before, with another token it is refused",
        redelivered,
    ),
    (
        "a button answers nothing in another chat, and neither does a made-up one",
        foreign,
    ),
    ("a text may answer", by_text),
    ("a text may interrupt", interrupted),
    ("a question expires, and no press brings it back", expired),
    (
        "a question is withdrawn, by name or with its task",
        withdrawn,
    ),
];

/// A task that asked, and now waits.
fn waiting(bench: &mut Bench<'_>) -> Result<Claimed, Failure> {
    let held = bench.running("chat", "e1")?;
    same("the answer", bench.ask(&held, "p1")?, TaskState::Waiting)?;
    Ok(held)
}

fn pressed(bench: &mut Bench<'_>, event: &str, label: &str) -> Result<Answered, Error> {
    let op = bench.op();
    bench.store.answer(op, press("chat", event, "p1", label))
}

fn yes() -> PromptOutcome {
    PromptOutcome::Chosen {
        idx: 1,
        label: "yes".to_owned(),
    }
}

/// The outcome that the next claim tells.
fn told(bench: &mut Bench<'_>, worker: &str) -> Result<Option<PromptOutcome>, Failure> {
    let held = bench.must_claim(worker)?;
    same("the task", held.task.as_str(), "t-e1")?;
    Ok(held.prompt.map(|prompted| prompted.outcome))
}

fn asked(bench: &mut Bench<'_>) -> Kept {
    let held = waiting(bench)?;
    bench.accept("chat", "e2")?;
    bench.nothing_for("w1")?;
    let state = bench.state(&held.session, &held.task)?;
    same("its state", state, Some(TaskState::Waiting))
}

fn decided(bench: &mut Bench<'_>) -> Kept {
    waiting(bench)?;
    let answered = pressed(bench, "b1", "yes")?;
    same(
        "what the press did",
        (answered.took, answered.outcome),
        (true, yes()),
    )?;
    same("what the task is told", told(bench, "w2")?, Some(yes()))
}

fn late(bench: &mut Bench<'_>) -> Kept {
    waiting(bench)?;
    pressed(bench, "b1", "yes")?;
    let second = pressed(bench, "b2", "no")?;
    same(
        "what the second did",
        (second.took, second.outcome),
        (false, yes()),
    )?;
    let held = bench.must_claim("w1")?;
    bench.complete(&held)?;
    let third = pressed(bench, "b3", "no")?;
    same(
        "what the third did",
        (third.took, third.outcome),
        (false, yes()),
    )?;
    bench.nothing_for("w1")
}

fn redelivered(bench: &mut Bench<'_>) -> Kept {
    waiting(bench)?;
    let first = pressed(bench, "b1", "yes")?;
    let second = pressed(bench, "b1", "yes")?;
    same("the outcome", second.outcome, first.outcome)?;
    refused("another token", pressed(bench, "b1", "no"), "changed")?;
    bench.must_claim("w1")?;
    Ok(())
}

fn foreign(bench: &mut Bench<'_>) -> Kept {
    waiting(bench)?;
    bench.accept("other chat", "e2")?;
    let op = bench.op();
    let answer = bench
        .store
        .answer(op, press("other chat", "b1", "p1", "yes"));
    refused("in another chat", answer, "not_found")?;
    let op = bench.op();
    let answer = bench.store.answer(op, press("chat", "b2", "p2", "yes"));
    refused("a made-up one", answer, "not_found")?;
    let took = pressed(bench, "b3", "yes")?.took;
    same("whether the right one took", took, true)
}

fn text(bench: &mut Bench<'_>, when_waiting: WhenWaiting) -> Result<Verdict, Error> {
    let op = bench.op();
    let event = Accept {
        when_waiting,
        ..event_of("chat", "e2")
    };
    Ok(bench.store.accept(op, event)?.verdict)
}

fn by_text(bench: &mut Bench<'_>) -> Kept {
    waiting(bench)?;
    let verdict = text(bench, WhenWaiting::Answer)?;
    same("the verdict", verdict, Verdict::Answer)?;
    let outcome = PromptOutcome::Text("body of e2".to_owned());
    same(
        "what the task is told",
        told(bench, "w1")?,
        Some(outcome.clone()),
    )?;
    let late = pressed(bench, "b1", "yes")?;
    same(
        "what a press did",
        (late.took, late.outcome),
        (false, outcome),
    )
}

fn interrupted(bench: &mut Bench<'_>) -> Kept {
    waiting(bench)?;
    let verdict = text(bench, WhenWaiting::Interrupt)?;
    same("the verdict", verdict, Verdict::Task)?;
    let held = bench.must_claim("w1")?;
    let outcome = held.prompt.clone().map(|prompted| prompted.outcome);
    same(
        "what the task is told",
        outcome,
        Some(PromptOutcome::Revoked),
    )?;
    bench.complete(&held)?;
    same(
        "the next task",
        bench.must_claim("w1")?.task.as_str(),
        "t-e2",
    )
}

fn expired(bench: &mut Bench<'_>) -> Kept {
    waiting(bench)?;
    bench.advance(PATIENCE_MS);
    let swept = bench.store.sweep(10)?;
    same("what expired", swept.expired, vec!["p1".into()])?;
    let late = pressed(bench, "b1", "yes")?;
    let outcome = (late.took, late.outcome);
    same("what a press did", outcome, (false, PromptOutcome::Expired))?;
    same(
        "what the task is told",
        told(bench, "w1")?,
        Some(PromptOutcome::Expired),
    )
}

fn withdrawn(bench: &mut Bench<'_>) -> Kept {
    waiting(bench)?;
    let op = bench.op();
    let revoked = bench.store.revoke(op, "p1".into())?;
    same("its outcome", revoked.outcome, PromptOutcome::Revoked)?;
    let held = bench.must_claim("w1")?;
    bench.ask(&held, "p2")?;
    let op = bench.op();
    bench
        .store
        .cancel(op, held.task, "enough", CancelHow::Ask)?;
    let op = bench.op();
    let late = bench.store.answer(op, press("chat", "b1", "p2", "yes"))?;
    let outcome = (late.took, late.outcome);
    same("what a press did", outcome, (false, PromptOutcome::Revoked))?;
    bench.nothing_for("w1")
}
