//! What is done because time is over is done when time is over, and not before.

use lockstep_store::Op;

use super::Found;
use crate::world::facts::{Commit, Facts};
use crate::world::row::{self, lease, prompt, session};

/// A lease is reaped, a question expires, an idle session closes only at a time that is not before the one that was set. Each
/// commit carries the store's time in one of its rows; with right clocks that is the true time.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    for commit in &facts.commits {
        match commit.op() {
            Some(Op::Reap { .. }) => reaped(commit, found),
            Some(Op::Sweep { .. }) => swept(commit, found),
            _ => {}
        }
    }
}

fn reaped(commit: &Commit<'_>, found: &mut Found) {
    let touched = commit
        .of(session::TABLE)
        .filter_map(|(_, new)| row::number(new?, session::TOUCHED_MS))
        .max();
    for (old, new) in commit.of(lease::TABLE) {
        let (Some(old), None, Some(now)) = (old, new, touched) else {
            continue;
        };
        let until = row::number(old, lease::UNTIL_MS).unwrap_or(0);
        if until > now {
            let id = row::text(old, 0);
            found.add(
                id,
                format!("session={id} lease until={until} reaped at={now}"),
            );
        }
    }
}

fn swept(commit: &Commit<'_>, found: &mut Found) {
    for (_, new) in commit.of(prompt::TABLE) {
        let Some(new) = new.filter(|new| row::text(new, prompt::STATE) == "expired") else {
            continue;
        };
        let (until, now) = (
            row::number(new, prompt::EXPIRES_MS),
            row::number(new, prompt::ENDED_MS),
        );
        if until > now {
            let id = row::text(new, prompt::ID);
            found.add(
                id,
                format!("prompt={id} open until={until:?} expired at={now:?}"),
            );
        }
    }
    for (old, new) in commit.of(session::TABLE) {
        let (Some(old), Some(new)) = (old, new) else {
            continue;
        };
        let closes = row::text(old, session::STATE) != row::text(new, session::STATE);
        let (until, now) = (
            row::number(old, session::EXPIRES_MS),
            row::number(new, session::TOUCHED_MS),
        );
        if closes && until > now {
            let id = row::text(new, session::ID);
            found.add(
                id,
                format!("session={id} idle until={until:?} closed at={now:?}"),
            );
        }
    }
}
