//! What one tenant's users do touches nothing of another tenant's.

use std::collections::BTreeMap;

use super::Found;
use crate::world::facts::Facts;
use crate::world::people::author_of;
use crate::world::row::{self, session, task};

/// An event of one user's changes no session and no task of another user's conversation, and its answer names none. The
/// two users belong to two tenants whose bots, chats and event ids are alike.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    for commit in &facts.commits {
        for (_, new) in commit.of(session::TABLE) {
            let Some(new) = new else { continue };
            let owner = row::text(new, session::CONV).strip_prefix("conv:");
            if let Some(owner) = owner.and_then(author_of) {
                owners.insert(row::text(new, session::ID), owner);
            }
        }
        let Some(author) = author_of(commit.cause.as_str()) else {
            continue;
        };
        let touched = commit.of(task::TABLE).filter_map(|(old, new)| new.or(old));
        let sessions = touched.map(|image| row::text(image, task::SESSION));
        for session in sessions {
            if owners.get(session).is_some_and(|owner| *owner != author) {
                let event = commit.cause;
                found.add(
                    session,
                    format!("session={session} was touched by event={event}"),
                );
            }
        }
    }
    for (_, cause, text) in &facts.answers {
        let session = text
            .strip_prefix("ok ")
            .and_then(|rest| rest.split(' ').nth(1));
        let (Some(author), Some(session)) = (author_of(cause.as_str()), session) else {
            continue;
        };
        if owners.get(session).is_some_and(|owner| *owner != author) {
            found.add(
                session,
                format!("session={session} was named to event={cause}"),
            );
        }
    }
}
