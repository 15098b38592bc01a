//! Which switches need not be tried, because whoever goes on touches nothing that anybody else ever does.
//!
//! At a point it is enough to go on with those who belong together there: whoever was chosen, and whoever else touches what that
//! step does, and whoever touches what those do, and so on. What the others do commutes with it, so it may as well come later (a
//! persistent set: Godefroid, LNCS 1032; here of actors, as Clarke's ample sets). What an actor may touch is what it has
//! touched in any run so far. When it turns out to be more, the points that were passed over are looked at again; when nothing
//! more turns out, everything that can happen has happened in some order.

use std::collections::{BTreeMap, BTreeSet};

use super::meeting::Meetings;
use crate::access::{Access, Touched};
use crate::decide::Passed;
use crate::fold::Fold;

/// What each actor has touched in any run, and who meets whom in it.
pub(super) struct Independence {
    meetings: Meetings,
    footprints: BTreeMap<u64, BTreeMap<u128, Access>>,
    /// Whether a step (the hash of what it touched) meets an actor, as of so many things that the actor had touched.
    steps: BTreeMap<(u128, u64), (usize, bool)>,
    /// The same of two actors.
    actors: BTreeMap<(u64, u64), (usize, usize, bool)>,
    /// Since the points that were passed over were last looked at, more was touched.
    grown: bool,
    /// Steps meet now that did not.
    more: bool,
}

impl Independence {
    /// Of a program with this schema.
    ///
    /// # Errors
    /// As [`Meetings::of`].
    pub(super) fn of(schema: &[String]) -> Result<Self, String> {
        Ok(Self {
            meetings: Meetings::of(schema)?,
            footprints: BTreeMap::new(),
            steps: BTreeMap::new(),
            actors: BTreeMap::new(),
            grown: false,
            more: false,
        })
    }

    /// Takes note of what actors have touched in a run.
    pub(super) fn note(&mut self, touched: Touched) {
        for (actor, access) in touched {
            let footprint = self.footprints.entry(actor).or_default();
            if footprint.contains_key(&access.id) {
                continue;
            }
            if self.meetings.note(&access) {
                self.steps.clear();
                self.actors.clear();
                self.more = true;
            }
            footprint.insert(access.id, access);
            self.grown = true;
        }
    }

    /// Whether more was touched since this was last asked.
    pub(super) fn has_grown(&mut self) -> bool {
        std::mem::take(&mut self.grown)
    }

    /// Whether steps meet that did not when this was last asked.
    pub(super) fn meets_more(&mut self) -> bool {
        std::mem::take(&mut self.more)
    }

    /// Whether two steps meet.
    pub(super) fn meet(&mut self, one: &[Access], other: &[Access]) -> bool {
        let meetings = &mut self.meetings;
        one.iter()
            .any(|access| other.iter().any(|their| meetings.meet(access, their)))
    }

    /// Those of the others at a point who have to be tried there.
    pub(super) fn needed(&mut self, passed: &Passed) -> Vec<u64> {
        let all = || passed.others.clone();
        // Whoever is blocked, or has not begun, may be woken by anybody; who waits for an answer, only by whoever gives it.
        let can = |actor: &u64| {
            let ready = *actor == passed.chosen || passed.others.contains(actor);
            ready || passed.awaiting.contains(actor)
        };
        let gone = |actor: &u64| passed.ended.contains(actor);
        if passed.state.is_none() {
            return all();
        }
        let actors: Vec<u64> = self.footprints.keys().copied().collect();
        let actors: Vec<u64> = actors.into_iter().filter(|actor| !gone(actor)).collect();
        let own = passed.touched.iter();
        let own = own.filter(|(actor, _)| *actor == passed.chosen);
        let own: Vec<Access> = own.map(|(_, access)| access.clone()).collect();
        let step = hash(&own);
        let mut members = BTreeSet::from([passed.chosen]);
        let mut asked = Vec::new();
        for actor in actors.iter().filter(|actor| **actor != passed.chosen) {
            if self.step_meets(step, &own, *actor) {
                members.insert(*actor);
                asked.push(*actor);
            }
        }
        while let Some(member) = asked.pop() {
            if !can(&member) {
                return all();
            }
            for actor in &actors {
                if !members.contains(actor) && self.actors_meet(member, *actor) {
                    members.insert(*actor);
                    asked.push(*actor);
                }
            }
        }
        let mut needed = all();
        needed.retain(|other| members.contains(other));
        needed
    }

    /// Whether nobody but those who have touched this ever meets it.
    pub(super) fn is_private(&mut self, touched: &Touched) -> bool {
        let actors: Vec<u64> = self.footprints.keys().copied().collect();
        touched.iter().all(|(own, access)| {
            let access = std::slice::from_ref(access);
            let mut others = actors.iter().filter(|actor| *actor != own);
            !others.any(|actor| self.step_meets(access[0].id, access, *actor))
        })
    }

    fn step_meets(&mut self, step: u128, touched: &[Access], actor: u64) -> bool {
        let Some(footprint) = self.footprints.get(&actor) else {
            return false;
        };
        if let Some((of, meets)) = self.steps.get(&(step, actor))
            && (*meets || *of == footprint.len())
        {
            return *meets;
        }
        let meetings = &mut self.meetings;
        let meets = footprint
            .values()
            .any(|other| touched.iter().any(|access| meetings.meet(access, other)));
        self.steps.insert((step, actor), (footprint.len(), meets));
        meets
    }

    fn actors_meet(&mut self, one: u64, other: u64) -> bool {
        let (one, other) = (one.min(other), one.max(other));
        let (Some(of), Some(theirs)) = (self.footprints.get(&one), self.footprints.get(&other))
        else {
            return false;
        };
        let sizes = (of.len(), theirs.len());
        if let Some((a, b, meets)) = self.actors.get(&(one, other))
            && (*meets || (*a, *b) == sizes)
        {
            return *meets;
        }
        let meetings = &mut self.meetings;
        let meets = of
            .values()
            .any(|access| theirs.values().any(|their| meetings.meet(access, their)));
        self.actors.insert((one, other), (sizes.0, sizes.1, meets));
        meets
    }
}

fn hash(touched: &[Access]) -> u128 {
    let mut fold = Fold::new();
    touched.iter().for_each(|access| fold.sum(access.id));
    fold.whole()
}
