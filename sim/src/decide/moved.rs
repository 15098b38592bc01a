//! What is left of a case where the code has changed: its decisions at the places where they now stand, and a look at every
//! other place where they could.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::several::is_allowed;
use super::survey::switches;
use super::{Act, At, Candidate, Kind, Strategy, View};
use crate::case::{Decisions, Deviation, Point, key_of};
use crate::label::Label;

/// A decision of a case: where it was made, and where it is made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    cause: u64,
    site: u64,
    occurrence: u32,
    inside: bool,
    /// Key of the point where it is made now.
    pub key: u64,
    /// What is done there now.
    pub act: Act,
}

impl Placed {
    fn new(point: &Point, deviation: &Deviation) -> Self {
        Self {
            cause: Label::new(&point.cause).hash(),
            site: Label::new(&point.site).hash(),
            occurrence: point.occurrence,
            inside: point.is_inside_sqlite(),
            key: point.key(),
            act: Act::from(deviation),
        }
    }

    /// Each decision of a case, where it was made.
    pub fn all(decisions: &Decisions) -> Vec<Self> {
        let decisions = decisions.0.iter();
        decisions
            .map(|(point, deviation)| Self::new(point, deviation))
            .collect()
    }
}

/// How near another place is to the one of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Near {
    /// The same place, with another size or towards somebody else.
    Here,
    /// Another passage of the same site while the same cause is handled: so many passages away.
    Passage(u32),
    /// Another site while the same cause is handled: the n-th that fits, and so many passages more.
    Site(u32),
    /// The same site while another cause is handled: the same.
    Cause(u32),
}

/// A place where a decision could be made.
#[derive(Debug, Clone)]
pub struct Chance {
    /// Which decision of the case.
    pub decision: usize,
    /// How near it is.
    pub near: Near,
    /// The decision there.
    there: Placed,
}

impl Chance {
    /// The case with this chance taken: alone, and where others of those that are not `done` were at the same site, or of the same
    /// cause, with these changed alike. Who gives something another name gives it everywhere.
    pub fn taken(&self, placed: &[Placed], done: &[bool]) -> Vec<Vec<Placed>> {
        let mut alone = placed.to_vec();
        alone[self.decision] = self.there.clone();
        let mut alike = alone.clone();
        let before = &placed[self.decision];
        for (other, placed) in alike.iter_mut().enumerate() {
            if other != self.decision {
                self.changes_alike(before, placed, done[other]);
            }
        }
        match alike == alone {
            true => vec![alone],
            false => vec![alike, alone],
        }
    }

    fn changes_alike(&self, before: &Placed, other: &mut Placed, done: bool) {
        let there = &self.there;
        if let (Near::Cause(_), Act::Switch(to)) = (self.near, &mut other.act)
            && *to == before.cause
        {
            *to = there.cause;
        }
        if done {
            return;
        }
        match self.near {
            Near::Site(_) if other.site == before.site => other.site = there.site,
            Near::Cause(_) if other.cause == before.cause => other.cause = there.cause,
            Near::Passage(_) => {
                let by = i64::from(there.occurrence) - i64::from(before.occurrence);
                let passage = (i64::from(other.occurrence) + by).max(1);
                other.occurrence = u32::try_from(passage).unwrap_or(u32::MAX);
            }
            _ => return,
        }
        other.key = key_of(other.cause, other.site, other.occurrence);
    }
}

/// What a run has shown of a case.
#[derive(Debug, Default)]
pub struct Log {
    /// Which decisions were carried out.
    pub done: Vec<bool>,
    /// Where they could be made beside.
    pub chances: Vec<Chance>,
}

/// Makes decisions where they are placed, and notes where else each could be made.
#[derive(Debug)]
pub struct Moved {
    placed: Vec<Placed>,
    log: Rc<RefCell<Log>>,
    passages: BTreeMap<(u64, u64), u32>,
    /// Other sites and other causes that each decision has found.
    found: Vec<[Vec<u64>; 2]>,
    ready: Vec<Candidate>,
}

impl Moved {
    /// Makes these decisions, and writes what comes of it into `log`.
    pub fn new(placed: Vec<Placed>, log: &Rc<RefCell<Log>>) -> Self {
        *log.borrow_mut() = Log {
            done: vec![false; placed.len()],
            chances: Vec::new(),
        };
        Self {
            found: vec![Default::default(); placed.len()],
            placed,
            log: Rc::clone(log),
            passages: BTreeMap::new(),
            ready: Vec::new(),
        }
    }

