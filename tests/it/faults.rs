//! Every fault on: the store survives, the run repeats, and the trace tells what the database went through.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use lockstep_sim::check::Rules;
use lockstep_sim::decide::{Profile, Quiet, Replay};
use lockstep_sim::fault::{Budget, Fault};
use lockstep_sim::label::Label;
use lockstep_sim::report;
use lockstep_sim::run::{
    Ctx, Db, Handle, Kernel, Limits, MAIN, Process, Ran, SimClock, Stage, World,
};
use lockstep_sim::search::of_seed;
use lockstep_sim::trace::{Committed, Trace};
use lockstep_sim::world::StoreWorld;
use rusqlite::types::Value;

/// The default world with every fault on, and a process that strikes those that only a role can.
struct Harsh {
    world: Rc<StoreWorld>,
    /// A backup may be put back. That takes away what was acknowledged, which the world's invariants rightly notice.
    restores: bool,
    /// The schema is another one now.
    drifted: Rc<Cell<bool>>,
}

impl Harsh {
    fn new(restores: bool) -> Rc<Self> {
        Rc::new(Self {
            world: StoreWorld::new(),
            restores,
            drifted: Rc::default(),
        })
    }
}

impl World for Harsh {
    fn start_ms(&self) -> i64 {
        self.world.start_ms()
    }

    fn open(&self, connection: rusqlite::Connection, clock: SimClock) -> Result<Db, String> {
        self.world.open(connection, clock)
    }

    fn set_up(&self, handle: &mut Handle) -> Result<(), String> {
        self.world.set_up(handle)
    }

    fn build(&self, kernel: &Kernel) {
        self.world.build(kernel);
        self.drifted.set(false);
        let drifted = Rc::clone(&self.drifted);
        let altered = Cell::new(false);
        let meddler = Process::new(&Label::fixed("meddler"), 0, 1, None);
        meddler.allow_crashes(1);
        meddler.on_start(
            true,
            Rc::new(move |ctx: &Ctx| meddle(ctx, &altered, &drifted)),
        );
        kernel.add_process(meddler);
    }

    fn settled(&self, kernel: &Kernel) -> bool {
        self.world.settled(kernel) && !self.drifted.get()
    }

    fn budget(&self) -> Budget {
        let mut budget = self.world.budget();
        budget.allow(Fault::HalfOpen, 2, 0);
        budget.allow(Fault::Partition, 2, 120_000);
        budget.allow(Fault::GracefulStop, 2, 0);
        budget.allow(Fault::CrashAgain, 1, 40);
        budget.allow(Fault::ClockDrift, 2, 200_000);
        budget.allow(Fault::ClockZone, 1, 14);
        budget.allow(Fault::LostWakeup, 2, 0);
        budget.allow(Fault::StoreError, 3, 0);
        budget.allow(Fault::DiskFull, 1, 120_000);
        budget.allow(Fault::SchemaDrift, 1, 0);
        budget.allow(Fault::SecondDatabase, 1, 0);
        budget.allow(Fault::HandEdit, 1, 0);
        budget.allow(Fault::BackupRestore, u32::from(self.restores), 0);
        budget
    }

    fn limits(&self) -> Limits {
        // A clock that is fourteen hours ahead and an hour off delays a claim by fifteen hours, and a reap by as much.
        // After a restore some tasks are never heard of again, and the world waits for them.
        let hours = if self.restores { 1 } else { 48 };
        Limits {
            heal_us: hours * 3_600_000_000,
            ..self.world.limits()
        }
    }

    fn rules(&self) -> Rules {
        self.world.rules()
    }

    fn judge(&self, kernel: &Kernel) {
        self.world.judge(kernel);
    }
}

/// What the meddling process does, again after each death.
fn meddle(ctx: &Ctx, altered: &Cell<bool>, drifted: &Rc<Cell<bool>>) {
    repair(ctx, drifted);
    let backup = ctx.backup(0);
    ctx.sleep(&MOMENT, ctx.amount(&MOMENT, 0, 60_000));
    ctx.wake(&Label::fixed("meddler wakes somebody"));
    if ctx.may(Fault::SchemaDrift) {
        ctx.strike(Fault::SchemaDrift, "task.input");
        altered.set(true);
        drifted.set(true);
        alter(ctx, "ALTER TABLE task RENAME COLUMN input TO input_gone");
        ctx.sleep(&MOMENT, ctx.amount(&MOMENT, 1, 30_000));
        repair(ctx, drifted);
    }
    if ctx.may(Fault::HandEdit) {
        ctx.strike(Fault::HandEdit, "without foreign keys, which stay off");
        alter(
            ctx,
            "PRAGMA foreign_keys = OFF; UPDATE conversation SET created_ms = created_ms + 1",
        );
    }
    if ctx.may(Fault::SecondDatabase) {
        ctx.strike(Fault::SecondDatabase, "");
        for n in 0..3 {
            let sql = format!("INSERT INTO audit SELECT 'other', '{n}', 'x', '', NULL, '', 1");
            let _ =
                ctx.with_second_database(|handle| handle.connection().execute_batch(&sql).is_ok());
        }
    }
    if ctx.may(Fault::BackupRestore)
        && let Some(backup) = backup
    {
        ctx.strike(Fault::BackupRestore, "");
        ctx.restore(&backup, None);
        ctx.with_db(|handle| rows_of(handle.connection())).ok();
    }
    if altered.get() {
        watch(ctx, drifted);
    }
}

