//! A user: writes a few messages into one chat, and uses it from a tab or two.

mod reaction;
mod tab;

use std::rc::Rc;

use super::platform::{self, Event, Sort};
use crate::label::Label;
use crate::run::Ctx;
use crate::world::{Town, USERS, Wish};

pub(crate) use self::reaction::react;

/// Alice always writes; the others write in some runs.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>, index: usize) {
    let least = u64::from(index == 0);
    let messages = least + ctx.pick(&MESSAGES, 3);
    if messages == 0 {
        return;
    }
    town.prefers[index].set(if ctx.pick(&RUNTIME, 2) == 0 { 0 } else { 1 });
    for n in 1..=ctx.pick(&TABS, 3) {
        tab::open(ctx, town, index, n);
    }
    for n in 1..=messages {
        if n > 1 && n == messages && ctx.pick(&LATER, 2) == 1 {
            let away = ctx.amount(&AWAY, SHORTEST_AWAY_MS, LONGEST_AWAY_MS);
            ctx.sleep(&AWAY, away);
        }
        let gap = ctx.amount(&GAP, 0, LONGEST_GAP_MS);
        if gap > 0 {
            ctx.sleep(&GAP, gap);
        }
        write(ctx, town, index, n);
        if ctx.pick(&STOPS, 8) == 7 {
            stop(ctx, town, index, n);
        }
    }
}

fn write(ctx: &Ctx, town: &Rc<Town>, index: usize, n: u64) {
    let wish = match ctx.pick(&WISH, 9) {
        1..=3 => Wish::Question,
        4 => Wish::Impossible,
        5 => Wish::Garbage,
        6 => Wish::Ping,
        7 => Wish::Interrupt,
        _ => Wish::Work,
    };
    let event = Event {
        user: index,
        name: Label::new(&format!("{}.msg#{n}", USERS[index].name)),
        ext_id: format!("m{n}"),
        sort: Sort::Message(wish),
    };
    platform::post(ctx, town, event);
}

/// Regrets it as soon as somebody is at work on it.
fn stop(ctx: &Ctx, town: &Rc<Town>, index: usize, n: u64) {
    let (seen, patience) = (Rc::clone(town), ctx.now_ms() + PATIENCE_MS);
    ctx.wait(&AT_WORK, Some(patience), move || seen.anybody_is_busy());
    let event = Event {
        user: index,
        name: Label::new(&format!("{}.stop#{n}", USERS[index].name)),
        ext_id: format!("s{n}"),
        sort: Sort::Stop,
    };
    platform::post(ctx, town, event);
}

const STOPS: Label = Label::fixed("regrets it");
const AT_WORK: Label = Label::fixed("until somebody is at work");
const PATIENCE_MS: u64 = 20_000;
const MESSAGES: Label = Label::fixed("how many messages");
const RUNTIME: Label = Label::fixed("which runtime");
const TABS: Label = Label::fixed("how many tabs");
const WISH: Label = Label::fixed("what for");
const LATER: Label = Label::fixed("comes back later");
const AWAY: Label = Label::fixed("is away");
const SHORTEST_AWAY_MS: u64 = 1_200_000;
/// Longer than anything is kept.
const LONGEST_AWAY_MS: u64 = 8 * 3_600_000;
const GAP: Label = Label::fixed("before the next message");
const LONGEST_GAP_MS: u64 = 30_000;
