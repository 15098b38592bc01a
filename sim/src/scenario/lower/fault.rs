//! Faults: what may go wrong in a run, how often and how hard.

use super::super::node::{Entry, Node};
use super::super::problem::Report;
use super::super::program::{Faults, Process};
use crate::fault::Fault;

/// What a fault is given besides the number of its strikes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Measure {
    /// Nothing: it has one size, this one.
    Fixed(u64),
    /// The longest duration.
    Time,
    /// The same, this one unless the file says another.
    TimeOr(u64),
    /// The largest number, at most this.
    Number(u64),
    /// The largest duration in whole hours.
    Hours,
}

/// Kinds of faults that a file can allow, besides `crash`.
const KINDS: [(Fault, Measure); 15] = [
    (Fault::CrashAgain, Measure::Fixed(40)),
    (Fault::GracefulStop, Measure::Fixed(0)),
    (Fault::LostRequest, Measure::Fixed(0)),
    (Fault::LostReply, Measure::Fixed(0)),
    (Fault::Duplicate, Measure::TimeOr(60_000)),
    (Fault::Late, Measure::Time),
    (Fault::HalfOpen, Measure::Fixed(0)),
    (Fault::Partition, Measure::Time),
    (Fault::Pause, Measure::Time),
    (Fault::ClockOffset, Measure::Time),
    (Fault::ClockJump, Measure::Time),
    (Fault::ClockDrift, Measure::Number(500_000)),
    (Fault::ClockZone, Measure::Hours),
    (Fault::StoreError, Measure::Fixed(0)),
    (Fault::DiskFull, Measure::Time),
];

/// Keys of a fault that has a measure.
pub(in super::super) const BOUNDED: [&str; 2] = ["strikes", "up_to"];

/// Strikes of one fault in one run.
const STRIKES: u64 = 100;
const HOUR_MS: u64 = 3_600_000;

/// Names of the faults that a file can allow.
pub(in super::super) fn names() -> Vec<&'static str> {
    let kinds = KINDS.iter().map(|(fault, _)| fault.name());
    [Fault::Crash.name()].into_iter().chain(kinds).collect()
}

/// Lowers `faults`.
pub(super) fn lower(report: &Report<'_>, processes: &[Process], node: Option<&Node>) -> Faults {
    let mut faults = Faults::default();
    let Some(node) = node else { return faults };
    report.only(node, "`faults`", &names());
    for entry in node.entries().unwrap_or(&[]) {
        if entry.name() == Fault::Crash.name() {
            faults.crash = crashes(report, processes, &entry.value);
            continue;
        }
        let kind = KINDS.iter().find(|(fault, _)| fault.name() == entry.name());
        let allowed = kind.and_then(|(fault, measure)| {
            let (strikes, most) = measured(report, entry, *measure)?;
            Some((*fault, strikes, most))
        });
        if let Some((fault, strikes, most)) = allowed {
            faults.budget.allow(fault, strikes, most);
        }
    }
    faults
}

fn crashes(report: &Report<'_>, processes: &[Process], node: &Node) -> Vec<(usize, u32)> {
    let names: Vec<&str> = processes
        .iter()
        .map(|process| process.name.as_str())
        .collect();
    let mut found = Vec::new();
    for entry in report.mapping(node, "`crash`") {
        let index = report.known(&entry.key, "process", &names);
        let count = strikes(report, &entry.value, "crash");
        found.extend(index.map(|index| (index, count)));
    }
    found
}

fn strikes(report: &Report<'_>, node: &Node, what: &str) -> u32 {
    let number = report.whole(node, &format!("the strikes of `{what}`"), STRIKES);
    number
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(0)
}

/// A number of strikes, or `{ strikes: 1, up_to: 30s }`.
fn measured(report: &Report<'_>, entry: &Entry, measure: Measure) -> Option<(u32, u64)> {
    let (node, what) = (&entry.value, entry.name());
    if let Measure::Fixed(size) = measure {
        return Some((strikes(report, node, what), size));
    }
    if let (Measure::TimeOr(size), Some(_)) = (measure, node.scalar()) {
        return Some((strikes(report, node, what), size));
    }
    let example = match measure {
        Measure::Number(_) => "1000",
        Measure::Hours => "2h",
        _ => "30s",
    };
    let (Some(count), Some(up_to)) = (node.get("strikes"), node.get("up_to")) else {
        let message = format!("`{what}` does not say how often and how far");
        let help = format!("write {what}: {{ strikes: 1, up_to: {example} }}");
        report.at(node, message, help);
        return None;
    };
    report.only(node, &format!("`{what}`"), &BOUNDED);
    let most = match measure {
        Measure::Number(most) => report.whole(up_to, "`up_to`, millionths,", most)?,
        Measure::Hours => report.millis(up_to, "`up_to`")?.div_ceil(HOUR_MS),
        _ => report.millis(up_to, "`up_to`")?,
    };
    Some((strikes(report, count, what), most))
}
