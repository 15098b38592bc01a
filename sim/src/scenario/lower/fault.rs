//! Faults: what may go wrong in a run, how often and for how long.

use super::super::node::Node;
use super::super::problem::Report;
use super::super::program::{Faults, Millis, Process};

/// Kinds of faults.
pub(super) const FAULTS: [&str; 7] = [
    "crash",
    "lost_request",
    "lost_reply",
    "duplicate",
    "late",
    "pause",
    "clock_jump",
];

/// Keys of a fault that has a duration.
pub(super) const BOUNDED: [&str; 2] = ["strikes", "up_to"];

/// Strikes of one fault in one run.
const STRIKES: u64 = 100;

/// Lowers `faults`.
pub(super) fn lower(report: &Report<'_>, processes: &[Process], node: Option<&Node>) -> Faults {
    let mut faults = Faults::default();
    let Some(node) = node else { return faults };
    report.only(node, "`faults`", &FAULTS);
    let strikes = |key: &str| node.get(key).map_or(0, |value| strikes(report, value, key));
    faults.lost_request = strikes("lost_request");
    faults.lost_reply = strikes("lost_reply");
    faults.duplicate = strikes("duplicate");
    let bounded = |key: &str| node.get(key).and_then(|value| bounded(report, value, key));
    faults.late = bounded("late");
    faults.pause = bounded("pause");
    faults.clock_jump = bounded("clock_jump");
    if let Some(crash) = node.get("crash") {
        let names: Vec<&str> = processes
            .iter()
            .map(|process| process.name.as_str())
            .collect();
        for entry in report.mapping(crash, "`crash`") {
            let index = report.known(&entry.key, "process", &names);
            let count = self::strikes(report, &entry.value, "crash");
            faults.crash.extend(index.map(|index| (index, count)));
        }
    }
    faults
}

fn strikes(report: &Report<'_>, node: &Node, what: &str) -> u32 {
    let number = report.whole(node, &format!("the strikes of `{what}`"), STRIKES);
    number
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(0)
}

/// `{ strikes: 1, up_to: 30s }`.
fn bounded(report: &Report<'_>, node: &Node, what: &str) -> Option<(u32, Millis)> {
    let (Some(count), Some(up_to)) = (node.get("strikes"), node.get("up_to")) else {
        let message = format!("`{what}` does not say how often and how long");
        report.at(
            node,
            message,
            format!("write {what}: {{ strikes: 1, up_to: 30s }}"),
        );
        return None;
    };
    report.only(node, &format!("`{what}`"), &BOUNDED);
    let longest = report.millis(up_to, "`up_to`")?;
    Some((strikes(report, count, what), longest))
}
