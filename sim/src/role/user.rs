//! A user: writes a few messages into one chat.

use std::rc::Rc;

use super::platform;
use crate::label::Label;
use crate::run::Ctx;
use crate::world::{Town, USERS};

/// Alice always writes; the others write in some runs.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>, index: usize) {
    let least = u64::from(index == 0);
    let messages = least + ctx.pick(&MESSAGES, 3);
    if messages == 0 {
        return;
    }
    town.prefers[index].set(if ctx.pick(&RUNTIME, 2) == 0 { 0 } else { 1 });
    for n in 1..=messages {
        let gap = ctx.amount(&GAP, 0, LONGEST_GAP_MS);
        if gap > 0 {
            ctx.sleep(&GAP, gap);
        }
        platform::post(
            ctx,
            town,
            index,
            Label::new(&format!("{}.msg#{n}", USERS[index])),
            n,
        );
    }
}

const MESSAGES: Label = Label::fixed("how many messages");
const RUNTIME: Label = Label::fixed("which runtime");
const GAP: Label = Label::fixed("before the next message");
const LONGEST_GAP_MS: u64 = 30_000;
