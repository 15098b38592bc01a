//! Who has done something in a run: by it one sees that a repair does not repair by passing somebody over.

use std::collections::{BTreeMap, BTreeSet};

use super::apply::HANDLED;
use crate::label::Label;
use crate::run::Ran;
use crate::trace::plain;

/// What each cause has done: effects and rows, in words.
pub(super) type Deeds = BTreeMap<String, BTreeSet<String>>;

pub(super) fn does(ran: &Ran) -> Deeds {
    let mut deeds = Deeds::new();
    let mut did = |cause: &Label, deed: String| {
        deeds
            .entry(cause.as_str().to_owned())
            .or_default()
            .insert(deed);
    };
    for effect in &ran.ledger.effects {
        let intent = effect.deed.intent.as_ref().map(plain);
        did(&effect.cause, format!("{} {intent:?}", effect.deed.name));
    }
    let changes = ran
        .trace
        .changes
        .iter()
        .map(|committed| (&committed.cause, &committed.change));
    for (cause, change) in changes.filter(|(_, change)| &*change.table != HANDLED) {
        let row: Vec<String> = change.new.iter().flatten().map(plain).collect();
        did(cause, format!("{} {}", change.table, row.join(", ")));
    }
    deeds
}

/// Whether everybody who did something still does: nobody may be passed over whose deeds were not those of somebody else.
pub(super) fn does_all(before: &Deeds, now: &Deeds) -> bool {
    before.iter().all(|(cause, deeds)| {
        let others = || before.iter().filter(|(other, _)| *other != cause);
        let repeated = |deed: &String| others().any(|(_, deeds)| deeds.contains(deed));
        now.contains_key(cause) || deeds.iter().all(repeated)
    })
}
