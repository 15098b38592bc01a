//! A copy is believed although the original has changed. In the store that is `head_ready_ms`, which says when the head of a
//! session's queue may be claimed.

use super::planted::{Planted, in_sql};

pub(crate) const BUGS: &[Planted] = &[
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
];
