//! What becomes of a case when one thing in it is dropped or flipped: its file is edited, read back and replayed in a fresh world.
//! Nothing of what `explain` does is used here.

use lockstep_sim::case::{CaseFile, Deviation, Point, Source, line, parse_line};
use lockstep_sim::decide::Replay;
use lockstep_sim::run::Ran;
use lockstep_sim::scenario;
use lockstep_sim::trace::Trace;

use super::cases::stage;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The invariant is violated for the same key.
    pub(super) same: bool,
    /// It is violated, for whatever key.
    pub(super) any: bool,
}

impl Outcome {
    fn of(case: &CaseFile, ran: &Ran) -> Self {
        let mut hits = ran.violations.iter();
        let rule = &case.violates;
        let is_it = |name: &str| name == rule.invariant;
        let any = hits.clone().any(|violation| is_it(&violation.invariant));
        let same = hits.any(|violation| is_it(&violation.invariant) && violation.key == rule.key);
        Self { same, any }
    }
}

/// A case without one of its decisions.
pub(super) fn dropped(case: &CaseFile, point: &Point, deviation: &Deviation) -> Outcome {
    let gone = line(point, deviation);
    let mut edited = case.clone();
    edited.decisions.retain(|line| *line != gone);
    assert_eq!(edited.decisions.len() + 1, case.decisions.len(), "{gone}");
    Outcome::of(&edited, &replay(&edited))
}

/// A case with another decision at a point; `None` when that cannot be carried out there.
pub(super) fn flipped(case: &CaseFile, point: &Point, other: &Deviation) -> Option<Outcome> {
    let mut edited = case.clone();
    let at = |text: &String| parse_line(text).is_ok_and(|(place, _)| place == *point);
    let old = edited.decisions.iter().position(at).expect("it is there");
    edited.decisions[old] = line(point, other);
    let ran = replay(&edited);
    let done = ran.decisions.0.get(point) == Some(other);
    done.then(|| Outcome::of(&edited, &ran))
}

/// Other decisions for a point: somebody else for a switch, another amount where there is one.
pub(super) fn others(deviation: &Deviation, trace: &Trace) -> Vec<Deviation> {
    if let Deviation::Switch(to) = deviation {
        let mut causes: Vec<&str> = trace.events.iter().map(|it| it.cause.as_str()).collect();
        causes.sort_unstable();
        causes.dedup();
        let others = causes.into_iter().filter(|cause| cause != to);
        return others.map(|it| Deviation::Switch(it.to_owned())).collect();
    }
    let Some(amount) = deviation.amount().filter(|amount| *amount != 0) else {
        return Vec::new();
    };
    let others = [
        amount / 3,
        amount - amount.signum(),
        amount + amount.signum() * 17,
        amount.saturating_mul(3),
        amount.saturating_mul(7),
        amount.saturating_mul(40),
    ];
    let is_other = |other: &i64| *other != 0 && *other != amount;
    let others = others.into_iter().filter(is_other);
    others.map(|other| deviation.with_amount(other)).collect()
}

/// Writes the case, reads it, and replays it.
pub(super) fn replay(case: &CaseFile) -> Ran {
    let case = CaseFile::parse(&case.to_text()).expect("a case");
    let decisions = case.decisions().expect("decisions");
    let Source::Scenario { file, text, .. } = &case.scenario else {
        unreachable!("it is a scenario's");
    };
    let scenario = scenario::parse(file, text).unwrap_or_else(|problems| panic!("{problems}"));
    let mut variants = scenario.variants.into_iter();
    let variant = variants.find(|it| it.name == case.variant);
    let mut stage = stage(&variant.expect("its variant").program);
    let ran = stage.run(&mut || Box::new(Replay::new(&decisions)));
    ran.expect("a run")
}

/// A case whose scenario has one event less: its lines are taken out of the text. What waits for it then waits for what that has
/// waited for, or with `rewired` false for nothing. `None` where the text is then no scenario any more.
pub(super) fn without_event(case: &CaseFile, event: &str, rewired: bool) -> Option<Outcome> {
    let mut edited = case.clone();
    let Source::Scenario { file, text, .. } = &mut edited.scenario else {
        return None;
    };
    *text = cut(text, event, rewired)?;
    let scenario = scenario::parse(file, text).ok()?;
    let mut variants = scenario.variants.iter();
    let variant = variants.find(|variant| variant.name == case.variant)?;
    let mut events = variant.program.events.iter();
    let gone = events.all(|it| it.label != event);
    gone.then(|| Outcome::of(&edited, &replay(&edited)))
}

/// A text without an event.
fn cut(text: &str, event: &str, rewired: bool) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let begin = lines.iter().position(|line| line.starts_with("events:"))?;
    let behind = |line: &String| line.starts_with(|c: char| c.is_alphanumeric());
    let end = lines[begin + 1..].iter().position(behind);
    let end = end.map_or(lines.len(), |end| begin + 1 + end);
    let head = format!("- {event}:");
    let is_first = |line: &String| line.trim_start().starts_with(&head);
    let first = begin + lines[begin..end].iter().position(is_first)?;
    let is_next = |line: &String| line.trim_start().starts_with("- ") || !line.starts_with("  ");
    let last = lines[first + 1..end].iter().position(is_next);
    let own = lines.drain(first..last.map_or(end, |last| first + 1 + last));
    let own: String = own.collect();
    let waits = waited_for(&own).filter(|_| rewired);
    for line in &mut lines {
        *line = refer_no_more(line, event, waits.as_deref());
    }
    // A list without entries.
    let has_any = lines[begin + 1..]
        .first()
        .is_some_and(|line| line.trim_start().starts_with('-'));
    if lines[begin].trim_end() == "events:" && !has_any {
        lines[begin] = "events: {}".to_owned();
    }
    Some(lines.join("\n"))
}

/// What stands behind `after:`, without brackets.
fn waited_for(event: &str) -> Option<String> {
    let rest = event.split("after: ").nth(1)?;
    let end = match rest.strip_prefix('[') {
        Some(list) => return list.split(']').next().map(str::to_owned),
        None => rest.find([',', ' ', '}']).unwrap_or(rest.len()),
    };
    Some(rest[..end].to_owned())
}

/// A line in which nothing waits for an event or asks for its answer; `instead` is what is waited for.
fn refer_no_more(line: &str, event: &str, instead: Option<&str>) -> String {
    let mut line = line.to_owned();
    let some = instead.map_or(String::new(), |it| format!("{it}, "));
    let last = instead.map_or(String::new(), |it| format!(", {it}"));
    let only = instead.map_or(String::new(), |it| format!(", after: [{it}]"));
    for (old, new) in [
        (format!(", after: {event},"), format!("{only},")),
        (format!(", after: {event} }}"), format!("{only} }}")),
        (format!(", after: [{event}]"), only),
        (format!("after: [{event}, "), format!("after: [{some}")),
        (format!(", {event}]"), format!("{last}]")),
        (format!(", {event}, "), format!(", {some}")),
    ] {
        line = line.replace(&old, &new);
    }
    let asks = format!(":{event}.");
    while let Some(at) = line.find(&asks) {
        let rest = &line[at + asks.len()..];
        let ends = |c: char| !c.is_alphanumeric() && c != '_';
        let length = rest.find(ends).unwrap_or(rest.len());
        line.replace_range(at..at + asks.len() + length, "null");
    }
    line
}
