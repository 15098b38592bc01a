//! The reference store against the model: the same random histories, and every answer and every refusal is the same.
//!
//! `LOCKSTEP_HISTORIES=100000 cargo test -p lockstep-store --release --test it model::` is the long run.

mod census;
mod command;
mod pair;

use census::{Census, EXPECTED};
use command::{Command, LENGTH};
use lockstep_store::Call;
use pair::Pair;
use proptest::prelude::*;
use rusqlite::Connection;

/// How many histories `cargo test` runs; the environment may ask for more.
const HISTORIES: u64 = 400;

/// Each outcome is seen once in so many histories at the least: 20 times in 100,000.
const HISTORIES_PER_SIGHT: u64 = 5_000;

/// Answers the database, for the next history.
fn run(conn: Connection, commands: &[Command], census: &mut Census) -> Result<Connection, String> {
    let mut pair = Pair::on(conn);
    for command in commands {
        pair.perform(command, census)?;
    }
    pair.looks_the_same()?;
    Ok(pair.into_connection())
}

fn database() -> Connection {
    Connection::open_in_memory().expect("a database in memory")
}

/// The names of the operations that the histories know.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    EXPECTED
        .iter()
        .filter_map(|outcome| outcome.split(' ').next())
}

/// Calls of every operation, several of each.
pub(crate) fn calls() -> Vec<Call> {
    let mut conn = database();
    let mut calls = Vec::new();
    for seed in 0..40 {
        let mut pair = Pair::on(conn);
        for command in command::of_seed(seed) {
            pair.perform(&command, &mut Census::default())
                .expect("the same");
        }
        calls.extend(pair.calls().iter().cloned());
        conn = pair.into_connection();
    }
    calls
}

fn histories() -> u64 {
    std::env::var("LOCKSTEP_HISTORIES")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(HISTORIES)
}

#[test]
fn every_outcome_of_every_operation_is_the_same() {
    let mut census = Census::default();
    let count = histories();
    let mut conn = database();
    for seed in 0..count {
        let commands = command::of_seed(seed);
        conn = run(conn, &commands, &mut census)
            .unwrap_or_else(|difference| panic!("history {seed}: {difference}"));
    }
    let wanted = count / HISTORIES_PER_SIGHT;
    let rare: Vec<String> = EXPECTED
        .iter()
        .filter(|outcome| census.seen(outcome) < wanted)
        .map(|outcome| format!("{outcome}: {}", census.seen(outcome)))
        .collect();
    // What nobody expected is either missing in the table, or should not happen.
    let unexpected: Vec<&str> = census
        .outcomes()
        .filter(|outcome| !EXPECTED.contains(outcome))
        .collect();
    assert!(
        rare.is_empty() && unexpected.is_empty(),
        "rare {rare:#?}\nunexpected {unexpected:#?}\nof\n{census}"
    );
}

/// A store that is exported and imported in the middle of a history goes on as if nothing had happened.
#[test]
fn a_history_goes_on_in_an_import() {
    let mut conn = database();
    for seed in 0..60 {
        let commands = command::of_seed(seed);
        let mut pair = Pair::on(conn);
        for (at, command) in commands.iter().enumerate() {
            if at == commands.len() / 2 {
                pair.move_out();
            }
            pair.perform(command, &mut Census::default())
                .and_then(|()| pair.looks_the_same())
                .unwrap_or_else(|difference| panic!("history {seed}: {difference}"));
        }
        conn = pair.into_connection();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// The same with shrinking: a difference is shown in its shortest history.
    #[test]
    fn a_difference_is_shrunk(dice in prop::collection::vec(any::<[u8; LENGTH]>(), 1..60)) {
        let commands: Vec<Command> = dice.into_iter().map(Command).collect();
        let mut census = Census::default();
        if let Err(difference) = run(database(), &commands, &mut census) {
            return Err(TestCaseError::fail(difference));
        }
    }
}
