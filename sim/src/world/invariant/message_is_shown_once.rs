//! At most one copy of a message stands in a chat without a mark.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::outbox;

/// Every further copy says that it may be a repeat. What came into the outbox and was handed over between a backup and its
/// restore is unknown to the store: it cannot mark what follows. What stood in the backup it knows, and has to take for sent.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let kept = first_kept(facts);
    for chat in &facts.town.chats {
        let mut seen = BTreeSet::new();
        let chat = chat.borrow();
        let unmarked = chat.iter().filter(|shown| {
            let undone = facts.undone_at(shown.given);
            let in_backup = |backup| kept.get(&shown.of).is_some_and(|n| *n < backup);
            !shown.repeat && undone.is_none_or(|gap| in_backup(gap.start))
        });
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

/// When each message was first committed to the outbox, of all that was not undone.
fn first_kept(facts: &Facts<'_>) -> BTreeMap<(String, i64), u64> {
    let mut kept = BTreeMap::new();
    for commit in &facts.commits {
        for (_, new) in commit.of(outbox::TABLE) {
            if let Some(new) = new {
                kept.entry(outbox::key(new)).or_insert(commit.n);
            }
        }
    }
    kept
}
