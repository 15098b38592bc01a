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
/// A worker that had lost its lease came back and was refused.
pub(crate) const TAKEOVER: &str = "takeover_after_pause";
/// A session was reset while something was open in it.
pub(crate) const RESET_WITH_OPEN_TASK: &str = "reset_with_open_task";
/// A session was moved to the other runtime, and a turn was completed there.
pub(crate) const MOVED: &str = "moved_between_runtimes";
/// Sessions were moved to another runtime one after the other, beside live traffic.
pub(crate) const MIGRATED_IN_BULK: &str = "migrated_in_bulk";
/// A turn lasted longer than its lease, which was renewed.
pub(crate) const LEASE_RENEWED: &str = "lease_renewed";
/// A native session was resumed.
pub(crate) const RESUMED: &str = "native_session_resumed";
/// A resumed native session got a new token.
pub(crate) const ROTATED: &str = "token_rotated";
/// A native session let nobody in: its lock was not given back yet, or another turn ran in it.
pub(crate) const NATIVE_BUSY: &str = "native_session_busy";
/// A native session was gone, or had not been written down.
pub(crate) const NATIVE_LOST: &str = "native_session_lost";
/// A lost token was dropped, and the turn went on without.
pub(crate) const TOKEN_DROPPED: &str = "token_dropped";
/// A call was repeated after its answer, under the same name.
pub(crate) const ASKED_AGAIN: &str = "asked_again_under_same_op_id";
/// An effect was asked for again after it had happened.
pub(crate) const EFFECT_REPEATED: &str = "effect_asked_for_twice";
/// A task was tried again after a failure or a lost lease.
pub(crate) const TRIED_AGAIN: &str = "task_tried_again";
/// The provider refused a task for ever, because of what it asked for.
pub(crate) const FAILED_FOR_GOOD: &str = "failed_for_good";
/// A task was put off without a failure.
pub(crate) const SNOOZED: &str = "task_snoozed";
/// A worker that was asked to stop gave its task back.
pub(crate) const GIVEN_BACK: &str = "task_given_back";
/// The operator cancelled a task.
pub(crate) const CANCELLED: &str = "task_cancelled";
/// A worker learned from its renewal that its task was not wanted any more.
pub(crate) const CANCELLED_BY_WORKER: &str = "cancelled_while_running";
/// The operator closed a session.
pub(crate) const CLOSED: &str = "session_closed";
/// A user stopped what they had asked for.
pub(crate) const STOPPED_BY_USER: &str = "stopped_by_user";
/// The operator had a failed task done once more.
pub(crate) const RETRIED_BY_HAND: &str = "retried_by_hand";
/// A chat got a second key.
pub(crate) const KEY_LINKED: &str = "key_linked";
/// A new build was made current.
pub(crate) const ROLLED_FORWARD: &str = "rolled_forward";
/// The build before was made current again.
pub(crate) const ROLLED_BACK: &str = "rolled_back";
/// A build was taken out of service.
pub(crate) const BUILD_RETIRED: &str = "build_retired";
/// A worker went over to another build, or came back under a new id.
pub(crate) const NEW_BUILD_AT_WORK: &str = "new_build_at_work";
/// A worker was declared gone.
pub(crate) const DECLARED_GONE: &str = "worker_declared_gone";
/// A worker that was alive learned that it had been declared gone.
pub(crate) const HEARD_IT_IS_GONE: &str = "worker_heard_it_is_gone";
/// A turn ended with a question.
pub(crate) const ASKED: &str = "question_asked";
/// A press answered a question.
pub(crate) const PRESS_WON: &str = "press_answered";
/// A press met a question that had ended.
pub(crate) const PRESS_LATE: &str = "press_came_too_late";
/// A user pressed a button twice.
pub(crate) const PRESSED_TWICE: &str = "pressed_twice";
/// A user pressed both buttons of a question.
pub(crate) const PRESSED_BOTH: &str = "pressed_both_buttons";
/// A user pressed a button of an older question.
pub(crate) const PRESSED_OLD: &str = "pressed_old_list";
/// A press was not answered, and the user pressed again: a new event.
pub(crate) const PRESSED_AGAIN: &str = "pressed_again_unanswered";
/// The platform gave a press up.
pub(crate) const PRESS_EXPIRED: &str = "press_expired";
/// A user wrote instead of pressing a button.
pub(crate) const TEXT_FALLBACK: &str = "text_instead_of_button";
/// A text answered a question.
pub(crate) const ANSWERED_BY_TEXT: &str = "text_answered_question";
/// A question expired.
pub(crate) const QUESTION_EXPIRED: &str = "question_expired";
/// A keep-alive was received.
pub(crate) const PING: &str = "keep_alive";
/// A text that no database takes was refused, once.
pub(crate) const PAYLOAD_REFUSED: &str = "payload_refused";
/// A tab connected again.
pub(crate) const RECONNECTED: &str = "tab_reconnected";
/// An API process served a state out of its cache.
pub(crate) const SERVED_FROM_CACHE: &str = "served_from_cache";
/// An API process found that its cached state was not the current one.
pub(crate) const CACHE_WAS_STALE: &str = "cache_was_stale";
/// The platform took a message only later.
pub(crate) const RATE_LIMITED: &str = "send_rate_limited";
/// The platform refused a message for good.
pub(crate) const CHAT_GONE: &str = "send_refused";
/// The platform showed no message for a while.
pub(crate) const PLATFORM_DOWN: &str = "platform_down";
/// A sender stood still between the check of its fence and the effect.
pub(crate) const STALLED_BEFORE_EFFECT: &str = "stalled_before_effect";
/// A message may have been sent, and nobody knew.
pub(crate) const SEND_UNKNOWN: &str = "send_outcome_unknown";
/// A message that may have been sent was settled.
pub(crate) const SEND_RESOLVED: &str = "send_resolved";
/// A message went out once more, marked as a possible repeat.
pub(crate) const SENT_AGAIN_MARKED: &str = "sent_again_marked";
/// A sender said nothing for too long, and its message counted as unknown.
pub(crate) const SENDER_GIVEN_UP: &str = "sender_given_up";
/// A session was closed because it was idle for too long.
pub(crate) const IDLE_SESSION_CLOSED: &str = "idle_session_closed";
/// The database refused an edit by hand.
pub(crate) const HAND_EDIT_REFUSED: &str = "hand_edit_refused";
/// A process with another database file could not take anything there.
pub(crate) const SECOND_FILE_REFUSED: &str = "second_file_refused";
/// A backup was put back, and the store was told.
pub(crate) const RESTORED: &str = "restored";
/// Old rows were pruned.
pub(crate) const PRUNED: &str = "pruned";

