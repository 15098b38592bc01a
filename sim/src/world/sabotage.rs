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
                "WHERE state = 'active' AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session_id = session.session_id) \
                 AND conv_id",
            )],
            "DROP INDEX session_one_active",
        ),
    },
    // The end of a turn forgets the queue behind it.
    Saboteur {
        breaks: "open_task_reachable",
        defect: Defect::of_statements(
            "lost_drain",
            &[(
                "session_turn_over",
                "ORDER BY q.pos LIMIT 1)",
                "AND :take = 1 ORDER BY q.pos LIMIT 1)",
            )],
            "",
        ),
    },
    // A claim does not ask where the token lives.
    Saboteur {
        breaks: "lease_matches_runtime",
        defect: Defect::of_statements(
            "foreign_home",
            &[(
                "claim_ready",
                "s.resume_home = w.home",
                "s.resume_home IS NOT NULL",
            )],
            "DROP TRIGGER lease_runtime",
        ),
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
    // A late result counts although the lease was lost.
    Saboteur {
        breaks: "stale_fence_is_refused",
        defect: Defect::of_statements(
            "late_result_counts",
            &[
                ("item_of_turn", "t.task_id, t.fence,", "t.task_id, :fence,"),
                (
                    "item_of_turn",
                    " AND t.fence = :fence",
                    " AND t.session_live = 1",
                ),
                (
                    "send_of_turn",
                    " AND t.fence = :fence",
                    " AND t.session_live = 1 AND :fence > 0",
                ),
                (
                    "task_finish",
                    " AND fence = :fence",
                    " AND session_live = 1 AND :fence > 0",
                ),
                // Without a lease to look it up in, the token's home has to come from somewhere.
                (
                    "session_turn_over",
                    "FROM lease l JOIN worker w ON w.worker_id = l.worker_id WHERE l.session_id = session.session_id",
                    "FROM worker w ORDER BY w.worker_id LIMIT 1",
                ),
            ],
            "DROP TRIGGER item_fenced",
        ),
    },
    // The API knows an event by its delivery.
    Saboteur {
        breaks: "one_effect_per_event",
        defect: Defect::of_roles("knows_deliveries", &[Quirk::KnowsDeliveries]),
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
                    "THEN resume_home ELSE coalesce(:home, resume_home) END",
                ),
            ],
            "DROP TRIGGER session_token_crossed",
        ),
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
