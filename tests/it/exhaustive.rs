//! The exhaustive search: what it leaves out would have shown nothing new, and what it finds first is as small as can be.

mod adversarial;
mod generated;

use std::collections::BTreeSet;

use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Program};
use lockstep_sim::search::{Bounds, Plan, Searched, exhaust};

use self::adversarial::ADVERSARIAL;
use self::generated::{generated, talking};
use super::scenario_programs;

fn explore(program: &Program, runs: u64, bounds: Bounds) -> Searched {
    let world = FlowWorld::new(program.clone().into());
    let mut stage = Stage::new(world).expect("the stage is set");
    let plan = Plan {
        seed: 0,
        runs,
        expect: None,
    };
    let searched = exhaust(&mut stage, &plan, bounds, &mut || false).expect("a search");
    assert_eq!((&searched.internal, &searched.endless), (&None, &None));
    searched
}

fn violated(searched: &Searched) -> BTreeSet<&str> {
    searched.firsts.keys().map(String::as_str).collect()
}

/// Up to so many deviations, with the states of runs and without: runs of both. An error where they do not find the same; `None`
/// where too many runs would be needed without.
fn compare(program: &Program, deviations: u64, most: u64) -> Option<Result<(u64, u64), String>> {
    let search = |by_state| {
        let bounds = Bounds {
            deviations,
            by_state,
            independence: by_state,
        };
        explore(program, most, bounds)
    };
    let is_done = |searched: &Searched| {
        let exhausted = searched.exhausted.unwrap_or_default();
        exhausted.complete || exhausted.deviations == Some(deviations)
    };
    let all = search(false);
    if !is_done(&all) {
        return None;
    }
    let few = search(true);
    Some(match is_done(&few) && violated(&few) == violated(&all) {
        true => Ok((few.runs, all.runs)),
        false => Err(format!(
            "{:?} in {} runs, {:?} in {}",
            violated(&few),
            few.runs,
            violated(&all),
            all.runs
        )),
    })
}

/// A program with so few single deviations that all pairs of them can be tried as well.
fn is_small(program: &Program) -> bool {
    let quiet = explore(program, 1, Bounds::default());
    let singles = quiet.exhausted.map_or(0, |exhausted| exhausted.frontier);
    singles <= 20
}

#[test]
fn what_is_left_out_shows_nothing_new_in_the_scenarios() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for (name, program) in scenario_programs() {
        if !is_small(&program) {
            continue;
        }
        match compare(&program, 2, 1_000) {
            None => {}
            Some(Ok(_)) => compared += 1,
            Some(Err(words)) => wrong.push(format!("{name}: {words}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 20, "only {compared} could be compared");
}

fn program(name: &str, text: &str) -> Program {
    let scenario =
        scenario::parse(name, text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    scenario
        .variants
        .into_iter()
        .next()
        .expect("a variant")
        .program
}

#[test]
fn what_is_left_out_shows_nothing_new_in_programs_that_are_made_to_mislead() {
    let mut wrong = Vec::new();
    for small in ADVERSARIAL {
        let program = program(small.name, &small.text());
        let to_the_end = explore(&program, 100_000, Bounds::default());
        if to_the_end.firsts.is_empty() {
            wrong.push(format!("{}: nothing violates its rule", small.name));
        }
        for deviations in 1..=3 {
            match compare(&program, deviations, 20_000) {
                Some(Ok(_)) => {}
                Some(Err(words)) => wrong.push(format!("{} at {deviations}: {words}", small.name)),
                None => wrong.push(format!("{}: too large to compare", small.name)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Programs that nobody has thought about: two or three flows of a few statements over two small tables.
#[test]
fn what_is_left_out_shows_nothing_new_in_generated_programs() {
    compare_generated(generated);
}

/// The same of flows that meet elsewhere than in tables: answers, timers, locks, memory.
#[test]
fn what_is_left_out_shows_nothing_new_in_generated_programs_that_talk() {
    compare_generated(talking);
}

fn compare_generated(make: fn(u64) -> String) {
    let (mut violate, mut wrong) = (0, Vec::new());
    for seed in 0..GENERATED {
        let text = make(seed);
        let program = program("generated", &text);
        match compare(&program, 3, 20_000) {
            Some(Ok(_)) => {}
            Some(Err(words)) => wrong.push(format!("{words}\n{text}")),
            None => wrong.push(format!("too large to compare\n{text}")),
        }
        violate += u64::from(
            !explore(&program, 20_000, Bounds::default())
                .firsts
                .is_empty(),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        (5..GENERATED - 5).contains(&violate),
        "{violate} violate their rule"
    );
}

const GENERATED: u64 = 100;
