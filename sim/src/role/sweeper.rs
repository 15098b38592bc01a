//! The sweeper: does what time alone makes due. Questions expire, senders that say nothing are given up, idle sessions close,
//! messages that may have been sent are looked into, and what is old is pruned.

use std::rc::Rc;

use lockstep_store::{Explained, Filter, Op, Reply, Swept, Why};

use super::{insist, sender};
use crate::label::Label;
use crate::run::Ctx;
use crate::world::{Quirk, Town, goal};

/// Sweeps often while something is found, and ever more rarely while nothing is. Prunes now and then, and whenever it is quiet.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>) {
    town.wait_until_open(ctx);
    let rung = Rc::clone(town);
    let patience = ctx.now_ms() + LONGEST_REST_MS;
    ctx.wait_or_stop(&FIRST, Some(patience), move || rung.rings() > 0);
    let mut rest = SHORTEST_REST_MS;
    for round in 1.. {
        ctx.wait_or_stop(&NEXT, Some(ctx.now_ms() + rest), || false);
        if ctx.stopping() {
            ctx.exit();
        }
        let found = sweep(ctx, town);
        reconcile(ctx, town, round);
        if town.has(Quirk::RepairsQueues) {
            repair_queues(ctx, town);
        }
        if ctx.pick(&PRUNES, 2) == 1 || rest == LONGEST_REST_MS || ctx.healing() {
            prune(ctx, town);
        }
        rest = if found {
            SHORTEST_REST_MS
        } else {
            (rest * 2).min(LONGEST_REST_MS)
        };
    }
}

fn sweep(ctx: &Ctx, town: &Rc<Town>) -> bool {
    let Ok(Reply::Swept(swept)) = insist(ctx, None, Op::Sweep { limit: LIMIT }) else {
        return false;
    };
    let Swept {
        expired,
        unknown,
        closed,
        ..
    } = &swept;
    for (found, goal) in [
        (!expired.is_empty(), goal::QUESTION_EXPIRED),
        (!unknown.is_empty(), goal::SENDER_GIVEN_UP),
        (!closed.is_empty(), goal::IDLE_SESSION_CLOSED),
    ] {
        if found {
            ctx.kernel().reached(goal);
        }
    }
    if !expired.is_empty() {
        town.ring_all(ctx);
    }
    swept != Swept::default()
}

/// Messages whose sender died before it could find out.
fn reconcile(ctx: &Ctx, town: &Rc<Town>, round: i64) {
    let list = Op::List {
        filter: Filter::default(),
        after: None,
        limit: LIMIT,
    };
    let Ok(Reply::Listed(sessions)) = insist(ctx, None, list) else {
        return;
    };
    for session in sessions {
        let explain = Op::Explain {
            session: session.session.clone(),
        };
        let Ok(Reply::Explained(Explained { why })) = insist(ctx, None, explain) else {
            continue;
        };
        for why in why {
            if let Why::SendUnknown { n, .. } = why {
                sender::resolve(ctx, town, session.session.as_str(), n, round);
            }
        }
    }
}

/// The bad habit of curing what one finds instead of what it comes from.
fn repair_queues(ctx: &Ctx, town: &Town) {
    ctx.gate(&REPAIRS);
    let repaired = ctx.with_db(|handle| {
        handle.connection().execute(
            "UPDATE session SET head_ready_ms = (SELECT q.run_at_ms FROM task q
               WHERE q.session_id = session.session_id AND q.state = 'queued' ORDER BY q.pos LIMIT 1)
             WHERE live = 1 AND head_ready_ms IS NULL AND NOT EXISTS (SELECT 1 FROM task t
               WHERE t.session_id = session.session_id AND t.state IN ('running', 'waiting'))",
            [],
        )
    });
    if repaired.is_ok_and(|rows| rows > 0) {
        town.ring_all(ctx);
    }
}

fn prune(ctx: &Ctx, town: &Town) {
    let clocks_agree = ctx.kernel().clocks_are_right();
    let op = Op::Prune {
        keep_ms: match clocks_agree {
            _ if town.has(Quirk::PrunesTooSoon) => TOO_SHORT_MS,
            true => KEEP_MS,
            false => KEEP_LONG_MS,
        },
        limit: LIMIT,
    };
    if let Ok(Reply::Pruned(pruned)) = insist(ctx, None, op)
        && pruned.inbox + pruned.sessions > 0
    {
        ctx.kernel().reached(goal::PRUNED);
    }
}

const FIRST: Label = Label::fixed("until there is work");
const NEXT: Label = Label::fixed("until the next sweep");
const REPAIRS: Label = Label::fixed("repairs queues");
const PRUNES: Label = Label::fixed("prunes");
const SHORTEST_REST_MS: u64 = 30_000;
const LONGEST_REST_MS: u64 = 3_600_000;
/// Longer than the platform delivers anything.
const KEEP_MS: i64 = 2 * 3_600_000;
/// The same and as much as two clocks may differ: what was written with a clock that is behind looks older than it is.
const KEEP_LONG_MS: i64 = 36 * 3_600_000;
const TOO_SHORT_MS: i64 = 60_000;
const LIMIT: u32 = 100;
