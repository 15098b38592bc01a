//! The invariants as read-only SQL, each with the rows that break it. They judge a production database, and the simulator
//! evaluates the same texts after each commit.
//!
//! A rule with a key is meant to be asked for one key as well: `SELECT … FROM (<sql>) WHERE <key> = ?`. The texts are
//! written so that SQLite pushes that condition down to an index: joins and correlated subqueries, no grouping.

use crate::error::Error;
use crate::reply::{Finding, Report};
use crate::sqlite::failed;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Row};

mod rules;

pub use rules::RULES;

/// One invariant.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// The column of `sql` that tells violations apart and can be asked for alone; `None` when the rule only makes sense for
    /// the whole database.
    pub key: Option<&'static str>,
    /// A SELECT that gives one row for each violation.
    pub sql: &'static str,
}

/// How much work a verification may do. Counted in rows and steps of SQLite's machine, not in time: a count gives the same
/// answer each time.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// At most this many findings for each rule.
    pub per_rule: u32,
    /// At most about this many steps of SQLite's virtual machine for each rule; then the rule is reported as unfinished.
    pub steps: u64,
}

impl Budget {
    /// So many findings for each rule, and steps for some seconds.
    pub fn of(per_rule: u32) -> Self {
        Self {
            per_rule,
            steps: 200_000_000,
        }
    }
}

/// SQLite asks whether to go on after this many steps.
const STEPS_BETWEEN_QUESTIONS: u32 = 1_000;

/// Evaluates all rules on one snapshot. Takes no lock that a writer waits for. Replaces the connection's progress handler
/// while it runs and clears it at the end. [`Error::Io`] when the database cannot be read.
pub fn verify(conn: &mut Connection, budget: Budget) -> Result<Report, Error> {
    conn.execute_batch("BEGIN").map_err(failed)?;
    let report = all_rules(conn, budget);
    conn.progress_handler(0, None::<fn() -> bool>)
        .map_err(failed)?;
    conn.execute_batch("ROLLBACK").map_err(failed)?;
    report
}

fn all_rules(conn: &mut Connection, budget: Budget) -> Result<Report, Error> {
    let mut report = Report::default();
    for rule in RULES {
        limit_steps(conn, budget.steps)?;
        match findings(conn, rule, budget.per_rule) {
            Ok(found) => report.findings.extend(found),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                report.unfinished.push(rule.name.to_owned());
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(report)
}

fn limit_steps(conn: &mut Connection, steps: u64) -> Result<(), Error> {
    let mut questions = steps / u64::from(STEPS_BETWEEN_QUESTIONS);
    let out_of_steps = move || {
        questions = questions.saturating_sub(1);
        questions == 0
    };
    conn.progress_handler(STEPS_BETWEEN_QUESTIONS as i32, Some(out_of_steps))
        .map_err(failed)
}

fn findings(conn: &Connection, rule: &Rule, limit: u32) -> rusqlite::Result<Vec<Finding>> {
    let mut query = conn.prepare_cached(&format!("SELECT * FROM ({}) LIMIT {limit}", rule.sql))?;
    let names: Vec<String> = query.column_names().map(str::to_owned).collect();
    query
        .query_map([], |row| finding(rule, &names, row))?
        .collect()
}

fn finding(rule: &Rule, names: &[String], row: &Row<'_>) -> rusqlite::Result<Finding> {
    let mut columns = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        columns.push((name.clone(), text(row.get_ref(at)?)));
    }
    Ok(Finding {
        rule: rule.name.to_owned(),
        row: columns,
    })
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}
