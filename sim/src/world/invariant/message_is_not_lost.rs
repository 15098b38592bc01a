//! A message that counts as sent stands in its chat.

use std::collections::BTreeSet;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, outbox};

/// Each message whose state becomes `sent` is shown in a chat.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let chats = facts.town.chats.iter().map(|chat| chat.borrow());
    let shown: BTreeSet<(String, i64)> = chats
        .flat_map(|chat| {
            chat.iter()
                .map(|shown| shown.of.clone())
                .collect::<Vec<_>>()
        })
        .collect();
    let mut told = BTreeSet::new();
    for commit in &facts.commits {
        for (_, new) in commit.of(outbox::TABLE) {
            let Some(new) = new.filter(|new| row::text(new, outbox::STATE) == "sent") else {
                continue;
            };
            let key = outbox::key(new);
            if !shown.contains(&key) && told.insert(key.clone()) {
                let (session, n) = key;
                found.add(
                    &session,
                    format!("session={session} message={n} is sent and was never shown"),
                );
            }
        }
    }
}
