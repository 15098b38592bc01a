//! `lockstep suggest`: the smallest repairs that stand, in words.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{SCHEMA_VERSION, Style, count, printable, traces};
use crate::scenario::{Program, Target};
use crate::suggest::{Repair, Rows, Stands, Suggested};

mod words;

use words::words;

/// What came of the repairs of one variant.
#[derive(Debug)]
pub struct SuggestReport {
    /// Scenario and variant.
    pub title: String,
    /// The variant.
    pub program: Program,
    /// What was tried.
    pub repairs: Vec<Repair>,
    /// What stands.
    pub suggested: Suggested,
    /// An invariant that is violated can be asked of a database.
    pub victims: Option<String>,
}

/// As text.
pub fn suggest_text(report: &SuggestReport, style: Style) -> String {
    let suggested = &report.suggested;
    let mut out = format!("{}\n", printable(&report.title));
    for (n, stands) in suggested.stand.iter().enumerate() {
        let searched = &stands.searched;
        let bounds = traces(searched.runs, searched.distinct, searched.saturated);
        let verdict = style.green(stands.verdict.name());
        let _ = writeln!(out, "\n{:>2}  {verdict}   {bounds}", n + 1);
        for repair in &stands.repairs {
            let _ = writeln!(
                out,
                "    {}",
                printable(&words(&report.program, &report.repairs[*repair]))
            );
        }
    }
    rows(&suggested.stand, &mut out);
    if suggested.stand.is_empty() {
        let _ = writeln!(
            out,
            "\nnone of these stands; what it takes is another change"
        );
        for repair in &report.repairs {
            let _ = writeln!(out, "    {}", printable(&words(&report.program, repair)));
        }
    }
    let sets = count(suggested.tried as u64, "set");
    let most = count(suggested.largest as u64, "repair");
    let cut = if suggested.cut { ", then stopped" } else { "" };
    let _ = writeln!(out, "\ntried {sets} of at most {most}{cut}");
    if report.program.target == Target::Postgres && !suggested.stand.is_empty() {
        out.push_str(
            "races inside one statement of PostgreSQL do not show here: undecided means clean\n",
        );
    }
    let harmful = suggested
        .stand
        .iter()
        .any(|stands| stands.rows != Rows::Harmless);
    if let Some(victims) = report.victims.as_ref().filter(|_| harmful) {
        let _ = writeln!(out, "who was hit already: {victims}");
    }
    out
}

/// What becomes of rows that the bug has left, told once for all that share it.
fn rows(stand: &[Stands], out: &mut String) {
    let mut told: Vec<&Rows> = Vec::new();
    for stands in stand {
        if stands.rows == Rows::Harmless || told.contains(&&stands.rows) {
            continue;
        }
        told.push(&stands.rows);
        let same = (1..)
            .zip(stand)
            .filter(|(_, other)| other.rows == stands.rows);
        let numbers: Vec<String> = same.map(|(n, _)| n.to_string()).collect();
        let which = if numbers.len() == stand.len() {
            String::new()
        } else {
            format!(" ({})", numbers.join(", "))
        };
        match &stands.rows {
            Rows::Cured(statements) => {
                let _ = writeln!(out, "\nrows that are there already{which}: cured by");
                for sql in statements {
                    let _ = writeln!(out, "    {};", printable(sql));
                }
            }
            _ => {
                let _ = writeln!(
                    out,
                    "\nrows that are there already{which}: none of the statements that were tried cures them"
                );
            }
        }
    }
}

/// As one JSON object.
pub fn suggest_json(report: &SuggestReport) -> Json {
    let repair = |n: &usize| words(&report.program, &report.repairs[*n]);
    let stand = report.suggested.stand.iter().map(|stands| {
        json!({
            "repairs": stands.repairs.iter().map(repair).collect::<Vec<_>>(),
            "verdict": stands.verdict.name(),
            "runs": stands.searched.runs,
            "distinct": stands.searched.distinct,
            "saturated": stands.searched.saturated,
            "rows": match &stands.rows {
                Rows::Harmless => json!("harmless"),
                Rows::Cured(statements) => json!({ "cured_by": statements }),
                Rows::Harmful => json!("harmful"),
            },
        })
    });
    json!({
        "schema_version": SCHEMA_VERSION,
        "title": report.title,
        "stand": stand.collect::<Vec<_>>(),
        "tried": report.suggested.tried,
        "largest": report.suggested.largest,
        "repairs": (0..report.repairs.len()).map(|n| repair(&n)).collect::<Vec<_>>(),
        "victims": report.victims,
        "cut": report.suggested.cut,
    })
}
