//! Strategies: who goes on, what strikes, how long things take.
//!
//! A strategy knows labels, what is enabled and how far each cause has come. It never sees the database.
//! One strategy is one file; adding one is adding a file and a line in [`Choice`].

#[cfg(test)]
mod anything;
mod beyond;
mod choice;
mod horizon;
mod moved;
mod mutant;
pub(crate) mod pick;
mod preemptions;
mod prefix;
mod priorities;
mod quiet;
mod remaining;
mod replay;
mod seeded;
mod several;
mod single;
mod spread;
mod stream;
mod survey;
mod swarm;

use std::collections::BTreeMap;

pub use beyond::Beyond;
pub use choice::{Choice, Draw};
pub use horizon::{Horizon, Passed, Tail};
pub use moved::{Chance, Log, Moved, Near, Placed};
pub use mutant::Mutant;
pub use preemptions::Preemptions;
pub use prefix::Prefix;
pub use priorities::Priorities;
pub use quiet::Quiet;
pub use remaining::Remaining;
pub use replay::Replay;
pub use seeded::Seeded;
pub use several::Several;
pub use single::OneDeviation;
pub use survey::{Single, Survey};

use crate::access::Touched;
use crate::case::Deviation;
use crate::fault::Fault;
use crate::label::{Label, mix};

/// What kind of decision a point offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A step of a flow or role: switch, crash, stop, pause, clock jump, or it takes its time.
    Step,
    /// Inside SQLite, at a lock or barrier: switch, crash, pause, clock jump.
    Disk,
    /// Inside SQLite, at a sync: the same, a failure, a full disk.
    DiskSync,
    /// Inside SQLite, at a read or write: crash, failure, full disk.
    DiskData,
    /// The running actor waits or has ended: another one than the oldest may go on.
    Wait,
    /// A request leaves: lost, told or not, duplicated or late; or the way is parted.
    Send,
    /// A call to somebody outside leaves: the same, except that nothing doubles it.
    Call,
    /// An answer leaves: lost, told or not; or the way is parted.
    Reply,
    /// A duration between two bounds.
    Amount(u64, u64),
    /// A choice out of `0..n`.
    Pick(u64),
    /// A process's clock starts: off, fast or slow, or in its zone's time.
    Clock,
    /// A process has started again: it may crash once more.
    Restart,
    /// Somebody is woken: or nobody hears it.
    Wake,
    /// A role may strike this fault now: 1 says that it should.
    May(Fault),
}

/// A point where a decision is made.
#[derive(Debug)]
pub struct At {
    /// Hash of the cause being handled, the site, and how often this cause has passed it so far.
    pub key: u64,
    /// Hash of the cause.
    pub cause: u64,
    /// Hash of the site.
    pub site: u64,
    /// What can be decided.
    pub kind: Kind,
}

/// An actor that could run now.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Hash of its cause.
    pub cause: u64,
    /// Gates that it has passed.
    pub passed: u32,
    /// It is the one that stands at this point.
    pub current: bool,
}

/// What a strategy may ask about the world.
pub trait View {
    /// Writes the actors that could run now, oldest first.
    fn ready(&self, into: &mut Vec<Candidate>);
    /// The largest amount of a fault that may strike now at a point of this kind, or none if it may not.
    fn allows(&self, fault: Fault, kind: Kind) -> Option<u64>;
    /// Virtual time, milliseconds.
    fn now_ms(&self) -> u64;
    /// The last position of the trace so far.
    fn position(&self) -> u64 {
        0
    }
    /// When the next timer of anybody runs out, in milliseconds of virtual time, if one is still to come.
    fn next_timer_ms(&self) -> Option<u64>;
    /// How many milliseconds a step may take by itself; 0 if steps take no time.
    fn slowest_ms(&self) -> u64;
    /// What actors have touched since this was last asked, each with its cause (hash), if the run keeps its state.
    fn touched(&self) -> Touched {
        Vec::new()
    }
    /// Writes the causes of all actors that have begun and have not ended.
    fn live(&self, _into: &mut Vec<u64>) {}
    /// Writes the causes of those who wait for an answer, and for nothing else.
    fn awaiting(&self, _into: &mut Vec<u64>) {}
    /// The state of the run: where it is the same, everything that can happen is the same. `None` where it cannot be told.
    fn state(&self) -> Option<u128>;
}

/// A decision that is not the quiet one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Go on with the actor of this cause (its hash).
    Switch(u64),
    /// Anything else.
    Do(Deviation),
}

impl From<&Deviation> for Act {
    fn from(deviation: &Deviation) -> Self {
        match deviation {
            Deviation::Switch(to) => Self::Switch(Label::new(to).hash()),
            other => Self::Do(other.clone()),
        }
    }
}

/// Makes decisions. `None` is the quiet one.
pub trait Strategy {
    /// Decides at a point. Called once for each passage of a point.
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act>;
    /// Told whether a decision could be carried out.
    fn carried_out(&mut self, _key: u64, _done: bool) {}
    /// Whether nobody wants to know how the run goes on.
    fn is_over(&self) -> bool {
        false
    }
    /// What was passed and could have deviated, for the strategy of the quiet run.
    fn survey(&mut self) -> Survey {
        Survey::default()
    }
    /// Deviations used, blocked and absent, for a strategy that replays.
    fn counts(&self) -> Counts {
        Counts::default()
    }
}

/// What became of the deviations of a replayed case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Carried out.
    pub used: usize,
    /// The point was reached, the decision was impossible there.
    pub blocked: usize,
    /// The point was never reached.
    pub absent: usize,
}

/// What the quiet run of a program looked like: the yardstick of the random strategies.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Gates that each cause (by hash) passed.
    pub gates: BTreeMap<u64, u32>,
    /// Points by kind: step, disk, disk data, wait, send, reply, amount, pick, clock, restart, wake, may, call.
    pub points: [u64; Profile::KINDS],
    /// Kinds of faults that the world allows, in the order of [`Fault::ALL`].
    pub kinds: Vec<Fault>,
    /// Its sites, and each single deviation from it.
    pub survey: Survey,
}

impl Profile {
    /// Kinds of points.
    pub const KINDS: usize = 13;

    /// Points of the quiet run at which somebody else could go on; at least one.
    pub(crate) fn places_to_switch(&self, inside: bool) -> u64 {
        let between = self.points[Self::slot(Kind::Step)] + self.points[Self::slot(Kind::Wait)];
        let inside = u64::from(inside) * self.points[Self::slot(Kind::Disk)];
        (between + inside).max(1)
    }

    /// Index of a kind in `points`.
    pub fn slot(kind: Kind) -> usize {
        match kind {
            Kind::Step => 0,
            Kind::Disk | Kind::DiskSync => 1,
            Kind::DiskData => 2,
            Kind::Wait => 3,
            Kind::Send => 4,
            Kind::Reply => 5,
            Kind::Amount(..) => 6,
            Kind::Pick(_) => 7,
            Kind::Clock => 8,
            Kind::Restart => 9,
            Kind::Wake => 10,
            Kind::May(_) => 11,
            Kind::Call => 12,
        }
    }
}

/// Hash of a run: what `Seeded` and `Remaining` decide by. Depends on the seed and the run's index only.
pub fn run_hash(seed: u64, run: u64) -> u64 {
    mix(mix(0x6c6f_636b_7374_6570, seed), run)
}
