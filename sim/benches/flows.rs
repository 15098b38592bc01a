//! What interpreting flows costs: the steps of `turns.yaml`, read from YAML, beside the same steps written in Rust.
//!
//! `cargo bench -p lockstep-sim --bench flows`. Both take the same gates, write the same trace (their hashes are compared) and are
//! judged in the same way, run for run with the same seeds, in turns. Only the ratio of one invocation means anything.

#![expect(clippy::disallowed_methods, reason = "a benchmark needs a wall clock")]
#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

use std::rc::Rc;
use std::time::{Duration, Instant};

use lockstep_sim::check::Rules;
use lockstep_sim::decide::{Profile, Quiet};
use lockstep_sim::fault::Budget;
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::label::Label;
use lockstep_sim::run::{
    Ctx, Db, Handle, Kernel, Limits, Process, Request, SimClock, Stage, World,
};
use lockstep_sim::scenario::{self, Program};
use lockstep_sim::search::of_seed;
use lockstep_sim::trace::{Arg, Kind, Outcome};
use rusqlite::Connection;
use rusqlite::types::Value;

const ROUNDS: usize = 9;
const RUNS: u64 = 2_000;
/// Runs in a row before the other one has its turn.
const TURN: u64 = 50;

fn main() {
    let scenario = match scenario::parse("turns.yaml", include_str!("turns.yaml")) {
        Ok(scenario) => scenario,
        Err(problems) => panic!("{problems}"),
    };
    let program = Rc::new(scenario.variants[0].program.clone());
    let flows = FlowWorld::new(Rc::clone(&program));
    let by_hand = Rc::new(ByHand {
        flows: Rc::clone(&flows),
        program,
    });
    let mut stages = [
        Stage::new(flows).expect("the stage of the flows"),
        Stage::new(by_hand).expect("the stage of the same in Rust"),
    ];
    let profiles = stages.each_mut().map(|stage| {
        let quiet = stage
            .run(&mut || Box::<Quiet>::default())
            .expect("a quiet run");
        Rc::new(quiet.profile)
    });
    let [one, other] = stages.each_mut().map(|stage| {
        let quiet = stage
            .run(&mut || Box::<Quiet>::default())
            .expect("a quiet run");
        lockstep_sim::report::human(&quiet.trace)
    });
    assert_eq!(one, other, "both do the same");
    let mut ratios = Vec::new();
    for round in 0..=ROUNDS {
        let [flows, by_hand] = measure(&mut stages, &profiles);
        let ratio = flows.as_secs_f64() / by_hand.as_secs_f64();
        // The first round warms up.
        if round > 0 {
            ratios.push(ratio);
            println!("flows {flows:.1?}, in Rust {by_hand:.1?}: {ratio:.3}");
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "interpreting costs {:+.1} %, median of {ROUNDS} ({:+.1} to {:+.1})",
        100.0 * (ratios[ROUNDS / 2] - 1.0),
        100.0 * (ratios[0] - 1.0),
        100.0 * (ratios[ROUNDS - 1] - 1.0)
    );
}

fn measure(stages: &mut [Stage; 2], profiles: &[Rc<Profile>; 2]) -> [Duration; 2] {
    let mut times = [Duration::ZERO; 2];
    for from in (0..RUNS).step_by(TURN as usize) {
        let mut hashes = [0_u128; 2];
        for (i, stage) in stages.iter_mut().enumerate() {
            let start = Instant::now();
            for run in from..from + TURN {
                let ran = stage
                    .run(&mut || of_seed(run).strategy(&profiles[i]))
                    .expect("a run");
                assert_eq!(ran.internal, None);
                hashes[i] ^= ran.hash;
            }
            times[i] += start.elapsed();
        }
        assert_eq!(hashes[0], hashes[1], "both do the same");
    }
    times
}

/// The world of `turns.yaml` without its flows.
struct ByHand {
    flows: Rc<FlowWorld>,
    program: Rc<Program>,
}

impl World for ByHand {
    fn start_ms(&self) -> i64 {
        self.flows.start_ms()
    }

    fn open(&self, connection: Connection, clock: SimClock) -> Result<Db, String> {
        self.flows.open(connection, clock)
    }

    fn set_up(&self, handle: &mut Handle) -> Result<(), String> {
        self.flows.set_up(handle)
    }

    fn build(&self, kernel: &Kernel) {
        let kind = Label::new("api");
        let processes: Vec<Rc<Process>> = (1..=3)
            .map(|instance| {
                let process = Process::new(&kind, 0, instance, None);
                process.allow_crashes(self.program.faults.crash[0].1);
                process.ends_when_idle.set(true);
                kernel.add_process(Rc::clone(&process));
                process
            })
            .collect();
        for (event, user, to) in [("a", "u1", 0), ("b", "u2", 1), ("c", "u3", 2)] {
            let to = Rc::clone(&processes[to]);
            let platform = Label::new(&format!("{event}/platform"));
            kernel.spawn(platform, None, false, move |ctx| {
                let mail = ctx.send(Request {
                    cause: Label::new(event),
                    to,
                    handler: Rc::new(move |ctx| turns(ctx, user)),
                });
                ctx.wait(&Label::fixed("answer"), None, move || mail.arrived());
            });
        }
    }

    fn settled(&self, _: &Kernel) -> bool {
        true
    }

    fn budget(&self) -> Budget {
        self.flows.budget()
    }

    fn limits(&self) -> Limits {
        self.flows.limits()
    }

    fn rules(&self) -> Rules {
        self.flows.rules()
    }

    fn judge(&self, kernel: &Kernel) {
        self.flows.judge(kernel);
    }
}

fn turns(ctx: &Ctx, user: &str) {
    for _ in 0..2 {
        if let Err(error) = turn(ctx, user) {
            return ctx.failed(&error.to_string());
        }
    }
}

fn turn(ctx: &Ctx, user: &str) -> rusqlite::Result<()> {
    let nth = ctx.nth(&Label::new("new_id task"));
    let task = match nth {
        1 => format!("task({})", ctx.cause()),
        _ => format!("task({}#{nth})", ctx.cause()),
    };
    let user = Value::Text(user.to_owned());
    let task = Value::Text(task);
    let found = read(
        ctx,
        Label::fixed("read session"),
        "SELECT id AS session, version FROM session WHERE user = :user AND active = 1",
        &[user],
    )?;
    let mut found = found.unwrap_or_default().into_iter();
    let session = found.next().unwrap_or(Value::Null);
    let version = found.next().unwrap_or(Value::Null);
    transaction(ctx, || {
        write(
            ctx,
            Label::fixed("sql task"),
            "INSERT INTO task VALUES (:task, :session, 'running')",
            &[task.clone(), session.clone()],
        )?;
        write(
            ctx,
            Label::fixed("sql item"),
            "INSERT INTO item SELECT :session, count(*) + 1, 'hello' FROM item WHERE session = :session",
            std::slice::from_ref(&session),
        )?;
        write(
            ctx,
            Label::fixed("sql session"),
            "UPDATE session SET version = version + 1 WHERE id = :session AND version = :version",
            &[session.clone(), version],
        )
    })?;
    read(
        ctx,
        Label::fixed("read item"),
        "SELECT count(*) AS items FROM item WHERE session = :session",
        &[session],
    )?;
    write(
        ctx,
        Label::fixed("sql task"),
        "UPDATE task SET state = 'done' WHERE id = :task",
        std::slice::from_ref(&task),
    )?;
    read(
        ctx,
        Label::fixed("read task"),
        "SELECT state FROM task WHERE id = :task",
        std::slice::from_ref(&task),
    )?;
    ctx.gate(&Label::fixed("reply"));
    let Value::Text(task) = task else {
        return Ok(());
    };
    ctx.answer(&format!("{{\"ok\":\"{task}\"}}"));
    Ok(())
}

fn read(
    ctx: &Ctx,
    site: Label,
    sql: &str,
    bound: &[Value],
) -> rusqlite::Result<Option<Vec<Value>>> {
    ctx.gate(&site);
    let event = ctx.event(Kind::Read, Arg::Bound(site, bound.to_vec()), Outcome::Open);
    let row = ctx.with_db(|handle| {
        let mut statement = handle.connection().prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let values: rusqlite::Result<Vec<Value>> = (0..columns).map(|i| row.get(i)).collect();
        values.map(Some)
    });
    let outcome = match &row {
        Ok(row) => Outcome::Row(row.clone()),
        Err(error) => Outcome::Error(error.to_string().into()),
    };
    ctx.close(event, outcome);
    row
}

fn write(ctx: &Ctx, site: Label, sql: &str, bound: &[Value]) -> rusqlite::Result<()> {
    ctx.gate(&site);
    let event = ctx.event(Kind::Sql, Arg::Bound(site, bound.to_vec()), Outcome::Open);
    let done = ctx.with_db(|handle| {
        let mut statement = handle.connection().prepare_cached(sql)?;
        statement.execute(rusqlite::params_from_iter(bound))
    });
    let outcome = match &done {
        Ok(changed) => Outcome::Count(*changed as u64),
        Err(error) => Outcome::Error(error.to_string().into()),
    };
    ctx.close(event, outcome);
    done.map(|_| ())
}

fn transaction(ctx: &Ctx, steps: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    let plain = |sql: &str| {
        ctx.with_db(|handle| {
            let mut statement = handle.connection().prepare_cached(sql)?;
            statement.execute([]).map(|_| ())
        })
    };
    ctx.gate(&Label::fixed("transaction"));
    plain("BEGIN")?;
    let done = steps().and_then(|()| plain("COMMIT"));
    if done.is_err() && !ctx.with_db(|handle| handle.connection().is_autocommit()) {
        plain("ROLLBACK")?;
    }
    done
}
