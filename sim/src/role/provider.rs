//! The provider: runs turns in native sessions, which live in one runtime at one home, and acts outside.

use std::rc::Rc;

use rusqlite::types::Value;

use crate::label::Label;
use crate::run::Ctx;
use crate::world::{Native, Town, goal};

/// What a worker asks for.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Idempotency key: the same for each attempt of a task.
    pub(crate) key: String,
    /// What the user asked for.
    pub(crate) intent: String,
    /// The native session to resume, if there is one.
    pub(crate) token: Option<String>,
    /// Where it is to run.
    pub(crate) place: Native,
}

/// Runs one turn. It may fail before its effect or after it.
pub(crate) fn serve(ctx: &Ctx, town: &Rc<Town>, order: &Order) {
    let fails = ctx.pick(&FAILS, 6);
    let token = native_session(ctx, town, order);
    ctx.take(&WORK, SHORTEST_WORK_MS, LONGEST_WORK_MS);
    if fails == FAILS_BEFORE {
        return ctx.reply("error");
    }
    act_once(ctx, town, order);
    if fails == FAILS_AFTER {
        return ctx.reply("error");
    }
    ctx.reply(&format!("done {token}"));
}

/// The native session of the turn: the one that is resumed, or a new one. Resuming it elsewhere is what must never be.
fn native_session(ctx: &Ctx, town: &Town, order: &Order) -> String {
    let Some(token) = &order.token else {
        return create(ctx, town, order);
    };
    let made = town.natives.borrow().get(token).cloned();
    if made.as_ref() != Some(&order.place) {
        let made = made.map_or("nowhere".to_owned(), |native| {
            format!("{} at {}", native.class, native.home)
        });
        let row = format!(
            "token={token} made={made} resumed={} at {}",
            order.place.class, order.place.home
        );
        ctx.kernel()
            .violated("no_cross_runtime_resume", token, &row);
    }
    ctx.kernel().reached(goal::RESUMED);
    if ctx.pick(&ROTATES, 2) == 0 {
        token.clone()
    } else {
        create(ctx, town, order)
    }
}

fn create(ctx: &Ctx, town: &Town, order: &Order) -> String {
    let token = format!("native:{}", ctx.cause());
    town.natives
        .borrow_mut()
        .insert(token.clone(), order.place.clone());
    token
}

/// The provider keeps the key before it acts, so a repeated order has no second effect.
fn act_once(ctx: &Ctx, town: &Town, order: &Order) {
    if !town.done.borrow_mut().insert(order.key.clone()) {
        ctx.kernel().reached(goal::EFFECT_REPEATED);
        return;
    }
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    ctx.effect("tool", text(&order.intent), text(&order.key), None);
}

const FAILS: Label = Label::fixed("provider fails");
const FAILS_BEFORE: u64 = 4;
const FAILS_AFTER: u64 = 5;
const ROTATES: Label = Label::fixed("token rotates");
const WORK: Label = Label::fixed("work");
const SHORTEST_WORK_MS: u64 = 20;
const LONGEST_WORK_MS: u64 = 30_000;
