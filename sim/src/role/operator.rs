//! The operator: in some runs works on one session, on the builds, or on the database behind the store's back.

mod by_hand;
mod rollout;
mod session;

use std::rc::Rc;

use lockstep_store::Error;

use crate::label::Label;
use crate::run::Ctx;
use crate::world::{Town, USERS};

/// What the operator means to do. Survives the operator's process: it is in a person's head.
#[derive(Debug, Clone)]
pub(crate) struct Notebook {
    plans: Vec<Plan>,
    /// Listens to complaints meanwhile.
    watches: bool,
}

/// One thing to do.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Which of the plans it is: the same thing may be done twice, and is another request then.
    n: u64,
    what: What,
    user: usize,
    force: bool,
    at_ms: u64,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Migrate,
    ResetAndCancel,
    ResetAndMove,
    ResetElsewhere,
    Cancel,
    Close,
    LinkKey,
    RollForward,
    RollForwardAndBack,
    MigrateAll,
    DeclareGone,
    EditByHand,
    Drift,
    Restore,
}

/// Some several times: what also needs a fault to be allowed would be rare otherwise.
const ALL: [What; 30] = [
    What::Migrate,
    What::ResetAndCancel,
    What::ResetAndMove,
    What::ResetElsewhere,
    What::Cancel,
    What::Cancel,
    What::Close,
    What::Close,
    What::LinkKey,
    What::RollForward,
    What::RollForward,
    What::RollForwardAndBack,
    What::MigrateAll,
    What::DeclareGone,
    What::DeclareGone,
    What::DeclareGone,
    What::DeclareGone,
    What::DeclareGone,
    What::EditByHand,
    What::EditByHand,
    What::EditByHand,
    What::EditByHand,
    What::EditByHand,
    What::Drift,
    What::Drift,
    What::Drift,
    What::Restore,
    What::Restore,
    What::Restore,
    What::Restore,
];

/// Does what the notebook says. When the tool crashes the operator starts it again with the plan that it was at, and its
/// `op_id`s are the same.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>) {
    town.at_desk.set(false);
    if town.altered.get() {
        by_hand::set_right(ctx, town);
        by_hand::keep_looking(ctx, town);
    }
    by_hand::open_again(ctx, town);
    let known = town.notebook.borrow().clone();
    let notebook = known.unwrap_or_else(|| draw(ctx));
    *town.notebook.borrow_mut() = Some(notebook.clone());
    if notebook.watches {
        watch(ctx, town);
    }
    for plan in notebook.plans.iter().skip(town.plans_done.get()) {
        let (asked, patience, user) = (Rc::clone(town), ctx.now_ms() + PATIENCE_MS, plan.user);
        ctx.wait(&FIRST, Some(patience), move || asked.known(user).is_some());
        ctx.sleep_until(&MOMENT, plan.at_ms.max(ctx.now_ms()));
        carry_out(ctx, town, plan);
        town.plans_done.set(town.plans_done.get() + 1);
    }
}

/// Somebody else of the same desk has failed tasks done once more.
fn watch(ctx: &Ctx, town: &Rc<Town>) {
    let name = Label::new(&format!("{} complaints", ctx.cause()));
    let town = Rc::clone(town);
    ctx.spawn(name, true, move |ctx| session::hear_complaints(ctx, &town));
}

fn carry_out(ctx: &Ctx, town: &Rc<Town>, plan: &Plan) {
    for _ in 0..ATTEMPTS {
        match act(ctx, town, plan) {
            Err(Error::Leased { .. } | Error::Stale { .. }) => ctx.sleep(&AGAIN, REST_MS),
            _ => return,
        }
    }
}

fn draw(ctx: &Ctx) -> Notebook {
    let mut plans: Vec<Plan> = (0..ctx.pick(&PLANS, 5)).map(|n| plan(ctx, n)).collect();
    plans.sort_by_key(|plan| plan.at_ms);
    Notebook {
        plans,
        watches: ctx.pick(&WATCHES, 3) == 2,
    }
}

fn plan(ctx: &Ctx, n: u64) -> Plan {
    Plan {
        n,
        what: ALL[ctx.pick(&PLAN, ALL.len() as u64) as usize],
        user: usize::from(ctx.pick(&WHOSE, USERS.len() as u64) == 1),
        force: ctx.pick(&FORCE, 2) == 1,
        at_ms: ctx.amount(&MOMENT, 0, LATEST_MS),
    }
}

fn act(ctx: &Ctx, town: &Rc<Town>, plan: &Plan) -> Result<(), Error> {
    match plan.what {
        What::RollForward => rollout::forward(ctx, town, plan),
        What::RollForwardAndBack => {
            rollout::forward(ctx, town, plan)?;
            rollout::back(ctx, town, plan)
        }
        What::MigrateAll => session::migrate_all(ctx, town, plan.user),
        What::DeclareGone => rollout::declare_gone(ctx, town, plan),
        What::EditByHand => {
            by_hand::edit(ctx);
            Ok(())
        }
        What::Drift => {
            by_hand::drift(ctx, town);
            Ok(())
        }
        What::Restore => {
            by_hand::restore(ctx, town);
            Ok(())
        }
        _ => session::act(ctx, town, plan),
    }
}

const PLANS: Label = Label::fixed("how many plans");
const WATCHES: Label = Label::fixed("hears complaints");
const PLAN: Label = Label::fixed("operator's plan");
const WHOSE: Label = Label::fixed("whose session");
const FORCE: Label = Label::fixed("by force");
const FIRST: Label = Label::fixed("until there is a session");
const MOMENT: Label = Label::fixed("operator's moment");
const AGAIN: Label = Label::fixed("until it is free");
const LATEST_MS: u64 = 60_000;
const PATIENCE_MS: u64 = 300_000;
const REST_MS: u64 = 5_000;
const ATTEMPTS: u32 = 20;
