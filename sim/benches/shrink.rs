//! How near shrunk cases come to the smallest that there are.
//!
//! `cargo bench -p lockstep-sim --bench shrink [-- NAME]`. Every variant of `scenarios/` that is expected to fail is searched with a few
//! seeds, and what is found first is shrunk. Beside it every run is tried, with one deviation more at a time and nothing left out,
//! up to as many deviations as the shrunk case has: the smallest run that violates the same invariant for the same key is the
//! yardstick. Where that takes too many runs there is none. Counts do not depend on the machine.

#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

use std::path::Path;
use std::rc::Rc;

use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report::grouped;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Expect, Variant};
use lockstep_sim::search::{First, Plan, Size, reduce, search, size, smallest};
use lockstep_sim::shrink::{BUDGET, Target};

/// Searches of each variant.
const SEEDS: u64 = 3;

/// Runs without which a yardstick is not found.
const MOST: u64 = 60_000;

/// One case, shrunk.
struct Shrunk {
    of: Target,
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
    let Some(most) = shrunk.iter().map(|shrunk| shrunk.size.0).max() else {
        return;
    };
    let smallest = smallest(&mut stage, most, MOST).expect("a search");
    for shrunk in &shrunk {
        total.take(name, shrunk, smallest.up_to(&shrunk.of, shrunk.size));
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
    let of = Target {
        invariant: first.invariant.clone(),
        key: first.key.clone(),
    };
    assert!(of.is_in(&reduced.ran), "it slipped");
    Some(Shrunk {
        of,
        size: size(&reduced.ran),
        runs: stage.runs() - before,
    })
}

impl Total {
    fn take(&mut self, name: &str, shrunk: &Shrunk, smallest: Option<Size>) {
        let Shrunk { of, size, runs } = shrunk;
        if size.0 > 0 {
            self.runs.push(*runs);
        }
        let Some(smallest) = smallest else {
            self.unknown += 1;
            return;
        };
        self.compared += 1;
        self.smallest += usize::from(smallest == *size);
        self.one_event_more += usize::from((smallest.0, smallest.1 + 1) == *size);
        if smallest < *size {
            println!("{name}: {of:?}: {size:?} after {runs} runs, {smallest:?} is enough");
        }
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
