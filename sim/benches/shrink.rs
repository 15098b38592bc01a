//! How near shrunk cases come to the smallest that there are.
//!
//! `cargo bench -p lockstep-sim --bench shrink [-- NAME]`. Every variant of `scenarios/` that is expected to fail is searched with a few
//! seeds, and what is found first is shrunk. Beside it every run is tried, with one deviation more at a time and nothing left out,
//! up to as many deviations as the shrunk case has: the smallest run that violates the same invariant for the same key is the
//! yardstick. Where that takes too many runs there is none. Counts do not depend on the machine.

#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report::grouped;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Expect, Variant};
use lockstep_sim::search::{Bounds, First, Plan, every, reduce, search};
use lockstep_sim::shrink::{BUDGET, events};

/// Searches of each variant.
const SEEDS: u64 = 3;

/// Runs without which a yardstick is not found.
const MOST: u64 = 60_000;

/// Deviations, then events.
type Size = (usize, usize);

/// By invariant and key.
type Smallest = BTreeMap<(String, String), Size>;

/// One case, shrunk.
struct Shrunk {
    of: (String, String),
    size: Size,
    /// Runs that it took.
    runs: u64,
}

#[derive(Default)]
struct Total {
    /// Runs of each shrinking to a case that deviates from the quiet run at all.
    runs: Vec<u64>,
    compared: usize,
    smallest: usize,
    one_event_more: usize,
    unknown: usize,
}

fn main() {
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let mut total = Total::default();
    for (name, variant, expected) in failing() {
        if only.as_ref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        compare(&name, &variant, &expected, &mut total);
    }
    total.report();
}

/// Variants that are expected to fail, with the invariant that they violate.
fn failing() -> Vec<(String, Variant, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let entries = std::fs::read_dir(folder).expect("the folder of scenarios");
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    let mut failing = Vec::new();
    for file in files {
        let scenario = scenario::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
        for variant in scenario.variants {
            if let Expect::Violates(names) = &variant.expect {
                let expected = names[0].clone();
                failing.push((
                    format!("{}.{}", scenario.name, variant.name),
                    variant,
                    expected,
                ));
            }
        }
    }
    failing
}

fn compare(name: &str, variant: &Variant, expected: &str, total: &mut Total) {
    let world = FlowWorld::new(Rc::new(variant.program.clone()));
    let mut stage = Stage::new(world).expect("the stage is set");
    let shrunk: Vec<Shrunk> = (0..SEEDS)
        .filter_map(|seed| shrink(&mut stage, variant, expected, seed))
        .collect();
    let most = shrunk.iter().map(|shrunk| shrunk.size.0).max();
    let Some((smallest, done)) = most.map(|most| smallest(&mut stage, most as u64)) else {
        return;
    };
    for shrunk in shrunk {
        if shrunk.size.0 > 0 {
            total.runs.push(shrunk.runs);
        }
        let known = smallest.get(&shrunk.of);
        // What nobody has found with fewer deviations may still be there with as many, unless all of those were tried.
        let known = known.filter(|known| known.0 < shrunk.size.0 || done >= Some(known.0 as u64));
        let tried = done >= Some(shrunk.size.0 as u64);
        match known {
            None if tried => total.is_smallest(),
            None => total.unknown += 1,
            Some(known) if shrunk.size <= *known => total.is_smallest(),
            Some(known) => {
                total.compared += 1;
                total.one_event_more +=
                    usize::from(shrunk.size.0 == known.0 && shrunk.size.1 == known.1 + 1);
                println!(
                    "{name}: {} for {}: {:?} after {} runs, {known:?} is enough",
                    shrunk.of.0, shrunk.of.1, shrunk.size, shrunk.runs
                );
            }
        }
    }
}

fn shrink(stage: &mut Stage, variant: &Variant, expected: &str, seed: u64) -> Option<Shrunk> {
    let plan = Plan {
        seed,
        runs: variant.program.runs,
        expect: Some(&variant.expect),
    };
    let searched = search(stage, &plan, &mut || false).expect("a search");
    let first: &First = searched.firsts.get(expected)?;
    let before = stage.runs();
    let reduced = reduce(stage, first, BUDGET, &mut || false).expect("a case");
    let ran = reduced.ran;
    assert!(
        ran.violations
            .iter()
            .any(|it| it.invariant == first.invariant && it.key == first.key),
        "it slipped"
    );
    Some(Shrunk {
        of: (first.invariant.clone(), first.key.clone()),
        size: (ran.decisions.0.len(), events(&ran.trace)),
        runs: stage.runs() - before,
    })
}

/// The smallest runs that violate anything, and up to how many deviations every run was tried.
fn smallest(stage: &mut Stage, deviations: u64) -> (Smallest, Option<u64>) {
    let bounds = Bounds {
        deviations,
        by_state: false,
        independence: false,
    };
    let plan = Plan {
        seed: 0,
        runs: MOST,
        expect: None,
    };
    let mut smallest = Smallest::new();
    let tried = every(stage, &plan, bounds, &mut |ran| {
        for violation in &ran.violations {
            let of = (violation.invariant.clone(), violation.key.clone());
            let size = (ran.decisions.0.len(), events(&ran.trace));
            let known = smallest.entry(of).or_insert(size);
            *known = size.min(*known);
        }
    });
    let exhausted = tried.expect("a search").exhausted.unwrap_or_default();
    let done = if exhausted.complete {
        Some(u64::MAX)
    } else {
        exhausted.deviations
    };
    (smallest, done)
}

impl Total {
    fn is_smallest(&mut self) {
        self.compared += 1;
        self.smallest += 1;
    }

    fn report(mut self) {
        self.runs.sort_unstable();
        let at = |share: usize| {
            self.runs
                .get(self.runs.len() * share / 100)
                .copied()
                .unwrap_or_default()
        };
        println!(
            "{} of {} cases are as small as can be ({:.1} %), {} have one event more; {} could not be compared; re-executions of those with any deviation: median {}, 90 % within {}",
            self.smallest,
            self.compared,
            100.0 * self.smallest as f64 / self.compared.max(1) as f64,
            self.one_event_more,
            self.unknown,
            grouped(at(50)),
            grouped(at(90))
        );
    }
}
