//! Builds: rolled forward, rolled back, taken out of service; and workers that are declared gone.

use std::rc::Rc;

use lockstep_store::{Error, Op, Reply};

use super::{Plan, What};
use crate::label::Label;
use crate::role::insist;
use crate::run::Ctx;
use crate::world::{RUNTIMES, Town, goal};

/// Makes the next build current and deploys it; workers of the old one end what they hold. A rollout by force takes the old
/// build out of service for good.
pub(super) fn forward(ctx: &Ctx, town: &Rc<Town>, plan: &Plan) -> Result<(), Error> {
    let runtime = plan.user;
    let [old, new] = RUNTIMES[runtime].builds;
    deploy(ctx, town, plan, 1, new)?;
    ctx.kernel().reached(goal::ROLLED_FORWARD);
    if plan.force && plan.what == What::RollForward {
        let op = Op::Retire { build: old.into() };
        insist(ctx, Some(format!("retire {old} {}", plan.n)), op)?;
        ctx.kernel().reached(goal::BUILD_RETIRED);
    }
    Ok(())
}

/// Makes the old build current again, unless it is out of service.
pub(super) fn back(ctx: &Ctx, town: &Rc<Town>, plan: &Plan) -> Result<(), Error> {
    let runtime = plan.user;
    let [old, _] = RUNTIMES[runtime].builds;
    let after = ctx.amount(&REGRET, 0, LONGEST_REGRET_MS);
    ctx.sleep(&REGRET, after);
    deploy(ctx, town, plan, 0, old)?;
    ctx.kernel().reached(goal::ROLLED_BACK);
    Ok(())
}

fn deploy(ctx: &Ctx, town: &Rc<Town>, plan: &Plan, index: usize, build: &str) -> Result<(), Error> {
    let runtime = plan.user;
    if town.deployed[runtime].get() == index {
        return Ok(());
    }
    let op = Op::SetCurrent {
        build: build.into(),
    };
    insist(ctx, Some(format!("deploy {build} {}", plan.n)), op)?;
    town.deployed[runtime].set(index);
    town.ring_all(ctx);
    Ok(())
}

/// A supervisor that cannot reach a worker takes it for dead. It may be alive.
pub(super) fn declare_gone(ctx: &Ctx, town: &Rc<Town>, plan: &Plan) -> Result<(), Error> {
    let runtime = plan.user;
    let worker = format!("worker.{}#1", runtime + 1);
    let op = Op::WorkerGone {
        worker: worker.as_str().into(),
    };
    if let Reply::Gone(reaped) = insist(ctx, Some(format!("declare {worker} gone {}", plan.n)), op)?
    {
        ctx.kernel().reached(goal::DECLARED_GONE);
        town.took(ctx, &reaped);
    }
    Ok(())
}

const REGRET: Label = Label::fixed("before it is rolled back");
const LONGEST_REGRET_MS: u64 = 60_000;
