//! The end of a turn: what it leaves behind, in one commit.

use lockstep_store::{CancelHow, Claimed, Complete, Error, Item, Op, Retry, Send};

use super::Went;
use crate::label::Label;
use crate::role::insist;
use crate::run::Ctx;
use crate::world::{Town, goal};

/// Ends a turn, however it went. Under the lease's own `op_id`, so that it ends once.
pub(super) fn end(ctx: &Ctx, town: &Town, claimed: &Claimed, went: Went) -> Result<(), Error> {
    let (task, fence) = (claimed.task.clone(), claimed.fence);
    let op_id = Some(format!("end {task} {} {fence}", claimed.session));
    match went {
        Went::Well { token } => {
            stall(ctx);
            progress(ctx, claimed, &token)?;
            insist(ctx, op_id, Op::Complete(complete(claimed, token)))?;
            if town.moved.borrow().contains(claimed.session.as_str()) {
                ctx.kernel().reached(goal::MOVED);
            }
        }
        Went::Wrong => {
            let retry = Retry::After { delay_ms: RETRY_MS };
            insist(
                ctx,
                op_id,
                Op::Fail {
                    task,
                    fence,
                    error: "provider".to_owned(),
                    retry,
                },
            )?;
        }
        Went::Unwanted => {
            let how = CancelHow::Own { fence };
            insist(
                ctx,
                op_id,
                Op::Cancel {
                    task,
                    reason: "asked".to_owned(),
                    how,
                },
            )?;
        }
        Went::Lost(error) => return Err(error),
    }
    Ok(())
}

/// Some turns stand still between the work and its record, longer than their lease, and nobody renews it.
fn stall(ctx: &Ctx) {
    if ctx.pick(&STALLS, 8) == 7 {
        ctx.take(&STALLS, SHORTEST_STALL_MS, LONGEST_STALL_MS);
    }
}

/// Some workers save the pointer, or part of the history, before the turn ends.
fn progress(ctx: &Ctx, claimed: &Claimed, token: &str) -> Result<(), Error> {
    let (session, fence) = (claimed.session.clone(), claimed.fence);
    let op_id = |what: &str| {
        Some(format!(
            "{what} {} {} {fence}",
            claimed.task, claimed.session
        ))
    };
    match ctx.pick(&SAVES, 4) {
        1 => {
            let epoch = claimed.epoch;
            insist(
                ctx,
                op_id("point"),
                Op::SetResume {
                    session,
                    fence,
                    token: token.to_owned(),
                    epoch,
                },
            )?;
        }
        2 => {
            let items = vec![item("thought", claimed)];
            let append = Op::Append {
                session,
                fence,
                expected_seq: claimed.next_seq,
                items,
            };
            insist(ctx, op_id("append"), append)?;
        }
        _ => {}
    }
    Ok(())
}

fn complete(claimed: &Claimed, token: String) -> Complete {
    Complete {
        task: claimed.task.clone(),
        fence: claimed.fence,
        outcome: "answered".to_owned(),
        items: vec![item("message", claimed)],
        sends: vec![Send {
            dedup_key: format!("answer {}", claimed.task),
            body: claimed.input.clone(),
            route: String::new(),
        }],
        resume_token: Some(token),
    }
}

fn item(kind: &str, claimed: &Claimed) -> Item {
    Item {
        kind: kind.to_owned(),
        body: claimed.input.clone(),
    }
}

const SAVES: Label = Label::fixed("saves on the way");
const STALLS: Label = Label::fixed("stands still");
const SHORTEST_STALL_MS: u64 = 20_000;
const LONGEST_STALL_MS: u64 = 120_000;
const RETRY_MS: i64 = 2_000;
