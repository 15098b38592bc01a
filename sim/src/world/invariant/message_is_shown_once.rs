//! At most one copy of a message stands in a chat without a mark.

use std::collections::BTreeSet;

use super::Found;
use crate::world::facts::Facts;

/// Every further copy says that it may be a repeat. What was shown and then undone by a restore is unknown to the store: it
/// cannot mark what follows.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    for chat in &facts.town.chats {
        let mut seen = BTreeSet::new();
        let chat = chat.borrow();
        let unmarked = chat
            .iter()
            .filter(|shown| !shown.repeat && !facts.is_undone(shown.n));
        for shown in unmarked {
            if !seen.insert(&shown.of) {
                let (session, n) = &shown.of;
                found.add(
                    session,
                    format!("session={session} message={n} was shown again, unmarked"),
                );
            }
        }
    }
}
