//! Planted bugs of the default world, and changes of that world which cure nothing.
//!
//! What is in the world itself cannot be written anew here: there the case is changed instead, into the one that an older world would have
//! left, with other names, passages and times.

use std::collections::BTreeMap;
use std::rc::Rc;

use lockstep_sim::case::{Decisions, Deviation, Point};
use lockstep_sim::catalogue::Planted;
use lockstep_sim::decide::Quiet;
use lockstep_sim::fault::Budget;
use lockstep_sim::label::Label;
use lockstep_sim::run::{Ctx, Db, Handle, Kernel, Limits, SimClock, Stage, World};
use lockstep_sim::search::{Kept, reduce, retry, sweep};
use lockstep_sim::shrink::{BUDGET, Target};
use lockstep_sim::world::StoreWorld;

use super::measure::Fate;

/// A planted bug, and a case of it.
pub(crate) struct Known {
    pub(crate) bug: &'static Planted,
    pub(crate) decisions: Decisions,
    pub(crate) target: Target,
}

/// The first case of a bug that a sweep of so many runs finds, made small.
pub(crate) fn known(bug: &'static Planted, runs: u64) -> Option<Known> {
    let mut stage = Stage::new(StoreWorld::defective(bug.defect)).expect("the stage is set");
    let quiet = stage.run(&mut || Box::<Quiet>::default()).expect("a run");
    let profile = Rc::new(quiet.profile);
    let first = (0..runs).find_map(|seed| {
        let swept = sweep(&mut stage, &profile, seed..seed + 1, &mut || false);
        swept.expect("a run").firsts.into_values().next()
    })?;
    let small = reduce(&mut stage, &first, BUDGET, &mut || false).expect("a case");
    let (invariant, key) = (first.invariant, first.key);
    Some(Known {
        bug,
        decisions: small.ran.decisions,
        target: Target { invariant, key },
    })
}

/// What is changed.
pub(crate) enum Change {
    /// Something of the world.
    World(fn(&mut Changed)),
    /// The case, which an older world has left; `None` where that is the same.
    Case(fn(&Decisions) -> Option<Decisions>),
}

/// All of them, by name.
pub(crate) const CHANGES: [(&str, Change); 20] = [
    (
        "an actor more, before all others",
        Change::World(|it| it.before = true),
    ),
    (
        "an actor more, behind all others",
        Change::World(|it| it.behind = true),
    ),
    (
        "two actors more",
        Change::World(|it| (it.before, it.behind) = (true, true)),
    ),
    ("each fault once more", Change::World(|it| it.strikes = 1)),
    (
        "each fault twice as long",
        Change::World(|it| it.times_as_long = 2),
    ),
    (
        "steps that may take longer",
        Change::World(|it| it.slower_ms = 1_000),
    ),
    (
        "more time for everything",
        Change::World(|it| it.longer_us = 3_600_000_000),
    ),
    (
        "another day",
        Change::World(|it| it.later_ms = 26 * 3_600_000),
    ),
    (
        "a table more",
        Change::World(|it| it.sql = "CREATE TABLE more (n INTEGER)"),
    ),
    (
        "an index more",
        Change::World(|it| it.sql = "CREATE INDEX more ON task (state)"),
    ),
    (
        "all steps renamed",
        Change::Case(|case| sites(case, usize::MAX)),
    ),
    ("one step renamed", Change::Case(|case| sites(case, 1))),
    (
        "all actors renamed",
        Change::Case(|case| causes(case, usize::MAX)),
    ),
    ("one actor renamed", Change::Case(|case| causes(case, 1))),
    ("passages more", Change::Case(|case| passages(case, -1))),
    ("passages fewer", Change::Case(|case| passages(case, 1))),
    ("a step fewer", Change::Case(one_more)),
    (
        "longer defaults",
        Change::Case(|case| amounts(case, |ms| ms - ms / 10)),
    ),
    (
        "shorter defaults",
        Change::Case(|case| amounts(case, |ms| ms + ms / 10)),
    ),
    ("a choice more", Change::Case(choices)),
];

/// What becomes of a case under a change; `None` where there is nothing to change.
pub(crate) fn fate(known: &Known, change: &Change) -> Option<Fate> {
    let mut world = Changed::new(StoreWorld::defective(known.bug.defect));
    let mut decisions = known.decisions.clone();
    match change {
        Change::World(change) => change(&mut world),
        Change::Case(change) => decisions = change(&decisions)?,
    }
    let name = known.bug.defect.name;
    let mut stage = Stage::new(Rc::new(world)).unwrap_or_else(|why| panic!("{name}: {why}"));
    let kept = retry(&mut stage, &decisions, &known.target, &mut || false);
    Some(match kept.unwrap_or_else(|why| panic!("{name}: {why:?}")) {
        Kept::StillFails => Fate::AsItWas,
        Kept::FailsNearby { .. } => Fate::Nearby,
        Kept::Drifted { .. } => Fate::Drifted,
        Kept::Fixed => Fate::Fixed,
    })
}

/// The default world with something else beside it.
pub(crate) struct Changed {
    world: Rc<StoreWorld>,
    before: bool,
    behind: bool,
    strikes: u32,
    times_as_long: u64,
    slower_ms: u64,
    longer_us: u64,
    later_ms: i64,
    sql: &'static str,
}

