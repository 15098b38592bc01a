//! Work is taken back from the living, or lost on the way back.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // The expiry is looked at when leases are listed, and not again.
    in_sql(
        "rescues_without_a_second_look",
        &[(
            "task_reap",
            "(:gone = 1 OR EXISTS (SELECT 1 FROM lease l WHERE l.session_id = :session AND l.until_ms <= :now))",
            ":gone >= 0",
        )],
        "",
        "riverqueue/river #1302, PR #1373: the rescuer acts on what it read before",
        &[
            "a heartbeat that is late",
            "a renewal between the rescuer's two steps",
        ],
    ),
    // A lease is old by when it was granted; renewals do not count.
    in_sql(
        "rescues_by_age",
        &[
            (
                "lease_expired",
                "until_ms <= :now",
                "granted_ms + 10000 <= :now",
            ),
            (
                "task_reap",
                "l.until_ms <= :now",
                "l.granted_ms + 10000 <= :now",
            ),
        ],
        "",
        "hexpm/hexpm PR #1825 (Oban Lifeline), riverqueue/river #682: rescue by age runs live jobs twice",
        &["a turn that is renewed"],
    ),
    // A crash costs nothing: the failures of a rescued task are not counted.
    in_sql(
        "a_crash_is_free",
        &[(
            "task_reap",
            "failures = failures + 1, end_fence",
            "failures = failures, end_fence",
        )],
        "",
        "vectorize-io/hindsight #2675, sidekiq #4069: claims that end in a crash never count",
        &["a worker that dies", "a rescue"],
    ),
    // The queue behind a turn that was taken away is forgotten.
    in_sql(
        "rescue_forgets_the_queue",
        &[(
            "session_turn_over",
            "ORDER BY q.pos LIMIT 1)",
            "AND :take = 0 ORDER BY q.pos LIMIT 1)",
        )],
        "",
        "openclaw #5951, #67173, #130810: messages queued behind a run that is cut off are never drained",
        &["a turn that outlasts its lease", "a rescue"],
    ),
    // One dead worker, and everybody of its class is taken for dead.
    in_sql(
        "one_gone_is_all_gone",
        &[(
            "worker_leases",
            "WHERE worker_id = :worker",
            "WHERE resume_class = (SELECT w.resume_class FROM worker w WHERE w.worker_id = :worker)",
        )],
        "",
        "DBOS #804, apalis #507: processes under one name are recovered together",
        &[
            "two workers of a class at work",
            "one of them reported gone",
        ],
    ),
    // A rescue forgets that the task was to be cancelled.
    in_sql(
        "rescue_drops_the_cancel",
        &[
            ("task_reap", "cancel_asked = 1", "cancel_asked > 1"),
            (
                "task_reap",
                "failures = failures + 1, end_fence",
                "cancel_asked = 0, failures = failures + 1, end_fence",
            ),
        ],
        "",
        "dbos-inc/dbos-transact-py #767: a cancel is lost without a word",
        &[
            "a cancel that is asked",
            "a turn that outlasts its lease",
            "a rescue",
        ],
    ),
    // What is done once more starts with the failures of the first time.
    in_sql(
        "retry_keeps_the_failures",
        &[(
            "task_again",
            "0, 0, o.max_failures",
            "o.attempt, o.failures, o.max_failures",
        )],
        "",
        "garrytan/gbrain PR #2974: a retried job dies at once, at attempt 4 of 3",
        &["a task that is dead", "a retry", "one more failure"],
    ),
    // The platform is told that all is well before anything is kept.
    in_roles(
        "answered_before_it_is_kept",
        &[Quirk::AnswersEarly],
        "incident 000 V2, V5: acknowledged or marked before it is handled",
        &["an error of the store or a crash after the answer"],
    ),
    // The platform is told that all is well when the store has failed.
    in_roles(
        "an_error_is_ok",
        &[Quirk::CallsErrorsDone],
        "incident 003: errors of the store are swallowed",
        &["an error of the store"],
    ),
    // A turn that failed is completed.
    in_roles(
        "an_error_is_an_answer",
        &[Quirk::CompletesFailures],
        "incident 000 V4",
        &["a turn that fails"],
    ),
    // A native session that is still locked counts as a failure of the task.
    in_roles(
        "a_lock_is_a_failure",
        &[Quirk::BusyIsAFailure],
        "incident 002 bug 006",
        &["a lock that is released late", "a next turn meanwhile"],
    ),
    // A turn that was begun before ends without a word to its user.
    in_roles(
        "ends_in_silence",
        &[Quirk::TellsNobody],
        "incident 000 (NOTIFY)",
        &["a second attempt"],
    ),
    // A worker has the same id, and counts from one, each time it starts.
    in_roles(
        "same_worker_after_restart",
        &[Quirk::SameWorkerAfterRestart],
        "oban-bg/oban #862, apalis #507",
        &[
            "a worker that dies",
            "a claim of the one that comes after it",
        ],
    ),
    // A failure too many is allowed: the last one leaves the task in the queue.
    in_sql(
        "one_failure_too_many",
        &[(
            "task_fail",
            "failures + 1 >= max_failures",
            "failures >= max_failures",
        )],
        "",
        "sidequestjs/sidequest #155: attempts beyond what is allowed",
        &["as many failures of one task as it may have"],
    ),
    // A rescue puts a task back whatever it has failed before: only a worker's own failure buries it.
    in_sql(
        "a_rescue_never_buries",
        &[(
            "task_reap",
            "failures + 1 >= max_failures",
            "failures >= max_failures",
        )],
        "",
        "oban-bg/oban #137, nazarli-shabnam/clevis #130: a job that takes its worker down is begun for ever",
        &[
            "as many failures of one task as it may have",
            "the last of them a rescue",
        ],
    ),
    // The rescuer has a limit of its own.
    in_sql(
        "rescuer_counts_to_three",
        &[(
            "task_reap",
            "failures + 1 >= max_failures",
            "failures + 1 >= min(max_failures, 3)",
        )],
        "",
        "elizaOS/eliza #10854: recovery buries at three attempts, whatever the job may have",
        &["three failures of one task", "the last of them a rescue"],
    ),
    // What was buried holds up what is queued behind it.
    in_sql(
        "the_dead_hold_the_queue",
        &[(
            "session_turn_over",
            "AND q.state = 'queued'\n      ORDER BY q.pos LIMIT 1)",
            "AND q.state = 'queued'\n      AND NOT EXISTS (SELECT 1 FROM task d WHERE d.session_id = session.session_id AND d.state = 'dead') ORDER BY q.pos LIMIT 1)",
        )],
        "",
        "guardian/tagmanager PR #262: steps out of retries whose job does not fail block the queue",
        &[
            "as many failures of one task as it may have",
            "a message behind it",
        ],
    ),
];
