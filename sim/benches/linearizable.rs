//! What the check of linearizability costs: its share of runs of the default world, and long histories.
//!
//! `cargo bench -p lockstep-sim --bench linearizable`. One core.

#![expect(clippy::disallowed_methods, reason = "a benchmark needs a wall clock")]
#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

use std::rc::Rc;
use std::time::{Duration, Instant};

use lockstep_sim::check::linearizable::{check, operations};
use lockstep_sim::decide::{Quiet, default_for};
use lockstep_sim::run::Stage;
use lockstep_sim::world::StoreWorld;

const RUNS: u64 = 2_000;

fn main() {
    share_of_runs();
}

fn share_of_runs() {
    let mut stage = Stage::new(StoreWorld::new()).expect("the stage is set");
    let quiet = stage.run(&mut || Box::new(Quiet)).expect("a quiet run");
    let profile = Rc::new(quiet.profile);
    let (mut runs, mut checks) = (Duration::ZERO, Duration::ZERO);
    let (mut calls, mut parts, mut searched, mut asked) = (0, 0, 0, 0);
    let mut taken = Duration::ZERO;
    for seed in 0..RUNS {
        let begun = Instant::now();
        let ran = stage
            .run(&mut || default_for(seed, 1, &profile))
            .expect("a run");
        runs += begun.elapsed();
        let begun = Instant::now();
        let start = StoreWorld::beginning();
        let history = operations(&ran.trace);
        taken += begun.elapsed();
        let report = check(&start, &history);
        checks += begun.elapsed();
        calls += history.len();
        parts += report.parts;
        searched += report.searched;
        asked += report.asked;
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / RUNS as f64;
    println!(
        "runs: {:.0} us each, of which the check takes {:.0} us ({:.1} %), reading the trace {:.0}",
        each(runs),
        each(checks),
        100.0 * each(checks) / each(runs),
        each(taken)
    );
    println!(
        "{:.1} operations in {:.2} parts, {:.2} of them searched, the model was asked {:.1} times",
        calls as f64 / RUNS as f64,
        parts as f64 / RUNS as f64,
        searched as f64 / RUNS as f64,
        asked as f64 / RUNS as f64
    );
}
