//! The platform: delivers messages and presses at least once, to one API process after the other.
//!
//! A message is delivered until it is acknowledged. A press is worth less: after a few deliveries its callback has expired. A
//! user who sees no reaction to a press presses again, and that is a new event with a new id.

use std::rc::Rc;

use super::api;
use crate::label::Label;
use crate::run::{Answer, Ctx, Request};
use crate::world::{Town, USERS, Wish, goal};

/// An event of a user's, under one id however often it is delivered.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) user: usize,
    /// Its name in this world.
    pub(crate) name: Label,
    /// The platform's id of it: only unique for one bot.
    pub(crate) ext_id: String,
    pub(crate) sort: Sort,
}

/// What an event is.
#[derive(Debug, Clone)]
pub(crate) enum Sort {
    Message(Wish),
    /// A press of the button with this token.
    Press(Rc<str>),
    /// What was written last is not wanted any more.
    Stop,
}

/// Takes a user's event and delivers it on its own time.
pub(crate) fn post(ctx: &Ctx, town: &Rc<Town>, event: Event) {
    let name = event.name.as_str().to_owned();
    town.writes[event.user].set(true);
    match &event.sort {
        Sort::Message(Wish::Ping) => {
            town.pings.borrow_mut().insert(name);
        }
        Sort::Message(_) | Sort::Stop => {}
        Sort::Press(token) => {
            town.pressed.borrow_mut().insert(name, Rc::clone(token));
        }
    }
    let carrier = Label::new(&format!("platform {}", event.name));
    let town = Rc::clone(town);
    ctx.kernel().spawn(carrier, None, false, move |ctx| {
        deliver(ctx, &town, &event);
    });
}

/// A user presses a button.
pub(crate) fn press(ctx: &Ctx, town: &Rc<Town>, user: usize, token: String) {
    let n = town.count_press(user);
    let event = Event {
        user,
        name: Label::new(&format!("{}.press#{n}", USERS[user].name)),
        ext_id: format!("c{n}"),
        sort: Sort::Press(token.into()),
    };
    post(ctx, town, event);
}

fn deliver(ctx: &Ctx, town: &Rc<Town>, event: &Event) {
    let attempts = match event.sort {
        Sort::Message(_) => ATTEMPTS,
        Sort::Press(_) | Sort::Stop => ATTEMPTS_OF_A_PRESS - ctx.pick(&GIVES_UP, 3).min(1),
    };
    let mut rest = FIRST_REST_MS;
    for attempt in 0..attempts {
        if attempt > 0 {
            ctx.sleep(&BACK_OFF, rest);
            rest = (rest * 2).min(LONGEST_REST_MS);
        }
        if let Some(Answer::Reply(text)) = ctx.request(request(town, event, attempt), TIMEOUT_MS)
            && heard(ctx, town, event, &text)
        {
            return;
        }
        if attempt == 0 {
            press_again(ctx, town, event);
        }
    }
    match event.sort {
        Sort::Message(_) => town.given_up.borrow_mut().push(event.name.clone()),
        Sort::Press(_) => ctx.kernel().reached(goal::PRESS_EXPIRED),
        Sort::Stop => {}
    }
}

fn request(town: &Rc<Town>, event: &Event, attempt: u64) -> Request {
    let (shared, delivered) = (Rc::clone(town), event.clone());
    Request {
        cause: if attempt == 0 {
            event.name.clone()
        } else {
            Label::new(&format!("{}/redelivery#{attempt}", event.name))
        },
        to: Rc::clone(&town.apis[((event.name.hash() + attempt) % 2) as usize]),
        handler: Rc::new(move |ctx: &Ctx| api::webhook(ctx, &shared, &delivered)),
    }
}

/// Whether the API's answer ends the deliveries.
fn heard(ctx: &Ctx, town: &Town, event: &Event, text: &str) -> bool {
    match text.split_once(' ') {
        Some(("ok", rest)) => {
            if let Some((task, session)) = rest.split_once(' ') {
                town.acknowledged(event.user, task, session);
            }
            true
        }
        _ if text == "refused" => {
            ctx.kernel().reached(goal::PAYLOAD_REFUSED);
            true
        }
        _ => matches!(text, "pong" | "pressed" | "no such button" | "stopped"),
    }
}

/// Nothing happened: a user presses once more, once.
fn press_again(ctx: &Ctx, town: &Rc<Town>, event: &Event) {
    if let Sort::Press(token) = &event.sort
        && !town.pressed_again(event.user, token)
    {
        ctx.kernel().reached(goal::PRESSED_AGAIN);
        press(ctx, town, event.user, token.to_string());
    }
}

const BACK_OFF: Label = Label::fixed("before the next delivery");
const GIVES_UP: Label = Label::fixed("gives a press up");
const TIMEOUT_MS: u64 = 10_000;
const FIRST_REST_MS: u64 = 1_000;
const LONGEST_REST_MS: u64 = 600_000;
/// About an hour and a half: no pause and no lock lasts as long.
const ATTEMPTS: u64 = 18;
/// Nobody looks at a button that does not react for longer.
const ATTEMPTS_OF_A_PRESS: u64 = 2;
