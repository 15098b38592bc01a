//! The search for an order that explains all answers, depth first.
//!
//! The first way down is the order in which the operations read the store's clock, or committed where that is known, which
//! is nearly always right. Where it is not, the search goes back, and remembers which operations in which state led
//! nowhere. Operations that may have been done, and seem not to have, are left out at first. Where there is no order without
//! them, some with one of them are tried, then with two, then with any number.

use std::collections::BTreeSet;

use lockstep_store::Op;

use super::entry::{Does, Entry, Says, is_nothing};
use super::{Answer, Spec};
use crate::label::mix;

/// How a search ended.
pub(super) enum Outcome {
    /// There is an order.
    Fits,
    /// There is none. Told at the operation that had to come next where the search got furthest.
    Misfit {
        operation: usize,
        explained: usize,
        model: Answer,
    },
    /// It asked the model too often.
    GaveUp,
}

/// What a search found, and what it took.
pub(super) struct Found {
    pub(super) outcome: Outcome,
    /// Whether it went back anywhere.
    pub(super) searched: bool,
    /// How often the model was asked.
    pub(super) asked: u64,
}

/// Searches for an order of the entries, which are in the order of their calls, that begins at `start`.
pub(super) fn search(start: &Spec, entries: Vec<Entry<'_>>, limit: u64) -> Found {
    let unlikely = entries.iter().filter(|entry| !entry.likely).count();
    let few = FEW.into_iter().take_while(|few| *few < unlikely);
    let mut entries = entries;
    let mut found = Found {
        outcome: Outcome::GaveUp,
        searched: false,
        asked: 0,
    };
    for most in few.chain([unlikely]) {
        let limit = if most < unlikely { limit / 8 } else { limit };
        let mut search = Search::new(start, entries, most);
        found.outcome = search.run(limit);
        found.searched |= search.deepest.is_some();
        found.asked += search.asked;
        entries = search.entries;
        if matches!(found.outcome, Outcome::Fits) {
            break;
        }
    }
    found
}

/// An entry, and one of its variants.
type Choice = (usize, usize);

/// A place in the search: what may come next, and how much of that was tried.
struct Place {
    choices: Vec<Choice>,
    tried: usize,
    /// Of the state there, once it was needed.
    fingerprint: Option<u128>,
}

struct Search<'s, 't> {
    start: &'s Spec,
    entries: Vec<Entry<'t>>,
    /// Entries that may never have taken effect.
    optional: Vec<usize>,
    /// How many more may be done of those that seem not to have been.
    unlikely_left: usize,
    done: Vec<bool>,
    /// The first that must be done and is not.
    first: usize,
    /// How many must be done and are not.
    left: usize,
    /// What was done in which order, each with the latest call among it and those before.
    path: Vec<(Choice, u64)>,
    places: Vec<Place>,
    /// The state after the path.
    state: Spec,
    /// States after the first so many of the path, the longest last.
    kept: Vec<(usize, Spec)>,
    /// A hash of what was done, whatever the order.
    set: u128,
    /// How long the longest path was that had to be taken back. Up to there states are remembered, and recognised.
    deepest: Option<usize>,
    seen: BTreeSet<(u128, u128)>,
    asked: u64,
    furthest: Option<(usize, usize, Answer)>,
}

impl<'s, 't> Search<'s, 't> {
    fn new(start: &'s Spec, entries: Vec<Entry<'t>>, most_unlikely: usize) -> Self {
        let optional: Vec<usize> = (0..entries.len())
            .filter(|index| !entries[*index].must)
            .collect();
        let mut search = Self {
            start,
            done: vec![false; entries.len()],
            first: 0,
            left: entries.len() - optional.len(),
            optional,
            unlikely_left: most_unlikely,
            entries,
            path: Vec::new(),
            places: Vec::new(),
            state: start.clone(),
            kept: Vec::new(),
            set: 0,
            deepest: None,
            seen: BTreeSet::new(),
            asked: 0,
            furthest: None,
        };
        search.pass_done();
        search
    }

