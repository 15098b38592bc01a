//! Every case, by capability.

mod answers;
mod crash;
mod due;
mod fencing;
mod history;
mod inbox;
mod look;
mod outbox;
mod prompt;
mod queue;
mod race;
mod runtime;
mod session;
mod upkeep;

use super::bench::Bench;
use super::{Ask, Capability, Kept};

/// A case for one process, and what it asks for.
type Alone = (&'static str, fn(&mut Bench<'_>) -> Kept);

/// What to report under, what is asked for, and how.
pub(super) fn all() -> Vec<(Capability, &'static str, Ask)> {
    let alone: [(Capability, &[Alone]); 11] = [
        (Capability::Sessions, &session::CASES),
        (Capability::Inbox, &inbox::CASES),
        (Capability::Answers, &answers::CASES),
        (Capability::Queue, &queue::CASES),
        (Capability::Fencing, &fencing::CASES),
        (Capability::History, &history::CASES),
        (Capability::Runtimes, &runtime::CASES),
        (Capability::Prompts, &prompt::CASES),
        (Capability::Outbox, &outbox::CASES),
        (Capability::Upkeep, &upkeep::CASES),
        (Capability::Looking, &look::CASES),
    ];
    let mut all = Vec::new();
    for (capability, cases) in alone {
        for (case, ask) in cases {
            all.push((capability, *case, Ask::Alone(*ask)));
        }
    }
    for (case, race) in race::CASES.into_iter().chain(due::CASES) {
        all.push((Capability::Concurrency, case, Ask::Both(race)));
    }
    for (case, crash) in crash::CASES {
        all.push((Capability::Crashes, case, Ask::Killed(crash)));
    }
    all
}
