//! What was acknowledged is there, and is acknowledged in the same words for ever.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::label::Label;
use crate::world::facts::Facts;
use crate::world::row::{self, task};

/// Every acknowledged event has its task among the committed ones, and each of its acknowledgements names the same task. An
/// acknowledgement counts when it was given, even if it was lost on its way.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (_, cause, text) in &facts.answers {
        let Some(task) = acknowledged_task(text) else {
            continue;
        };
        let event = event_of(cause);
        let known = *first.entry(event).or_insert(task);
        if known != task {
            found.add(event, format!("event={event} first={known} then={task}"));
        }
    }
    let committed = committed(facts);
    for (event, task) in first {
        if !committed.contains(task) {
            found.add(
                event,
                format!("event={event} task={task} is not in the store"),
            );
        }
    }
}

/// Task of the API's answer `ok TASK SESSION`.
fn acknowledged_task(text: &str) -> Option<&str> {
    text.strip_prefix("ok ")?.split(' ').next()
}

/// The event that a delivery belongs to: the cause without what the platform and the network added.
fn event_of(cause: &Label) -> &str {
    cause.as_str().split('/').next().unwrap_or_default()
}

/// Tasks that are there, or were pruned after they had ended.
fn committed<'a>(facts: &Facts<'a>) -> BTreeSet<&'a str> {
    let mut tasks = BTreeSet::new();
    for (old, new) in facts
        .commits
        .iter()
        .flat_map(|commit| commit.of(task::TABLE))
    {
        if let Some(new) = new {
            tasks.insert(row::text(new, task::ID));
        } else if let Some(open) = old.filter(|old| task::is_open(old)) {
            tasks.remove(row::text(open, task::ID));
        }
    }
    tasks
}
