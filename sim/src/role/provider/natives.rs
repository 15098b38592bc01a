//! Native sessions: entered, left, made and lost.

use super::Order;
use crate::label::Label;
use crate::run::Ctx;
use crate::world::{HELD, Native, Town, author_of, goal};

/// Lets a turn into its native session: the one that is resumed, or a new one. Answers its token, or the refusal in words.
/// Resuming it elsewhere is what must never be.
pub(super) fn enter(ctx: &Ctx, town: &Town, order: &Order) -> Result<String, &'static str> {
    let Some(token) = &order.token else {
        return Ok(create(ctx, town, order));
    };
    let made = town.kept.borrow().natives.get(token).cloned();
    let in_place = made
        .as_ref()
        .is_some_and(|native| native.place == order.place);
    if !in_place && !town.kept.borrow().lost.contains(token) {
        crossed(ctx, token, made.as_ref(), order);
    }
    if let Some(native) = &made {
        shared(ctx, token, native, order);
    }
    let Some(native) = made.filter(|_| in_place) else {
        return lost(ctx, town, token);
    };
    let now = ctx.now_ms();
    if native.free_ms > now {
        ctx.kernel().reached(goal::NATIVE_BUSY);
        return Err("busy");
    }
    let not_written_down = native.durable_ms > now && native.made_by != order.by;
    if not_written_down || ctx.pick(&LOSES, 12) == 11 {
        return lost(ctx, town, token);
    }
    ctx.kernel().reached(goal::RESUMED);
    if ctx.pick(&ROTATES, 3) == 2 {
        ctx.kernel().reached(goal::ROTATED);
        return Ok(create(ctx, town, order));
    }
    hold(town, token, HELD);
    Ok(token.clone())
}

/// A turn is over; the lock is given back, late in some turns.
pub(super) fn leave(ctx: &Ctx, town: &Town, token: &str) {
    let late = ctx.amount(&RELEASE, 0, LATEST_RELEASE_MS);
    hold(town, token, ctx.now_ms() + late);
}

fn hold(town: &Town, token: &str, until_ms: u64) {
    if let Some(native) = town.kept.borrow_mut().natives.get_mut(token) {
        native.free_ms = until_ms;
    }
}

fn create(ctx: &Ctx, town: &Town, order: &Order) -> String {
    let token = format!("native:{}", ctx.cause());
    let native = Native {
        place: order.place.clone(),
        made_by: order.by.clone(),
        durable_ms: ctx.now_ms() + ctx.amount(&WRITTEN_DOWN, 0, LATEST_DURABLE_MS),
        free_ms: HELD,
        author: author_of(&order.input),
    };
    town.kept.borrow_mut().natives.insert(token.clone(), native);
    token
}

fn lost(ctx: &Ctx, town: &Town, token: &str) -> Result<String, &'static str> {
    ctx.kernel().reached(goal::NATIVE_LOST);
    let mut kept = town.kept.borrow_mut();
    kept.natives.remove(token);
    kept.lost.push(token.to_owned());
    Err("lost")
}

fn crossed(ctx: &Ctx, token: &str, made: Option<&Native>, order: &Order) {
    let made = made.map_or("nowhere".to_owned(), |native| {
        format!("{} at {}", native.place.class, native.place.home)
    });
    let row = format!(
        "token={token} made={made} resumed={} at {}",
        order.place.class, order.place.home
    );
    ctx.kernel()
        .violated("no_cross_runtime_resume", token, &row);
}

/// A native session remembers one conversation; nobody else's is to be told to it.
fn shared(ctx: &Ctx, token: &str, native: &Native, order: &Order) {
    let author = author_of(&order.input);
    if native.author != author {
        let row = format!(
            "token={token} made for={:?} used for={author:?}",
            native.author
        );
        ctx.kernel()
            .violated("native_session_is_not_shared", token, &row);
    }
}

const LOSES: Label = Label::fixed("native session is lost");
const ROTATES: Label = Label::fixed("token rotates");
const RELEASE: Label = Label::fixed("lock is released");
const LATEST_RELEASE_MS: u64 = 20_000;
const WRITTEN_DOWN: Label = Label::fixed("written down");
const LATEST_DURABLE_MS: u64 = 30_000;
