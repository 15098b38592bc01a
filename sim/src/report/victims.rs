//! `lockstep victims`: invariants as queries for a database in production.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::printable;
use crate::scenario::{RuleKind, Target};

/// What a scenario asks of a database.
#[derive(Debug)]
pub struct VictimsReport {
    /// Name of the scenario, and its file.
    pub scenario: (String, String),
    /// The engine that it speaks about.
    pub target: Target,
    /// One query for each invariant.
    pub queries: Vec<Query>,
    /// Invariants that are no queries for a database, each with the reason.
    pub left_out: Vec<(String, &'static str)>,
}

/// One invariant as a query.
#[derive(Debug)]
pub struct Query {
    /// Its name.
    pub invariant: String,
    /// File and line where it stands.
    pub place: String,
    /// Variants that violate it.
    pub violated_by: Vec<String>,
    /// The column that is its key.
    pub key: Option<String>,
    /// When it is judged.
    pub kind: RuleKind,
    /// Tables that it reads, with their columns.
    pub tables: BTreeMap<String, Vec<String>>,
    /// The query; a row is an offence.
    pub sql: String,
}

/// As SQL that changes nothing, to be read and pasted. Everything else is a comment.
pub fn victims_sql(report: &VictimsReport) -> String {
    let (name, file) = &report.scenario;
    let (engine, begin, end) = match report.target {
        Target::Sqlite => (
            "SQLite",
            "PRAGMA query_only = ON;",
            "PRAGMA query_only = OFF;",
        ),
        Target::Postgres => ("PostgreSQL", "BEGIN TRANSACTION READ ONLY;", "ROLLBACK;"),
    };
    let mut out = format!(
        "-- {} ({}): who has been hit. For {engine}; reads only.\n\
         -- Tables and columns are called as in the scenario: put your own names into their places.\n",
        printable(name),
        printable(file),
    );
    if report.target == Target::Postgres {
        out.push_str(WRITTEN_FOR_SQLITE);
    }
    let _ = writeln!(out, "{begin}");
    for query in &report.queries {
        out.push_str(&one(query, report.target));
    }
    let _ = writeln!(out, "\n{end}");
    for (invariant, why) in &report.left_out {
        let _ = writeln!(out, "-- {invariant}: {why}");
    }
    out
}

fn one(query: &Query, target: Target) -> String {
    let by = match query.violated_by.is_empty() {
        true => "violated by no variant".to_owned(),
        false => format!("violated by {}", query.violated_by.join(", ")),
    };
    let mut out = format!(
        "\n-- {} ({}): {by}.",
        query.invariant,
        printable(&query.place)
    );
    if let Some(key) = &query.key {
        let _ = write!(out, " Its key is {key}.");
    }
    out.push('\n');
    for (table, columns) in &query.tables {
        let _ = writeln!(out, "--   reads {table} ({})", columns.join(", "));
    }
    if query.kind == RuleKind::Finally {
        out.push_str(
            "--   holds once everything is over: what is still under way shows, too. Add an age.\n",
        );
    }
    if target == Target::Postgres {
        for (word, instead) in ONLY_SQLITE
            .iter()
            .filter(|(word, _)| uses(&query.sql, word))
        {
            let _ = writeln!(out, "--   PostgreSQL has no {word}: write {instead}");
        }
    }
    let sql = query.sql.trim().trim_end_matches(';');
    // A comment at the end of the query must not swallow what follows.
    let _ = writeln!(
        out,
        "SELECT '{}' AS violated, v.* FROM (\n  {sql}\n) AS v;",
        query.invariant
    );
    out
}

/// Whether a query calls a function.
fn uses(sql: &str, function: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    sql.match_indices(&format!("{function}("))
        .any(|(at, _)| !sql[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

const WRITTEN_FOR_SQLITE: &str = "\
-- Written for SQLite: a comparison that is summed and a name such as user need other words on PostgreSQL.\n";

/// Functions of SQLite, and what PostgreSQL has in their places.
const ONLY_SQLITE: [(&str, &str); 6] = [
    ("total", "coalesce(sum(x), 0)"),
    ("ifnull", "coalesce(x, y)"),
    ("instr", "strpos(x, y)"),
    ("group_concat", "string_agg(x, ',')"),
    ("iif", "CASE WHEN x THEN y ELSE z END"),
    ("json_extract", "x::jsonb #>> '{path}'"),
];

#[cfg(test)]
mod tests {
    use super::uses;

    #[test]
    fn a_function_is_a_word_of_its_own() {
        assert!(uses("SELECT total(x) FROM t", "total"));
        assert!(!uses("SELECT subtotal(x) FROM t", "total"));
        assert!(!uses("SELECT total FROM t", "total"));
    }
}
