//! Seeded random decisions: each is a hash of the run and the point's label.

use super::swarm::Swarm;
use super::{Act, At, Candidate, Kind, Profile, Strategy, View};
use crate::case::Deviation;
use crate::fault::Fault;
use crate::label::{below, mix};

/// Random switches, faults and durations.
///
/// What kinds of harm are on (a [`Swarm`]), and how often actors switch, is drawn once for the run, so that runs differ in
/// character and not only in detail. Rates are relative to the quiet run: a kind that is on strikes about once or twice.
#[derive(Debug)]
pub struct Seeded {
    run: u64,
    switch: [u64; 3],
    fault: [u64; Fault::COUNT],
    stretch: u64,
    explore: u64,
    scratch: Vec<Candidate>,
}

impl Seeded {
    /// Decisions of the run with this hash.
    pub fn new(run: u64, profile: &Profile) -> Self {
        let gates = profile.points[0] + profile.points[1];
        let density = [0, 1, 2, 4, 8, gates / 4][draw(run, 1, 6) as usize];
        let switch = [
            rate(density, gates),
            rate(density, gates),
            rate(1 + density, profile.points[3].max(2)),
        ];
        let swarm = Swarm::draw(run, &profile.kinds);
        let fault = Fault::ALL.map(|fault| {
            if swarm.has(fault) {
                fault_rate(run, fault, profile)
            } else {
                0
            }
        });
        Self {
            run,
            switch,
            fault,
            stretch: [0, u64::MAX / 4, u64::MAX / 2][draw(run, 2, 3) as usize],
            explore: u64::MAX / 4 * (1 + draw(run, 3, 3)),
            scratch: Vec::new(),
        }
    }

    /// The same without switches, for a strategy that has its own.
    pub fn without_switches(run: u64, profile: &Profile) -> Self {
        Self {
            switch: [0; 3],
            ..Self::new(run, profile)
        }
    }

    fn switch(&mut self, bits: u64, view: &dyn View) -> Option<Act> {
        self.scratch.clear();
        view.ready(&mut self.scratch);
        self.scratch.retain(|candidate| !candidate.current);
        let n = self.scratch.len() as u64;
        (n > 0).then(|| Act::Switch(self.scratch[below(bits, n) as usize].cause))
    }

    fn strikes(&self, fault: Fault, bits: u64, view: &dyn View) -> Option<u64> {
        (mix(bits, fault as u64 + 1) < self.fault[fault as usize])
            .then(|| view.allows(fault))
            .flatten()
    }

    fn gate(&mut self, at: &At, bits: u64, view: &dyn View) -> Option<Act> {
        let crash = self.fault[Fault::Crash as usize];
        if crash > 0 && self.strikes(Fault::Crash, bits, view).is_some() {
            return Some(Act::Do(Deviation::Crash));
        }
        if matches!(at.kind, Kind::DiskData | Kind::DiskSync)
            && let Some(deviation) = self.file(bits, view)
        {
            return Some(Act::Do(deviation));
        }
        if at.kind == Kind::DiskData {
            return None;
        }
        if let Some(longest) = self.strikes(Fault::Pause, bits, view) {
            return Some(Act::Do(Deviation::Pause(spread(bits, longest))));
        }
        if let Some(longest) = self.strikes(Fault::ClockJump, bits, view) {
            return Some(Act::Do(Deviation::Jump(signed(bits, longest))));
        }
        if at.kind == Kind::Step && self.strikes(Fault::GracefulStop, bits, view).is_some() {
            return Some(Act::Do(Deviation::Stop));
        }
        let rate = self.switch[usize::from(at.kind != Kind::Step)];
        if bits < rate {
            self.switch(mix(bits, 99), view)
        } else {
            None
        }
    }

    fn file(&self, bits: u64, view: &dyn View) -> Option<Deviation> {
        if self.strikes(Fault::StoreError, bits, view).is_some() {
            return Some(Deviation::StoreError);
        }
        let longest = self.strikes(Fault::DiskFull, bits, view)?;
        Some(Deviation::DiskFull(spread(bits, longest)))
    }

    fn message(&self, bits: u64, view: &dyn View) -> Option<Act> {
        if self.strikes(Fault::LostRequest, bits, view).is_some() {
            return Some(Act::Do(Deviation::LostRequest));
        }
        if let Some(longest) = self.strikes(Fault::Duplicate, bits, view) {
            return Some(Act::Do(Deviation::Duplicate(spread(bits, longest))));
        }
        if let Some(longest) = self.strikes(Fault::Late, bits, view) {
            return Some(Act::Do(Deviation::Late(spread(bits, longest))));
        }
        self.vanishes(bits, view)
    }

    fn reply(&self, bits: u64, view: &dyn View) -> Option<Act> {
        if self.strikes(Fault::LostReply, bits, view).is_some() {
            return Some(Act::Do(Deviation::LostReply));
        }
        self.vanishes(bits, view)
    }