    fn run(&mut self, limit: u64) -> Outcome {
        let mut arrived = true;
        while self.left > 0 {
            if self.asked > limit {
                return Outcome::GaveUp;
            }
            if arrived && self.was_seen() {
                self.go_back();
                arrived = false;
                continue;
            }
            if arrived {
                let choices = self.choices();
                self.places.push(Place {
                    choices,
                    tried: 0,
                    fingerprint: None,
                });
            }
            arrived = self.go_on();
            if !arrived {
                self.note_dead_end();
                self.places.pop();
                if self.path.is_empty() {
                    return self.misfit();
                }
                self.go_back();
            }
        }
        Outcome::Fits
    }

    fn misfit(&mut self) -> Outcome {
        let (explained, operation, model) = self.furthest.take().expect("a dead end was noted");
        Outcome::Misfit {
            operation,
            explained,
            model,
        }
    }

    /// Whether the same was done before in another order, to the same effect, and led nowhere.
    fn was_seen(&mut self) -> bool {
        self.is_searching() && !self.seen.insert((self.set, self.state.fingerprint()))
    }

    /// Whether the search was this deep before.
    fn is_searching(&self) -> bool {
        self.deepest
            .is_some_and(|deepest| self.path.len() <= deepest)
    }

    /// What may be done next: nothing that was called only after something that is not done had returned.
    fn choices(&self) -> Vec<Choice> {
        let latest = self.path.last().map_or(0, |(_, latest)| *latest);
        let mut bound = u64::MAX;
        let open = self
            .optional
            .iter()
            .copied()
            .take_while(|index| *index < self.first);
        let mut found: Vec<usize> = open.collect();
        for (index, entry) in self.entries.iter().enumerate().skip(self.first) {
            if entry.from > bound {
                break;
            }
            if !self.done[index] && entry.must {
                bound = bound.min(entry.to);
            }
            found.push(index);
        }
        found.retain(|index| {
            let entry = &self.entries[*index];
            let in_time = entry.from < bound && (entry.must || entry.to > latest);
            in_time && !self.done[*index] && (entry.likely || self.unlikely_left > 0)
        });
        found.sort_by_key(|index| (!self.entries[*index].likely, self.entries[*index].moment));
        let variants = |index: usize| {
            (0..self.entries[index].variants.len()).map(move |variant| (index, variant))
        };
        found.into_iter().flat_map(variants).collect()
    }

    /// Does the next thing that agrees with its answer; false when there is none.
    fn go_on(&mut self) -> bool {
        while let Some(choice) = self.next_choice() {
            let before = (!self.entries[choice.0].must).then(|| self.fingerprint());
            let answer = self.ask(choice);
            if self.entries[choice.0].says.agrees(&answer) {
                // What need not have been done, and changed nothing, need not be tried.
                if before.is_some_and(|before| before == self.state.fingerprint()) {
                    continue;
                }
                self.push(choice);
                return true;
            }
            if self.may_have_changed(choice, &answer) {
                self.deepest = self.deepest.max(Some(self.path.len()));
                self.restore();
            }
        }
        false
    }

    /// Of the state after the path.
    fn fingerprint(&mut self) -> u128 {
        let state = &self.state;
        let place = self.places.last_mut();
        place.map_or_else(
            || state.fingerprint(),
            |place| *place.fingerprint.get_or_insert_with(|| state.fingerprint()),
        )
    }

    fn next_choice(&mut self) -> Option<Choice> {
        let place = self.places.last_mut()?;
        let choice = place.choices.get(place.tried).copied();
        place.tried += 1;
        choice
    }

    /// Does something, on the state after the path.
    fn ask(&mut self, (index, variant): Choice) -> Answer {
        self.asked += 1;
        let entry = &self.entries[index];
        let variant = &entry.variants[variant];
        self.state.clock().set(variant.at_ms);
        let op: &Op = match &variant.does {
            Does::Step(step) => return Ok(self.state.step(step)),
            Does::Limited(op) => op,
            Does::Call(op) => op,
        };
        if entry.may_be_refused() {
            self.state.apply_part(entry.call, op, entry.repeated)
        } else {
            self.state.apply_in_place(entry.call, op, entry.repeated)
        }
    }

