//! What is said about a case, and what is so.

use std::fmt;

use lockstep_sim::explain::{Amounts, Happened, Tried};

use super::cases::Case;
use super::flip::{self, Outcome};
use super::onward::{self, Onward, moments, onward, word};
use super::tally::{Tally, share};

/// What was measured so far.
#[derive(Default)]
pub(super) struct Measured {
    /// What is needed is what the case does not fail without, for the same key.
    pub(super) dropped: Tally,
    /// The same, for any key.
    pub(super) any_key: Tally,
    /// Events, when nobody waits for what they waited for.
    pub(super) cut: Tally,
    /// Of what is needed: it matters what it is.
    pub(super) flipped: Tally,
    /// Points of no return.
    pub(super) points: Points,
    /// Events that could not be taken out of the text.
    events_kept: usize,
}

/// How far points of no return are from where they ought to be.
#[derive(Default)]
pub(super) struct Points {
    /// Beginnings and returns between the two, for those where all ways to go on were tried.
    exhausted: Vec<usize>,
    /// For those where all with at least two deviations were.
    bounded: Vec<usize>,
    /// Where too many runs would have been needed.
    unknown: usize,
}

type Tell<'a> = &'a mut dyn FnMut(String);

impl Measured {
    /// Takes a case.
    pub(super) fn take(&mut self, case: &Case, most: u64, tell: Tell<'_>) {
        for tried in &case.explained.decisions {
            self.decision(case, tried, tell);
        }
        let events = &case.explained.events;
        for (i, happened) in events.iter().enumerate() {
            let same = |other: &&Happened| other.event == happened.event;
            if events[..i].iter().any(|other| same(&other)) {
                continue;
            }
            // In the text it stands once, for all legs.
            let needed = events.iter().filter(same).any(|it| it.needed);
            self.event(case, &happened.event, needed, tell);
        }
        self.points.take(case, most, tell);
    }

    fn decision(&mut self, case: &Case, tried: &Tried, tell: Tell<'_>) {
        let kind = word(&tried.deviation);
        let what = format!("{}: {} => {}", case.name, tried.point.site, tried.deviation);
        let outcome = flip::dropped(&case.file, &tried.point, &tried.deviation);
        self.needed(kind, tried.needed, outcome, &what, tell);
        let others = flip::others(&tried.deviation, &case.explained.ran.trace);
        let others = others.iter();
        let flipped: Vec<Outcome> = others
            .filter_map(|other| flip::flipped(&case.file, &tried.point, other))
            .collect();
        if flipped.is_empty() {
            return;
        }
        // What it is does not matter if everything else in its place fails, too.
        let others = !tried.others.is_empty() && tried.others.iter().all(|(_, fails)| *fails);
        let said = tried.needed && tried.amounts != Some(Amounts::Any) && !others;
        let is_so = !outcome.same && flipped.iter().any(|outcome| !outcome.same);
        if !self.flipped.take(kind, said, is_so) {
            tell(format!(
                "{what}: something else in its place does not do: said {said}"
            ));
        }
    }

    fn event(&mut self, case: &Case, event: &str, needed: bool, tell: Tell<'_>) {
        let what = format!("{}: event {event}", case.name);
        match flip::without_event(&case.file, event, true) {
            Some(outcome) => self.needed("events", needed, outcome, &what, tell),
            None => self.events_kept += 1,
        }
        if let Some(outcome) = flip::without_event(&case.file, event, false) {
            let right = self.cut.take("events", needed, !outcome.same);
            if !right {
                tell(format!(
                    "{what}: needed when nobody waits in its place: said {needed}"
                ));
            }
        }
    }

    fn needed(&mut self, kind: &'static str, said: bool, is: Outcome, what: &str, tell: Tell<'_>) {
        if !self.dropped.take(kind, said, !is.same) {
            tell(format!("{what}: needed: said {said}"));
        }
        if !self.any_key.take(kind, said, !is.any) {
            tell(format!("{what}: needed for any key: said {said}"));
        }
    }
}

impl Points {
    fn take(&mut self, case: &Case, most: u64, tell: Tell<'_>) {
        let Some(said) = &case.explained.no_return else {
            return;
        };
        let moments = moments(&case.explained.ran.trace, case.explained.violation.1);
        let n = said.moment.map(|moment| moment.n);
        let from = moments.iter().position(|(at, _)| Some(*at) == n);
        let from = from.map_or(0, |at| at + 1);
        if said.tried.is_none() {
            // The run beside it shows that nothing is too late.
            return self.exhausted.push(0);
        }
        let mut stage = case.stage();
        let mut at = from;
        let (distance, up_to) = loop {
            let until = at.checked_sub(1).map_or(0, |last| moments[last].0);
            if at > moments.len() {
                break (at - from, None);
            }
            match onward(&mut stage, case, until, most) {
                Onward::Fails => break (at - from, None),
                Onward::FailsUpTo(deviations) => break (at - from, Some(deviations)),
                Onward::Passes(ran) => {
                    at += 1;
                    while at <= moments.len()
                        && onward::goes_on_like(&mut stage, case, moments[at - 1].0, &ran).is_some()
                    {
                        at += 1;
                    }
                }
            }
        };
        if distance > 0 || up_to.is_some() {
            tell(format!(
                "{}: {distance} of {} moments later than {from}, tried up to {up_to:?}",
                case.name,
                moments.len()
            ));
        }
        match up_to {
            None => self.exhausted.push(distance),
            Some(deviations) if deviations >= 2 || distance > 1 => self.bounded.push(distance),
            Some(_) => self.unknown += 1,
        }
    }

    /// How many were compared.
    pub(super) fn compared(&self) -> usize {
        self.exhausted.len() + self.bounded.len()
    }

    /// Shares of those that are where they ought to be, and at most one beginning or return before.
    pub(super) fn shares(&self) -> (f64, f64) {
        let all = || self.exhausted.iter().chain(&self.bounded);
        let within = |most: usize| all().filter(|distance| **distance <= most).count();
        let of = self.compared();
        (share(within(0), of), share(within(1), of))
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (exact, near) = self.points.shares();
        let Points {
            exhausted,
            bounded,
            unknown,
        } = &self.points;
        write!(f, "needed, for the same key\n{}", self.dropped)?;
        write!(f, "needed, for any key\n{}", self.any_key)?;
        write!(
            f,
            "needed, when nobody waits in the place of an event\n{}",
            self.cut
        )?;
        write!(
            f,
            "flipped: it matters who goes on, how long, how many\n{}",
            self.flipped
        )?;
        writeln!(
            f,
            "{} events cannot be taken out of their texts",
            self.events_kept
        )?;
        writeln!(
            f,
            "points of no return: {:.1} % exact, {:.1} % within one event of {}; {} tried to the end, {} up to at least two deviations, {unknown} not",
            100.0 * exact,
            100.0 * near,
            self.points.compared(),
            exhausted.len(),
            bounded.len(),
        )
    }
}
