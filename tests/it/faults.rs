//! Every fault on: the store survives, the run repeats, and the trace tells what the database went through.

use std::collections::BTreeMap;
use std::rc::Rc;

use lockstep_sim::check::Rules;
use lockstep_sim::decide::{Profile, Quiet, Replay, default_for};
use lockstep_sim::fault::{Budget, Fault};
use lockstep_sim::report;
use lockstep_sim::run::{Db, Handle, Kernel, Limits, MAIN, Ran, SimClock, Stage, World};
use lockstep_sim::trace::Trace;
use lockstep_sim::world::StoreWorld;
use rusqlite::types::Value;

/// The default world with every fault that a strategy strikes.
struct Harsh(Rc<StoreWorld>);

impl World for Harsh {
    fn start_ms(&self) -> i64 {
        self.0.start_ms()
    }

    fn open(&self, connection: rusqlite::Connection, clock: SimClock) -> Result<Db, String> {
        self.0.open(connection, clock)
    }

    fn set_up(&self, handle: &mut Handle) -> Result<(), String> {
        self.0.set_up(handle)
    }

    fn build(&self, kernel: &Kernel) {
        self.0.build(kernel);
    }

    fn settled(&self, kernel: &Kernel) -> bool {
        self.0.settled(kernel)
    }

    fn budget(&self) -> Budget {
        let mut budget = self.0.budget();
        budget.allow(Fault::HalfOpen, 2, 0);
        budget.allow(Fault::Partition, 2, 120_000);
        budget.allow(Fault::GracefulStop, 2, 0);
        budget.allow(Fault::CrashAgain, 1, 40);
        budget.allow(Fault::ClockDrift, 2, 200_000);
        budget.allow(Fault::ClockZone, 1, 14);
        budget.allow(Fault::LostWakeup, 2, 0);
        budget.allow(Fault::StoreError, 3, 0);
        budget.allow(Fault::DiskFull, 1, 120_000);
        budget
    }

    fn limits(&self) -> Limits {
        // A clock that is fourteen hours ahead and an hour off delays a claim by fifteen hours, and a reap by as much.
        Limits {
            heal_us: 48 * 3_600_000_000,
            ..self.0.limits()
        }
    }

    fn rules(&self) -> Rules {
        self.0.rules()
    }

    fn judge(&self, kernel: &Kernel) {
        self.0.judge(kernel);
    }
}

/// Rows of every table, each with how often it is there.
type Rows = BTreeMap<String, i64>;

fn rows(stage: &Stage) -> Rows {
    let connection = stage.disk().open(MAIN, 1_000).expect("the database opens");
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .expect("a query");
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .expect("tables")
        .map(|name| name.expect("a name"))
        .collect();
    let mut all = Rows::new();
    for table in tables {
        let mut query = connection
            .prepare(&format!("SELECT * FROM \"{table}\""))
            .expect("a query");
        let width = query.column_count();
        let found = query.query_map([], |row| (0..width).map(|i| row.get(i)).collect());
        for row in found.expect("rows") {
            *all.entry(key(&table, &row.expect("a row"))).or_default() += 1;
        }
    }
    all
}

fn key(table: &str, row: &Vec<Value>) -> String {
    format!("{table} {row:?}")
}

/// The rows that the template and the committed changes add up to.
fn folded(template: &Rows, trace: &Trace) -> Rows {
    let mut all = template.clone();
    for committed in &trace.changes {
        let change = &committed.change;
        for (image, by) in [(&change.old, -1), (&change.new, 1)] {
            if let Some(row) = image {
                *all.entry(key(&change.table, row)).or_default() += by;
            }
        }
    }
    all.retain(|_, times| *times != 0);
    all
}

fn differences(told: &Rows, found: &Rows) -> Vec<String> {
    let keys = told.keys().chain(found.keys());
    let mut lines: Vec<String> = keys
        .filter(|key| told.get(*key) != found.get(*key))
        .map(|key| {
            format!(
                "told {:?}, found {:?}: {key}",
                told.get(key),
                found.get(key)
            )
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

fn stage() -> (Stage, Rows, Rc<Profile>) {
    let mut stage = Stage::new(Rc::new(Harsh(StoreWorld::new()))).expect("the stage is set");
    let template = rows(&stage);
    let quiet = stage.run(&mut || Box::new(Quiet)).expect("a quiet run");
    (stage, template, Rc::new(quiet.profile))
}

fn run(stage: &mut Stage, profile: &Rc<Profile>, seed: u64) -> Ran {
    let ran = stage
        .run(&mut || default_for(seed, 1, profile))
        .expect("a run");
    assert_eq!(ran.internal, None, "seed {seed}");
    assert_eq!(ran.violations, [], "seed {seed}");
    ran
}

#[test]
fn committed_changes_add_up_to_the_database_whatever_strikes() {
    let (mut stage, template, profile) = stage();
    for seed in range() {
        let ran = run(&mut stage, &profile, seed);
        let wrong = differences(&folded(&template, &ran.trace), &rows(&stage));
        if !wrong.is_empty() && std::env::var("DUMP").is_ok() {
            println!(
                "{}\n{}",
                ran.decisions,
                ran.trace.to_json_lines(serde_json::json!({}))
            );
        }
        assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn every_fault_that_a_strategy_strikes_strikes_and_replays() {
    let (mut stage, _, profile) = stage();
    let mut struck = [0_u32; Fault::COUNT];
    for seed in range() {
        let ran = run(&mut stage, &profile, seed);
        let again = stage
            .run(&mut || Box::new(Replay::new(&ran.decisions)))
            .expect("a replay");
        let same = again.hash == ran.hash;
        assert!(
            same,
            "seed {seed}: {}",
            report::two_traces(&ran.trace, &again.trace)
        );
        assert_eq!(again.counts.used, ran.decisions.0.len(), "seed {seed}");
        for (fault, _) in &ran.strikes {
            struck[*fault as usize] += 1;
        }
    }
    let never: Vec<&str> = profile
        .kinds
        .iter()
        .filter(|fault| struck[**fault as usize] == 0)
        .map(|fault| fault.name())
        .collect();
    assert!(never.is_empty(), "never struck: {}", never.join(", "));
}

fn range() -> std::ops::Range<u64> {
    let at = |name, or| std::env::var(name).map_or(or, |text: String| text.parse().expect("n"));
    at("FROM", 0)..at("TO", 150)
}
