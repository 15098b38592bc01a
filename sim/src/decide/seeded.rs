//! Seeded random decisions: each is a hash of the run and the point's label.

use std::rc::Rc;

use super::spread::{aim, dawdling, duration, signed, spread};
use super::swarm::Swarm;
use super::{Act, At, Candidate, Kind, Profile, Strategy, View, stream};
use crate::case::Deviation;
use crate::fault::Fault;
use crate::label::{below, mix};

/// Random switches, faults and durations.
///
/// What kinds of harm are on (a [`Swarm`]), and how often actors switch, is drawn once for the run, so that runs differ in
/// character and not only in detail. Rates are relative to the quiet run: a kind that is on strikes about once or twice. Half
/// of its strikes are spread over all points, the other half over all sites: where a loop looks a thousand times for what
/// happens once, chance would hardly ever strike what happens.
#[derive(Debug)]
pub struct Seeded {
    run: u64,
    profile: Rc<Profile>,
    switches: Switches,
    /// How often each kind of fault strikes; 0 is off.
    times: [u64; Fault::COUNT],
    stretch: u64,
    explore: u64,
    /// How often a step takes its time.
    dawdles: u64,
    scratch: Vec<Candidate>,
}

/// How often actors switch.
#[derive(Debug, Clone, Copy)]
enum Switches {
    /// So often at steps, so often inside SQLite, and once more while somebody waits.
    Times(u64),
    /// At every fourth point, and whenever somebody waits.
    Everywhere,
    /// Another strategy does it.
    Never,
}

impl Seeded {
    /// Decisions of the run with this hash.
    pub fn new(run: u64, profile: &Rc<Profile>) -> Self {
        let swarm = Swarm::draw(run, &profile.kinds);
        Self {
            run,
            profile: Rc::clone(profile),
            switches: match draw(run, stream::SWITCHES, 6) {
                5 => Switches::Everywhere,
                density => Switches::Times([0, 1, 2, 4, 8][density as usize]),
            },
            times: Fault::ALL.map(|fault| match swarm.has(fault) {
                true => 1 + (Swarm::bits(run, fault) >> 1 & 1),
                false => 0,
            }),
            stretch: [0, u64::MAX / 4, u64::MAX / 2][draw(run, stream::STRETCH, 3) as usize],
            explore: u64::MAX / 4 * (1 + draw(run, stream::EXPLORE, 3)),
            dawdles: draw(run, stream::DAWDLES, 3),
            scratch: Vec::new(),
        }
    }

    /// The same without switches, for a strategy that has its own.
    pub fn without_switches(run: u64, profile: &Rc<Profile>) -> Self {
        Self {
            switches: Switches::Never,
            ..Self::new(run, profile)
        }
    }

    /// A threshold for a point at which something happens so often in a run.
    fn rate(&self, at: &At, times: u64) -> u64 {
        let points = self.profile.points[Profile::slot(at.kind)].max(2);
        let (sites, passed) = self.profile.survey.passages(at.kind, at.site);
        let by_point = u64::MAX / points / 2;
        let by_site = u64::MAX / sites.saturating_mul(passed).max(2) / 2;
        (by_point + by_site).saturating_mul(times)
    }

    fn switches(&self, at: &At, bits: u64) -> bool {
        let waits = at.kind == Kind::Wait;
        match self.switches {
            Switches::Times(times) => {
                bits < self.rate(at, times + u64::from(waits)) / if waits { 1 } else { 2 }
            }
            Switches::Everywhere => waits || bits < u64::MAX / 4,
            Switches::Never => false,
        }
    }

    fn switch(&mut self, at: &At, bits: u64, view: &dyn View) -> Option<Act> {
        if !self.switches(at, bits) {
            return None;
        }
        let bits = mix(bits, stream::SWITCH_TO);
        self.scratch.clear();
        view.ready(&mut self.scratch);
        self.scratch.retain(|candidate| !candidate.current);
        let n = self.scratch.len() as u64;
        (n > 0).then(|| Act::Switch(self.scratch[below(bits, n) as usize].cause))
    }

    /// Whether a kind of fault strikes here; its largest amount.
    fn strikes(&self, fault: Fault, at: &At, bits: u64, view: &dyn View) -> Option<u64> {
        let times = self.times[fault as usize];
        if times == 0 {
            return None;
        }
        (mix(bits, stream::STRIKE + fault as u64) < self.rate(at, times) / share(fault, at.kind))
            .then(|| view.allows(fault, at.kind))
            .flatten()
    }

