//! Saboteurs: one defect for each invariant, so that each is seen to fail. To add an invariant is to add the saboteur that
//! breaks it.

use super::defect::{Defect, Quirk};

/// A defect, and the invariant that a sweep must see violated.
#[derive(Debug, Clone, Copy)]
pub struct Saboteur {
    /// The invariant.
    pub breaks: &'static str,
    /// The defect.
    pub defect: Defect,
}

/// All of them, in the order of the invariants that they break.
pub const SABOTEURS: &[Saboteur] = &[
    // A message that comes while a worker is busy opens a second session.
    Saboteur {
        breaks: "one_active_session",
        defect: Defect::of_statements(
            "second_session",
            &[(
                "session_touch",
                "WHERE state = 'active' AND conv_id",
                "WHERE state = 'active' AND gen = (SELECT max(n.gen) FROM session n WHERE n.conv_id = session.conv_id)\n  AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session_id = session.session_id) AND conv_id",
            )],
            "DROP INDEX session_one_active",
        ),
    },
    // The end of a turn forgets the queue behind it, until a job finds it there.
    Saboteur {
        breaks: "open_task_reachable",
        defect: Defect {
            name: "lost_drain",
            edits: &[(
                "session_turn_over",
                "ORDER BY q.pos LIMIT 1)",
                "AND :take = 1 ORDER BY q.pos LIMIT 1)",
            )],
            drops: "",
            quirks: &[Quirk::RepairsQueues],
        },
    },
    // A claim asks not where the token lives, and does not tell it: who gets the session begins a new native one.
    Saboteur {
        breaks: "lease_matches_runtime",
        defect: Defect::of_statements(
            "foreign_home",
            &[
                (
                    "claim_ready",
                    "s.resume_home = w.home",
                    "s.resume_home IS NOT NULL",
                ),
                (
                    "claim_session",
                    "RETURNING fence, resume_token,",
                    "RETURNING fence, NULL,",
                ),
            ],
            "DROP TRIGGER lease_runtime",
        ),
    },
    // The end of a turn leaves a gap in the history.
    Saboteur {
        breaks: "store_verifies",
        defect: Defect::of_statements(
            "gap_in_history",
            &[("item_of_turn", ", 0) + 1,", ", 0) + 2,")],
            "DROP TRIGGER item_dense",
        ),
    },
    // A move to another runtime takes the token along.
    Saboteur {
        breaks: "no_cross_runtime_resume",
        defect: Defect::of_statements(
            "token_moves",
            &[
                (
                    "session_migrate",
                    "THEN resume_token ELSE :token END",
                    "THEN resume_token ELSE coalesce(:token, resume_token) END",
                ),
                (
                    "session_migrate",
                    "THEN token_class ELSE :token_class END",
                    "THEN token_class WHEN token_class IS NOT NULL THEN coalesce(:token_class, :class) END",
                ),
                (
                    "session_migrate",
                    "THEN resume_home ELSE :home END",
                    "THEN resume_home WHEN resume_home IS NOT NULL THEN coalesce(:home, 'm1') END",
                ),
            ],
            "DROP TRIGGER session_token_crossed",
        ),
    },
    // A worker goes on with the token of its last turn where a session has none.
    Saboteur {
        breaks: "native_session_is_not_shared",
        defect: Defect::of_roles("leaks_token", &[Quirk::LeaksToken]),
    },
    // The API serves a cached state whatever the tab was shown before.
    Saboteur {
        breaks: "reads_go_forward",
        defect: Defect::of_roles("serves_stale_cache", &[Quirk::ServesStaleCache]),
    },
    // A reset cancels what has ended, too.
    Saboteur {
        breaks: "terminal_is_sticky",
        defect: Defect::of_statements(
            "cancels_the_ended",
            &[("tasks_cancel", " AND session_live = 1", "")],
            "DROP TRIGGER task_sticky",
        ),
    },
    // The API answers before it has asked the store.
    Saboteur {
        breaks: "accepted_is_durable",
        defect: Defect::of_roles("answers_early", &[Quirk::AnswersEarly]),
    },
    // The reaper finds no expired leases.
    Saboteur {
        breaks: "accepted_task_ends",
        defect: Defect::of_statements(
            "blind_reaper",
            &[(
                "lease_expired",
                "until_ms <= :now",
                "until_ms <= :now AND until_ms < 0",
            )],
            "",
        ),
    },
    // Whoever had the lease before still appends.
    Saboteur {
        breaks: "stale_fence_is_refused",
        defect: Defect::of_statements(
            "late_progress_counts",
            &[
                (
                    "item_append",
                    "t.fence, :kind",
                    "coalesce(t.fence, :fence), :kind",
                ),
                (
                    "item_append",
                    "t.fence = :fence",
                    "(t.fence >= :fence OR t.end_fence = :fence)",
                ),
            ],
            "DROP TRIGGER item_fenced",
        ),
    },
    // A worker's idempotency key is that of its attempt.
    Saboteur {
        breaks: "one_effect_per_event",
        defect: Defect::of_roles("keys_by_attempt", &[Quirk::KeysByAttempt]),
    },
    // A worker takes a provider's error for an answer.
    Saboteur {
        breaks: "completed_means_ran",
        defect: Defect::of_roles("completes_failures", &[Quirk::CompletesFailures]),
    },
    // A worker records what it used once for each attempt.
    Saboteur {
        breaks: "usage_is_conserved",
        defect: Defect::of_roles("counts_twice", &[Quirk::CountsTwice]),
    },
    // A worker takes a locked native session for a failure of the task's.
    Saboteur {
        breaks: "failures_are_real",
        defect: Defect::of_roles("busy_is_a_failure", &[Quirk::BusyIsAFailure]),
    },
    // A claim takes tasks that were never tried before those that were.
    Saboteur {
        breaks: "tasks_run_in_order",
        defect: Defect::of_statements(
            "fresh_first",
            &[(
                "claim_task",
                "ORDER BY q.pos LIMIT 1",
                "ORDER BY q.attempt, q.pos LIMIT 1",
            )],
            "",
        ),
    },
    // The API takes a keep-alive for a message.
    Saboteur {
        breaks: "work_is_asked_for",
        defect: Defect::of_roles("pings_are_messages", &[Quirk::PingsAreMessages]),
    },
    // The API takes an error for absence, and opens a session of its own.
    Saboteur {
        breaks: "session_ends_for_a_reason",
        defect: Defect::of_roles("error_means_absent", &[Quirk::ErrorMeansAbsent]),
    },
    // The reaper is three seconds early.
    Saboteur {
        breaks: "timeout_is_sound",
        defect: Defect::of_statements(
            "early_reaper",
            &[
                (
                    "lease_expired",
                    "until_ms <= :now",
                    "until_ms <= :now + 3000",
                ),
                (
                    "task_reap",
                    "l.until_ms <= :now",
                    "l.until_ms <= :now + 3000",
                ),
            ],
            "",
        ),
    },
    // The inbox does not ask whose bot an event came to.
    Saboteur {
        breaks: "tenants_are_isolated",
        defect: Defect::of_statements(
            "inbox_of_all_tenants",
            &[(
                "inbox_seen",
                "tenant = :tenant AND",
                "(tenant = :tenant OR 1) AND",
            )],
            "",
        ),
    },
    // What is kept of an answer is not all of it.
    Saboteur {
        breaks: "same_op_same_answer",
        defect: Defect::of_statements(
            "answer_half_kept",
            &[(
                "op_result_put",
                ":result",
                "replace(:result, '\"attempt\":1', '\"attempt\":2')",
            )],
            "",
        ),
    },
    // The end of a turn keeps the first token of the session.
    Saboteur {
        breaks: "pointer_is_freshest",
        defect: Defect::of_statements(
            "first_token_stays",
            &[(
                "session_turn_over",
                "resume_token = coalesce(:token, resume_token)",
                "resume_token = coalesce(resume_token, :token)",
            )],
            "",
        ),
    },
    // A claim does not ask whether the worker is still alive.
    Saboteur {
        breaks: "lease_is_of_a_live_worker",
        defect: Defect::of_statements(
            "gone_worker_claims",
            &[("claim_ready", "w.state = 'live'", "w.state <> ''")],
            "DROP TRIGGER lease_worker_live",
        ),
    },
    // The API looks a button up by its position, in the newest list.
    Saboteur {
        breaks: "press_means_its_button",
        defect: Defect::of_roles("presses_by_position", &[Quirk::PressesByPosition]),
    },
    // A worker takes the message itself for the answer to the question about it.
    Saboteur {
        breaks: "answer_is_the_users",
        defect: Defect::of_roles("answers_itself", &[Quirk::AnswersItself]),
    },
    // A worker ends a turn without telling its user.
    Saboteur {
        breaks: "turn_tells_its_user",
        defect: Defect::of_roles("tells_nobody", &[Quirk::TellsNobody]),
    },
    // Nobody looks into messages that may have been sent.
    Saboteur {
        breaks: "message_is_settled",
        defect: Defect::of_roles("forgets_unknown", &[Quirk::ForgetsUnknown]),
    },
    // The sender takes silence for success.
    Saboteur {
        breaks: "message_is_not_lost",
        defect: Defect::of_roles("silence_means_sent", &[Quirk::SilenceMeansSent]),
    },
    // The sender asks again at once when nobody answers.
    Saboteur {
        breaks: "message_is_shown_once",
        defect: Defect::of_roles("resends_unmarked", &[Quirk::ResendsUnmarked]),
    },
    // The sender reports a message as sent and sends it when it has time.
    Saboteur {
        breaks: "messages_stay_in_order",
        defect: Defect::of_roles("sends_later", &[Quirk::SendsLater]),
    },
    // A worker replies to the chat that it served first.
    Saboteur {
        breaks: "reply_reaches_its_chat",
        defect: Defect::of_roles("replies_to_first_chat", &[Quirk::RepliesToFirstChat]),
    },
    // The API answers a conflict by writing what it has over what is there.
    Saboteur {
        breaks: "no_lost_update",
        defect: Defect::of_roles("overwrites_state", &[Quirk::OverwritesState]),
    },
    // A claim does not tell how often the task has failed.
    Saboteur {
        breaks: "linearizable",
        defect: Defect::of_statements(
            "hides_failures",
            &[("claim_task", "attempt, failures", "attempt, 0")],
            "",
        ),
    },
];
