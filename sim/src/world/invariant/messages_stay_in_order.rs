//! The messages of a session appear in the order of its turns.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, outbox};

/// The unmarked copy of a message appears before those of all messages behind it. One that was given up as unknown may still
/// be on its way then, and nobody can call it back.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let unknown = unknown(facts);
    for chat in &facts.town.chats {
        let mut highest: BTreeMap<&str, i64> = BTreeMap::new();
        let chat = chat.borrow();
        let unmarked = chat
            .iter()
            .filter(|shown| !shown.repeat && !facts.is_undone(shown.given));
        for shown in unmarked {
            let (session, n) = &shown.of;
            let known = highest.entry(session.as_str()).or_insert(0);
            if n < known && !unknown.contains(&shown.of) {
                found.add(
                    session,
                    format!("session={session} message={n} appeared after message={known}"),
                );
            }
            *known = (*known).max(*n);
        }
    }
}

/// Messages whose outcome counted as unknown at some time.
fn unknown(facts: &Facts<'_>) -> BTreeSet<(String, i64)> {
    let changes = facts
        .commits
        .iter()
        .flat_map(|commit| commit.of(outbox::TABLE));
    let images = changes.filter_map(|(_, new)| new);
    images
        .filter(|image| row::text(image, outbox::STATE) == "unknown")
        .map(outbox::key)
        .collect()
}
