//! The work of one process: searches, parts of the sweep, and shrinking. It is given orders and gives answers, both
//! plain data, so it does not matter which process does what.

use std::ops::Range;
use std::rc::Rc;

use lockstep_sim::case::{CaseFile, Source, Violates};
use lockstep_sim::decide::Profile;
use lockstep_sim::fewer::{Fewer, fewer_events};
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report;
use lockstep_sim::run::{Stage, World};
use lockstep_sim::scenario::{self, Expect, Program, Scenario, Variant};
use lockstep_sim::search::{self, First, Plan, Searched, Swept};
use lockstep_sim::shrink;
use lockstep_sim::world::StoreWorld;
use serde::{Deserialize, Serialize};

use super::{interrupt, subject};

mod hunts;

/// Name of the sweep's world in cases, digests and reports.
pub(crate) const STORE: &str = "store";

/// Name of its only variant.
pub(crate) const DEFAULT: &str = "default";

/// One piece of work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Order {
    /// A whole search of one variant.
    Search(Search),
    /// The quiet run of the sweep.
    Quiet { seed: u64 },
    /// Run 1 of each of these seeds.
    Sweep { from: u64, to: u64 },
    /// A failure of the sweep is made small.
    Shrink(First),
    /// A bug is hunted.
    Hunt(Hunt),
}

/// The hunts of one strategy for one bug.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Hunt {
    pub(crate) bug: Bug,
    pub(crate) strategy: String,
    /// One hunt for each.
    pub(crate) seeds: Range<u64>,
    /// Runs after which a hunt is given up.
    pub(crate) most: u64,
}

/// Where a bug lives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Bug {
    /// In the default world.
    Planted(String),
    /// In a variant of a scenario.
    Scenario {
        file: String,
        text: String,
        variant: String,
    },
}

/// A search of one variant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Search {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) variant: String,
    /// Parts of the variant that are dropped.
    pub(crate) without: Vec<String>,
    pub(crate) seed: u64,
    /// To the end of the budget, whatever is found.
    pub(crate) whole: bool,
    /// Every run before random ones.
    pub(crate) exhaustive: bool,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Search {
        searched: Searched,
        cases: Vec<Small>,
    },
    Swept(Swept),
    Shrunk(Box<Small>),
    /// Runs of each hunt, and milliseconds of one.
    Hunted {
        runs: Vec<Option<u64>>,
        ms: f64,
        /// Deviations without which the bug does not show, if that was looked for.
        depth: Option<u64>,
    },
    /// The scenario does not stand on its feet: its schema or set-up fails.
    BadScenario(String),
    /// A bug in lockstep.
    Internal(String),
}

/// A failure made small, ready to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Small {
    pub(crate) invariant: String,
    pub(crate) key: String,
    pub(crate) seed: u64,
    pub(crate) events: usize,
    pub(crate) deviations: usize,
    /// Texts of the case file, of the machine's trace and of the human's.
    pub(crate) case: String,
    pub(crate) trace: String,
    pub(crate) human: String,
    /// The failure was not the same when it was replayed.
    pub(crate) two_traces: Option<String>,
}

/// What is kept between orders.
#[derive(Default)]
pub(crate) struct Workshop {
    scenario: Option<Rc<Scenario>>,
    store: Option<(Stage, Rc<Profile>)>,
}

impl Workshop {
    /// Does one piece of work. `stop` is asked between runs.
    pub(crate) fn carry_out(&mut self, order: &Order, stop: &mut dyn FnMut() -> bool) -> Answer {
        let done = match order {
            Order::Search(wanted) => self.search(wanted, stop),
            Order::Quiet { seed } => new_store()
                .and_then(|mut stage| search::quiet(&mut stage, *seed))
                .map(|(_, swept)| Answer::Swept(swept)),
            Order::Sweep { from, to } => self.store().and_then(|(stage, profile)| {
                search::sweep(stage, profile, *from..*to, stop).map(Answer::Swept)
            }),
            Order::Shrink(first) => self.store().and_then(|(stage, _)| {
                let source = Source::World {
                    world: STORE.to_owned(),
                };
                small(stage, first, source, (DEFAULT, &[]), None)
                    .map(|small| Answer::Shrunk(Box::new(small)))
            }),
            Order::Hunt(hunt) => hunts::carry_out(hunt, stop),
        };
        done.unwrap_or_else(Answer::Internal)
    }

