//! What a user does when a question with buttons appears in the chat.

use std::rc::Rc;

use crate::label::Label;
use crate::role::platform::{self, Event, Sort};
use crate::run::Ctx;
use crate::world::{Question, Town, USERS, Wish, goal};

/// A message has appeared in the user's chat. A question is answered in some way, or not at all.
pub(crate) fn react(ctx: &Ctx, town: &Rc<Town>, user: usize, body: &str) {
    let Some(question) = Question::read(body) else {
        return;
    };
    let Some(n) = town.new_question(user, &question) else {
        return;
    };
    let name = Label::new(&format!("{} reads question#{n}", USERS[user].name));
    let town = Rc::clone(town);
    ctx.kernel().spawn(name, None, false, move |ctx| {
        answer(ctx, &town, user, n, &question);
    });
}

fn answer(ctx: &Ctx, town: &Rc<Town>, user: usize, n: u64, question: &Question) {
    let hesitates = ctx.amount(&HESITATES, SHORTEST_MS, LONGEST_MS);
    ctx.sleep(&HESITATES, hesitates);
    match ctx.pick(&HOW, 9) {
        1 => press(ctx, town, user, question, 2),
        2 => {
            ctx.kernel().reached(goal::PRESSED_TWICE);
            press(ctx, town, user, question, 1);
            press(ctx, town, user, question, 1);
        }
        3 => {
            ctx.kernel().reached(goal::PRESSED_BOTH);
            press(ctx, town, user, question, 1);
            press(ctx, town, user, question, 2);
        }
        4 => fall_back(ctx, town, user, n),
        5 => {
            press(ctx, town, user, question, 1);
            fall_back(ctx, town, user, n);
        }
        6 => {}
        7 | 8 => press_old(ctx, town, user, question),
        _ => press(ctx, town, user, question, 1),
    }
}

/// An older list still stands in the chat; its buttons can be pressed. Where there is none, this one is answered.
fn press_old(ctx: &Ctx, town: &Rc<Town>, user: usize, question: &Question) {
    let old = town.older_question(user, question);
    if let Some(old) = &old {
        ctx.kernel().reached(goal::PRESSED_OLD);
        press(ctx, town, user, old, 2);
    }
    if old.is_none() || ctx.pick(&BOTH_LISTS, 2) == 1 {
        press(ctx, town, user, question, 1);
    }
}

/// Presses a button, numbered from 1.
fn press(ctx: &Ctx, town: &Rc<Town>, user: usize, question: &Question, button: usize) {
    platform::press(ctx, town, user, question.token(button));
}

fn fall_back(ctx: &Ctx, town: &Rc<Town>, user: usize, n: u64) {
    ctx.kernel().reached(goal::TEXT_FALLBACK);
    let event = Event {
        user,
        name: Label::new(&format!("{}.text#{n}", USERS[user].name)),
        ext_id: format!("t{n}"),
        sort: Sort::Message(Wish::Fallback),
    };
    platform::post(ctx, town, event);
}

const HESITATES: Label = Label::fixed("hesitates");
const SHORTEST_MS: u64 = 500;
/// Longer than most questions stay open.
const LONGEST_MS: u64 = 180_000;
const HOW: Label = Label::fixed("how it is answered");
const BOTH_LISTS: Label = Label::fixed("presses both lists");
