//! What this world must keep, one file each. Three are the store's own rules, judged on the snapshot of each commit; the
//! store's other rules are judged together when a run is over; what only a role can see is judged there and then; the
//! others are judged over the trace when a run is over.

mod accepted_is_durable;
mod accepted_task_ends;
mod answer_is_the_users;
mod completed_means_ran;
mod failures_are_real;
mod lease_is_of_a_live_worker;
mod linearizable;
mod message_is_not_lost;
mod message_is_settled;
mod message_is_shown_once;
mod messages_stay_in_order;
mod no_lost_update;
mod one_effect_per_event;
mod pointer_is_freshest;
mod press_means_its_button;
mod reply_reaches_its_chat;
mod same_op_same_answer;
mod session_ends_for_a_reason;
mod stale_fence_is_refused;
mod tasks_run_in_order;
mod tenants_are_isolated;
mod terminal_is_sticky;
mod timeout_is_sound;
mod turn_tells_its_user;
mod usage_is_conserved;
mod work_is_asked_for;

use super::facts::Facts;
use super::town::Town;
use crate::run::Kernel;

/// Judges a run that is over.
type Judge = fn(&Facts<'_>, &mut Found);

/// Those that are judged over the trace of a run.
const JUDGES: &[(&str, Judge)] = &[
    ("terminal_is_sticky", terminal_is_sticky::judge),
    ("accepted_is_durable", accepted_is_durable::judge),
    ("accepted_task_ends", accepted_task_ends::judge),
    ("stale_fence_is_refused", stale_fence_is_refused::judge),
    ("one_effect_per_event", one_effect_per_event::judge),
    ("completed_means_ran", completed_means_ran::judge),
    ("usage_is_conserved", usage_is_conserved::judge),
    ("failures_are_real", failures_are_real::judge),
    ("tasks_run_in_order", tasks_run_in_order::judge),
    ("work_is_asked_for", work_is_asked_for::judge),
    (
        "session_ends_for_a_reason",
        session_ends_for_a_reason::judge,
    ),
    ("timeout_is_sound", timeout_is_sound::judge),
    ("tenants_are_isolated", tenants_are_isolated::judge),
    ("same_op_same_answer", same_op_same_answer::judge),
    ("pointer_is_freshest", pointer_is_freshest::judge),
    (
        "lease_is_of_a_live_worker",
        lease_is_of_a_live_worker::judge,
    ),
    ("press_means_its_button", press_means_its_button::judge),
    ("answer_is_the_users", answer_is_the_users::judge),
    ("turn_tells_its_user", turn_tells_its_user::judge),
    ("message_is_settled", message_is_settled::judge),
    ("message_is_not_lost", message_is_not_lost::judge),
    ("message_is_shown_once", message_is_shown_once::judge),
    ("messages_stay_in_order", messages_stay_in_order::judge),
    ("reply_reaches_its_chat", reply_reaches_its_chat::judge),
    ("no_lost_update", no_lost_update::judge),
];

/// Those that are rules of the store's `verify`, judged at each commit.
pub(super) const SNAPSHOT: &[&str] = &[
    "one_active_session",
    "open_task_reachable",
    "lease_matches_runtime",
];

/// All other rules of `verify` together, judged at the end: they are too dear after each commit, and the store's own tests
/// see each of them fail.
pub(super) const VERIFY: &str = "store_verifies";

/// Those that a role sees.
const SEEN: &[&str] = &[
    "no_cross_runtime_resume",
    "native_session_is_not_shared",
    "reads_go_forward",
];

/// All of them.
pub(super) fn all() -> Vec<&'static str> {
    let judged = JUDGES.iter().map(|(name, _)| *name);
    let snapshot = SNAPSHOT.iter().copied().chain([VERIFY]);
    let others = SEEN.iter().copied().chain(judged);
    snapshot.chain(others).chain([linearizable::NAME]).collect()
}

/// Judges a run that is over.
pub(super) fn judge(kernel: &Kernel, town: &Town) {
    let found = {
        let (trace, ledger) = (kernel.trace.borrow(), kernel.ledger.borrow());
        let facts = Facts::new(kernel, town, &trace, &ledger);
        let judged = JUDGES.iter().map(|(name, judge)| {
            let mut found = Found::default();
            judge(&facts, &mut found);
            (*name, found)
        });
        judged.collect::<Vec<_>>()
    };
    for (name, found) in found {
        for (key, row) in found.rows {
            kernel.violated(name, &key, &row);
        }
    }
    // It sees most of what the others see, and cannot say as well what it is.
    if kernel.violation_count() == 0 {
        linearizable::judge(kernel);
    }
}

/// Violations of one invariant: the key, the offence in words.
#[derive(Debug, Default)]
pub(super) struct Found {
    rows: Vec<(String, String)>,
}

impl Found {
    fn add(&mut self, key: &str, row: String) {
        self.rows.push((key.to_owned(), row));
    }
}
