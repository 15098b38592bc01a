//! The trace for people: one column for each process instance, one event per line, virtual time in front.

use std::fmt::Write as _;

use super::printable;
use crate::label::Label;
use crate::trace::{Event, Kind, Outcome, Trace, arg_text, outcome_text};

/// The lane of what belongs to no process: platforms, faults on the way, the harness.
const OUTSIDE: &str = "outside";

/// Narrowest lane, so that short names do not put columns on top of each other.
const LANE: usize = 12;

/// Which events a case does without, above its trace; nothing if it has them all.
pub fn absent(labels: &[String]) -> String {
    match labels {
        [] => String::new(),
        labels => format!("without {}\n", printable(&labels.join(", "))),
    }
}

/// The trace as text. Stable: the same trace gives the same bytes.
///
/// An event that returns before anything else happens is one line. One that others overlap gets a second line where it
/// returns, so that the interleaving is read from top to bottom.
pub fn human(trace: &Trace) -> String {
    let lanes = Lanes::of(trace);
    let mut lines: Vec<(u64, String)> = Vec::new();
    let shown: Vec<&Event> = trace.events.iter().filter(|event| !event.idle).collect();
    for (i, event) in shown.iter().enumerate() {
        let next = shown.get(i + 1).map_or(u64::MAX, |event| event.n);
        let returned = event.end.filter(|end| *end != event.n);
        let overlapped = returned.is_some_and(|end| end > next);
        lines.push((event.n, lanes.line(event, &started(event, overlapped))));
        if let (Some(end), true) = (returned, overlapped) {
            lines.push((end, lanes.returned(event)));
        }
    }
    lines.sort_by_key(|(n, _)| *n);
    let mut out = lanes.header();
    for (_, line) in lines {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let is_idle_round = |event: &&Event| event.idle && event.kind == Kind::Task;
    let idle = trace.events.iter().filter(is_idle_round).count();
    if idle > 0 {
        let _ = writeln!(
            out,
            "{:>10}  rounds of loops that only looked: {idle}, not shown",
            ""
        );
    }
    out
}

/// The first line in which two traces of the same case differ.
pub fn two_traces(one: &Trace, other: &Trace) -> String {
    let (one, other) = (human(one), human(other));
    let differs = one.lines().zip(other.lines()).position(|(a, b)| a != b);
    let at = differs.unwrap_or_else(|| one.lines().count().min(other.lines().count()));
    let line = |text: &str| {
        text.lines()
            .nth(at)
            .unwrap_or("(nothing more to see)")
            .to_owned()
    };
    format!(
        "the same case gave two traces; they part at line {}:\n  {}\n  {}\n\
         please report this with the command you ran",
        at + 1,
        line(&one),
        line(&other)
    )
}

/// An event's line, without its result if that comes later.
fn started(event: &Event, overlapped: bool) -> String {
    let head = match event.kind {
        Kind::Violation => format!("VIOLATED {}", arg_text(&event.arg)),
        Kind::Heal | Kind::Deploy => format!("-- {} --", arg_text(&event.arg)),
        Kind::Exit | Kind::Restore => format!("! {}", arg_text(&event.arg)),
        Kind::Fault => format!("! {}", arg_text(&event.arg)),
        Kind::Switch => format!("~ {}", arg_text(&event.arg)),
        Kind::Stuck => format!("STUCK {} {}", event.cause, arg_text(&event.arg)),
        Kind::Restart => format!("! {} starts again", arg_text(&event.arg)),
        Kind::Deliver => format!("{} arrives", event.cause),
        kind => format!("{} {}", event.cause, with_kind(kind, &arg_text(&event.arg))),
    };
    let result = outcome_text(&event.outcome);
    if overlapped {
        format!("{head} …")
    } else if result.is_empty() {
        head
    } else {
        format!("{head} -> {result}")
    }
}

/// Sites of unlabelled steps begin with their kind already.
fn with_kind(kind: Kind, arg: &str) -> String {
    let repeats = arg
        .strip_prefix(kind.name())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    if repeats {
        arg.to_owned()
    } else {
        format!("{} {arg}", kind.name())
    }
}

/// The line on which an overlapped event returns.
fn back(event: &Event) -> String {
    let what = match event.kind {
        Kind::Deliver => "replies".to_owned(),
        kind => match &event.arg {
            crate::trace::Arg::Bound(site, _) => with_kind(kind, site.as_str()),
            crate::trace::Arg::Op(call) => format!("op {}", call.op.name()),
            other => with_kind(kind, &arg_text(other)),
        },
    };
    match &event.outcome {
        Outcome::Done if event.kind == Kind::Deliver => format!("{} ends", event.cause),
        Outcome::Done => format!("{} … {what}: done", event.cause),
        outcome => format!("{} … {what} -> {}", event.cause, outcome_text(outcome)),
    }
}

/// Where each process's column starts.
struct Lanes {
    names: Vec<Label>,
    starts: Vec<usize>,
    end: usize,
}

impl Lanes {
    fn of(trace: &Trace) -> Self {
        let mut names = vec![Label::new(OUTSIDE)];
        for (process, _) in trace
            .events
            .iter()
            .filter_map(|event| event.process.as_ref())
        {
            if !names.contains(process) {
                names.push(process.clone());
            }
        }
        // Processes in the order of their names: who happened to act first does not move the columns of two traces.
        names[1..].sort_by_cached_key(|name| natural(name.as_str()));
        let mut starts = Vec::new();
        let mut at = 0;
        for name in &names {
            starts.push(at);
            at += (name.as_str().chars().count() + 2).max(LANE);
        }
        Self {
            names,
            starts,
            end: at,
        }
    }

    fn header(&self) -> String {
        let mut line = format!("{:>10}  ", "ms");
        for (i, name) in self.names.iter().enumerate() {
            let width = self.starts.get(i + 1).copied().unwrap_or(self.end) - self.starts[i];
            let _ = write!(line, "{:<width$}", name.as_str());
        }
        line.trim_end().to_owned() + "\n"
    }

    fn line(&self, event: &Event, text: &str) -> String {
        let (ms, us) = (event.at_us / 1000, event.at_us % 1000);
        let time = if us == 0 {
            format!("{ms}")
        } else {
            format!("{ms}.{us:03}")
        };
        format!("{time:>10}  {}{}", self.indent(event), printable(text))
    }

    /// The time of a return is not recorded; its position is.
    fn returned(&self, event: &Event) -> String {
        format!(
            "{:>10}  {}{}",
            "",
            self.indent(event),
            printable(&back(event))
        )
    }

    /// Rules for the lanes to the left of the event's own.
    fn indent(&self, event: &Event) -> String {
        let lane = event
            .process
            .as_ref()
            .and_then(|(process, _)| self.names.iter().position(|name| name == process));
        let lane = lane.unwrap_or(0);
        let mut text = String::new();
        for i in 0..lane {
            let width = self.starts[i + 1] - self.starts[i];
            let _ = write!(text, "{:<width$}", "|");
        }
        text
    }
}

/// `api.2` before `api.10`.
fn natural(name: &str) -> (String, u64, String) {
    let (head, tail) = name.rsplit_once('.').unwrap_or((name, ""));
    (head.to_owned(), tail.parse().unwrap_or(0), tail.to_owned())
}
