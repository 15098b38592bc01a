//! What this world must keep. Three are the store's own rules, judged on the snapshot of each commit; one the provider
//! judges when it is asked to resume; the others are judged over the trace when a run is over, one file each.

mod accepted_is_durable;
mod accepted_task_ends;
mod linearizable;
mod one_effect_per_event;
mod stale_fence_is_refused;
mod terminal_is_sticky;

use rusqlite::types::Value;

use super::row;
use super::town::Town;
use crate::run::Kernel;

/// All of them.
pub(super) const ALL: &[&str] = &[
    "one_active_session",
    "open_task_reachable",
    "lease_matches_runtime",
    terminal_is_sticky::NAME,
    accepted_is_durable::NAME,
    stale_fence_is_refused::NAME,
    one_effect_per_event::NAME,
    "no_cross_runtime_resume",
    accepted_task_ends::NAME,
    linearizable::NAME,
];

/// Those that are rules of the store's `verify`.
pub(super) const SNAPSHOT: &[&str] = &[
    "one_active_session",
    "open_task_reachable",
    "lease_matches_runtime",
];

/// Judges a run that is over.
pub(super) fn judge(kernel: &Kernel, town: &Town) {
    let found = {
        let trace = kernel.trace.borrow();
        let mut found = Vec::new();
        terminal_is_sticky::judge(&trace, &mut found);
        accepted_is_durable::judge(&trace, &mut found);
        stale_fence_is_refused::judge(&trace, &mut found);
        one_effect_per_event::judge(&kernel.ledger.borrow(), &mut found);
        accepted_task_ends::judge(&trace, &town.given_up.borrow(), &mut found);
        found
    };
    for Found { name, key, row } in found {
        kernel.violated(name, &key, &row);
    }
    linearizable::judge(kernel);
}

/// A violation: the invariant, its key, the offence in words.
pub(super) struct Found {
    name: &'static str,
    key: String,
    row: String,
}

/// Whether this image of a task is one of an open task.
pub(super) fn is_open(task: &[Value]) -> bool {
    row::number(task, row::task::SESSION_LIVE).is_some()
}
