//! The head of a file: its version and name, when virtual time starts, and how many runs a search may spend.

use rusqlite::types::Value;

use super::super::duration;
use super::super::fields::literal;
use super::super::node::Node;
use super::super::problem::Report;
use super::draft;

/// 2026-01-05T09:00:00Z, a Monday morning: where virtual time starts when the file does not say.
const START_MS: i64 = 1_767_603_600_000;
/// The most that a file may ask for.
const MOST_RUNS: u64 = 100_000_000;

/// What all variants share.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) start_ms: i64,
    /// How many runs the file asks for.
    pub(super) runs: Option<u64>,
}

/// A file of another version is another language: nothing else is said about it.
pub(in super::super) fn check_version(report: &Report<'_>, root: &Node) -> bool {
    let known = |version: &&Node| literal(version) == Some(Value::Integer(1));
    let Some(version) = root.get("version").filter(|version| !known(version)) else {
        return true;
    };
    if literal(version) == Some(Value::Text("1".to_owned())) {
        report.at(
            version,
            "the version is a text here",
            "write version: 1, without quotes",
        );
        return false;
    }
    let help = "this lockstep reads version 1: write version: 1, or use the lockstep that the file was written for";
    report.at(version, "this version is not known here", help);
    false
}

pub(super) fn head(report: &Report<'_>, root: &Node) -> Head {
    report.only(root, "a scenario", &draft::TOP);
    if root.get("version").is_none() {
        let message = "the file does not say its version";
        report.add(0, 0, message, "write version: 1");
    }
    for (key, help) in [
        ("name", "write name: in_snake_case"),
        ("processes", "write processes: { api: 1 }"),
        (
            "flows",
            "write flows, each as name(parameter): and a list of steps",
        ),
        (
            "events",
            "write events: [ message: { on: api, send: flow } ]",
        ),
        (
            "invariants",
            "write invariants: { name: { never: SELECT … } }",
        ),
    ] {
        if root.get(key).is_none_or(Node::is_null) {
            report.add(0, 0, format!("the scenario has no `{key}`"), help);
        }
    }
    let name = root
        .get("name")
        .and_then(|name| report.name(name, "a scenario"));
    Head {
        name: name.unwrap_or("").to_owned(),
        start_ms: root
            .get("clock")
            .map_or(START_MS, |clock| clock_of(report, clock)),
        runs: root
            .get("explore")
            .and_then(|explore| runs_of(report, explore)),
    }
}

fn clock_of(report: &Report<'_>, node: &Node) -> i64 {
    let found = node.scalar().and_then(duration::parse_instant);
    if found.is_none() {
        report.at(
            node,
            "`clock` is an instant in UTC",
            "write 2025-11-12T20:39:00Z",
        );
    }
    found.unwrap_or(START_MS)
}

fn runs_of(report: &Report<'_>, node: &Node) -> Option<u64> {
    report.only(node, "`explore`", &["runs"]);
    let runs = node.get("runs")?;
    let number = report.whole(runs, "`runs`", MOST_RUNS);
    if number == Some(0) {
        let help =
            "a search has at least one run, the quiet one; leave `explore` out for the default";
        report.at(runs, "`runs` is 0", help);
    }
    number.map(|number| number.max(1))
}
