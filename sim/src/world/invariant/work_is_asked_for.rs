//! No more work than was asked for: nothing grows out of retries, keep-alives and errors.

use std::collections::BTreeMap;

use super::Found;
use crate::world::facts::Facts;
use crate::world::people::{author_of, event_of};
use crate::world::row::{self, task};

/// Each task was asked for by a message that wants something done, one task for one message; only an operator who has a
/// failed one done again asks for another. How many sessions there may be follows from their ends, which are judged elsewhere.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let pings = facts.town.pings.borrow();
    let mut firsts: BTreeMap<&str, &str> = BTreeMap::new();
    for commit in &facts.commits {
        for (old, new) in commit.of(task::TABLE) {
            let (None, Some(new)) = (old, new) else {
                continue;
            };
            let id = row::text(new, task::ID);
            let event = event_of(row::text(new, task::INPUT));
            if author_of(event).is_none() || pings.contains(event) {
                found.add(event, format!("task={id} event={event} asked for nothing"));
            }
            let again = !row::text(new, task::RETRY_OF).is_empty();
            let first = *firsts.entry(event).or_insert(id);
            if first != id && !again {
                found.add(event, format!("event={event} first={first} again={id}"));
            }
        }
    }
}
