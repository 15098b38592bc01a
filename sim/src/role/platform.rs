//! The platform: delivers each message at least once, to one API process after the other, until one says `ok`.

use std::rc::Rc;

use super::api;
use crate::label::Label;
use crate::run::{Answer, Ctx, Request};
use crate::world::Town;

/// Takes a user's message and delivers it on its own time.
pub(crate) fn post(ctx: &Ctx, town: &Rc<Town>, user: usize, event: Label, n: u64) {
    let town = Rc::clone(town);
    let carrier = Label::new(&format!("platform {event}"));
    ctx.spawn(carrier, false, move |ctx| {
        deliver(ctx, &town, user, &event, n)
    });
}

fn deliver(ctx: &Ctx, town: &Rc<Town>, user: usize, event: &Label, n: u64) {
    let mut rest = FIRST_REST_MS;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            ctx.sleep(&BACK_OFF, rest);
            rest = (rest * 2).min(LONGEST_REST_MS);
        }
        let api = &town.apis[((n + attempt + 1) % 2) as usize];
        let (shared, message) = (Rc::clone(town), event.clone());
        let request = Request {
            cause: if attempt == 0 {
                event.clone()
            } else {
                Label::new(&format!("{event}/redelivery#{attempt}"))
            },
            to: Rc::clone(api),
            handler: Rc::new(move |ctx: &Ctx| api::webhook(ctx, &shared, user, &message)),
        };
        if let Some(Answer::Reply(text)) = ctx.request(request, TIMEOUT_MS)
            && let Some((task, session)) = text
                .strip_prefix("ok ")
                .and_then(|rest| rest.split_once(' '))
        {
            town.acknowledged(user, task, session);
            return;
        }
    }
    town.given_up.borrow_mut().push(event.clone());
}

const BACK_OFF: Label = Label::fixed("before the next delivery");
const TIMEOUT_MS: u64 = 10_000;
const FIRST_REST_MS: u64 = 1_000;
const LONGEST_REST_MS: u64 = 600_000;
/// About an hour and a half: no pause and no lock lasts as long.
const ATTEMPTS: u64 = 18;
