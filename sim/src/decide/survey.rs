//! What the quiet run passed, and every single deviation from it.

use std::collections::BTreeMap;

use super::spread::dawdling;
use super::{Act, At, Candidate, Kind, Profile, View};
use crate::case::Deviation;
use crate::fault::Fault;
use crate::label::mix;

/// What could be decided on the way of the quiet run.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Passages of each site, by kind of point and hash of the site.
    sites: BTreeMap<(usize, u64), u64>,
    /// Sites by kind of point.
    of_kind: [u64; Profile::KINDS],
    /// Each deviation that was possible, the most different ones first.
    pub singles: Vec<Single>,
    /// By what deviates: switches, durations, each kind of fault.
    pub(super) classes: Vec<Class>,
    /// Keys of its points, ascending.
    keys: Vec<u64>,
    /// When something happened, in milliseconds of virtual time, ascending.
    moments: Vec<u64>,
}

/// Deviations between steps, then those inside SQLite; those at one site together, by their places in the list of all.
pub(super) type Class = [Vec<Vec<u32>>; 2];

/// One deviation at one point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Single {
    /// Key of the point.
    pub key: u64,
    /// What deviates there.
    pub act: Act,
}

impl Survey {
    /// How many sites of this kind there are, and how often this one is passed; a site that was never passed counts as one.
    pub(super) fn passages(&self, kind: Kind, site: u64) -> (u64, u64) {
        let slot = Profile::slot(kind);
        let passed = self.sites.get(&(slot, site)).copied().unwrap_or(1);
        (self.of_kind[slot].max(1), passed)
    }

    /// Whether the quiet run passed a point.
    pub(super) fn knows(&self, key: u64) -> bool {
        self.keys.binary_search(&key).is_ok()
    }

    /// When something happened after `from`, up to `to`.
    pub(super) fn moments_within(&self, from: u64, to: u64) -> &[u64] {
        let begin = self.moments.partition_point(|moment| *moment <= from);
        let end = self.moments.partition_point(|moment| *moment <= to);
        &self.moments[begin..end.max(begin)]
    }
}

/// Collects a [`Survey`].
#[derive(Debug, Default)]
pub(super) struct Surveyor {
    survey: Survey,
    /// How often each group of deviations was possible so far.
    groups: BTreeMap<u64, u32>,
    /// Round, rank and group of each single, to sort by.
    order: Vec<(u32, usize, u64)>,
    ready: Vec<Candidate>,
}

impl Surveyor {
    /// Notes a point and what could deviate there.
    pub(super) fn look(&mut self, at: &At, view: &dyn View) {
        self.survey.keys.push(at.key);
        let slot = Profile::slot(at.kind);
        let passed = self.survey.sites.entry((slot, at.site)).or_default();
        *passed += 1;
        self.survey.of_kind[slot] += u64::from(*passed == 1);
        if matches!(at.kind, Kind::Step | Kind::Send | Kind::Call | Kind::Reply) {
            self.survey.moments.push(view.now_ms());
        }
        let switches: Vec<Act> = switches(at.kind, view, &mut self.ready)
            .map(Act::Switch)
            .collect();
        let faults = deviations(at.kind, view).into_iter().map(Act::Do);
        for act in switches.into_iter().chain(faults) {
            self.add(at, act);
        }
    }

    /// Deviations of one kind at one site are a group: the first of each come before the second of any, so that the rounds of a
    /// loop do not keep what is rare waiting.
    fn add(&mut self, at: &At, act: Act) {
        let group = mix(mix(at.site, Profile::slot(at.kind) as u64), kind_of(&act));
        let round = self.groups.entry(group).or_default();
        *round += 1;
        self.order.push((*round, rank(at.kind), group));
        self.survey.singles.push(Single { key: at.key, act });
    }

