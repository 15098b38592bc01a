//! The provider: runs turns in native sessions, which live in one runtime at one home, and acts outside.
//!
//! A native session lets one turn in at a time, and gives its lock back late. It is written down some time after it was made:
//! before that only the process that made it can go on with it. It may get a new token in a turn, and it may be lost.

mod natives;

use std::rc::Rc;

use lockstep_store::TaskId;
use rusqlite::types::Value;

use crate::label::Label;
use crate::ledger::Deed;
use crate::run::Ctx;
use crate::world::{HELD, Place, Town, Turn, Wish, event_of, goal};

/// What a worker asks for.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) task: TaskId,
    /// Idempotency key: the same for each attempt of a task.
    pub(crate) key: String,
    /// What the user wrote.
    pub(crate) input: String,
    /// What the user answered to the last question of the task, if there was one.
    pub(crate) answer: Option<String>,
    /// The native session to resume, if there is one.
    pub(crate) token: Option<String>,
    /// Where it is to run.
    pub(crate) place: Place,
    /// The process, and its incarnation, that it is to run in.
    pub(crate) by: (Label, u32),
    /// Position in the trace, when it was given. It may come after a restore that undid what it goes by.
    pub(crate) given: u64,
}

/// What it does when it starts again: the locks of turns that died with it are open.
pub(crate) fn start(_ctx: &Ctx, town: &Rc<Town>) {
    for native in town.kept.borrow_mut().natives.values_mut() {
        if native.free_ms == HELD {
            native.free_ms = 0;
        }
    }
}

/// Runs one turn. It may fail before its effect or after it.
pub(crate) fn serve(ctx: &Ctx, town: &Rc<Town>, order: &Order) {
    let said = carry_out(ctx, town, order);
    town.kept.borrow_mut().turns.push(Turn {
        ordered: order.given,
        n: ctx.kernel().position(),
        task: order.task.as_str().to_owned(),
        answer: order.answer.clone(),
        said: said.clone(),
    });
    ctx.reply(&said);
}

fn carry_out(ctx: &Ctx, town: &Rc<Town>, order: &Order) -> String {
    if Wish::of(&order.input) == Wish::Impossible {
        return "never".to_owned();
    }
    let fails = ctx.pick(&FAILS, 6);
    let native = match natives::enter(ctx, town, order) {
        Ok(native) => native,
        Err(words) => return words.to_owned(),
    };
    ctx.take(&WORK, SHORTEST_WORK_MS, LONGEST_WORK_MS);
    let said = turn(ctx, town, order, &native, fails);
    natives::leave(ctx, town, &native);
    said
}

fn turn(ctx: &Ctx, town: &Town, order: &Order, native: &str, fails: u64) -> String {
    if fails == FAILS_BEFORE {
        return "error".to_owned();
    }
    if asks(ctx, order) {
        return format!("asks {native}");
    }
    let units = act_once(ctx, town, order);
    if fails == FAILS_AFTER {
        return "error".to_owned();
    }
    format!("done {native} {units}")
}

/// A question is asked until it is answered; some answers lead to another question.
fn asks(ctx: &Ctx, order: &Order) -> bool {
    Wish::of(&order.input) == Wish::Question
        && (order.answer.is_none() || ctx.pick(&ASKS_MORE, 3) == 2)
}

/// The provider keeps the key before it acts, so a repeated order has no second effect and is charged once.
fn act_once(ctx: &Ctx, town: &Town, order: &Order) -> u64 {
    if let Some(units) = town.kept.borrow().charged.get(&order.key) {
        ctx.kernel().reached(goal::EFFECT_REPEATED);
        return *units;
    }
    let units = 1 + ctx.pick(&UNITS, 100);
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    town.kept
        .borrow_mut()
        .charged
        .insert(order.key.clone(), units);
    let value = Some(Value::Integer(i64::try_from(units).unwrap_or(0)));
    ctx.effect(Deed {
        name: "tool".into(),
        intent: text(event_of(&order.input)),
        key: text(&order.key),
        value,
        to: None,
    });
    units
}

const FAILS: Label = Label::fixed("provider fails");
const FAILS_BEFORE: u64 = 4;
const FAILS_AFTER: u64 = 5;
const ASKS_MORE: Label = Label::fixed("asks once more");
const UNITS: Label = Label::fixed("units charged");
const WORK: Label = Label::fixed("work");
const SHORTEST_WORK_MS: u64 = 20;
const LONGEST_WORK_MS: u64 = 30_000;
