//! What a sweep must have reached. Most are noted by the role that sees them; these two show in the trace only.

use std::collections::BTreeSet;

use crate::run::Kernel;
use crate::trace::{Arg, Kind, Outcome, Trace};

/// A process died while SQLite was writing the commit of its transaction.
pub(crate) const CRASH_INSIDE_COMMIT: &str = "crash_inside_commit";
/// A process died after its commit and before it knew.
pub(crate) const CRASH_AFTER_COMMIT: &str = "crash_after_commit";
/// An event was accepted, nobody was told, and the next delivery got the first answer.
pub(crate) const RETRY_AFTER_COMMIT: &str = "retry_after_commit_before_answer";
/// An event was delivered once more after its task had ended.
pub(crate) const LATE_DUPLICATE: &str = "late_duplicate_after_completion";
/// A worker that had lost its lease to the reaper came back and was refused.
pub(crate) const TAKEOVER: &str = "takeover_after_pause";
/// A session was reset while something was open in it.
pub(crate) const RESET_WITH_OPEN_TASK: &str = "reset_with_open_task";
/// A session was moved to the other runtime, and a turn was completed there.
pub(crate) const MOVED: &str = "moved_between_runtimes";
/// A turn lasted longer than its lease, which was renewed.
pub(crate) const LEASE_RENEWED: &str = "lease_renewed";
/// A native session was resumed.
pub(crate) const RESUMED: &str = "native_session_resumed";
/// An effect was asked for again after it had happened.
pub(crate) const EFFECT_REPEATED: &str = "effect_asked_for_twice";
/// A task was tried again after a failure or a lost lease.
pub(crate) const TRIED_AGAIN: &str = "task_tried_again";

/// All of them.
pub(super) const ALL: &[&str] = &[
    CRASH_INSIDE_COMMIT,
    CRASH_AFTER_COMMIT,
    RETRY_AFTER_COMMIT,
    LATE_DUPLICATE,
    TAKEOVER,
    RESET_WITH_OPEN_TASK,
    MOVED,
    LEASE_RENEWED,
    RESUMED,
    EFFECT_REPEATED,
    TRIED_AGAIN,
];

/// Notes the goals that only the trace shows.
pub(super) fn judge(kernel: &Kernel) {
    let trace = kernel.trace.borrow();
    let mut crashes = trace
        .events
        .iter()
        .filter(|event| event.kind == Kind::Fault)
        .filter_map(|event| crash(&event.arg));
    if crashes.any(|site| site == "xWrite wal" || site == "xSync wal") {
        kernel.reached(CRASH_INSIDE_COMMIT);
    }
    if died_after_commit(&trace) {
        kernel.reached(CRASH_AFTER_COMMIT);
    }
}

fn crash(arg: &Arg) -> Option<&str> {
    match arg {
        Arg::Text(text) => text.strip_prefix("crash at "),
        _ => None,
    }
}

/// An operation that never returned, of a cause that committed after it began.
fn died_after_commit(trace: &Trace) -> bool {
    let open = trace
        .events
        .iter()
        .filter(|event| event.kind == Kind::Op && matches!(event.outcome, Outcome::Open));
    let begun: BTreeSet<(u64, u64)> = open.map(|event| (event.cause.hash(), event.n)).collect();
    !begun.is_empty()
        && trace.changes.iter().any(|committed| {
            begun
                .range((committed.cause.hash(), 0)..(committed.cause.hash(), committed.n))
                .next()
                .is_some()
        })
}