    /// How long a fault lasts: of any magnitude, or until something happens.
    fn lasts(&self, bits: u64, longest: u64, view: &dyn View) -> u64 {
        let aimed = match mix(bits, stream::AIMS) & 3 {
            0 => aim(mix(bits, stream::AIM), longest, &self.profile, view),
            _ => None,
        };
        let lasts = aimed.unwrap_or_else(|| spread(bits, longest));
        lasts.clamp(1, longest.max(1))
    }

    fn gate(&mut self, at: &At, bits: u64, view: &dyn View) -> Option<Act> {
        if self.strikes(Fault::Crash, at, bits, view).is_some() {
            return Some(Act::Do(Deviation::Crash));
        }
        if matches!(at.kind, Kind::DiskData | Kind::DiskSync)
            && let Some(deviation) = self.file(at, bits, view)
        {
            return Some(Act::Do(deviation));
        }
        if at.kind == Kind::DiskData {
            return None;
        }
        if let Some(longest) = self.strikes(Fault::Pause, at, bits, view) {
            return Some(Act::Do(Deviation::Pause(self.lasts(bits, longest, view))));
        }
        if let Some(longest) = self.strikes(Fault::ClockJump, at, bits, view) {
            return Some(Act::Do(Deviation::Jump(signed(bits, longest))));
        }
        if at.kind == Kind::Step && self.strikes(Fault::GracefulStop, at, bits, view).is_some() {
            return Some(Act::Do(Deviation::Stop));
        }
        self.dawdle(at, bits, view)
            .or_else(|| self.switch(at, bits, view))
    }

    /// A step takes so long that what is due next comes before it.
    fn dawdle(&self, at: &At, bits: u64, view: &dyn View) -> Option<Act> {
        if at.kind != Kind::Step || mix(bits, stream::DAWDLE) >= self.rate(at, self.dawdles) {
            return None;
        }
        dawdling(view).map(Act::Do)
    }

    fn file(&self, at: &At, bits: u64, view: &dyn View) -> Option<Deviation> {
        if self.strikes(Fault::StoreError, at, bits, view).is_some() {
            return Some(Deviation::StoreError);
        }
        let longest = self.strikes(Fault::DiskFull, at, bits, view)?;
        Some(Deviation::DiskFull(spread(bits, longest)))
    }

    fn message(&self, at: &At, bits: u64, view: &dyn View) -> Option<Act> {
        if self.strikes(Fault::LostRequest, at, bits, view).is_some() {
            return Some(Act::Do(Deviation::LostRequest));
        }
        if at.kind == Kind::Send
            && let Some(longest) = self.strikes(Fault::Duplicate, at, bits, view)
        {
            return Some(Act::Do(Deviation::Duplicate(
                self.lasts(bits, longest, view),
            )));
        }
        if let Some(longest) = self.strikes(Fault::Late, at, bits, view) {
            return Some(Act::Do(Deviation::Late(self.lasts(bits, longest, view))));
        }
        self.vanishes(at, bits, view)
    }

    fn reply(&self, at: &At, bits: u64, view: &dyn View) -> Option<Act> {
        if self.strikes(Fault::LostReply, at, bits, view).is_some() {
            return Some(Act::Do(Deviation::LostReply));
        }
        self.vanishes(at, bits, view)
    }

    /// A message goes, and nobody is told.
    fn vanishes(&self, at: &At, bits: u64, view: &dyn View) -> Option<Act> {
        if self.strikes(Fault::HalfOpen, at, bits, view).is_some() {
            return Some(Act::Do(Deviation::HalfOpen));
        }
        let longest = self.strikes(Fault::Partition, at, bits, view)?;
        Some(Act::Do(Deviation::Partition(
            self.lasts(bits, longest, view),
        )))
    }

    fn clock(&self, at: &At, bits: u64, view: &dyn View) -> Option<Act> {
        if let Some(longest) = self.strikes(Fault::ClockOffset, at, bits, view) {
            return Some(Act::Do(Deviation::Offset(signed(bits, longest))));
        }
        if let Some(most) = self.strikes(Fault::ClockDrift, at, bits, view) {
            let ppm = 1 + below(mix(bits, stream::PPM), most) as i64;
            let fast = mix(bits, stream::SIGN) & 1 == 0;
            return Some(Act::Do(Deviation::Drift(if fast { ppm } else { -ppm })));
        }
        let most = self.strikes(Fault::ClockZone, at, bits, view)? as i64;
        let hours = below(mix(bits, stream::HOURS), 27) as i64 - 12;
        Some(Act::Do(Deviation::Zone(hours.clamp(-most, most))))
    }

    fn amount(&self, bits: u64, shortest: u64, longest: u64, view: &dyn View) -> Option<Act> {
        if longest <= shortest || bits >= self.stretch {
            return None;
        }
        let chosen = duration(bits, shortest, longest, &self.profile, view);
        Some(Act::Do(Deviation::Take(chosen)))
    }
}