impl Changed {
    const fn new(world: Rc<StoreWorld>) -> Self {
        Self {
            world,
            before: false,
            behind: false,
            strikes: 0,
            times_as_long: 1,
            slower_ms: 0,
            longer_us: 0,
            later_ms: 0,
            sql: "",
        }
    }
}

impl World for Changed {
    fn start_ms(&self) -> i64 {
        self.world.start_ms() + self.later_ms
    }

    fn open(&self, connection: rusqlite::Connection, clock: SimClock) -> Result<Db, String> {
        self.world.open(connection, clock)
    }

    fn set_up(&self, handle: &mut Handle) -> Result<(), String> {
        self.world.set_up(handle)?;
        let done = handle.connection().execute_batch(self.sql);
        done.map_err(|error| error.to_string())
    }

    fn build(&self, kernel: &Kernel) {
        let passer_by = |name| kernel.spawn(Label::new(name), None, false, passes_by);
        if self.before {
            passer_by("early");
        }
        self.world.build(kernel);
        if self.behind {
            passer_by("late");
        }
    }

    fn settled(&self, kernel: &Kernel) -> bool {
        self.world.settled(kernel)
    }

    fn budget(&self) -> Budget {
        let mut budget = self.world.budget();
        let on = budget.strikes.iter_mut().filter(|strikes| **strikes > 0);
        on.for_each(|strikes| *strikes += self.strikes);
        budget
            .longest
            .iter_mut()
            .for_each(|longest| *longest *= self.times_as_long);
        budget
    }

    fn limits(&self) -> Limits {
        let limits = self.world.limits();
        Limits {
            slowest_step_ms: limits.slowest_step_ms + self.slower_ms,
            faults_us: limits.faults_us + self.longer_us,
            heal_us: limits.heal_us + self.longer_us,
            ..limits
        }
    }

    fn rules(&self) -> lockstep_sim::check::Rules {
        self.world.rules()
    }

    fn judge(&self, kernel: &Kernel) {
        self.world.judge(kernel);
    }
}

/// It comes through a few gates, waits, and decides something that makes no difference.
fn passes_by(ctx: &Ctx) {
    let (step, choice) = (Label::fixed("passes by"), Label::fixed("which way"));
    for _ in 0..3 {
        ctx.gate(&step);
        ctx.pick(&choice, 3);
        ctx.sleep(&step, 1_000);
    }
}

fn mapped(
    case: &Decisions,
    change: &mut dyn FnMut(&mut Point, &mut Deviation),
) -> Option<Decisions> {
    let changed = case.0.iter().map(|(point, deviation)| {
        let (mut point, mut deviation) = (point.clone(), deviation.clone());
        change(&mut point, &mut deviation);
        (point, deviation)
    });
    let changed = Decisions(changed.collect());
    (changed != *case).then_some(changed)
}

/// So many sites between steps had other names.
fn sites(case: &Decisions, most: usize) -> Option<Decisions> {
    let mut renamed: Vec<String> = Vec::new();
    mapped(case, &mut |point, _| {
        let known = renamed.contains(&point.site);
        if !point.is_inside_sqlite() && (known || renamed.len() < most) {
            renamed.push(point.site.clone());
            point.site.push_str(" of old");
        }
    })
}

/// So many actors had other names.
fn causes(case: &Decisions, most: usize) -> Option<Decisions> {
    let mut renamed: BTreeMap<String, ()> = BTreeMap::new();
    let mut rename = |cause: &mut String| {
        if renamed.contains_key(cause) || renamed.len() < most {
            renamed.insert(cause.clone(), ());
            *cause = format!("old {cause}");
        }
    };
    mapped(case, &mut |point, deviation| {
        rename(&mut point.cause);
        if let Deviation::Switch(to) = deviation {
            rename(to);
        }
    })
}

/// Sites were passed less or more often before.
fn passages(case: &Decisions, by: i32) -> Option<Decisions> {
    mapped(case, &mut |point, _| {
        point.occurrence = point.occurrence.saturating_add_signed(by).max(1);
    })
}

/// A step that is gone has deviated, too.
fn one_more(case: &Decisions) -> Option<Decisions> {
    let mut changed = case.clone();
    let point = Point {
        cause: case.0.keys().next()?.cause.clone(),
        site: "what is gone".to_owned(),
        occurrence: 1,
    };
    changed.0.insert(point, Deviation::Take(1_000));
    Some(changed)
}

fn amounts(case: &Decisions, other: fn(i64) -> i64) -> Option<Decisions> {
    mapped(case, &mut |_, deviation| {
        if let Some(ms) = deviation
            .amount()
            .filter(|ms| !is_number(deviation) && ms.abs() >= 10)
        {
            *deviation = deviation.with_amount(other(ms));
        }
    })
}

const fn is_number(deviation: &Deviation) -> bool {
    matches!(
        deviation,
        Deviation::Pick(_) | Deviation::CrashAgain(_) | Deviation::Zone(_)
    )
}

/// There is one choice less before the one that was made.
fn choices(case: &Decisions) -> Option<Decisions> {
    mapped(case, &mut |_, deviation| {
        if let Deviation::Pick(n) = deviation {
            *n += 1;
        }
    })
}