    /// What was collected.
    pub(super) fn take(&mut self) -> Survey {
        let mut survey = std::mem::take(&mut self.survey);
        let order = std::mem::take(&mut self.order);
        let mut sorted: Vec<_> = order.into_iter().zip(survey.singles).collect();
        sorted.sort_by_key(|(order, _)| (order.0, order.1));
        let mut classes: BTreeMap<&str, [BTreeMap<u64, Vec<u32>>; 2]> = BTreeMap::new();
        for (i, ((_, rank, group), single)) in (0..).zip(&sorted) {
            let class = classes.entry(word_of(&single.act)).or_default();
            class[*rank].entry(*group).or_default().push(i);
        }
        let classes = classes.into_values();
        survey.classes = classes
            .map(|class| class.map(|of_rank| of_rank.into_values().collect()))
            .collect();
        survey.singles = sorted.into_iter().map(|(_, single)| single).collect();
        survey.moments.dedup();
        survey.keys.sort_unstable();
        *self = Self::default();
        survey
    }
}

/// What lies between the steps of the incident comes before what lies inside SQLite.
const fn rank(kind: Kind) -> usize {
    match kind {
        Kind::Disk | Kind::DiskSync | Kind::DiskData => 1,
        _ => 0,
    }
}

const fn word_of(act: &Act) -> &'static str {
    match act {
        Act::Switch(_) => "switch",
        Act::Do(deviation) => deviation.word(),
    }
}

/// Switches to different actors are of different kinds, and so are short and long faults.
fn kind_of(act: &Act) -> u64 {
    match act {
        Act::Switch(to) => *to,
        Act::Do(Deviation::Pick(n)) => *n,
        Act::Do(deviation) => {
            let word = crate::label::Label::new(deviation.word());
            let amount = deviation.amount().unwrap_or(0);
            match deviation {
                Deviation::Take(_) => word.hash(),
                _ => mix(word.hash(), amount.unsigned_abs() ^ u64::from(amount < 0)),
            }
        }
    }
}

/// The causes of those who could go on instead. `ready` is for its own use.
pub(super) fn switches<'r>(
    kind: Kind,
    view: &dyn View,
    ready: &'r mut Vec<Candidate>,
) -> impl Iterator<Item = u64> + use<'r> {
    ready.clear();
    if matches!(kind, Kind::Step | Kind::Disk | Kind::DiskSync | Kind::Wait) {
        view.ready(ready);
    }
    // Where somebody waits, the oldest goes on by itself.
    let others = ready.iter().skip(usize::from(kind == Kind::Wait));
    others
        .filter(|candidate| !candidate.current)
        .map(|candidate| candidate.cause)
}

/// Everything but switches that may happen at a point, with the amounts that tell most: the largest, and a middling one.
pub(super) fn deviations(kind: Kind, view: &dyn View) -> Vec<Deviation> {
    let mut found = Vec::new();
    let mut plain = |fault, deviation: Deviation| {
        if view.allows(fault, kind).is_some() {
            found.push(deviation);
        }
    };
    match kind {
        Kind::Step => {
            plain(Fault::Crash, Deviation::Crash);
            plain(Fault::GracefulStop, Deviation::Stop);
            found.extend(dawdling(view));
        }
        Kind::Disk => plain(Fault::Crash, Deviation::Crash),
        Kind::DiskSync | Kind::DiskData => {
            plain(Fault::Crash, Deviation::Crash);
            plain(Fault::StoreError, Deviation::StoreError);
        }
        Kind::Send | Kind::Call => {
            plain(Fault::LostRequest, Deviation::LostRequest);
            plain(Fault::HalfOpen, Deviation::HalfOpen);
        }
        Kind::Reply => {
            plain(Fault::LostReply, Deviation::LostReply);
            plain(Fault::HalfOpen, Deviation::HalfOpen);
        }
        Kind::Wake => plain(Fault::LostWakeup, Deviation::LostWakeup),
        Kind::May(fault) => plain(fault, Deviation::Pick(1)),
        Kind::Pick(n) => found.extend((1..n.min(MOST_PICKS)).map(Deviation::Pick)),
        Kind::Amount(shortest, longest) if longest > shortest => {
            let middle = u64::midpoint(shortest, longest);
            found.extend([longest, middle].map(Deviation::Take));
        }
        Kind::Amount(..) | Kind::Wait | Kind::Clock | Kind::Restart => {}
    }
    for (fault, deviation) in lasting(kind) {
        let longest = view
            .allows(*fault, kind)
            .and_then(|most| i64::try_from(most).ok());
        found.extend(
            longest
                .into_iter()
                .flat_map(|most| amounts(*fault, most))
                .map(deviation),
        );
    }
    found
}