/// All of them.
pub(super) const ALL: &[&str] = &[
    CRASH_INSIDE_COMMIT,
    CRASH_AFTER_COMMIT,
    RETRY_AFTER_COMMIT,
    LATE_DUPLICATE,
    TAKEOVER,
    RESET_WITH_OPEN_TASK,
    MOVED,
    MIGRATED_IN_BULK,
    LEASE_RENEWED,
    RESUMED,
    ROTATED,
    NATIVE_BUSY,
    NATIVE_LOST,
    TOKEN_DROPPED,
    ASKED_AGAIN,
    EFFECT_REPEATED,
    TRIED_AGAIN,
    FAILED_FOR_GOOD,
    SNOOZED,
    GIVEN_BACK,
    CANCELLED,
    CANCELLED_BY_WORKER,
    CLOSED,
    STOPPED_BY_USER,
    RETRIED_BY_HAND,
    KEY_LINKED,
    ROLLED_FORWARD,
    ROLLED_BACK,
    BUILD_RETIRED,
    NEW_BUILD_AT_WORK,
    DECLARED_GONE,
    HEARD_IT_IS_GONE,
    ASKED,
    PRESS_WON,
    PRESS_LATE,
    PRESSED_TWICE,
    PRESSED_BOTH,
    PRESSED_OLD,
    PRESSED_AGAIN,
    PRESS_EXPIRED,
    TEXT_FALLBACK,
    ANSWERED_BY_TEXT,
    QUESTION_EXPIRED,
    PING,
    PAYLOAD_REFUSED,
    RECONNECTED,
    SERVED_FROM_CACHE,
    CACHE_WAS_STALE,
    RATE_LIMITED,
    CHAT_GONE,
    PLATFORM_DOWN,
    STALLED_BEFORE_EFFECT,
    SEND_UNKNOWN,
    SEND_RESOLVED,
    SENT_AGAIN_MARKED,
    SENDER_GIVEN_UP,
    IDLE_SESSION_CLOSED,
    HAND_EDIT_REFUSED,
    SECOND_FILE_REFUSED,
    RESTORED,
    PRUNED,
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
