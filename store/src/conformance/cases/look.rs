//! What the store tells about itself.

use super::super::bench::{Bench, LEASE_MS};
use super::super::{Failure, Kept, refused, same};
use super::Alone;
use crate::SessionId;
use crate::op::{Filter, Retry};
use crate::reply::{TaskState, Why};

pub(super) const CASES: [Alone; 4] = [
    ("sessions are listed in pages, by what they are", listed),
    ("numbers count what is open", counted),
    (
        "the nearest reason why nothing happens is told first",
        explained,
    ),
    (
        "a session is shown as it stands, and an unknown one is not",
        shown,
    ),
];

fn listed(bench: &mut Bench<'_>) -> Kept {
    for (chat, event) in [("a", "1"), ("b", "2"), ("c", "3")] {
        bench.accept(chat, event)?;
    }
    let op = bench.op();
    bench.store.close(op, "s-2".into(), "enough", false)?;
    let ids = |bench: &mut Bench<'_>, filter: Filter, after: Option<&str>, limit| {
        let after = after.map(SessionId::new);
        let page = bench.store.list(filter, after, limit)?;
        let ids = page.into_iter().map(|listed| listed.session.to_string());
        Ok::<Vec<String>, crate::Error>(ids.collect())
    };
    same(
        "the first page",
        ids(bench, Filter::default(), None, 2)?,
        strings(&["s-1", "s-2"]),
    )?;
    same(
        "the second",
        ids(bench, Filter::default(), Some("s-2"), 2)?,
        strings(&["s-3"]),
    )?;
    let active = |active| Filter {
        active: Some(active),
        ..Filter::default()
    };
    same(
        "the active ones",
        ids(bench, active(true), None, 10)?,
        strings(&["s-1", "s-3"]),
    )?;
    same(
        "the closed ones",
        ids(bench, active(false), None, 10)?,
        strings(&["s-2"]),
    )?;
    let class = Filter {
        class: Some("codex/1".into()),
        ..Filter::default()
    };
    same("those of codex", ids(bench, class, None, 10)?, Vec::new())?;
    let conv = Filter {
        conv: Some("c-3".into()),
        ..Filter::default()
    };
    same(
        "those of one chat",
        ids(bench, conv, None, 10)?,
        strings(&["s-3"]),
    )
}

fn strings(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn counted(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("a", "e1")?;
    bench.reply(&held, "hello")?;
    bench.running("a", "e2")?;
    bench.accept("a", "e3")?;
    bench.advance(LEASE_MS / 4);
    bench.accept("b", "e4")?;
    bench.advance(LEASE_MS);
    let stats = bench.store.stats()?;
    let tasks = (stats.queued, stats.running, stats.waiting, stats.dead);
    same(
        "queued, running, waiting and dead tasks",
        tasks,
        (2, 1, 0, 0),
    )?;
    same("active sessions", stats.active_sessions, 2)?;
    same("what is ready", stats.ready, vec![("claude/1".into(), 1)])?;
    same("since when", stats.oldest_ready_ms, Some(LEASE_MS))?;
    same("expired leases", stats.expired_leases, 1)?;
    let sends = (stats.pending_sends, stats.sending, stats.unknown_sends);
    same("messages", sends, (1, 0, 0))
}

/// A short name for the nearest reason.
fn why(bench: &mut Bench<'_>, session: &SessionId) -> Result<String, Failure> {
    let explained = bench.store.explain(session.clone())?;
    let name = match explained.why.first() {
        None => "nothing".to_owned(),
        Some(Why::Closed { reason }) => format!("closed: {reason}"),
        Some(Why::Idle) => "idle".to_owned(),
        Some(Why::Leased { worker, task, .. }) => format!("{worker} runs {task}"),
        Some(Why::WaitingForPrompt { prompt, .. }) => format!("waits for {prompt}"),
        Some(Why::Resting { task, .. }) => format!("{task} rests"),
        Some(Why::Ready { task, .. }) => format!("{task} is ready"),
        Some(other) => format!("{other:?}"),
    };
    Ok(name)
}

fn explained(bench: &mut Bench<'_>) -> Kept {
    let session = bench.session("chat", "e1")?;
    let is = |bench: &mut Bench<'_>, should_be: &str| {
        let told = why(bench, &session)?;
        same("the nearest reason", told.as_str(), should_be)
    };
    is(bench, "t-e1 is ready")?;
    let held = bench.must_claim("w1")?;
    is(bench, "w1 runs t-e1")?;
    bench.fail(&held, Retry::After { delay_ms: 500 })?;
    is(bench, "t-e1 rests")?;
    bench.advance(500);
    let held = bench.must_claim("w1")?;
    bench.complete(&held)?;
    is(bench, "idle")?;
    let op = bench.op();
    bench.store.close(op, session.clone(), "enough", false)?;
    is(bench, "closed: enough")
}

fn shown(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    bench.accept("chat", "e2")?;
    let shown = bench.store.show(held.session.clone())?;
    let lease = shown
        .lease
        .map(|lease| (lease.worker, lease.fence, lease.until_ms));
    same(
        "its lease",
        lease,
        Some(("w1".into(), held.fence, held.until_ms)),
    )?;
    let tasks: Vec<(&str, TaskState)> = shown
        .tasks
        .iter()
        .map(|task| (task.task.as_str(), task.state))
        .collect();
    let should_be = vec![("t-e1", TaskState::Running), ("t-e2", TaskState::Queued)];
    same("its tasks", tasks, should_be)?;
    same("its build", shown.build.as_str(), "claude@1")?;
    refused(
        "an unknown one",
        bench.store.show("s-none".into()),
        "not_found",
    )
}
