//! `lockstep explain`: why a case fails, for somebody who has not read the scenario.

mod beside;
mod needs;
mod places;
mod rows;
mod story;
mod words;

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use self::needs::{any_other, idle, needs, values};
use self::story::Story;
use super::{SCHEMA_VERSION, Style, count, printable};
use crate::case::line;
use crate::explain::{Explained, Happened, NoReturn, Ways};
use crate::scenario::Program;

/// What is told about a case.
#[derive(Debug)]
pub struct ExplainReport {
    /// What was run.
    pub title: String,
    /// File and line of the invariant, and when it is judged with its query, as in the file; empty where it is none of a scenario's.
    pub rule: (String, String),
    /// What was found out.
    pub explained: Explained,
    /// What was run, if it is a scenario's: where its steps stand.
    pub steps: Option<Program>,
    /// The command that shows the whole run.
    pub replay: String,
}

/// As text.
pub fn explain_text(report: &ExplainReport, style: Style) -> String {
    let explained = &report.explained;
    let written = rows::of(report);
    let story = Story::of(explained, &written);
    let mut out = format!(
        "{}\n\n{} {} {}\n",
        printable(&report.title),
        style.red("violated"),
        explained.target.invariant,
        printable(&explained.violation.0),
    );
    let (place, sql) = &report.rule;
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let colon = if sql.is_empty() { "" } else { ": " };
    if !place.is_empty() {
        let _ = writeln!(out, "  {place}{colon}{}", printable(&sql));
    }
    section(&mut out, "what happened", &story.lines());
    section(
        &mut out,
        "what the invariant looks at",
        &rows::lines(&written, &story),
    );
    section(
        &mut out,
        "where to look",
        &places::lines(report, &written, &story),
    );
    section(&mut out, "what it takes", &needs(explained));
    section(&mut out, "which values matter", &values(explained));
    section(&mut out, "what makes no difference", &idle(explained));
    if let Some(no_return) = &explained.no_return {
        section(&mut out, "no way back", &no_way_back(no_return, &story));
        if let Some(passing) = &no_return.passing {
            let lines = beside::lines(&explained.ran.trace, explained.violation.1, &passing.trace);
            section(&mut out, "the nearest run that passes", &lines);
        }
    }
    let runs = count(explained.runs.into(), "run");
    let _ = writeln!(out, "\nexplained with {runs}\nreplay: {}", report.replay);
    out
}

fn section(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for line in lines {
        let _ = writeln!(out, "  {}", printable(line).trim_end());
    }
}

fn no_way_back(no_return: &NoReturn, story: &Story<'_>) -> Vec<String> {
    let Some(tried) = no_return.tried else {
        return vec![
            "only the violation itself: at each moment before it there was a way out".to_owned(),
        ];
    };
    let since = match no_return.moment {
        None => "from the beginning".to_owned(),
        Some(moment) => format!("once {}", story.moment(moment)),
    };
    vec![
        format!("{since}: every way to go on that was tried fails"),
        ways(tried),
    ]
}

fn ways(tried: Ways) -> String {
    let random = count(tried.random.into(), "random one");
    let of = if tried.more { "" } else { "each of " };
    let singles = match tried.singles {
        0 => "the quiet one, from which nothing deviates between steps".to_owned(),
        n => format!(
            "{of}{} from the quiet one",
            count(n.into(), "single deviation")
        ),
    };
    let pairs = match tried.pairs {
        0 => String::new(),
        n => format!(", {}", count(n.into(), "pair")),
    };
    format!("({singles}{pairs}, {random})")
}

/// As one JSON object.
pub fn explain_json(report: &ExplainReport) -> Json {
    let explained = &report.explained;
    let written = rows::of(report);
    let story = Story::of(explained, &written);
    let decisions = explained.decisions.iter().map(|tried| {
        json!({
            "decision": line(&tried.point, &tried.deviation),
            "needed": tried.needed,
            "others": any_other(tried),
        })
    });
    let events = explained.events.iter().map(event_json);
    json!({
        "schema_version": SCHEMA_VERSION,
        "title": report.title,
        "invariant": explained.target.invariant,
        "key": explained.target.key,
        "violation": explained.violation.0,
        "rule": {"place": report.rule.0, "sql": report.rule.1},
        "story": story.lines(),
        "rows": rows::lines(&written, &story),
        "places": places::lines(report, &written, &story),
        "decisions": decisions.collect::<Vec<_>>(),
        "events": events.collect::<Vec<_>>(),
        "no_return": explained.no_return.as_ref().map(|no_return| json!({
            "n": no_return.moment.map(|moment| moment.n),
            "words": no_way_back(no_return, &story).join(" "),
            "tried": no_return.tried.map(|tried| json!({
                "singles": tried.singles,
                "all_singles": !tried.more,
                "pairs": tried.pairs,
                "random": tried.random,
            })),
            "passing": no_return.passing.as_ref().map(|ran| ran.decisions.to_string()),
        })),
        "runs": explained.runs,
        "replay": report.replay,
    })
}

fn event_json(happened: &Happened) -> Json {
    let values = happened.values.iter().map(|value| {
        json!({
            "name": value.name,
            "value": value.value,
            "others": needs::words(value.fate),
        })
    });
    json!({
        "event": happened.event,
        "leg": happened.leg,
        "needed": happened.needed,
        "values": values.collect::<Vec<_>>(),
    })
}