    fn look(&mut self, at: &At, view: &dyn View) {
        let passage = self.passages.entry((at.cause, at.site)).or_default();
        *passage += 1;
        let passage = *passage;
        for decision in 0..self.placed.len() {
            let Some(near) = self.near(decision, at, passage) else {
                continue;
            };
            let acts = self.acts(decision, at, view, near);
            if acts.is_empty() {
                continue;
            }
            let near = self.ranked(decision, near, at);
            let chances = acts.into_iter().map(|act| Chance {
                decision,
                near,
                there: Placed {
                    cause: at.cause,
                    site: at.site,
                    occurrence: passage,
                    inside: self.placed[decision].inside,
                    key: at.key,
                    act,
                },
            });
            self.log.borrow_mut().chances.extend(chances);
        }
    }

    fn near(&self, decision: usize, at: &At, passage: u32) -> Option<Near> {
        let placed = &self.placed[decision];
        let away = passage.abs_diff(placed.occurrence);
        let inside = matches!(at.kind, Kind::Disk | Kind::DiskSync | Kind::DiskData);
        match (at.cause == placed.cause, at.site == placed.site) {
            _ if at.key == placed.key => Some(Near::Here),
            (true, true) => Some(Near::Passage(away)),
            (true, false) if inside == placed.inside => Some(Near::Site(away)),
            (false, true) => Some(Near::Cause(away)),
            _ => None,
        }
    }

    /// Sites and causes come in the order in which they are seen first.
    fn ranked(&mut self, decision: usize, near: Near, at: &At) -> Near {
        let [sites, causes] = &mut self.found[decision];
        match near {
            Near::Site(away) => Near::Site(away + rank(sites, at.site)),
            Near::Cause(away) => Near::Cause(away + rank(causes, at.cause)),
            near => near,
        }
    }

    /// What can be done here that is like what the case did. Where it stands already, what is not the same.
    fn acts(&mut self, decision: usize, at: &At, view: &dyn View, near: Near) -> Vec<Act> {
        let act = self.placed[decision].act.clone();
        let mut acts = match &act {
            Act::Switch(to) => {
                let others: Vec<u64> = switches(at.kind, view, &mut self.ready).collect();
                let to = match others.contains(to) && near != Near::Here {
                    true => vec![*to],
                    false => others,
                };
                to.into_iter().map(Act::Switch).collect()
            }
            Act::Do(deviation) if is_allowed(&act, at, view) => {
                let sizes = sizes(deviation, at.kind, view, near == Near::Here);
                sizes.into_iter().map(Act::Do).collect()
            }
            Act::Do(_) => Vec::new(),
        };
        acts.retain(|other| near != Near::Here || *other != act);
        acts
    }
}

/// The place of one in a list, at the end of which it is put if it is new.
fn rank(known: &mut Vec<u64>, one: u64) -> u32 {
    let place = known.iter().position(|known| *known == one);
    let place = place.unwrap_or_else(|| {
        known.push(one);
        known.len() - 1
    });
    u32::try_from(place).unwrap_or(u32::MAX / 2)
}

/// The deviation in the sizes that are possible at a point of this kind; none where it is not.
fn sizes(deviation: &Deviation, kind: Kind, view: &dyn View, others: bool) -> Vec<Deviation> {
    let Some((least, most)) = range(deviation, kind, view) else {
        return Vec::new();
    };
    let Some(amount) = deviation.amount().filter(|_| deviation.has_amount()) else {
        return vec![deviation.clone()];
    };
    let size = amount.unsigned_abs();
    let mut sizes = vec![size.clamp(least, most)];
    if others {
        // Somebody has made a time longer or shorter by a little, or by much.
        let tenth = size / 10;
        let less = size.saturating_sub(tenth.max(1));
        let others = [less, size + tenth.max(1), most, size.saturating_mul(2)];
        sizes.extend(others.map(|size| size.clamp(least, most)));
    }
    sizes.dedup();
    let signed = |size: u64| i64::try_from(size).map_or(i64::MAX, |size| size * amount.signum());
    let sizes = sizes.into_iter().map(signed);
    sizes.map(|size| deviation.with_amount(size)).collect()
}

