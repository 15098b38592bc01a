//! The reaper: takes back leases that have expired.

use std::rc::Rc;

use lockstep_store::{Op, Reply};

use super::insist;
use crate::label::Label;
use crate::run::Ctx;
use crate::world::Town;

/// Sweeps while there is news, and ever more rarely while there is none.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>) {
    town.wait_until_open(ctx);
    let rung = Rc::clone(town);
    let patience = ctx.now_ms() + LONGEST_REST_MS;
    ctx.wait_or_stop(&FIRST, Some(patience), move || rung.rings() > 0);
    let mut rest = SHORTEST_REST_MS;
    let mut heard = town.rings();
    loop {
        ctx.wait_or_stop(&NEXT, Some(ctx.now_ms() + rest), || false);
        if ctx.stopping() {
            ctx.exit();
        }
        let news = town.rings() != heard;
        heard = town.rings();
        let found = reap(ctx, town);
        rest = if news || found {
            SHORTEST_REST_MS
        } else {
            (rest * 2).min(LONGEST_REST_MS)
        };
    }
}

fn reap(ctx: &Ctx, town: &Town) -> bool {
    match insist(ctx, None, Op::Reap { limit: LIMIT }) {
        Ok(Reply::Reaped(reaped)) => town.took(ctx, &reaped),
        _ => false,
    }
}

const FIRST: Label = Label::fixed("until there is work");
const NEXT: Label = Label::fixed("until the next sweep");
const SHORTEST_REST_MS: u64 = 5_000;
const LONGEST_REST_MS: u64 = 1_800_000;
const LIMIT: u32 = 100;
