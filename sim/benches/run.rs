//! Statements per second of the real run path, beside raw rusqlite doing the same statements on the same connections.
//!
//! `cargo bench -p lockstep-sim --bench run`. One core; hash, invariants and gates inside SQLite are on. Times drift on a
//! shared machine: only the ratios of one invocation mean anything.

#![expect(clippy::disallowed_methods, reason = "a benchmark needs a wall clock")]
#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

use std::rc::Rc;
use std::time::{Duration, Instant};

use lockstep_sim::decide::{Profile, Quiet, Seeded, Strategy, default_for, run_hash};
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::{Stage, World};
use lockstep_sim::scenario;
use lockstep_sim::world::StoreWorld;

const RUNS: u64 = 2_000;
const ROUNDS: usize = 5;

fn main() {
    let text = include_str!("turns.yaml");
    let scenario = match scenario::parse("turns.yaml", text) {
        Ok(scenario) => scenario,
        Err(problems) => panic!("{problems}"),
    };
    let program = Rc::new(scenario.variants[0].program.clone());
    measure("scenario", FlowWorld::new(program));
    measure("store", StoreWorld::new());
}

fn measure(name: &str, world: Rc<dyn World>) {
    let mut stage = Stage::new(world).expect("the stage is set");
    let quiet = stage.run(&mut || Box::new(Quiet)).expect("a quiet run");
    let profile = Rc::new(quiet.profile);
    println!(
        "{name}: {} statements in the quiet run, points {:?}",
        quiet.statements, profile.points
    );
    let floor = Floor::record(&mut stage);
    let mut ratios = Vec::new();
    if std::env::args().any(|argument| argument == "profile") {
        // For a profiler: the quiet run alone, over and over.
        for _ in 0..10 {
            run(&mut stage, &mut |_| Box::new(Quiet));
        }
        return;
    }
    for _ in 0..ROUNDS {
        let (floor_time, floor_statements) = floor.time(&mut stage);
        report(name, "floor", floor_time, floor_statements);
        let quiet = run(&mut stage, &mut |_| Box::new(Quiet));
        report(name, "quiet", quiet.0, quiet.1);
        let seeded = run(&mut stage, &mut |run| {
            Box::new(Seeded::new(run_hash(1, run), &profile))
        });
        report(name, "seeded", seeded.0, seeded.1);
        let default = run(&mut stage, &mut |run| default(run, &profile));
        report(name, "default", default.0, default.1);
        let rate = |(time, statements): (Duration, u64)| statements as f64 / time.as_secs_f64();
        let base = rate((floor_time, floor_statements));
        ratios.push([
            rate(quiet) / base,
            rate(seeded) / base,
            rate(default) / base,
        ]);
    }
    for (i, what) in ["quiet", "seeded", "default"].iter().enumerate() {
        let mut column: Vec<f64> = ratios.iter().map(|row| row[i]).collect();
        column.sort_by(f64::total_cmp);
        println!(
            "{name}: {what} / floor, median of {ROUNDS}: {:.2}",
            column[ROUNDS / 2]
        );
    }
}

fn default(run: u64, profile: &Rc<Profile>) -> Box<dyn Strategy> {
    default_for(1, run + 1, profile)
}

fn run(stage: &mut Stage, strategy: &mut dyn FnMut(u64) -> Box<dyn Strategy>) -> (Duration, u64) {
    let start = Instant::now();
    let mut statements = 0;
    for run in 0..RUNS {
        let ran = stage.run(&mut || strategy(run)).expect("a run");
        assert_eq!(ran.internal, None);
        statements += ran.statements;
    }
    (start.elapsed(), statements)
}

fn report(name: &str, what: &str, time: Duration, statements: u64) {
    let seconds = time.as_secs_f64();
    println!(
        "{name:>10} {what:>8}: {:>8.0} runs/s {:>9.0} statements/s {:>7.1} us/run",
        RUNS as f64 / seconds,
        statements as f64 / seconds,
        seconds * 1e6 / RUNS as f64
    );
}

/// The statements of a quiet run, with their values, by connection.
struct Floor {
    statements: Vec<(u32, String)>,
}

impl Floor {
    fn record(stage: &mut Stage) -> Self {
        Self {
            statements: stage.record_statements().expect("a recorded run"),
        }
    }

    /// The same statements in the same order on the same connections, with nothing around them.
    fn time(&self, stage: &mut Stage) -> (Duration, u64) {
        stage
            .replay_statements(&self.statements)
            .expect("a warm-up");
        let start = Instant::now();
        for _ in 0..RUNS {
            stage
                .replay_statements(&self.statements)
                .expect("the floor");
        }
        (start.elapsed(), RUNS * self.statements.len() as u64)
    }
}
