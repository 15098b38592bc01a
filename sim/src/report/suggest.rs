//! `lockstep suggest`: the smallest repairs that stand, in words.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{SCHEMA_VERSION, Style, count, printable, traces};
use crate::scenario::{Flow, Program, Step, Target};
use crate::suggest::{Key, Repair, Suggested, indexed};

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
    if let Some(victims) = report
        .victims
        .as_ref()
        .filter(|_| !suggested.stand.is_empty())
    {
        let _ = writeln!(
            out,
            "no repair cures rows that are there already; who was hit: {victims}"
        );
    }
    out
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

/// One repair.
fn words(program: &Program, repair: &Repair) -> String {
    let flow = |at: usize| {
        program
            .versions
            .first()
            .and_then(|version| version.flows.get(at))
    };
    let name = |at: usize| flow(at).map_or("?", |flow| &flow.name);
    let locking = match program.target {
        Target::Sqlite => "BEGIN IMMEDIATE",
        Target::Postgres => "SERIALIZABLE and tried again, or SELECT … FOR UPDATE on what it reads",
    };
    match repair {
        Repair::UniqueIndex {
            table,
            columns,
            condition,
        } => {
            let on = indexed(table, columns, condition.as_deref());
            format!(
                "CREATE UNIQUE INDEX {on}; a flow that it refuses begins again, and finds the row"
            )
        }
        Repair::Transaction { flow: at, steps } => {
            let which = flow(*at).map_or(String::new(), |flow| between(flow, *steps));
            format!("{}: one transaction {which} ({locking})", name(*at))
        }
        Repair::Immediate => format!("its transactions lock when they begin ({locking})"),
        Repair::Lock { flows, on } => {
            let names: Vec<&str> = flows.iter().map(|at| name(*at)).collect();
            let on = on
                .as_ref()
                .map_or("one for all".to_owned(), |on| format!("on :{on}"));
            format!(
                "{}: a lock, {on}, from the first step to the last",
                names.join(", ")
            )
        }
        Repair::Dedup { flow: at, key } => {
            let key = match key {
                Key::Event => "event",
                Key::Parameter(slot) => flow(*at).map_or("?", |flow| &flow.locals[*slot]),
            };
            format!(
                "{}: first INSERT INTO handled VALUES (:{key}) ON CONFLICT DO NOTHING (key TEXT PRIMARY KEY), and stop when no row changes",
                name(*at)
            )
        }
        Repair::Move {
            flow: at,
            from,
            before,
        } => {
            let moved = flow(*at).map_or(String::new(), |flow| moved(flow, *from, *before));
            format!("{}: {moved}", name(*at))
        }
        Repair::CompareAndSet {
            flow: at,
            site,
            still: (column, read),
        } => format!(
            "{}: `{site}` also asks AND {column} IS :{read}, as it was read, and the flow stops when no row changes",
            name(*at)
        ),
    }
}

/// Which step, and where it is to stand.
fn moved(flow: &Flow, from: usize, before: usize) -> String {
    let steps = &flow.steps;
    let place = match (steps.get(before), steps.last()) {
        (Some(step), _) => format!("before {}", shown(step)),
        (None, Some(step)) => format!("behind {}", shown(step)),
        (None, None) => String::new(),
    };
    let step = steps.get(from).map_or(String::new(), shown);
    format!("{step} {place}")
}

/// A step by its name and line.
fn shown(step: &Step) -> String {
    format!("`{}` (line {})", step.site, step.at.line)
}

/// Which steps, by their names and lines.
fn between(flow: &Flow, (from, to): (usize, usize)) -> String {
    let steps = &flow.steps[from..to.min(flow.steps.len())];
    match steps {
        [] => String::new(),
        [one] => format!("around {}", shown(one)),
        [first, .., last] => format!("from {} to {}", shown(first), shown(last)),
    }
}
