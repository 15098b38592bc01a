//! The tasks of a session run in the order in which they were accepted.

use std::collections::BTreeMap;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, task};

/// When a task begins to run, no task of its session that stands before it is open.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    // Open tasks: session and place.
    let mut open: BTreeMap<&str, (&str, i64)> = BTreeMap::new();
    for commit in &facts.commits {
        for (old, new) in commit.of(task::TABLE) {
            let Some(image) = new.or(old) else { continue };
            let id = row::text(image, task::ID);
            let Some(now) = new.filter(|new| task::is_open(new)) else {
                open.remove(id);
                continue;
            };
            let place = (
                row::text(now, task::SESSION),
                row::number(now, task::POS).unwrap_or(0),
            );
            let begins = old.is_some_and(|old| row::text(old, task::STATE) == "queued")
                && row::text(now, task::STATE) == "running";
            let ahead = open
                .iter()
                .find(|(_, (session, pos))| *session == place.0 && *pos < place.1);
            if let Some((ahead, _)) = ahead.filter(|_| begins) {
                found.add(
                    id,
                    format!("task={id} ran before={ahead} session={}", place.0),
                );
            }
            open.insert(id, place);
        }
    }
}
