//! The run up to its violation, one sentence for each event that matters.

use std::collections::BTreeSet;

use super::rows::Seen;
use super::words;
use crate::case::Deviation;
use crate::explain::{Explained, Moment};
use crate::trace::{Event, Kind, Trace, arg_text};

/// The sentences, numbered from 1.
pub(super) struct Story<'a> {
    explained: &'a Explained,
    lines: Vec<Told<'a>>,
    /// Events that are not told.
    left_out: usize,
}

/// Where an event begins or returns.
pub(super) struct Told<'a> {
    n: u64,
    event: &'a Event,
    returns: bool,
    /// It returns before anything else happens: one sentence tells both.
    at_once: bool,
}

impl<'a> Story<'a> {
    /// What happened up to the violation. Of a long run only what those did who deviate or did what the invariant looks at, and
    /// faults; of that the end.
    pub(super) fn of(explained: &'a Explained, seen: &[Seen<'_>]) -> Self {
        let trace = &explained.ran.trace;
        let decisions = explained.decisions.iter().filter(|tried| tried.needed);
        let deviate = decisions.map(|tried| tried.point.cause.as_str());
        let wrote = seen.iter().map(Seen::cause);
        let causes: BTreeSet<&str> = deviate.chain(wrote).collect();
        let shown = until(trace, explained.violation.1);
        let all = shown.len();
        let told_in_part =
            |event: &&Event| ALWAYS.contains(&event.kind) || causes.contains(event.cause.as_str());
        let mut shown: Vec<&Event> = match all > LONG {
            true => shown.into_iter().filter(told_in_part).collect(),
            false => shown,
        };
        shown.drain(..shown.len().saturating_sub(MOST));
        let left_out = all - shown.len();
        let lines = told(&shown, explained.violation.1);
        Self {
            explained,
            lines,
            left_out,
        }
    }

    /// The sentences.
    pub(super) fn lines(&self) -> Vec<String> {
        let numbered = self.lines.iter().zip(1..);
        let mut lines: Vec<String> = numbered
            .map(|(told, i)| format!("{i:>3}  {}{}", told.words(), self.mark(told)))
            .collect();
        if self.left_out > 0 {
            lines.push(format!("     {} other events are not told", self.left_out));
        }
        lines
    }

    /// What is told, each event once.
    pub(super) fn told(&self) -> impl Iterator<Item = &'a Event> {
        let begun = self.lines.iter().filter(|told| !told.returns);
        begun.map(|told| told.event)
    }

    /// Whether the case needs what is told there.
    fn mark(&self, told: &Told<'_>) -> &'static str {
        let (event, arg) = (told.event, arg_text(&told.event.arg));
        let is_it = |site: &str, deviation: &Deviation| {
            let word = deviation.word();
            match event.kind {
                Kind::Switch => arg.starts_with(&format!("{site}: ")),
                Kind::Fault if CLOCKS.contains(&word) => arg.starts_with("clock"),
                Kind::Fault => arg.starts_with(&word.replace('_', " ")) || arg.starts_with(word),
                Kind::Take => *deviation == Deviation::Take(0).with_amount(first_number(&arg)),
                _ => false,
            }
        };
        let mut tried = self.explained.decisions.iter().filter(|tried| tried.needed);
        let needed = tried.any(|tried| {
            let point = &tried.point;
            point.cause == event.cause.as_str() && is_it(&point.site, &tried.deviation)
        });
        if needed { "   <- needed" } else { "" }
    }

    /// A moment in words, with the number of its sentence if it has one.
    pub(super) fn moment(&self, moment: Moment) -> String {
        let event = &self.explained.ran.trace.events[moment.event];
        let words = match (moment.returns, event.kind) {
            (false, _) => words::began(event),
            (true, _) => words::returned(event),
        };
        match self.number(moment.n) {
            Some(number) => format!("{number} has happened ({words})"),
            None => words,
        }
    }

    /// The number of the sentence that tells what was there last.
    pub(super) fn number(&self, n: u64) -> Option<usize> {
        self.lines
            .iter()
            .rposition(|told| told.n <= n)
            .map(|at| at + 1)
    }
}

impl Told<'_> {
    /// In words, with the end where it comes at once.
    pub(super) fn words(&self) -> String {
        match (self.returns, self.at_once) {
            (true, _) => words::returned(self.event),
            (false, true) => {
                let outcome = words::ended(self.event);
                let outcome = outcome.map_or(String::new(), |outcome| format!(": {outcome}"));
                format!("{}{outcome}", words::began(self.event))
            }
            (false, false) => words::began(self.event),
        }
    }
}

/// Events up to a position, as people are shown them.
pub(super) fn until(trace: &Trace, last: u64) -> Vec<&Event> {
    let shown = trace.events.iter();
    shown
        .filter(|event| event.n <= last && !event.idle)
        .collect()
}

/// Beginnings and returns in order, up to a position.
pub(super) fn told<'a>(shown: &[&'a Event], until: u64) -> Vec<Told<'a>> {
    let mut lines = Vec::new();
    for (at, event) in shown.iter().enumerate() {
        let next = shown.get(at + 1).map_or(u64::MAX, |next| next.n);
        let end = event.end.filter(|end| *end != event.n);
        let overlapped = end.is_some_and(|end| end > next);
        lines.push(Told {
            n: event.n,
            event,
            returns: false,
            at_once: !overlapped,
        });
        let tells = matches!(
            event.kind,
            Kind::Deliver | Kind::Request | Kind::Op | Kind::Sql
        );
        if let Some(end) = end.filter(|end| overlapped && tells && *end < until) {
            lines.push(Told {
                n: end,
                event,
                returns: true,
                at_once: false,
            });
        }
    }
    lines.sort_by_key(|told| told.n);
    lines
}

/// Told whoever did it.
const ALWAYS: [Kind; 5] = [
    Kind::Fault,
    Kind::Switch,
    Kind::Violation,
    Kind::Restore,
    Kind::Exit,
];

/// A run of more events is told in part.
const LONG: usize = 40;

/// And never more than the last so many.
const MOST: usize = 60;

/// Faults that are told as what the clock does.
const CLOCKS: [&str; 4] = ["jump", "offset", "drift", "zone"];

/// The number that a text begins with; 0 where it begins with none.
fn first_number(text: &str) -> i64 {
    let digits = text.split(' ').next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}
