//! What is still needed is deleted.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // Kept answers are deleted at once: the age is taken in other units.
    in_sql(
        "answers_are_forgotten_at_once",
        &[(
            "prune_op_results",
            "o.at_ms < :before",
            "o.at_ms < :before * 1000",
        )],
        "",
        "mads256h/stregsystemet-rs PR #54: a key that was evicted is handled again",
        &[
            "a commit whose answer is lost",
            "a prune",
            "the same call again",
        ],
    ),
    // A closed session is deleted with the messages that it has still to send.
    in_sql(
        "prunes_the_unsent",
        &[(
            "prune_list",
            "AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = s.session_id AND o.state IN ('pending','sending','unknown'))",
            "",
        )],
        "",
        "holodeck-b2b/Holodeck-B2B #170, byte5ai/palaia #364: purged by age, delivered or not",
        &["a message that is not sent", "a close", "a prune"],
    ),
    // What is over is forgotten within a minute.
    in_roles(
        "pruned_within_a_minute",
        &[Quirk::PrunesTooSoon],
        "openclaw PR #59387 (a window of five minutes)",
        &[
            "a task that has ended",
            "a prune",
            "a late delivery of its event",
        ],
    ),
];
