//! A reply appears in the chat of whoever asked.

use std::collections::BTreeMap;

use super::Found;
use crate::world::facts::Facts;
use crate::world::people::{USERS, author_of, event_of};
use crate::world::row::{self, outbox, task};

/// Each message that was shown belongs to a task whose input was written by the owner of that chat.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let mut authors: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    let mut of: BTreeMap<(String, i64), &str> = BTreeMap::new();
    for commit in &facts.commits {
        for (_, new) in commit.of(task::TABLE) {
            let Some(new) = new else { continue };
            let author = author_of(event_of(row::text(new, task::INPUT)));
            authors.insert(row::text(new, task::ID), author);
        }
        for (_, new) in commit.of(outbox::TABLE) {
            let Some(new) = new else { continue };
            of.insert(outbox::key(new), row::text(new, outbox::TASK));
        }
    }
    for (user, chat) in facts.town.chats.iter().enumerate() {
        for shown in chat
            .borrow()
            .iter()
            .filter(|shown| !facts.is_undone(shown.given))
        {
            let Some(task) = of.get(&shown.of) else {
                continue;
            };
            if authors.get(task).copied().flatten() != Some(user) {
                let name = USERS[user].name;
                found.add(
                    task,
                    format!(
                        "task={task} was answered in the chat of {name}: {}",
                        shown.body
                    ),
                );
            }
        }
    }
}
