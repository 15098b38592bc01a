//! The roles of the default world, one file each. A role is what an actor does; what roles share is `world::Town`.

pub(crate) mod api;
pub(crate) mod chat;
pub(crate) mod operator;
pub(crate) mod platform;
pub(crate) mod provider;
pub(crate) mod reaper;
pub(crate) mod sender;
pub(crate) mod sweeper;
pub(crate) mod turn;
pub(crate) mod user;
pub(crate) mod worker;

use lockstep_store::{Call, Error, Op, Reply};

use crate::label::Label;
use crate::run::Ctx;
use crate::world::goal;

/// Calls the store until it says yes or a no that will not change: the database may be locked, and the outcome of a
/// commit may be unknown. The `op_id` stays the same, so it happens once.
pub(crate) fn insist(ctx: &Ctx, op_id: Option<String>, op: Op) -> Result<Reply, Error> {
    let call = Call {
        op_id: op_id.map(Into::into),
        op,
    };
    let mut rest = FIRST_REST_MS;
    loop {
        match ctx.store(call.clone()) {
            Err(Error::Busy | Error::Unknown { .. } | Error::Io { .. }) => {}
            Ok(_) if call.op_id.is_some() && ctx.pick(&IS_SURE, 24) == 23 => {
                // Somebody who did not hear the answer asks again, and has to hear the same.
                ctx.kernel().reached(goal::ASKED_AGAIN);
            }
            other => return other,
        }
        ctx.sleep(&STORE_RESTS, rest);
        rest = (rest * 2).min(LONGEST_REST_MS);
    }
}

const IS_SURE: Label = Label::fixed("heard the answer");
const STORE_RESTS: Label = Label::fixed("before the store is asked again");
const FIRST_REST_MS: u64 = 200;
const LONGEST_REST_MS: u64 = 30_000;