/// Of a choice out of very many only so many are tried one by one.
const MOST_PICKS: u64 = 16;

type Lasting = (Fault, fn(i64) -> Deviation);

/// Faults that have an amount, by the points at which they strike.
const fn lasting(kind: Kind) -> &'static [Lasting] {
    match kind {
        Kind::Step | Kind::Disk => &[
            (Fault::Pause, |n| Deviation::Pause(n.unsigned_abs())),
            (Fault::ClockJump, Deviation::Jump),
        ],
        Kind::DiskSync => &[
            (Fault::Pause, |n| Deviation::Pause(n.unsigned_abs())),
            (Fault::ClockJump, Deviation::Jump),
            (Fault::DiskFull, |n| Deviation::DiskFull(n.unsigned_abs())),
        ],
        Kind::DiskData => &[(Fault::DiskFull, |n| Deviation::DiskFull(n.unsigned_abs()))],
        Kind::Send => &[
            (Fault::Duplicate, |n| Deviation::Duplicate(n.unsigned_abs())),
            (Fault::Late, |n| Deviation::Late(n.unsigned_abs())),
            (Fault::Partition, |n| Deviation::Partition(n.unsigned_abs())),
        ],
        Kind::Call => &[
            (Fault::Late, |n| Deviation::Late(n.unsigned_abs())),
            (Fault::Partition, |n| Deviation::Partition(n.unsigned_abs())),
        ],
        Kind::Reply => &[(Fault::Partition, |n| Deviation::Partition(n.unsigned_abs()))],
        Kind::Clock => &[
            (Fault::ClockOffset, Deviation::Offset),
            (Fault::ClockDrift, Deviation::Drift),
            (Fault::ClockZone, Deviation::Zone),
        ],
        _ => &[],
    }
}

/// The largest amount and a middling one; clocks go wrong both ways.
fn amounts(fault: Fault, most: i64) -> Vec<i64> {
    let both_ways = matches!(
        fault,
        Fault::ClockJump | Fault::ClockOffset | Fault::ClockDrift | Fault::ClockZone
    );
    let mut amounts = vec![most];
    if most >= 8 {
        amounts.push(most / 8);
    }
    if both_ways {
        amounts.extend(amounts.clone().iter().map(|amount| -amount));
    }
    amounts
}

#[cfg(test)]
mod tests {
    use super::deviations;
    use crate::decide::Kind;
    use crate::decide::anything::Anything;
    use crate::decide::several::fault_of;
    use crate::fault::Fault;

    #[test]
    fn each_fault_is_a_single_deviation_somewhere() {
        let kinds = [
            Kind::Step,
            Kind::DiskSync,
            Kind::Send,
            Kind::Reply,
            Kind::Clock,
            Kind::Wake,
        ];
        let found = kinds.map(|kind| deviations(kind, &Anything));
        let found: Vec<Fault> = found.iter().flatten().filter_map(fault_of).collect();
        let missing = Fault::ALL.into_iter().filter(|fault| {
            // Roles strike these, and nothing starts again in the quiet run.
            let by_roles = [
                Fault::SchemaDrift,
                Fault::BackupRestore,
                Fault::SecondDatabase,
                Fault::HandEdit,
                Fault::CrashAgain,
            ];
            !by_roles.contains(fault) && !found.contains(fault)
        });
        assert_eq!(missing.collect::<Vec<_>>(), []);
    }
}