    /// A message goes, and nobody is told.
    fn vanishes(&self, bits: u64, view: &dyn View) -> Option<Act> {
        if self.strikes(Fault::HalfOpen, bits, view).is_some() {
            return Some(Act::Do(Deviation::HalfOpen));
        }
        let longest = self.strikes(Fault::Partition, bits, view)?;
        Some(Act::Do(Deviation::Partition(spread(bits, longest))))
    }

    fn clock(&self, bits: u64, view: &dyn View) -> Option<Act> {
        if let Some(longest) = self.strikes(Fault::ClockOffset, bits, view) {
            return Some(Act::Do(Deviation::Offset(signed(bits, longest))));
        }
        if let Some(most) = self.strikes(Fault::ClockDrift, bits, view) {
            let ppm = 1 + below(mix(bits, 9), most) as i64;
            let fast = mix(bits, 10) & 1 == 0;
            return Some(Act::Do(Deviation::Drift(if fast { ppm } else { -ppm })));
        }
        let most = self.strikes(Fault::ClockZone, bits, view)? as i64;
        let hours = below(mix(bits, 9), 27) as i64 - 12;
        Some(Act::Do(Deviation::Zone(hours.clamp(-most, most))))
    }

    fn amount(&self, bits: u64, shortest: u64, longest: u64) -> Option<Act> {
        if longest <= shortest || bits >= self.stretch {
            return None;
        }
        let more = below(mix(bits, 5), longest - shortest) + 1;
        let chosen = if mix(bits, 6).is_multiple_of(4) {
            longest
        } else {
            shortest + more
        };
        Some(Act::Do(Deviation::Take(chosen)))
    }
}

impl Strategy for Seeded {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let bits = mix(self.run, at.key);
        match at.kind {
            Kind::Step | Kind::Disk | Kind::DiskSync | Kind::DiskData => self.gate(at, bits, view),
            Kind::Wait => (bits < self.switch[2])
                .then(|| self.switch(mix(bits, 99), view))
                .flatten(),
            Kind::Send => self.message(bits, view),
            Kind::Reply => self.reply(bits, view),
            Kind::Amount(shortest, longest) => self.amount(bits, shortest, longest),
            Kind::Pick(n) => {
                let pick = below(mix(bits, 7), n.max(1));
                (bits < self.explore && pick > 0).then_some(Act::Do(Deviation::Pick(pick)))
            }
            Kind::Clock => self.clock(bits, view),
            Kind::Restart => self
                .strikes(Fault::CrashAgain, bits, view)
                .map(|most| Act::Do(Deviation::CrashAgain(1 + below(mix(bits, 9), most)))),
            // A role that asks has a place for it, so that it is worth doing in most of the runs that have the kind on.
            Kind::May(fault) => (self.fault[fault as usize] > 0 && !mix(bits, 7).is_multiple_of(4))
                .then_some(Act::Do(Deviation::Pick(1))),
            Kind::Wake => self
                .strikes(Fault::LostWakeup, bits, view)
                .map(|_| Act::Do(Deviation::LostWakeup)),
        }
    }
}

/// Draws `0..n` for the whole run.
fn draw(run: u64, stream: u64, n: u64) -> u64 {
    below(mix(run, stream), n)
}

/// A threshold that is passed about `times` times in `of` draws.
fn rate(times: u64, of: u64) -> u64 {
    if times == 0 || of == 0 {
        0
    } else {
        (u64::MAX / of.max(1)).saturating_mul(times.min(of))
    }
}

fn fault_rate(run: u64, fault: Fault, profile: &Profile) -> u64 {
    let points = match fault {
        Fault::Crash => profile.points[0] + profile.points[1] + profile.points[2],
        Fault::Pause | Fault::ClockJump => profile.points[0] + profile.points[1],
        Fault::LostRequest | Fault::Duplicate | Fault::Late => profile.points[4],
        Fault::LostReply => profile.points[5],
        Fault::HalfOpen | Fault::Partition => profile.points[4] + profile.points[5],
        Fault::ClockOffset | Fault::ClockDrift | Fault::ClockZone => profile.points[8],
        Fault::GracefulStop => profile.points[0],
        Fault::CrashAgain => profile.points[9],
        Fault::LostWakeup => profile.points[10],
        Fault::StoreError | Fault::DiskFull => profile.points[2],
        Fault::SchemaDrift | Fault::BackupRestore | Fault::SecondDatabase | Fault::HandEdit => {
            profile.points[11]
        }
    };
    rate(1 + (Swarm::bits(run, fault) >> 1 & 1), points.max(2))
}

/// Spreads a duration over all magnitudes up to the longest: short and long ones alike.
fn spread(bits: u64, longest: u64) -> u64 {
    let magnitude = below(mix(bits, 8), u64::from(64 - longest.leading_zeros())) + 1;
    let top = if magnitude >= 64 {
        u64::MAX
    } else {
        (1 << magnitude) - 1
    };
    1 + below(mix(bits, 9), top.min(longest).max(1))
}

fn signed(bits: u64, longest: u64) -> i64 {
    let amount = i64::try_from(spread(bits, longest)).unwrap_or(i64::MAX);
    if mix(bits, 10) & 1 == 0 {
        amount
    } else {
        -amount
    }
}
