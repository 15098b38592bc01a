//! What has to be true after all deaths.

use lockstep_store::{Call, Op, Reply, SqliteStore, Store, SystemClock, TaskState, Verdict};
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// What one child wrote down.
#[derive(Debug, Default)]
pub(super) struct Log {
    answered: Vec<(Call, Reply)>,
    /// Made, and nobody knows.
    open: Option<Call>,
}

/// What was looked at.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) acknowledged: u64,
    pub(super) in_doubt: u64,
    pub(super) tasks: i64,
}

impl Log {
    /// A line that the death cut off was not acknowledged.
    pub(super) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut log = Self::default();
        for line in text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
        {
            let (kind, rest) = line.trim_end().split_once(' ').expect("a kind");
            match kind {
                "T" => log.open = Some(serde_json::from_str(rest).expect("a call")),
                "A" => {
                    let reply = serde_json::from_str(rest).expect("a reply");
                    log.answered.push((log.open.take().expect("asked"), reply));
                }
                _ => log.open = None,
            }
        }
        log
    }
}

/// The database that the children share.
pub(super) fn found(path: &Path) {
    let mut store = SqliteStore::open(path, SystemClock).expect("opens");
    store
        .register_build("build".into(), "bot@1".into(), "bot", "bot/1".into())
        .expect("a build");
    store
        .set_current("current".into(), "bot@1".into())
        .expect("current");
}

pub(super) fn judge(path: &Path, logs: &[Log]) -> Judged {
    let mut store = SqliteStore::open(path, SystemClock).expect("opens after all deaths");
    let sound: String = store
        .connection()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(sound, "ok");
    is_sound(&mut store);
    let mut judged = Judged {
        acknowledged: 0,
        in_doubt: 0,
        tasks: 0,
    };
    for (call, reply) in logs.iter().flat_map(|log| &log.answered) {
        stands(store.connection(), call, reply);
        is_told_again(&mut store, call, reply);
        judged.acknowledged += 1;
    }
    // Whoever got no answer asks again; whatever the answer, nothing breaks.
    for call in logs.iter().filter_map(|log| log.open.as_ref()) {
        if let Err(error) = store.apply(call) {
            assert!(error.is_definite(), "{error}");
        }
        judged.in_doubt += 1;
    }
    is_sound(&mut store);
    judged.tasks = number(store.connection(), "SELECT count(*) FROM task", &[]);
    judged
}

fn is_sound(store: &mut SqliteStore<SystemClock>) {
    let report = store.verify(10).expect("verifies");
    assert!(report.findings.is_empty(), "{report:?}");
    assert!(report.unfinished.is_empty(), "{report:?}");
}

/// The kept answer is the one that was given.
fn is_told_again(store: &mut SqliteStore<SystemClock>, call: &Call, reply: &Reply) {
    let idle = match reply {
        Reply::Claimed(claimed) => claimed.is_empty(),
        Reply::Sending(sending) => sending.is_empty(),
        _ => call.op_id.is_none(),
    };
    if !idle {
        assert_eq!(store.apply(call).as_ref(), Ok(reply), "{call:?}");
    }
}

fn number(conn: &Connection, sql: &str, params: &[&dyn rusqlite::ToSql]) -> i64 {
    conn.query_row(sql, params, |row| row.get(0)).expect(sql)
}

/// What was acknowledged is there.
fn stands(conn: &Connection, call: &Call, reply: &Reply) {
    let count = match (&call.op, reply) {
        (Op::Accept(event), Reply::Accepted(told)) if told.verdict == Verdict::Task => number(
            conn,
            "SELECT count(*) FROM task t JOIN inbox i ON i.task_id = t.task_id WHERE t.task_id = ?1 AND i.ext_id = ?2",
            &[&told.task.as_str(), &event.ext_id],
        ),
        (Op::Complete(turn), Reply::Task(TaskState::Done)) => number(
            conn,
            "SELECT count(*) FROM task WHERE task_id = ?1 AND state = 'done' AND end_fence = ?2",
            &[&turn.task.as_str(), &turn.fence.0],
        ),
        (Op::Append { session, fence, .. }, Reply::Appended(next)) => number(
            conn,
            "SELECT count(*) FROM item WHERE session_id = ?1 AND seq = ?2 AND fence = ?3",
            &[&session.as_str(), &(next - 1), &fence.0],
        ),
        (Op::Sent { session, n, .. }, Reply::Done) => number(
            conn,
            "SELECT count(*) FROM outbox WHERE session_id = ?1 AND n = ?2 AND state = 'sent'",
            &[&session.as_str(), n],
        ),
        _ => return,
    };
    assert_eq!(count, 1, "lost: {call:?} {reply:?}");
}
