//! What a tab was told is saved stays saved.

use std::collections::BTreeMap;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, data};

/// Each edit that was acknowledged is in the last committed state of its session, and no edit is in it twice.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let states = facts.last(data::TABLE);
    let bodies: BTreeMap<&str, Vec<&str>> = states
        .iter()
        .map(|(session, row)| (*session, row::text(row, data::BODY).split(',').collect()))
        .collect();
    for saved in facts.town.saved.borrow().iter() {
        if facts.is_undone(saved.n) {
            continue;
        }
        // A session that was pruned took its state along.
        let Some(edits) = bodies.get(saved.session.as_str()) else {
            continue;
        };
        let times = edits.iter().filter(|edit| **edit == saved.edit).count();
        if times != 1 {
            let row = format!(
                "session={} edit={} is in the state {times} times",
                saved.session, saved.edit
            );
            found.add(&saved.session, row);
        }
    }
}
