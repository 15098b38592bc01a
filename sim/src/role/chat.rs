//! The platform's other side: shows the bot's messages in the users' chats. It has no idempotency key, as the platforms of
//! chat bots have none: a message that is sent twice is shown twice.

use std::rc::Rc;

use super::user;
use crate::label::Label;
use crate::ledger::Deed;
use crate::run::Ctx;
use crate::world::{Letter, Shown, Town, goal};

/// A message to be shown.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    /// The request's own name.
    pub(crate) request: String,
    /// Which message of the outbox it is: session and number.
    pub(crate) of: (String, i64),
    /// Position in the trace, when it was handed over. It may come after a restore that undid what it goes by.
    pub(crate) given: u64,
    /// The platform has no reason to refuse it.
    pub(crate) welcome: bool,
    /// It may have been shown before, and says so.
    pub(crate) repeat: bool,
    pub(crate) body: String,
}

/// Shows a message, or refuses it: for now, or for good. A request that the network has repeated is answered as before.
pub(crate) fn show(ctx: &Ctx, town: &Rc<Town>, parcel: &Parcel) {
    ctx.gate(&SHOWN);
    let known = town.parcels.borrow().get(&parcel.request).cloned();
    let answer = known.unwrap_or_else(|| {
        let answer = first(ctx, town, parcel);
        let request = parcel.request.clone();
        town.parcels.borrow_mut().insert(request, answer.clone());
        answer
    });
    ctx.reply(&answer);
}

fn first(ctx: &Ctx, town: &Rc<Town>, parcel: &Parcel) -> String {
    let refuses = match parcel.welcome {
        true => 0,
        false if is_down(ctx, town) => 4,
        false => ctx.pick(&REFUSES, 6),
    };
    match refuses {
        4 => {
            ctx.kernel().reached(goal::RATE_LIMITED);
            return "later".to_owned();
        }
        5 => {
            ctx.kernel().reached(goal::CHAT_GONE);
            return "gone".to_owned();
        }
        _ => {}
    }
    let Some(letter) = Letter::read(&parcel.body) else {
        return "gone".to_owned();
    };
    ctx.happen(Deed {
        name: "message".into(),
        key: Some(parcel.body.clone().into()),
        ..Deed::default()
    });
    let chat = &town.chats[letter.to];
    chat.borrow_mut().push(Shown {
        given: parcel.given,
        of: parcel.of.clone(),
        repeat: parcel.repeat,
        body: parcel.body.clone(),
    });
    user::react(ctx, town, letter.to, &letter.text);
    format!("shown {}-{}", letter.to, chat.borrow().len())
}

/// In some runs the platform shows nothing for a while, for hours even: longer than what is over is kept.
fn is_down(ctx: &Ctx, town: &Town) -> bool {
    let until = town.chat_down_until_ms.get().unwrap_or_else(|| {
        let lasts = match ctx.pick(&DOWN, 8) {
            7 => ctx.amount(&DOWN, SHORTEST_DOWN_MS, LONGEST_DOWN_MS),
            6 => LONGEST_DOWN_MS,
            _ => 0,
        };
        ctx.now_ms() + lasts
    });
    town.chat_down_until_ms.set(Some(until));
    let is_down = ctx.now_ms() < until;
    if is_down {
        ctx.kernel().reached(goal::PLATFORM_DOWN);
    }
    is_down
}

/// Whether a message stands in a chat: what support finds out by looking.
pub(crate) fn look_up(ctx: &Ctx, town: &Town, of: &(String, i64)) {
    let found = town.chats.iter().any(|chat| {
        let chat = chat.borrow();
        chat.iter().any(|shown| shown.of == *of)
    });
    ctx.reply(if found { "shown" } else { "not shown" });
}

const REFUSES: Label = Label::fixed("platform refuses");
const DOWN: Label = Label::fixed("platform is down");
const SHORTEST_DOWN_MS: u64 = 60_000;
const LONGEST_DOWN_MS: u64 = 4 * 3_600_000;
const SHOWN: Label = Label::fixed("message shown");
