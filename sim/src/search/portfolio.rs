//! The portfolio: which strategy has the next run.
//!
//! No strategy is best for every bug, and a wrong guess costs more than a right one gains. So each has its share for the whole
//! of a search, and what is left goes to those that show something new.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::adequacy::shown;
use crate::decide::{Act, Choice, Draw, Profile, Single, pick, run_hash};
use crate::run::{Ran, Stage};

/// A strategy and its share.
type Member = (Choice, u64);

/// What a search draws from unless it is told otherwise.
const DEFAULT: &[Member] = &[
    (Choice::Random, 6),
    (Choice::Remaining, 2),
    (Choice::Priorities, 2),
    (Choice::Preemptions, 2),
    (Choice::Feedback, 2),
];

/// What a sweep draws from, where each seed is a run of its own.
const OF_SEEDS: &[Member] = &[
    (Choice::Random, 6),
    (Choice::Remaining, 1),
    (Choice::Priorities, 1),
    (Choice::Preemptions, 1),
    (Choice::Deviations, 2),
];

/// The run of a seed in a sweep. Depends on nothing else.
pub fn of_seed(seed: u64) -> Draw {
    let hash = run_hash(seed, 1);
    Draw::By(pick::weighted(hash, OF_SEEDS), hash)
}

/// Draws runs, and remembers what they showed. Depends on nothing but the seed and the runs before.
#[derive(Debug)]
pub struct Portfolio {
    seed: u64,
    members: Vec<Member>,
    /// Each third run is a deviation, unless they are all alone.
    deviates: bool,
    profile: Rc<Profile>,
    /// Single deviations that were drawn.
    singles: usize,
    /// What runs have shown.
    seen: BTreeSet<u64>,
    /// Deviations of runs that showed something for the first time.
    parents: Vec<Rc<[Single]>>,
}

/// So many parents are kept; a new one takes the place of the oldest.
const MOST_PARENTS: usize = 256;

/// From so many single deviations on, a few at once are drawn when each has been tried.
const ENOUGH: usize = 64;

impl Portfolio {
    /// Of the default members.
    pub fn new(seed: u64) -> Self {
        Self::of(seed, DEFAULT, true)
    }

    /// Of one strategy.
    pub fn alone(seed: u64, choice: Choice) -> Self {
        match choice {
            Choice::Deviations => Self::of(seed, &[], true),
            _ => Self::of(seed, &[(choice, 1)], false),
        }
    }

    fn of(seed: u64, members: &[Member], deviates: bool) -> Self {
        Self {
            seed,
            members: members.to_vec(),
            deviates,
            profile: Rc::default(),
            singles: 0,
            seen: BTreeSet::new(),
            parents: Vec::new(),
        }
    }

    /// How many single deviations from the quiet run were drawn, and how many there are.
    pub fn singles(&self) -> (u64, u64) {
        let all = self.profile.survey.singles.len();
        (self.singles as u64, all as u64)
    }

    /// Does run `run`, which comes after those before it.
    ///
    /// # Errors
    /// In words, when the stage cannot run.
    pub fn run(&mut self, stage: &mut Stage, run: u64) -> Result<Ran, String> {
        let draw = self.draw(run);
        let profile = Rc::clone(&self.profile);
        let mut ran = stage.run(&mut || draw.strategy(&profile))?;
        self.learn(run, &mut ran);
        Ok(ran)
    }

    /// What run `run` does: run 0 is quiet.
    fn draw(&mut self, run: u64) -> Draw {
        let hash = run_hash(self.seed, run);
        if run == 0 {
            return Draw::Quiet;
        }
        if self.deviates && (run % 3 == 1 || self.members.is_empty()) {
            let all = &self.profile.survey.singles;
            if let Some(single) = all.get(self.singles) {
                self.singles += 1;
                return Draw::One(single.clone());
            }
            if all.len() >= ENOUGH || self.members.is_empty() {
                return Draw::By(Choice::Deviations, hash);
            }
        }
        let choice = pick::weighted(hash, &self.members);
        match (choice, pick::parent(hash, &self.parents)) {
            (Choice::Feedback, Some(parent)) => Draw::Mutant(hash, Rc::clone(parent)),
            _ => Draw::By(choice, hash),
        }
    }

    /// A run has ended.
    fn learn(&mut self, run: u64, ran: &mut Ran) {
        if run == 0 {
            self.profile = Rc::new(std::mem::take(&mut ran.profile));
        }
        let before = self.seen.len();
        self.seen.extend(shown(ran));
        if self.seen.len() > before && !ran.decisions.0.is_empty() {
            if self.parents.len() == MOST_PARENTS {
                self.parents.remove(0);
            }
            self.parents.push(singles(ran));
        }
    }
}

fn singles(ran: &Ran) -> Rc<[Single]> {
    let decisions = ran.decisions.0.iter();
    decisions
        .map(|(point, deviation)| Single {
            key: point.key(),
            act: Act::from(deviation),
        })
        .collect()
}
