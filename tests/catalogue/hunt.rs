//! How long a bug hides, and how small the case is in which it shows.

use std::collections::BTreeSet;
use std::rc::Rc;

use lockstep_sim::case::Deviation;
use lockstep_sim::catalogue::Planted;
use lockstep_sim::decide::{Profile, Quiet};
use lockstep_sim::fault::Fault;
use lockstep_sim::run::{Ran, Stage};
use lockstep_sim::search::{First, reduce, sweep};
use lockstep_sim::shrink;
use lockstep_sim::trace::{Arg, Event, Kind};
use lockstep_sim::world::StoreWorld;

/// Runs within which each search must find each bug. Search `i` begins at seed `i * RUNS`, so no two share a run.
pub(crate) const RUNS: u64 = 20_000;

/// Of how many searches the finds are shrunk.
const SHRUNK: usize = 2;

/// What the searches for one bug came to.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Runs to find it, for each search that did, ascending.
    pub(crate) runs: Vec<u64>,
    /// Searches.
    pub(crate) searches: u64,
    /// Invariants that its first runs violated.
    pub(crate) violated: BTreeSet<String>,
    /// The smallest case of those that were shrunk.
    pub(crate) smallest: Option<Smallest>,
}

/// A shrunk case, counted. Ordered by what has to come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Smallest {
    /// Switches and faults, those that a role draws among them.
    pub(crate) struck: usize,
    /// Of these, switches.
    pub(crate) switches: usize,
    /// Choices and durations of the roles that are not the quiet ones, those faults among them.
    pub(crate) choices: usize,
    /// Events up to the violation.
    pub(crate) events: usize,
}

impl Measured {
    /// Searches that found nothing.
    pub(crate) fn missed(&self) -> u64 {
        self.searches - self.runs.len() as u64
    }

    /// The median over all searches, one that found nothing counting as the longest; `None` if that is the middle.
    pub(crate) fn median(&self) -> Option<u64> {
        let middle = usize::try_from(self.searches / 2).unwrap_or(usize::MAX);
        let upper = *self.runs.get(middle)?;
        if self.searches % 2 == 1 {
            return Some(upper);
        }
        Some(u64::midpoint(self.runs[middle - 1], upper))
    }
}

/// The quiet run does not meet the bug, and if there is a bound, the first search finds it within so many runs.
pub(crate) fn once(bug: &Planted, most: Option<u64>) -> Result<(), String> {
    let (mut stage, profile) = stage(bug)?;
    let Some(most) = most else { return Ok(()) };
    match find(&mut stage, &profile, 0, most)? {
        Some(_) => Ok(()),
        None => Err(format!("not found in {most} runs")),
    }
}

/// Runs to find it, and by which invariant, for each search; `None` where so many runs do not.
pub(crate) fn look(
    bug: &Planted,
    searches: u64,
    runs: u64,
) -> Result<Vec<Option<(u64, String)>>, String> {
    let (mut stage, profile) = stage(bug)?;
    let one = |search| {
        let found = find(&mut stage, &profile, search * RUNS, runs)?;
        Ok(found.map(|(n, firsts)| {
            let names: Vec<_> = firsts.into_iter().map(|first| first.invariant).collect();
            (n, names.join(" "))
        }))
    };
    (0..searches).map(one).collect()
}

/// Searches, and shrinks what the first few of them found.
pub(crate) fn measure(bug: &Planted, searches: u64) -> Result<Measured, String> {
    let (mut stage, profile) = stage(bug)?;
    let mut measured = Measured {
        searches,
        ..Measured::default()
    };
    for search in 0..searches {
        let Some((runs, firsts)) = find(&mut stage, &profile, search * RUNS, RUNS)? else {
            continue;
        };
        measured.runs.push(runs);
        for first in firsts {
            if measured.runs.len() > SHRUNK {
                measured.violated.insert(first.invariant);
                continue;
            }
            let small = smallest(&mut stage, &first)?;
            measured.violated.insert(first.invariant);
            measured.smallest = measured
                .smallest
                .map_or(Some(small), |best| Some(best.min(small)));
        }
    }
    measured.runs.sort_unstable();
    Ok(measured)
}

/// The world with the bug in it. An error if the quiet run already shows it.
fn stage(bug: &Planted) -> Result<(Stage, Rc<Profile>), String> {
    let mut stage = Stage::new(StoreWorld::defective(bug.defect))?;
    let quiet = stage.run(&mut || Box::<Quiet>::default())?;
    match (quiet.violated(), &quiet.internal) {
        (violated, None) if violated.is_empty() => Ok((stage, Rc::new(quiet.profile))),
        (violated, internal) => Err(format!("the quiet run meets it: {violated:?} {internal:?}")),
    }
}

/// Runs until the first violation, and what that run violated. A run whose history is too tangled to be judged finds nothing.
fn find(
    stage: &mut Stage,
    profile: &Rc<Profile>,
    from: u64,
    runs: u64,
) -> Result<Option<(u64, Vec<First>)>, String> {
    for (seed, n) in (from..).zip(1..=runs) {
        let swept = sweep(stage, profile, seed..seed + 1, &mut || false)?;
        if let Some(words) = swept.internal {
            return Err(words);
        }
        if !swept.firsts.is_empty() {
            return Ok(Some((n, swept.firsts.into_values().collect())));
        }
    }
    Ok(None)
}

/// Faults that no strategy strikes: a role draws them. What its worker, its sender, the provider or the platform does there is
/// no choice of anybody's.
const MISHAPS: &[&str] = &[
    "how often it renews",
    "heard the answer",
    "stands still",
    "stands still before it sends",
    "provider fails",
    "native session is lost",
    "lock is released",
    "written down",
    "platform refuses",
    "platform is down",
];

/// Schema drift, a restore, a second file, an edit by hand.
fn is_struck_by_role(event: &Event) -> bool {
    let by_roles = [
        Fault::SchemaDrift,
        Fault::BackupRestore,
        Fault::SecondDatabase,
        Fault::HandEdit,
    ];
    event.kind == Kind::Fault
        && matches!(&event.arg, Arg::Text(text) if by_roles.iter().any(|fault| text.starts_with(&fault.to_string())))
}

fn smallest(stage: &mut Stage, first: &First) -> Result<Smallest, String> {
    let reduced = reduce(stage, first, shrink::BUDGET, &mut || false)?;
    match reduced.two_traces {
        Some(words) => Err(words),
        None => Ok(counted(&reduced.ran)),
    }
}

fn counted(ran: &Ran) -> Smallest {
    let all = || ran.decisions.0.values();
    let switches = all()
        .filter(|deviation| matches!(deviation, Deviation::Switch(_)))
        .count();
    let choices = all()
        .filter(|deviation| matches!(deviation, Deviation::Pick(_) | Deviation::Take(_)))
        .count();
    let mishaps: BTreeSet<(&str, &str)> = ran
        .decisions
        .0
        .keys()
        .filter(|point| MISHAPS.contains(&point.site.as_str()))
        .map(|point| (point.cause.as_str(), point.site.as_str()))
        .collect();
    let by_roles = ran
        .trace
        .events
        .iter()
        .filter(|event| is_struck_by_role(event));
    Smallest {
        struck: all().count() - choices + mishaps.len() + by_roles.count(),
        switches,
        choices,
        events: shrink::events(&ran.trace),
    }
}
