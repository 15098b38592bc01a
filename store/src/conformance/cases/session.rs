//! Conversations, their keys, and their one active session.

use super::super::bench::{Bench, event_of, key, new_session, reset_of};
use super::super::{Kept, refused, same};
use super::Alone;
use crate::op::{Accept, ConvKey, OpenPolicy, QueueFate};
use crate::reply::{Opened, TaskState};
use crate::{Error, SessionId};

pub(super) const CASES: [Alone; 10] = [
    ("a chat's active session is adopted", adopted),
    ("an active session is refused where none may be", one_only),
    ("a session is replaced by the next generation", replaced),
    ("a session under a lease is not replaced", not_under_a_lease),
    ("a reset moves the queue, in order", reset_moves),
    ("a reset may cancel the queue", reset_cancels),
    (
        "closing cancels what is open, and the next event opens the next generation",
        closed,
    ),
    ("closing and resetting under a lease take force", leased),
    ("a second key leads to the same conversation", linked),
    ("keys that differ in any part are different chats", parts),
];

fn open(bench: &mut Bench<'_>, policy: OpenPolicy, name: &str) -> Result<Opened, Error> {
    let op = bench.op();
    bench
        .store
        .open_or_get(op, key("chat"), policy, new_session(name))
}

fn adopted(bench: &mut Bench<'_>) -> Kept {
    let first = open(bench, OpenPolicy::Adopt, "one")?;
    same("the first answer", (first.created, first.gen_no), (true, 1))?;
    let second = open(bench, OpenPolicy::Adopt, "two")?;
    same(
        "the second",
        second,
        Opened {
            created: false,
            ..first
        },
    )
}

fn one_only(bench: &mut Bench<'_>) -> Kept {
    open(bench, OpenPolicy::Fail, "one")?;
    refused(
        "a second one",
        open(bench, OpenPolicy::Fail, "two"),
        "closed",
    )
}

fn replaced(bench: &mut Bench<'_>) -> Kept {
    let first = open(bench, OpenPolicy::Adopt, "one")?;
    let second = open(bench, OpenPolicy::Replace, "two")?;
    same("its conversation", &second.conv, &first.conv)?;
    same("its generation", second.gen_no, 2)?;
    let old = bench.store.show(first.session)?;
    same("whether the old one is active", old.active, false)
}

fn not_under_a_lease(bench: &mut Bench<'_>) -> Kept {
    bench.running("chat", "e1")?;
    let answer = open(bench, OpenPolicy::Replace, "two");
    refused("replacing it", answer, "leased")
}

fn reset_moves(bench: &mut Bench<'_>) -> Kept {
    let session = bench.session("chat", "e1")?;
    bench.accept("chat", "e2")?;
    let op = bench.op();
    let was = bench
        .store
        .reset(op, reset_of(&session, "s-next", QueueFate::Move, false))?;
    same("its generation", was.gen_no, 2)?;
    same("what moved", was.moved, vec!["t-e1".into(), "t-e2".into()])?;
    let first = bench.must_claim("w1")?;
    same("where it is", first.session.as_str(), "s-next")?;
    same("the first", first.task.as_str(), "t-e1")?;
    bench.complete(&first)?;
    let second = bench.must_claim("w1")?;
    same("the second", second.task.as_str(), "t-e2")
}

fn reset_cancels(bench: &mut Bench<'_>) -> Kept {
    let session = bench.session("chat", "e1")?;
    let op = bench.op();
    let was = bench
        .store
        .reset(op, reset_of(&session, "s-next", QueueFate::Cancel, false))?;
    same("what was cancelled", was.cancelled, vec!["t-e1".into()])?;
    bench.nothing_for("w1")?;
    let state = bench.state(&session, &"t-e1".into())?;
    same("its state", state, Some(TaskState::Cancelled))?;
    same(
        "where the next event goes",
        bench.session("chat", "e2")?.as_str(),
        "s-next",
    )
}

fn closed(bench: &mut Bench<'_>) -> Kept {
    let session = bench.session("chat", "e1")?;
    let close = |bench: &mut Bench<'_>| {
        let op = bench.op();
        bench.store.close(op, session.clone(), "enough", false)
    };
    same(
        "what was cancelled",
        close(bench)?.cancelled,
        vec!["t-e1".into()],
    )?;
    bench.nothing_for("w1")?;
    refused("closing it again", close(bench), "closed")?;
    same(
        "the next session",
        bench.session("chat", "e2")?.as_str(),
        "s-e2",
    )?;
    let next = bench.store.show(SessionId::new("s-e2"))?;
    same("its generation", next.gen_no, 2)
}

fn leased(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let op = bench.op();
    let answer = bench.store.close(op, held.session.clone(), "enough", false);
    refused("closing it", answer, "leased")?;
    let op = bench.op();
    let reset = reset_of(&held.session, "s-next", QueueFate::Move, false);
    refused("resetting it", bench.store.reset(op, reset), "leased")?;
    let op = bench.op();
    let closed = bench.store.close(op, held.session, "enough", true)?;
    same("what force cancelled", closed.cancelled, vec![held.task])
}

fn linked(bench: &mut Bench<'_>) -> Kept {
    let session = bench.session("chat", "e1")?;
    let op = bench.op();
    let conv = bench.store.link_key(op, key("chat"), key("supergroup"))?;
    same("the conversation", conv.as_str(), "c-e1")?;
    same(
        "where the other key leads",
        bench.session("supergroup", "e2")?,
        session,
    )?;
    let op = bench.op();
    let answer = bench.store.link_key(op, key("nowhere"), key("other"));
    refused("linking what leads nowhere", answer, "not_found")
}

fn parts(bench: &mut Bench<'_>) -> Kept {
    let base = key("chat");
    let x = || "x".to_owned();
    let others = [
        ConvKey {
            tenant: x(),
            ..base.clone()
        },
        ConvKey {
            channel: x(),
            ..base.clone()
        },
        ConvKey {
            account: x(),
            ..base.clone()
        },
        ConvKey {
            thread: x(),
            ..base.clone()
        },
        ConvKey {
            participant: x(),
            ..base.clone()
        },
    ];
    bench.accept("chat", "e0")?;
    for (n, key) in others.into_iter().enumerate() {
        let op = bench.op();
        let event = Accept {
            key,
            ..event_of("chat", &format!("e{}", n + 1))
        };
        let wanted = event.new.session.clone();
        let accepted = bench.store.accept(op, event)?;
        same("its session", accepted.session, wanted)?;
    }
    Ok(())
}
