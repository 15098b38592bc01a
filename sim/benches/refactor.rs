//! Whether kept cases outlive changes of the code that cure nothing.
//!
//! `cargo bench -p lockstep-sim --bench refactor [-- NAME]`. Cases of every variant of `scenarios/` that is expected to fail are replayed under
//! the same program after each of the refactors of `refactor/measure.rs`, as `lockstep run` replays kept cases; where one does not fail any
//! more, whole searches tell whether the bug is still there. Then the same for planted bugs and the changes of `refactor/town.rs`, for those
//! bugs that a short sweep finds. Counts do not depend on the machine.

#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

#[path = "refactor/added.rs"]
mod added;
#[path = "refactor/cases.rs"]
mod cases;
#[path = "refactor/measure.rs"]
mod measure;
#[path = "refactor/names.rs"]
mod names;
#[path = "refactor/order.rs"]
mod order;
#[path = "refactor/shape.rs"]
mod shape;
#[path = "refactor/steps.rs"]
mod steps;
#[path = "refactor/town.rs"]
mod town;

use lockstep_sim::catalogue;
use lockstep_sim::scenario::Variant;
use lockstep_sim::search::{Kept, Plan, reduce, search};
use lockstep_sim::shrink::{BUDGET, Target};

use cases::Case;
use measure::{Fate, REFACTORS};
use town::{CHANGES, Known};

/// Runs within which a planted bug has to be found to be replayed.
const SWEPT: u64 = 1_000;

/// What became of the cases, in the order of [`Fate`].
type Counts = [usize; 5];

fn main() {
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let wanted = |name: &str| {
        only.as_ref()
            .is_none_or(|only| name.contains(only.as_str()))
    };
    let cases = of_scenarios(&wanted);
    println!("{} cases of scenarios", cases.len());
    table(&REFACTORS, &cases, |case, refactor| {
        (case.name.clone(), measure::fate(case, *refactor))
    });
    counter_check(&cases);
    let bugs = catalogue::all().filter(|(_, bug)| wanted(bug.defect.name));
    let planted: Vec<Known> = bugs
        .filter_map(|(_, bug)| town::known(bug, SWEPT))
        .collect();
    println!("{} cases of planted bugs", planted.len());
    table(&CHANGES, &planted, |known, change| {
        let name = format!("{}.{}", known.bug.defect.name, known.target.invariant);
        (name, town::fate(known, change))
    });
}

/// Under a variant of the same file in which nothing is expected to be found, no case may be said to fail.
fn counter_check(cases: &[Case]) {
    let (mut counts, cured) = ([0; 3], cases::cured());
    for case in cases {
        for (stem, variant) in cured.iter().filter(|(stem, _)| *stem == case.stem) {
            let kept = measure::under(case, &variant.program);
            let which = match kept {
                Kept::Fixed => 0,
                Kept::Drifted { .. } => 1,
                _ => 2,
            };
            counts[which] += 1;
            if which == 2 {
                println!("  {stem}.{}: {}: {kept:?}", variant.name, case.name);
            }
        }
    }
    let [fixed, drifted, fails] = counts;
    println!("under variants that hold: {fixed} fixed, {drifted} drifted, {fails} still fail");
}

/// A line for each change, and before it one for each case that does not fail any more.
fn table<C, R>(
    changes: &[(&str, R)],
    cases: &[C],
    fate: impl Fn(&C, &R) -> (String, Option<Fate>),
) {
    if cases.is_empty() {
        return;
    }
    let mut all = Counts::default();
    for (change, how) in changes {
        let mut counts = Counts::default();
        for case in cases {
            let (name, Some(fate)) = fate(case, how) else {
                continue;
            };
            counts[fate as usize] += 1;
            if !matches!(fate, Fate::AsItWas | Fate::Nearby) {
                println!("  {change}: {name}: {fate:?}");
            }
        }
        row(change, counts);
        all.iter_mut().zip(counts).for_each(|(all, n)| *all += n);
    }
    row("all", all);
}

fn row(name: &str, [as_it_was, nearby, drifted, fixed, cured]: Counts) {
    let kept = as_it_was + nearby;
    let there = kept + drifted + fixed;
    let share = 100.0 * kept as f64 / there.max(1) as f64;
    println!(
        "{name:<33} {there:>4} cases, {kept:>4} kept ({as_it_was:>4} as they were), {drifted:>3} drifted, {fixed:>2} fixed: {share:>5.1} %; {cured:>2} cured"
    );
}

/// For each bug the case that was reviewed, and what another search comes to where that is another one.
fn of_scenarios(wanted: &dyn Fn(&str) -> bool) -> Vec<Case> {
    let mut all = Vec::new();
    for (stem, variant, invariants) in cases::failing() {
        if !wanted(&format!("{stem}.{}", variant.name)) {
            continue;
        }
        let reviewed = invariants.iter();
        let reviewed = reviewed.map(|invariant| cases::reviewed(&stem, &variant, invariant));
        let mut cases: Vec<Case> = reviewed.collect();
        for case in searched(&stem, &variant, 0) {
            let is_known =
                |other: &Case| (&other.name, &other.decisions) == (&case.name, &case.decisions);
            if !cases.iter().any(is_known) {
                cases.push(case);
            }
        }
        all.append(&mut cases);
    }
    all
}

/// What a search of this seed finds of a variant, made small.
fn searched(stem: &str, variant: &Variant, seed: u64) -> Vec<Case> {
    let mut stage = cases::stage(&variant.program).expect("the stage is set");
    let plan = Plan {
        seed,
        runs: variant.program.runs,
        expect: Some(&variant.expect),
    };
    let searched = search(&mut stage, &plan, &mut || false).expect("a search");
    let firsts = searched.firsts.into_values();
    let cases = firsts.map(|first| {
        let small = reduce(&mut stage, &first, BUDGET, &mut || false).expect("a case");
        Case {
            name: format!("{stem}.{}.{}", variant.name, first.invariant),
            stem: stem.to_owned(),
            program: variant.program.clone(),
            decisions: small.ran.decisions,
            target: Target {
                invariant: first.invariant,
                key: first.key,
            },
        }
    });
    cases.collect()
}
