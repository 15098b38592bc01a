//! The strategies of a search, by name.

use std::fmt;
use std::rc::Rc;

use super::{
    Mutant, OneDeviation, Preemptions, Priorities, Profile, Quiet, Remaining, Seeded, Several,
    Single, Strategy, run_hash,
};

/// A random strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// Each single deviation from the quiet run in turn, then a few at once ([`Several`]).
    Deviations,
    /// Switches and faults at random points ([`Seeded`]).
    Random,
    /// Actors weigh as much as they still have to do ([`Remaining`]).
    Remaining,
    /// Actors have priorities, and a few times somebody falls ([`Priorities`]).
    Priorities,
    /// A few preemptions ([`Preemptions`]).
    Preemptions,
    /// What a run that showed something new did, and a little else ([`Mutant`]).
    Feedback,
}

impl Choice {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Deviations,
        Self::Random,
        Self::Remaining,
        Self::Priorities,
        Self::Preemptions,
        Self::Feedback,
    ];

    /// Its name in tables; the field's, where it has one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deviations => "deviations",
            Self::Random => "random",
            Self::Remaining => "urw",
            Self::Priorities => "pct",
            Self::Preemptions => "preemptions",
            Self::Feedback => "feedback",
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What one run is to do. The same draw makes the same run.
#[derive(Debug, Clone)]
pub enum Draw {
    /// Nothing deviates.
    Quiet,
    /// One deviation.
    One(Single),
    /// What a strategy makes of the hash of a run. Without a parent, feedback is random.
    By(Choice, u64),
    /// A mutant of another run.
    Mutant(u64, Rc<[Single]>),
}

impl Draw {
    /// One of many runs that differ much: the n-th, each strategy in turn.
    pub fn nth(n: u64) -> Self {
        let choice = IN_TURN[n as usize % IN_TURN.len()];
        Self::By(choice, run_hash(0, n))
    }

    /// Makes its decisions.
    pub fn strategy(&self, profile: &Rc<Profile>) -> Box<dyn Strategy> {
        match self {
            Self::Quiet => Box::<Quiet>::default(),
            Self::One(single) => Box::new(OneDeviation::new(single.clone())),
            Self::By(Choice::Deviations, run) => Box::new(Several::new(*run, Rc::clone(profile))),
            Self::By(Choice::Random | Choice::Feedback, run) => {
                Box::new(Seeded::new(*run, profile))
            }
            Self::By(Choice::Remaining, run) => Box::new(Remaining::new(*run, Rc::clone(profile))),
            Self::By(Choice::Priorities, run) => Box::new(Priorities::new(*run, profile)),
            Self::By(Choice::Preemptions, run) => Box::new(Preemptions::new(*run, profile)),
            Self::Mutant(run, parent) => Box::new(Mutant::new(*run, parent, profile)),
        }
    }
}

/// Strategies that need no other run.
const IN_TURN: [Choice; 5] = [
    Choice::Deviations,
    Choice::Random,
    Choice::Remaining,
    Choice::Priorities,
    Choice::Preemptions,
];
