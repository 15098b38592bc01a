//! Saboteurs: one defect each, in one operation or one role, so that every invariant is seen to fail.
//!
//! A saboteur edits statements of the store or changes what a role does; it may drop a trigger or an index that would
//! mask the defect, and it never writes a row itself. To add an invariant is to add the saboteur that breaks it.

use lockstep_store::{Error, Statements};

/// A defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Saboteur {
    /// A message that comes while a worker is busy opens a second session.
    SecondSession,
    /// The end of a turn forgets the queue behind it.
    LostDrain,
    /// A claim does not ask where the token lives.
    ForeignHome,
    /// A reset cancels what has ended, too.
    CancelsTheEnded,
    /// The API answers before it has asked the store.
    AnswersEarly,
    /// A late result counts although the lease was lost.
    LateResultCounts,
    /// The API knows an event by its delivery.
    KnowsDeliveries,
    /// A move to another runtime takes the token along.
    TokenMoves,
    /// The reaper finds no expired leases.
    BlindReaper,
}

impl Saboteur {
    /// All of them, in the order of the invariants that they break.
    pub const ALL: [Self; 9] = [
        Self::SecondSession,
        Self::LostDrain,
        Self::ForeignHome,
        Self::CancelsTheEnded,
        Self::AnswersEarly,
        Self::LateResultCounts,
        Self::KnowsDeliveries,
        Self::TokenMoves,
        Self::BlindReaper,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SecondSession => "second_session",
            Self::LostDrain => "lost_drain",
            Self::ForeignHome => "foreign_home",
            Self::CancelsTheEnded => "cancels_the_ended",
            Self::AnswersEarly => "answers_early",
            Self::LateResultCounts => "late_result_counts",
            Self::KnowsDeliveries => "knows_deliveries",
            Self::TokenMoves => "token_moves",
            Self::BlindReaper => "blind_reaper",
        }
    }

    /// The invariant that a sweep must see violated.
    pub const fn breaks(self) -> &'static str {
        match self {
            Self::SecondSession => "one_active_session",
            Self::LostDrain => "open_task_reachable",
            Self::ForeignHome => "lease_matches_runtime",
            Self::CancelsTheEnded => "terminal_is_sticky",
            Self::AnswersEarly => "accepted_is_durable",
            Self::LateResultCounts => "stale_fence_is_refused",
            Self::KnowsDeliveries => "one_effect_per_event",
            Self::TokenMoves => "no_cross_runtime_resume",
            Self::BlindReaper => "accepted_task_ends",
        }
    }

    /// The constraints that would mask the defect, as SQL that drops them.
    pub(super) const fn drops(self) -> &'static str {
        match self {
            Self::SecondSession => "DROP INDEX session_one_active",
            Self::ForeignHome => "DROP TRIGGER lease_runtime",
            Self::CancelsTheEnded => "DROP TRIGGER task_sticky",
            Self::LateResultCounts => "DROP TRIGGER item_fenced",
            Self::TokenMoves => "DROP TRIGGER session_token_crossed",
            _ => "",
        }
    }

    /// The store's statements with the defect in them. Fails when the defect no longer applies.
    pub(super) fn statements(self) -> Result<Statements, Error> {
        let edit = |statements: Statements, (name, from, to): &(&str, &str, &str)| {
            statements.replace(name, from, to)
        };
        self.edits().iter().try_fold(Statements::reference(), edit)
    }

    /// Statement, what stands in it, what stands there instead.
    const fn edits(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Self::SecondSession => &[(
                "session_touch",
                "WHERE state = 'active' AND conv_id",
                "WHERE state = 'active' AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session_id = session.session_id) \
                 AND conv_id",
            )],
            Self::LostDrain => &[(
                "session_turn_over",
                "ORDER BY q.pos LIMIT 1)",
                "AND :take = 1 ORDER BY q.pos LIMIT 1)",
            )],
            Self::ForeignHome => &[(
                "claim_ready",
                "s.resume_home = w.home",
                "s.resume_home IS NOT NULL",
            )],
            Self::CancelsTheEnded => &[("tasks_cancel", " AND session_live = 1", "")],
            Self::LateResultCounts => &[
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
            Self::TokenMoves => &[
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
            Self::BlindReaper => &[(
                "lease_expired",
                "until_ms <= :now",
                "until_ms <= :now AND until_ms < 0",
            )],
            Self::AnswersEarly | Self::KnowsDeliveries => &[],
        }
    }
}