    fn may_have_changed(&self, (index, _): Choice, answer: &Answer) -> bool {
        let entry = &self.entries[index];
        match answer {
            Err(_) => !entry.may_be_refused(),
            Ok(reply) => !entry.call.op.only_reads() && !is_nothing(reply),
        }
    }

    fn push(&mut self, choice: Choice) {
        let index = choice.0;
        let latest = self.path.last().map_or(0, |(_, latest)| *latest);
        self.path
            .push((choice, latest.max(self.entries[index].from)));
        self.mark(index, true);
        self.pass_done();
        let length = self.path.len();
        let since = length - self.kept.last().map_or(0, |(kept, _)| *kept);
        if self.is_searching() || since >= SPACING.max(length / 16) {
            self.keep();
        }
    }

    fn mark(&mut self, index: usize, done: bool) {
        self.done[index] = done;
        let number = index as u64;
        self.set ^= (u128::from(mix(number, 1)) << 64) | u128::from(mix(number, 2));
        match (self.entries[index].likely, done) {
            (true, _) => {}
            (false, true) => self.unlikely_left -= 1,
            (false, false) => self.unlikely_left += 1,
        }
        if self.entries[index].must && done {
            self.left -= 1;
        } else if self.entries[index].must {
            self.left += 1;
            self.first = self.first.min(index);
        }
    }

    fn pass_done(&mut self) {
        let open = |index: &usize| self.entries[*index].must && !self.done[*index];
        self.first = (self.first..self.entries.len())
            .find(open)
            .unwrap_or(self.entries.len());
    }

    /// Remembers the state. Of the older half of too many, every second one is forgotten.
    fn keep(&mut self) {
        self.kept.push((self.path.len(), self.state.clone()));
        if self.kept.len() > MOST_KEPT {
            let mut at = 0;
            self.kept.retain(|_| {
                at += 1;
                at > MOST_KEPT / 2 || at % 2 == 0
            });
        }
    }

    /// Undoes the last thing that was done.
    fn go_back(&mut self) {
        self.deepest = self.deepest.max(Some(self.path.len()));
        if let Some(((index, _), _)) = self.path.pop() {
            self.mark(index, false);
        }
        self.restore();
    }

    /// Makes the state that after the path again.
    fn restore(&mut self) {
        let length = self.path.len();
        while self.kept.last().is_some_and(|(kept, _)| *kept > length) {
            self.kept.pop();
        }
        let (from, state) = match self.kept.last() {
            Some((kept, state)) => (*kept, state.clone()),
            None => (0, self.start.clone()),
        };
        self.state = state;
        for at in from..length {
            let (choice, _) = self.path[at];
            // It agreed when it was done first.
            let _ = self.ask(choice);
        }
    }

    /// Nothing fits here: what had to come next, if the search never got further.
    fn note_dead_end(&mut self) {
        let explained = self.path.len();
        if self
            .furthest
            .as_ref()
            .is_some_and(|(furthest, ..)| *furthest >= explained)
        {
            return;
        }
        let open = (self.first..self.entries.len())
            .filter(|index| self.entries[*index].must && !self.done[*index]);
        let Some(next) = open.min_by_key(|index| self.entries[*index].to) else {
            return;
        };
        let answer = self.ask((next, 0));
        self.furthest = Some((explained, self.entries[next].operation, answer));
        self.restore();
    }
}

impl Entry<'_> {
    /// Whether it is asked so that a refusal leaves nothing behind.
    fn may_be_refused(&self) -> bool {
        matches!(self.says, Says::Nothing | Says::Exactly(Err(_)))
    }
}

/// How many of the operations that seem not to have been done are tried together, before any number is.
const FEW: [usize; 3] = [0, 1, 2];
/// Steps between two states that are remembered as long as nothing has to be taken back; more after a long path.
const SPACING: usize = 32;
/// States that are remembered.
const MOST_KEPT: usize = 64;