impl Strategy for Seeded {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let bits = mix(self.run, at.key);
        match at.kind {
            Kind::Step | Kind::Disk | Kind::DiskSync | Kind::DiskData => self.gate(at, bits, view),
            Kind::Wait => self.switch(at, bits, view),
            Kind::Send | Kind::Call => self.message(at, bits, view),
            Kind::Reply => self.reply(at, bits, view),
            Kind::Amount(shortest, longest) => self.amount(bits, shortest, longest, view),
            Kind::Pick(n) => {
                let pick = below(mix(bits, stream::PICK), n.max(1));
                (bits < self.explore && pick > 0).then_some(Act::Do(Deviation::Pick(pick)))
            }
            Kind::Clock => self.clock(at, bits, view),
            Kind::Restart => self.strikes(Fault::CrashAgain, at, bits, view).map(|most| {
                Act::Do(Deviation::CrashAgain(
                    1 + below(mix(bits, stream::GATES), most),
                ))
            }),
            // A role that asks has a place for it, so that it is worth doing in most of the runs that have the kind on.
            Kind::May(fault) => (self.times[fault as usize] > 0
                && !mix(bits, stream::MAY).is_multiple_of(4))
            .then_some(Act::Do(Deviation::Pick(1))),
            Kind::Wake => self
                .strikes(Fault::LostWakeup, at, bits, view)
                .map(|_| Act::Do(Deviation::LostWakeup)),
        }
    }
}

/// Draws `0..n` for the whole run.
fn draw(run: u64, stream: u64, n: u64) -> u64 {
    below(mix(run, stream), n)
}

/// A fault that strikes at several kinds of points does so there as often at each. There are far more points inside SQLite than
/// steps, and most bugs do not lie there.
const fn share(fault: Fault, kind: Kind) -> u64 {
    match (fault, kind) {
        (Fault::Crash, Kind::Step) => 2,
        (Fault::Crash, _) => 4,
        (
            Fault::Pause
            | Fault::ClockJump
            | Fault::StoreError
            | Fault::DiskFull
            | Fault::HalfOpen
            | Fault::Partition,
            _,
        ) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::rc::Rc;

    use super::Seeded;
    use crate::decide::anything::{Anything, LONGEST};
    use crate::decide::several::fault_of;
    use crate::decide::{Act, At, Kind, Profile, Strategy};
    use crate::fault::Fault;
    use crate::label::mix;

    /// The amounts of each fault over many runs, with their signs.
    fn amounts() -> BTreeMap<Fault, Vec<i64>> {
        let profile = Rc::new(Profile {
            kinds: Fault::ALL.to_vec(),
            ..Profile::default()
        });
        let mut amounts: BTreeMap<Fault, Vec<i64>> = BTreeMap::new();
        for run in 0..20_000 {
            let mut strategy = Seeded::new(mix(1, run), &profile);
            for (n, kind) in (0..).zip([
                Kind::Step,
                Kind::Send,
                Kind::Reply,
                Kind::Clock,
                Kind::DiskSync,
            ]) {
                let (key, site) = (mix(2, run * 8 + n), n);
                let at = At {
                    key,
                    cause: 0,
                    site,
                    kind,
                };
                let Some(Act::Do(deviation)) = strategy.decide(&at, &Anything) else {
                    continue;
                };
                if let (Some(fault), Some(amount)) = (fault_of(&deviation), deviation.amount()) {
                    amounts.entry(fault).or_default().push(amount);
                }
            }
        }
        amounts
    }

    #[test]
    fn each_fault_that_has_an_amount_comes_in_every_size() {
        let amounts = amounts();
        let longest = LONGEST as i64;
        for fault in [
            Fault::Duplicate,
            Fault::Late,
            Fault::Pause,
            Fault::ClockOffset,
            Fault::ClockJump,
            Fault::Partition,
            Fault::ClockDrift,
            Fault::DiskFull,
        ] {
            let drawn = &amounts[&fault];
            let share = |of: std::ops::RangeInclusive<i64>| {
                let within = drawn.iter().filter(|amount| of.contains(&amount.abs()));
                within.count() as f64 / drawn.len() as f64
            };
            assert!(share(longest / 2..=longest) > 0.02, "{fault} is never long");
            assert!(share(1..=longest / 100) > 0.004, "{fault} is never short");
            let clock = matches!(
                fault,
                Fault::ClockOffset | Fault::ClockJump | Fault::ClockDrift
            );
            let back = drawn.iter().filter(|amount| **amount < 0).count() as f64;
            let share_back = back / drawn.len() as f64;
            assert!(
                !clock || (0.4..0.6).contains(&share_back),
                "{fault}: {share_back} back"
            );
        }
    }
}
