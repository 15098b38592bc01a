//! What was acknowledged is there, and is acknowledged in the same words for ever.

use std::collections::BTreeMap;

use super::Found;
use crate::label::Label;
use crate::trace::{Kind, Outcome, Trace};
use crate::world::row::{self, task};

pub(super) const NAME: &str = "accepted_is_durable";

/// Every acknowledged event has its task among the committed ones at the end, and each of its acknowledgements names the
/// same task. An acknowledgement counts when it was given, even if it was lost on its way.
pub(super) fn judge(trace: &Trace, found: &mut Vec<Found>) {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for event in trace
        .events
        .iter()
        .filter(|event| event.kind == Kind::Deliver)
    {
        let Outcome::Text(text) = &event.outcome else {
            continue;
        };
        let Some(task) = acknowledged_task(text) else {
            continue;
        };
        let message = event_of(&event.cause);
        let known = *first.entry(message).or_insert(task);
        if known != task {
            let row = format!("event={message} first={known} then={task}");
            found.push(Found {
                name: NAME,
                key: message.to_owned(),
                row,
            });
        }
    }
    for (message, task) in first {
        if !is_there(trace, task) {
            let row = format!("event={message} task={task} is not in the store");
            found.push(Found {
                name: NAME,
                key: message.to_owned(),
                row,
            });
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

fn is_there(trace: &Trace, task: &str) -> bool {
    let of_task = |image: &Option<Vec<_>>| {
        image
            .as_ref()
            .is_some_and(|row| row::text(row, task::ID) == task)
    };
    let mut changes = trace
        .changes
        .iter()
        .rev()
        .filter(|committed| &*committed.change.table == task::TABLE);
    let last =
        changes.find(|committed| of_task(&committed.change.new) || of_task(&committed.change.old));
    last.is_some_and(|committed| committed.change.new.is_some())
}
