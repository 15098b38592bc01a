//! Bugs in SQL are true to the statements as they are now: each applies, drops what exists, and prepares.

use lockstep_sim::catalogue::all;
use lockstep_sim::world::Defect;
use lockstep_store::rusqlite::Connection;
use lockstep_store::{Clock, SqliteStore, Statements};

/// A statement with a parameter too many or too few would fail in each run, and so be found by accident.
pub(crate) fn each_bug_applies_and_prepares() -> Result<(), String> {
    for (_, bug) in all() {
        applies(&bug.defect).map_err(|words| format!("{}: {words}", bug.defect.name))?;
    }
    Ok(())
}

fn applies(defect: &Defect) -> Result<(), String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let store = SqliteStore::open(":memory:", Midnight).map_err(|error| words(&error))?;
    let conn = store.connection();
    conn.execute_batch(defect.drops)
        .map_err(|error| words(&error))?;
    let reference = Statements::reference();
    let mut defective = reference.clone();
    for (name, from, to) in defect.edits {
        defective = defective
            .replace(name, from, to)
            .map_err(|error| words(&error))?;
    }
    for (name, ..) in defect.edits {
        let texts = [&reference, &defective].map(|statements| statements.text(name).unwrap_or(""));
        let [before, after] = texts.map(|text| parameters(conn, text));
        let (before, after) = (before?, after?);
        if before != after {
            return Err(format!("{name} takes {after:?}, not {before:?}"));
        }
    }
    Ok(())
}

/// The names of a statement's parameters, sorted.
fn parameters(conn: &Connection, text: &str) -> Result<Vec<String>, String> {
    let statement = conn.prepare(text).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = (1..=statement.parameter_count())
        .filter_map(|index| statement.parameter_name(index).map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

struct Midnight;

impl Clock for Midnight {
    fn now_ms(&self) -> i64 {
        1_767_225_600_000
    }
}
