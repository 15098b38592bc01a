//! The reaper: takes back leases that have expired.

use std::rc::Rc;

use lockstep_store::{Op, Reply};

use super::insist;
use crate::label::Label;
use crate::run::Ctx;
use crate::world::Town;

/// Sweeps while there is news, and ever more rarely while there is none.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>) {
    let rung = Rc::clone(town);
    ctx.wait(&FIRST, None, move || rung.rings() > 0);
    let mut rest = SHORTEST_REST_MS;
    let mut heard = town.rings();
    loop {
        ctx.sleep(&NEXT, rest);
        let news = town.rings() != heard;
        heard = town.rings();
        let found = sweep(ctx, town);
        rest = if news || found {
            SHORTEST_REST_MS
        } else {
            (rest * 2).min(LONGEST_REST_MS)
        };
    }
}

fn sweep(ctx: &Ctx, town: &Town) -> bool {
    let Ok(Reply::Reaped(reaped)) = insist(ctx, None, Op::Reap { limit: LIMIT }) else {
        return false;
    };
    let tasks = reaped.requeued.iter().chain(&reaped.ended);
    town.reaped
        .borrow_mut()
        .extend(tasks.map(|task| task.as_str().to_owned()));
    if !reaped.requeued.is_empty() {
        town.ring_all();
    }
    !reaped.requeued.is_empty() || !reaped.ended.is_empty()
}

const FIRST: Label = Label::fixed("until there is work");
const NEXT: Label = Label::fixed("until the next sweep");
const SHORTEST_REST_MS: u64 = 5_000;
const LONGEST_REST_MS: u64 = 300_000;
const LIMIT: u32 = 100;