/// The least and the most of a deviation at a point of this kind.
fn range(deviation: &Deviation, kind: Kind, view: &dyn View) -> Option<(u64, u64)> {
    use Deviation as D;
    let most = super::several::fault_of(deviation).and_then(|fault| view.allows(fault, kind));
    let within = (1, most.unwrap_or(0).max(1));
    match (deviation, kind) {
        (D::Take(_), Kind::Amount(shortest, longest)) if longest > shortest => {
            Some((shortest + 1, longest))
        }
        (D::Take(_), Kind::Step) => Some((1, view.slowest_ms())).filter(|(_, most)| *most > 0),
        (D::Pick(_), Kind::Pick(of)) if of > 1 => Some((1, of - 1)),
        (D::Pick(_), Kind::May(fault)) => view.allows(fault, kind).map(|_| (1, 1)),
        (D::Crash | D::Pause(_), Kind::Step | Kind::Disk | Kind::DiskSync | Kind::DiskData)
        | (D::Jump(_), Kind::Step | Kind::Disk | Kind::DiskSync)
        | (D::Stop, Kind::Step)
        | (D::StoreError | D::DiskFull(_), Kind::DiskSync | Kind::DiskData)
        | (D::Offset(_) | D::Drift(_) | D::Zone(_), Kind::Clock)
        | (D::CrashAgain(_), Kind::Restart)
        | (D::LostWakeup, Kind::Wake)
        | (D::LostRequest | D::Late(_), Kind::Send | Kind::Call)
        | (D::Duplicate(_), Kind::Send)
        | (D::LostReply, Kind::Reply)
        | (D::HalfOpen | D::Partition(_), Kind::Send | Kind::Call | Kind::Reply) => Some(within),
        _ => None,
    }
}

impl Strategy for Moved {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        self.look(at, view);
        let placed = self.placed.iter().find(|placed| placed.key == at.key);
        placed.map(|placed| placed.act.clone())
    }

    fn carried_out(&mut self, key: u64, done: bool) {
        let placed = self.placed.iter().position(|placed| placed.key == key);
        if let Some(decision) = placed {
            self.log.borrow_mut().done[decision] = done;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{Chance, Log, Moved, Near, Placed};
    use crate::case::{Decisions, key};
    use crate::decide::anything::Anything;
    use crate::decide::{At, Kind, Strategy};
    use crate::label::Label;

    /// What a run that passes these steps shows of a case.
    fn shown(case: &str, steps: &[(&str, &str)]) -> (Vec<bool>, Vec<Chance>) {
        let decisions: Decisions = case.parse().unwrap();
        let log = Rc::default();
        let mut run = Moved::new(Placed::all(&decisions), &log);
        for (cause, site) in steps {
            let (cause, site) = (Label::new(cause), Label::new(site));
            let at = At {
                key: key(&cause, &site, 1),
                cause: cause.hash(),
                site: site.hash(),
                kind: Kind::Step,
            };
            if run.decide(&at, &Anything).is_some() {
                run.carried_out(at.key, true);
            }
        }
        let log: Log = log.take();
        (log.done, log.chances)
    }

    #[test]
    fn what_stands_where_it_stood_is_done() {
        let (done, _) = shown("m @ write => crash", &[("m", "read"), ("m", "write")]);
        assert_eq!(done, [true]);
    }

    #[test]
    fn a_step_of_another_name_and_a_cause_of_another_name_are_chances() {
        let steps = [("m", "read"), ("m", "store"), ("n", "write"), ("n", "read")];
        let (done, chances) = shown("m @ write => crash", &steps);
        assert_eq!(done, [false]);
        let near: Vec<Near> = chances.iter().map(|chance| chance.near).collect();
        assert_eq!(near, [Near::Site(0), Near::Site(1), Near::Cause(0)]);
    }

    #[test]
    fn who_has_another_name_has_it_everywhere() {
        let case = "m @ write => crash; m @ write #2 => stop; n @ read => switch m";
        let steps = [("p", "write"), ("n", "read")];
        let (done, chances) = shown(case, &steps);
        assert_eq!(done, [false, false, true]);
        let placed = Placed::all(&case.parse().unwrap());
        let taken = chances[0].taken(&placed, &done);
        let renamed = "p @ write => crash; p @ write #2 => stop; n @ read => switch p";
        let keys = |placed: &[Placed]| {
            let mut keys: Vec<_> = placed.iter().map(|at| (at.key, at.act.clone())).collect();
            keys.sort_by_key(|(key, _)| *key);
            keys
        };
        assert_eq!(
            keys(&taken[0]),
            keys(&Placed::all(&renamed.parse().unwrap()))
        );
        assert_eq!(taken.len(), 2);
    }

    #[test]
    fn another_passage_is_nearer_the_fewer_lie_between() {
        let (_, chances) = shown("m @ write #3 => crash", &[("m", "write")]);
        assert_eq!(chances[0].near, Near::Passage(2));
    }
}
