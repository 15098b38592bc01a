//! A session ends because somebody ended it, or because nobody used it. A failure to find it is no reason.

use lockstep_store::Op;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, session};

/// Each session that closes is closed by an operator, or by the sweep; the sweep's own reason is judged as a timeout.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    for commit in &facts.commits {
        let may = matches!(
            commit.op(),
            Some(Op::Close { .. } | Op::Reset(_) | Op::Sweep { .. }) | None
        );
        for (old, new) in commit.of(session::TABLE) {
            let (Some(old), Some(new)) = (old, new) else {
                continue;
            };
            let closes = row::text(old, session::STATE) == "active"
                && row::text(new, session::STATE) == "closed";
            if closes && !may {
                let id = row::text(new, session::ID);
                let reason = row::text(new, session::CLOSE_REASON);
                found.add(
                    id,
                    format!("session={id} reason={reason} closed by={}", commit.cause),
                );
            }
        }
    }
}
