//! Whether explanations are true.
//!
//! `cargo bench -p lockstep-sim --bench explain [-- NAME [RUNS]]`. Every variant of the folder that is expected to fail is searched, and what is
//! found is shrunk and explained. Beside it each part of the case is dropped or flipped in its file, which is read back and
//! replayed: what is said to be needed is compared with what comes of that. And from the moment from which nothing helps every
//! way to go on is tried: one that passes means that the moment was told too early. Counts do not depend on the machine.

#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a wall clock")]

#[path = "explain/cases.rs"]
mod cases;
#[path = "explain/flip.rs"]
mod flip;
#[path = "explain/measure.rs"]
mod measure;
#[path = "explain/onward.rs"]
mod onward;
#[path = "explain/tally.rs"]
mod tally;

use std::path::Path;
use std::time::{Duration, Instant};

use lockstep_sim::explain::explain;
use measure::Measured;

/// Searches of each variant.
const SEEDS: u64 = 3;

/// Runs without which it is not known what all ways to go on from a moment come to.
const MOST: u64 = 60_000;

/// How long the explanation takes.
fn again(case: &cases::Case) -> Duration {
    let mut stage = case.stage();
    let begun = Instant::now();
    let (target, program) = (Some(case.target()), Some(&case.program));
    let explained = explain(&mut stage, case.decisions(), target, program, &mut || false);
    assert!(explained.expect("runs").is_some(), "{}", case.name);
    begun.elapsed()
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let only = args.next();
    let most = args.next().and_then(|most| most.parse().ok());
    let most = most.unwrap_or(MOST);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut measured = Measured::default();
    let (mut count, mut runs, mut took) = (0, 0, Duration::ZERO);
    for file in cases::files(&folder) {
        let name = file.to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        for case in &cases::of(&file, SEEDS) {
            count += 1;
            runs += u64::from(case.explained.runs);
            took += again(case);
            measured.take(case, most, &mut |words| println!("{words}"));
        }
    }
    println!("{count} cases, explained with {runs} runs in {took:.1?}\n{measured}");
}
