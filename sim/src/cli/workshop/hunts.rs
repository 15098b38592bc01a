//! Hunts for one bug.

use std::rc::Rc;
use std::time::Instant;

use lockstep_sim::catalogue;
use lockstep_sim::decide::Choice;
use lockstep_sim::run::{Stage, World};
use lockstep_sim::scenario::{self, Expect};
use lockstep_sim::search::{self, Bounds, Plan, Portfolio};
use lockstep_sim::world::StoreWorld;

use super::{Answer, Bug, Hunt, world_of};
use crate::cli::bench::{EXHAUSTIVE, PORTFOLIO};

/// One hunt for each seed.
pub(super) fn carry_out(hunt: &Hunt, stop: &mut dyn FnMut() -> bool) -> Result<Answer, String> {
    let world = match world(&hunt.bug)? {
        Ok(world) => world,
        Err(words) => return Ok(Answer::BadScenario(words)),
    };
    let mut stage = match Stage::new(world) {
        Ok(stage) => stage,
        Err(words) => return Ok(Answer::BadScenario(words)),
    };
    let started = Instant::now();
    let (mut runs, mut depth) = (Vec::new(), None);
    for seed in hunt.seeds.clone() {
        let took = match hunt.strategy.as_str() {
            // It is the same for every seed.
            EXHAUSTIVE if !runs.is_empty() => runs[0],
            EXHAUSTIVE => {
                let (took, deep) = exhaust(&mut stage, hunt.most, stop)?;
                depth = deep;
                took
            }
            name => search::hunt(&mut stage, portfolio(name, seed)?, hunt.most, stop)?,
        };
        runs.push(took);
    }
    let hunts = runs.len().max(1) as f64;
    let ms = started.elapsed().as_secs_f64() * 1000.0 / hunts;
    Ok(Answer::Hunted { runs, ms, depth })
}

fn portfolio(name: &str, seed: u64) -> Result<Portfolio, String> {
    if name == PORTFOLIO {
        return Ok(Portfolio::new(seed));
    }
    let choice = Choice::ALL.into_iter().find(|choice| choice.name() == name);
    let choice = choice.ok_or_else(|| format!("no strategy is named {name}"))?;
    Ok(Portfolio::alone(seed, choice))
}

/// Runs until the first violation, and how many deviations it takes.
fn exhaust(
    stage: &mut Stage,
    most: u64,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(Option<u64>, Option<u64>), String> {
    let plan = Plan {
        seed: 0,
        runs: most,
        expect: Some(&Expect::Holds),
    };
    let found = search::exhaust(stage, &plan, Bounds::default(), stop)?;
    let runs = found.runs_to_find();
    let done = found.exhausted.and_then(|exhausted| exhausted.deviations);
    Ok((runs, runs.map(|_| done.map_or(0, |done| done + 1))))
}

/// Where the bug lives, or why the scenario does not stand.
fn world(bug: &Bug) -> Result<Result<Rc<dyn World>, String>, String> {
    match bug {
        Bug::Planted(name) => {
            let planted = catalogue::all().find(|(_, bug)| bug.defect.name == name);
            let (_, bug) = planted.ok_or_else(|| format!("no bug is named {name}"))?;
            Ok(Ok(StoreWorld::defective(bug.defect)))
        }
        Bug::Scenario {
            file,
            text,
            variant,
        } => match scenario::parse(file, text) {
            Err(problems) => Ok(Err(problems.to_string())),
            Ok(scenario) => {
                let found = scenario
                    .variants
                    .iter()
                    .find(|known| known.name == *variant);
                let found = found.ok_or_else(|| format!("no variant is named {variant}"))?;
                Ok(Ok(world_of(found)))
            }
        },
    }
}
