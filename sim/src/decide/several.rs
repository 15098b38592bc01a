//! A few deviations from the quiet run at once, and chance where they lead.

use std::rc::Rc;

use super::spread::{aim, spread};
use super::survey::Single;
use super::{Act, At, Candidate, Profile, Seeded, Strategy, View, stream};
use crate::case::Deviation;
use crate::fault::Fault;
use crate::label::{below, mix};

/// One or a few of the single deviations, drawn so that each kind of deviation is equally likely, and of it each site, whatever
/// there is many of. What the quiet run never passes, such as a second attempt, is left to chance.
#[derive(Debug)]
pub struct Several {
    run: u64,
    profile: Rc<Profile>,
    chosen: Vec<Single>,
    beyond: Seeded,
    scratch: Vec<Candidate>,
}

impl Several {
    /// Decisions of the run with this hash.
    pub fn new(run: u64, profile: Rc<Profile>) -> Self {
        let how_many = 1 + (mix(run, stream::HOW_MANY).leading_zeros() as usize).min(MOST - 1);
        let chosen = (0..how_many as u64)
            .filter_map(|n| choose(mix(run, stream::CHOSEN + n), &profile))
            .collect();
        Self {
            run,
            beyond: Seeded::new(run, &profile),
            profile,
            chosen,
            scratch: Vec::new(),
        }
    }

    /// The deviation as it was possible in the quiet run, or of another size; towards somebody else if that one cannot go on.
    fn vary(&mut self, act: Act, at: &At, view: &dyn View) -> Option<Act> {
        let bits = mix(self.run, at.key);
        match act {
            Act::Switch(to) => {
                self.scratch.clear();
                view.ready(&mut self.scratch);
                self.scratch.retain(|candidate| !candidate.current);
                let ready = self.scratch.iter().any(|candidate| candidate.cause == to);
                let other = self
                    .scratch
                    .get(below(bits, self.scratch.len() as u64) as usize);
                let to = if ready {
                    Some(to)
                } else {
                    other.map(|other| other.cause)
                };
                to.map(Act::Switch)
            }
            Act::Do(deviation) => Some(Act::Do(self.sized(deviation, bits, view))),
        }
    }

    fn sized(&self, deviation: Deviation, bits: u64, view: &dyn View) -> Deviation {
        if matches!(deviation, Deviation::Pick(_) | Deviation::CrashAgain(_)) {
            return deviation;
        }
        let Some(most) = deviation.amount().filter(|amount| *amount != 0) else {
            return deviation;
        };
        let longest = most.unsigned_abs();
        let size = match mix(bits, stream::RESIZE) & 3 {
            0 => spread(bits, longest),
            1 => aim(bits, longest, &self.profile, view).unwrap_or(longest),
            _ => longest,
        };
        let size = i64::try_from(size.clamp(1, longest)).unwrap_or(i64::MAX);
        deviation.with_amount(size * most.signum())
    }
}

/// Most deviations at once.
const MOST: usize = 6;

/// Any class; between steps rather than inside SQLite; any site, and of what it has to offer either the first or any.
pub(super) fn choose(bits: u64, profile: &Profile) -> Option<Single> {
    let [between, inside] = any(mix(bits, stream::CLASS), &profile.survey.classes)?;
    let groups =
        match inside.is_empty() || (mix(bits, stream::DEPTH) & 7 != 0 && !between.is_empty()) {
            true => between,
            false => inside,
        };
    let group = any(mix(bits, stream::SITE), groups)?;
    let at = match mix(bits, stream::FIRST) & 1 {
        0 => group.first(),
        _ => any(mix(bits, stream::PASSAGE), group),
    };
    at.map(|at| profile.survey.singles[*at as usize].clone())
}

fn any<T>(bits: u64, of: &[T]) -> Option<&T> {
    of.get(below(bits, of.len() as u64) as usize)
}

/// Whether the world still allows what deviates, here.
pub(super) fn is_allowed(act: &Act, at: &At, view: &dyn View) -> bool {
    let fault = match act {
        Act::Switch(_) => None,
        Act::Do(deviation) => fault_of(deviation),
    };
    fault.is_none_or(|fault| view.allows(fault, at.kind).is_some())
}

/// The kind of fault that a deviation strikes, each as often as the world allows.
pub(super) const fn fault_of(deviation: &Deviation) -> Option<Fault> {
    Some(match deviation {
        Deviation::Crash => Fault::Crash,
        Deviation::CrashAgain(_) => Fault::CrashAgain,
        Deviation::Stop => Fault::GracefulStop,
        Deviation::StoreError => Fault::StoreError,
        Deviation::DiskFull(_) => Fault::DiskFull,
        Deviation::Pause(_) => Fault::Pause,
        Deviation::Jump(_) => Fault::ClockJump,
        Deviation::Offset(_) => Fault::ClockOffset,
        Deviation::Drift(_) => Fault::ClockDrift,
        Deviation::Zone(_) => Fault::ClockZone,
        Deviation::LostWakeup => Fault::LostWakeup,
        Deviation::LostRequest => Fault::LostRequest,
        Deviation::LostReply => Fault::LostReply,
        Deviation::HalfOpen => Fault::HalfOpen,
        Deviation::Partition(_) => Fault::Partition,
        Deviation::Duplicate(_) => Fault::Duplicate,
        Deviation::Late(_) => Fault::Late,
        Deviation::Switch(_) | Deviation::Take(_) | Deviation::Pick(_) => return None,
    })
}

impl Strategy for Several {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let Some(chosen) = self.chosen.iter().find(|single| single.key == at.key) else {
            return match self.profile.survey.knows(at.key) {
                true => None,
                false => self.beyond.decide(at, view),
            };
        };
        let act = chosen.act.clone();
        match is_allowed(&act, at, view) {
            true => self.vary(act, at, view),
            false => None,
        }
    }
}
