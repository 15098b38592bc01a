//! A copy is believed although the original has changed. In the store that is `head_ready_ms`, which says when the head of a
//! session's queue may be claimed.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
    // A message for an idle session does not make it claimable.
    in_sql(
        "idle_is_not_woken",
        &[("session_touch", "ELSE :now END", "ELSE head_ready_ms END")],
        "",
        "openclaw PR #31902: a message that comes after the queue was emptied is stranded",
        &["a second message after the first turn"],
    ),
    // A session is ready when any of its tasks is, not when its head is.
    in_sql(
        "ready_before_its_head",
        &[(
            "session_turn_over",
            "(SELECT q.run_at_ms FROM task q",
            "(SELECT min(q.run_at_ms) FROM task q",
        )],
        "",
        "openclaw #98685: what is kept about a queue does not match the queue",
        &["two messages in the queue", "a failure of the first"],
    ),
    // A cached state is served whatever the tab was shown before.
    in_roles(
        "stale_state_is_served",
        &[Quirk::ServesStaleCache],
        "incident 003 (a cache for each connection), tower-sessions #35",
        &["two API processes", "a tab that has seen a newer state"],
    ),
    // A state that cannot be read is served as an empty one.
    in_roles(
        "an_error_is_an_empty_state",
        &[Quirk::ErrorMeansEmpty],
        "incident 003: a failed read gives the default",
        &[
            "a state that was shown",
            "an error of the store at the next visit",
        ],
    ),
];
