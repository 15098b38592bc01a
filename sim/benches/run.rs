//! Statements per second of the real run path, beside raw rusqlite doing the same statements on the same connections.
//!
//! `cargo bench -p lockstep-sim --bench run`. One core; hash, invariants and gates inside SQLite are on. Times drift on a
//! shared machine: only the ratios of one invocation mean anything. Then: what invariants and adequacy cost in a sweep.
//!
//! `-- cost` measures the last part only. `-- agree` judges 20,000 runs of the sweep both for keys and whole and measures
//! nothing. `-- profile` repeats quiet runs for a profiler.

#![expect(clippy::disallowed_methods, reason = "a benchmark needs a wall clock")]
#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

use std::rc::Rc;
use std::time::{Duration, Instant};

use lockstep_sim::check::Judging;
use lockstep_sim::decide::{Profile, Quiet, Seeded, Strategy, run_hash};
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::{Stage, World};
use lockstep_sim::scenario;
use lockstep_sim::search::Adequacy;
use lockstep_sim::search::of_seed;
use lockstep_sim::world::StoreWorld;

const RUNS: u64 = 2_000;
const ROUNDS: usize = 5;

/// Seeds of one round of the costs, and those that are measured in a row before the other way has its turn.
const SEEDS: u64 = 1_000;
const TURN: u64 = 50;

/// Seeds on which keyed and whole judgements are compared.
const AGREE: u64 = 20_000;

fn main() {
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    if asked("agree") {
        return agree();
    }
    if !asked("cost") {
        statements();
    }
    if !asked("profile") {
        costs();
    }
}

fn statements() {
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
    let quiet = stage
        .run(&mut || Box::<Quiet>::default())
        .expect("a quiet run");
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
            run(&mut stage, &mut |_| Box::<Quiet>::default());
        }
        return;
    }
    for _ in 0..ROUNDS {
        let (floor_time, floor_statements) = floor.time(&mut stage);
        report(name, "floor", floor_time, floor_statements);
        let quiet = run(&mut stage, &mut |_| Box::<Quiet>::default());
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
    of_seed(run).strategy(profile)
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

/// The world of the sweep, and the yardstick of its runs.
fn sweep() -> (Stage, Rc<Profile>) {
    let mut stage = Stage::new(StoreWorld::new()).expect("the stage is set");
    let quiet = stage
        .run(&mut || Box::<Quiet>::default())
        .expect("a quiet run");
    (stage, Rc::new(quiet.profile))
}

/// The shares of a default run of the sweep that invariants and adequacy take: the same seeds with and without, in turns.
fn costs() {
    let (mut stage, profile) = sweep();
    let mut shares = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        let mut times = [Duration::ZERO; 3];
        let mut adequacy = Adequacy::default();
        for from in (0..SEEDS).step_by(TURN as usize) {
            let mut hashes = [0_u128; 2];
            for (i, judging) in [Judging::Off, Judging::Keyed].into_iter().enumerate() {
                stage.judge(judging);
                for seed in from..from + TURN {
                    let start = Instant::now();
                    let ran = stage
                        .run(&mut || of_seed(seed).strategy(&profile))
                        .expect("a run");
                    times[i] += start.elapsed();
                    hashes[i] ^= ran.hash;
                    if judging == Judging::Keyed {
                        let start = Instant::now();
                        adequacy.take(seed, 1, &ran);
                        times[2] += start.elapsed();
                    }
                }
            }
            assert_eq!(hashes[0], hashes[1], "judging changes nothing that happens");
        }
        // The first round warms up.
        if round > 0 {
            let [off, on, adequacy] = times.map(|time| time.as_secs_f64());
            shares[0].push((on - off) / on);
            shares[1].push(adequacy / (on + adequacy));
            let each = SEEDS as f64 / 1e6;
            println!(
                "sweep: {:.0} us/run without invariants, {:.0} with, {:.0} more for adequacy",
                off / each,
                on / each,
                adequacy / each
            );
        }
    }
    for (shares, what) in shares.iter_mut().zip(["invariants", "adequacy"]) {
        shares.sort_by(f64::total_cmp);
        println!(
            "sweep: {what} take {:.1} % of a run, median of {ROUNDS} ({:.1} to {:.1})",
            100.0 * shares[ROUNDS / 2],
            100.0 * shares[0],
            100.0 * shares[ROUNDS - 1]
        );
    }
}

/// Keyed and whole judgements say the same in each commit of so many runs.
fn agree() {
    let (mut stage, profile) = sweep();
    stage.judge(Judging::Twice);
    for seed in 0..AGREE {
        let ran = stage
            .run(&mut || of_seed(seed).strategy(&profile))
            .expect("a run");
        assert_eq!(ran.internal, None, "seed {seed}");
    }
    println!("sweep: keyed and whole judgements agree in {AGREE} runs");
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