    fn search(
        &mut self,
        wanted: &Search,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Answer, String> {
        let scenario = match self.subject(wanted)? {
            Ok(scenario) => scenario,
            Err(words) => return Ok(Answer::BadScenario(words)),
        };
        let variant = scenario
            .variants
            .iter()
            .find(|variant| variant.name == wanted.variant)
            .ok_or("a search was ordered for no variant")?;
        let world = world_of(variant);
        let mut stage = match Stage::new(world) {
            Ok(stage) => stage,
            Err(words) => return Ok(Answer::BadScenario(words)),
        };
        let plan = Plan {
            seed: wanted.seed,
            runs: variant.program.runs,
            expect: (!wanted.whole).then_some(&variant.expect),
        };
        let searched = match wanted.exhaustive {
            true => search::thorough(&mut stage, &plan, stop)?,
            false => search::search(&mut stage, &plan, stop)?,
        };
        if let Some(words) = searched.endless {
            return Ok(Answer::BadScenario(words));
        }
        let mut cases = Vec::new();
        for first in in_order(&searched, &variant.expect) {
            let (name, file, text) = (
                scenario.name.clone(),
                scenario.file.clone(),
                scenario.text.clone(),
            );
            cases.push(small(
                &mut stage,
                first,
                Source::Scenario { name, file, text },
                (&variant.name, &wanted.without),
                Some(&variant.program),
            )?);
        }
        Ok(Answer::Search { searched, cases })
    }

    /// What is searched, or why there is nothing left to search.
    fn subject(&mut self, wanted: &Search) -> Result<Result<Rc<Scenario>, String>, String> {
        let Search { file, text, .. } = wanted;
        if wanted.without.is_empty() {
            return self.scenario(file, text).map(Ok);
        }
        let left = scenario::ablate::without(file, text, &wanted.variant, &wanted.without);
        Ok(left.map(Rc::new).map_err(|problems| {
            let first = problems.list.first();
            first.map_or_else(String::new, |problem| {
                format!("line {}: {}", problem.place.line, problem.message)
            })
        }))
    }

    fn scenario(&mut self, file: &str, text: &str) -> Result<Rc<Scenario>, String> {
        if let Some(known) = self
            .scenario
            .as_ref()
            .filter(|known| known.text == text && known.file == file)
        {
            return Ok(Rc::clone(known));
        }
        let scenario =
            Rc::new(scenario::parse(file, text).map_err(|problems| problems.to_string())?);
        self.scenario = Some(Rc::clone(&scenario));
        Ok(scenario)
    }

    fn store(&mut self) -> Result<&mut (Stage, Rc<Profile>), String> {
        if self.store.is_none() {
            let mut stage = new_store()?;
            let (profile, _) = search::quiet(&mut stage, 0)?;
            self.store = Some((stage, profile));
        }
        self.store
            .as_mut()
            .ok_or_else(|| "the stage of the sweep is gone".to_owned())
    }
}

/// The world of a variant.
pub(crate) fn world_of(variant: &Variant) -> Rc<dyn World> {
    FlowWorld::new(Rc::new(variant.program.clone()))
}

/// The world of the sweep.
pub(crate) fn store_world() -> Rc<dyn World> {
    StoreWorld::new()
}

fn new_store() -> Result<Stage, String> {
    Stage::new(store_world())
}

/// Failures that nobody expected come first, then the others as they were listed.
fn in_order<'a>(searched: &'a Searched, expect: &Expect) -> Vec<&'a First> {
    let listed: &[String] = if let Expect::Violates(names) = expect {
        names
    } else {
        &[]
    };
    let unexpected = searched
        .firsts
        .values()
        .filter(|first| !listed.contains(&first.invariant));
    unexpected
        .chain(listed.iter().filter_map(|name| searched.firsts.get(name)))
        .collect()
}

fn small(
    stage: &mut Stage,
    first: &First,
    source: Source,
    (variant, without): (&str, &[String]),
    program: Option<&Program>,
) -> Result<Small, String> {
    // Whoever interrupts wants to see what was found now, not smaller later.
    let budget = if interrupt::requested() {
        0
    } else {
        shrink::BUDGET
    };
    let reduced = search::reduce(stage, first, budget, &mut interrupt::requested)?;
    let violates = Violates {
        invariant: first.invariant.clone(),
        key: first.key.clone(),
    };
    let Fewer { absent, ran } = match program {
        Some(program) if budget > 0 => {
            let target = subject::target(&violates);
            fewer_events(program, reduced.ran, &target, &mut interrupt::requested)?
        }
        _ => Fewer::none(reduced.ran),
    };
    let name = match &source {
        Source::Scenario { name, .. } => name.clone(),
        Source::World { world } => world.clone(),
    };
    let header = report::trace_header(&name, variant, first.seed, first.run, ran.hash);
    let (seed, run, decisions) = (first.seed, first.run, &ran.decisions);
    let case = CaseFile::new(source, variant, seed, run, decisions, violates);
    Ok(Small {
        invariant: first.invariant.clone(),
        key: first.key.clone(),
        seed: first.seed,
        events: shrink::events(&ran.trace),
        deviations: ran.decisions.0.len(),
        case: case.without(without).without_events(&absent).to_text(),
        trace: ran.trace.to_json_lines(header),
        human: report::absent(&absent) + &report::human(&ran.trace),
        two_traces: reduced.two_traces,
    })
}
