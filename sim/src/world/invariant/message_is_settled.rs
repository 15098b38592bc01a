//! Once faults have stopped, every message of the outbox is sent or dropped.

use std::collections::BTreeMap;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, outbox};

/// At the end of the healing phase no message is pending, being sent, or in doubt.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let mut last = BTreeMap::new();
    let changes = facts
        .commits
        .iter()
        .flat_map(|commit| commit.of(outbox::TABLE));
    for (old, new) in changes {
        match (old, new) {
            (_, Some(new)) => {
                last.insert(outbox::key(new), row::text(new, outbox::STATE));
            }
            (Some(old), None) => {
                last.remove(&outbox::key(old));
            }
            (None, None) => {}
        }
    }
    for ((session, n), state) in last {
        if !matches!(state, "sent" | "dropped") {
            found.add(
                &session,
                format!("session={session} message={n} is still {state}"),
            );
        }
    }
}