fn alter(ctx: &Ctx, sql: &str) {
    ctx.gate(&MOMENT);
    // It may fail as anything may; whoever needs it looks.
    let _ = ctx.with_db(|handle| handle.connection().execute_batch(sql));
}

/// Sets the schema back, however long that takes.
fn repair(ctx: &Ctx, drifted: &Rc<Cell<bool>>) {
    while drifted.get() {
        if look(ctx, "input_gone") {
            alter(ctx, "ALTER TABLE task RENAME COLUMN input_gone TO input");
        }
        drifted.set(!look(ctx, "input"));
        if drifted.get() {
            ctx.sleep(&MOMENT, 500);
        }
    }
}

/// Looks again and again: a change of the schema that has failed may be found in the log much later.
fn watch(ctx: &Ctx, drifted: &Rc<Cell<bool>>) {
    loop {
        ctx.sleep(&MOMENT, 60_000);
        drifted.set(look(ctx, "input_gone"));
        repair(ctx, drifted);
    }
}

/// Whether the tasks have this column. Only a statement that runs notices that the schema has changed.
fn look(ctx: &Ctx, column: &str) -> bool {
    let sql = format!("SELECT {column} FROM task");
    ctx.with_db(|handle| handle.connection().execute_batch(&sql).is_ok())
}

/// Seeds that each of these tests runs.
const SEEDS: u64 = 200;

const MOMENT: Label = Label::fixed("moment");

/// Rows of every table, each with how often it is there.
type Rows = BTreeMap<String, i64>;

fn rows(stage: &Stage) -> Rows {
    let connection = stage.disk().open(MAIN, 1_000).expect("the database opens");
    rows_of(&connection).expect("every table can be read")
}

fn rows_of(connection: &rusqlite::Connection) -> rusqlite::Result<Rows> {
    let mut tables = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )?;
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut all = Rows::new();
    for table in tables {
        let mut query = connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let width = query.column_count();
        let mut found = query.query([])?;
        while let Some(row) = found.next()? {
            let row: Vec<Value> = (0..width).map(|i| row.get(i)).collect::<Result<_, _>>()?;
            *all.entry(key(&table, &row)).or_default() += 1;
        }
    }
    Ok(all)
}

fn key(table: &str, row: &[Value]) -> String {
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

fn stage(restores: bool) -> (Stage, Rows, Rc<Profile>) {
    let mut stage = Stage::new(Harsh::new(restores)).expect("the stage is set");
    let template = rows(&stage);
    let quiet = stage
        .run(&mut || Box::<Quiet>::default())
        .expect("a quiet run");
    (stage, template, Rc::new(quiet.profile))
}

fn run(stage: &mut Stage, profile: &Rc<Profile>, seed: u64) -> Ran {
    let ran = stage
        .run(&mut || of_seed(seed).strategy(profile))
        .expect("a run");
    assert_eq!(ran.internal, None, "seed {seed}");
    ran
}

fn assert_adds_up(stage: &Stage, template: &Rows, ran: &Ran, seed: u64) {
    let wrong = differences(&folded(template, &ran.trace), &rows(stage));
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
}

#[test]
fn committed_changes_add_up_to_the_database_whatever_strikes() {
    let (mut stage, template, profile) = stage(false);
    for seed in 0..SEEDS {
        let ran = run(&mut stage, &profile, seed);
        assert_eq!(ran.violations, [], "seed {seed}");
        assert_adds_up(&stage, &template, &ran, seed);
    }
}

#[test]
fn a_restore_is_undone_in_the_changes_too() {
    let (mut stage, template, profile) = stage(true);
    let mut restores = 0;
    for seed in 0..SEEDS {
        let ran = run(&mut stage, &profile, seed);
        assert_adds_up(&stage, &template, &ran, seed);
        let undone = |changed: &&Committed| changed.cause.as_str() == "restore";
        restores += usize::from(ran.trace.changes.iter().any(|c| undone(&c)));
    }
    assert!(restores > 3, "only {restores} restores undid something");
}

#[test]
fn every_fault_strikes_and_every_run_replays() {
    let (mut stage, _, profile) = stage(true);
    let mut struck = [0_u32; Fault::COUNT];
    for seed in 0..SEEDS {
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
    let never: Vec<&str> = Fault::ALL
        .iter()
        .filter(|fault| struck[**fault as usize] == 0)
        .map(|fault| fault.name())
        .collect();
    assert!(never.is_empty(), "never struck: {}", never.join(", "));
}
