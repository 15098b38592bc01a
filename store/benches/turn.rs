//! A full turn (accept, claim, append, complete) on the store, beside raw rusqlite doing the same statements with the same values.
//!
//! `cargo bench -p lockstep-store --bench turn`; `-- quick` leaves out the million. Times drift on a shared machine: only the ratios
//! of one invocation mean anything.

#![expect(clippy::disallowed_methods, reason = "a benchmark needs a wall clock")]
#![expect(clippy::print_stdout, reason = "a benchmark reports to its terminal")]

#[path = "turn/floor.rs"]
mod floor;
#[path = "turn/stock.rs"]
mod stock;

use lockstep_store::{ManualClock, SqliteStore, Statements, schema};
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};
use stock::Idle;
use tempfile::TempDir;

const ROUNDS: u64 = 7;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Memory,
    WalNormal,
    WalFull,
}

impl Mode {
    /// Turns in a round: with FULL the disk takes its time.
    fn turns(self) -> u64 {
        match self {
            Self::Memory => 2_000,
            Self::WalNormal => 1_000,
            Self::WalFull => 150,
        }
    }
}

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "quick");
    let sizes: &[u64] = match is_quick {
        true => &[10, 10_000],
        false => &[10, 10_000, 1_000_000],
    };
    let none = || Idle {
        classes: 0,
        sessions_each: 0,
    };
    println!("stored tasks  mode       turns/s   floor/s  store/floor  statements");
    let mut of_memory = Vec::new();
    for tasks in sizes {
        let dir = TempDir::new().expect("a folder");
        let file = stocked(dir.path(), *tasks, none());
        for mode in [Mode::Memory, Mode::WalNormal, Mode::WalFull] {
            let time = measure(&file, mode, *tasks);
            if mode == Mode::Memory {
                of_memory.push(time);
            }
        }
    }
    for (tasks, time) in sizes.iter().zip(&of_memory) {
        let ratio = time.as_secs_f64() / of_memory[0].as_secs_f64();
        println!("a turn at {tasks} stored tasks costs {ratio:.2} times that at 10, in memory");
    }
    idle_classes();
}

/// A file with everything stored.
fn stocked(dir: &Path, tasks: u64, idle: Idle) -> std::path::PathBuf {
    let path = dir.join("stock.db");
    let conn = stock::fill(Connection::open(&path).expect("opens"), tasks, idle);
    let _: i64 = conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .expect("a checkpoint");
    conn.execute_batch("PRAGMA journal_mode = DELETE")
        .expect("one file");
    path
}

/// A copy of its own, ready.
fn copy(file: &Path, mode: Mode, name: &str) -> Connection {
    let conn = match mode {
        Mode::Memory => {
            let mut conn = Connection::open_in_memory().expect("opens");
            let progress: Option<fn(rusqlite::backup::Progress)> = None;
            conn.restore("main", file, progress).expect("restores");
            conn
        }
        _ => {
            let path = file.with_file_name(format!("{name}.db"));
            for suffix in ["", "-wal", "-shm"] {
                let old = file.with_file_name(format!("{name}.db{suffix}"));
                std::fs::remove_file(old).unwrap_or_default();
            }
            std::fs::copy(file, &path).expect("copies");
            Connection::open(path).expect("opens")
        }
    };
    schema::configure(&conn).expect("configures");
    if mode == Mode::WalNormal {
        conn.execute_batch("PRAGMA synchronous = NORMAL")
            .expect("a pragma");
    }
    conn
}

fn store(conn: Connection) -> SqliteStore<ManualClock> {
    SqliteStore::from_ready_connection(conn, stock::clock(), Statements::reference())
}

/// One round of turns in stored sessions that follow from its number.
fn turns(store: &mut SqliteStore<ManualClock>, mode: Mode, tasks: u64, round: u64) {
    for n in 0..mode.turns() {
        let turn = round * mode.turns() + n;
        let session = 1 + xxhash_rust::xxh3::xxh3_64(&turn.to_le_bytes()) % (tasks / stock::TASKS);
        stock::turn(store, session, &stock::id(1 << 40 | turn));
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("comparable"));
    values[values.len() / 2]
}

/// Three copies take the same turns: one is recorded, one repeats the record, one is the store. Answers the time of a turn.
fn measure(file: &Path, mode: Mode, tasks: u64) -> Duration {
    let mut recorder = copy(file, mode, "recorder");
    let floor = copy(file, mode, "floor");
    let mut ours = store(copy(file, mode, "ours"));
    let mut rounds = Vec::new();
    let mut statements = 0;
    for round in 0..ROUNDS {
        floor::record(&mut recorder);
        let mut of_record = store(recorder);
        turns(&mut of_record, mode, tasks, round);
        recorder = of_record.into_connection();
        let steps = floor::recorded(&mut recorder);
        statements = steps.len() as u64 / mode.turns();
        let of_floor = timed(|| floor::replay(&floor, &steps));
        let of_store = timed(|| turns(&mut ours, mode, tasks, round));
        // The first round only warms up.
        if round > 0 {
            rounds.push((of_store, of_floor));
        }
    }
    assert_eq!(
        contents(ours.connection()),
        contents(&floor),
        "both did the same"
    );
    let rate = |time: Duration| mode.turns() as f64 / time.as_secs_f64();
    let ratio = median(
        rounds
            .iter()
            .map(|(ours, floor)| rate(*ours) / rate(*floor))
            .collect(),
    );
    let ours = median(rounds.iter().map(|(ours, _)| *ours).collect());
    let floor = median(rounds.iter().map(|(_, floor)| *floor).collect());
    println!(
        "{tasks:>12}  {:<9} {:>8.0}  {:>8.0}  {ratio:>11.2}  {statements:>10}",
        format!("{mode:?}"),
        rate(ours),
        rate(floor)
    );
    ours / mode.turns() as u32
}

/// Enough to see that both databases went the same way.
fn contents(conn: &Connection) -> (i64, i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM task), (SELECT sum(fence) FROM session), (SELECT count(*) FROM op_result)";
    conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("counts")
}

/// The same turns beside 10,000 sessions that are ready and whose class has no worker: of one class, and of a thousand.
fn idle_classes() {
    let dirs = [1, 1_000].map(|classes| (classes, TempDir::new().expect("a folder")));
    let mut stores = dirs.each_ref().map(|(classes, dir)| {
        let idle = Idle {
            classes: *classes,
            sessions_each: 10_000 / classes,
        };
        let file = stocked(dir.path(), 10_000, idle);
        store(copy(&file, Mode::Memory, "idle"))
    });
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let times = stores
            .each_mut()
            .map(|store| timed(|| turns(store, Mode::Memory, 10_000, round)));
        ratios.push(times[1].as_secs_f64() / times[0].as_secs_f64());
    }
    println!(
        "a turn beside 1000 idle classes costs {:.2} times that beside one with as many sessions",
        median(ratios)
    );
}
