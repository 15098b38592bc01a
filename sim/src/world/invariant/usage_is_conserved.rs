//! What is recorded as used is what was charged.

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, task};

/// The units that a done task records are those that the provider told the attempt that completed it.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let heard = facts.town.heard.borrow();
    for (id, image) in facts.last(task::TABLE) {
        if row::text(image, task::STATE) != "done" {
            continue;
        }
        let recorded = row::text(image, task::OUTCOME);
        let fence = row::number(image, task::END_FENCE).unwrap_or(0);
        let units = recorded.strip_prefix("charged ").unwrap_or_default();
        let last = heard.get(&(id.to_owned(), fence));
        // That it ran at all is another invariant's business.
        let told = last.and_then(|said| said.strip_prefix("done ")?.rsplit_once(' '));
        if told.is_some_and(|(_, told)| told != units) {
            found.add(
                id,
                format!("task={id} recorded={recorded}, which nobody charged"),
            );
        }
    }
}
