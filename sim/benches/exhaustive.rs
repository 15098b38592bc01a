//! What the exhaustive search needs, beside a textbook search to which somebody has told by hand what each step touches.
//!
//! `cargo bench -p lockstep-sim --bench exhaustive`. Both try every order of three small problems, and the second one works on
//! models of them (`exhaustive/by_hand.rs`). Runs do not depend on the machine; times do. A ratio above 1 means that the exhaustive
//! search needs more runs than the one by hand.

#![expect(clippy::disallowed_methods, reason = "a benchmark needs a wall clock")]
#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

#[path = "exhaustive/by_hand.rs"]
mod by_hand;

use std::rc::Rc;
use std::time::{Duration, Instant};

use by_hand::{Counted, Crash, Lease, Race};
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report::grouped;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Program};
use lockstep_sim::search::{Bounds, Exhausted, PROBLEMS, Plan, Searched, exhaust};

/// Searches of which the one in the middle counts.
const ROUNDS: usize = 5;

fn main() {
    let by_hand = [
        by_hand::count::<Race>(),
        by_hand::count::<Lease>(),
        by_hand::count::<Crash>(),
    ];
    let problems = PROBLEMS.iter().zip(by_hand);
    let total: Duration = problems
        .map(|((file, text), by_hand)| compare(file, text, &by_hand))
        .sum();
    println!("exhaustive searches: {:.2} s in all", total.as_secs_f64());
}

/// Reports on one problem, and returns the time of the exhaustive search.
fn compare(file: &str, text: &str, by_hand: &Counted) -> Duration {
    let (searched, time) = measure(file, text);
    let exhausted = searched.exhausted.unwrap_or_default();
    assert!(exhausted.complete, "{file}: everything was tried");
    assert_eq!(
        by_hand.violated,
        !searched.firsts.is_empty(),
        "{file}: both find the same"
    );
    report(file, &searched, exhausted, time, by_hand);
    time
}

fn report(
    file: &str,
    searched: &Searched,
    exhausted: Exhausted,
    time: Duration,
    by_hand: &Counted,
) {
    println!(
        "{}: {} runs, {} states, {:.2} s; by hand {} runs ({} blocked); ratio {:.2}",
        file.trim_end_matches(".yaml"),
        grouped(searched.runs),
        grouped(exhausted.states),
        time.as_secs_f64(),
        grouped(by_hand.runs),
        grouped(by_hand.blocked),
        searched.runs as f64 / by_hand.runs as f64
    );
}

/// Every search does the same; their times differ.
fn measure(file: &str, text: &str) -> (Searched, Duration) {
    let scenario = match scenario::parse(file, text) {
        Ok(scenario) => scenario,
        Err(problems) => panic!("{problems}"),
    };
    let program = Rc::new(scenario.variants[0].program.clone());
    let mut rounds: Vec<(Searched, Duration)> = (0..ROUNDS).map(|_| search(&program)).collect();
    rounds.sort_by_key(|(_, time)| *time);
    rounds.swap_remove(ROUNDS / 2)
}

fn search(program: &Rc<Program>) -> (Searched, Duration) {
    let world = FlowWorld::new(Rc::clone(program));
    let mut stage = Stage::new(world).expect("the stage is set");
    let plan = Plan {
        seed: 0,
        runs: 1_000_000,
        expect: None,
    };
    let begun = Instant::now();
    let searched = exhaust(&mut stage, &plan, Bounds::default(), &mut || false);
    let time = begun.elapsed();
    let searched = searched.expect("a search");
    assert_eq!((&searched.internal, &searched.endless), (&None, &None));
    (searched, time)
}
