//! The portfolio: which strategy has the next run.
//!
//! No strategy is best for every bug, and a wrong guess costs more than a right one gains. So of seven runs each strategy has one,
//! which costs at most seven times what the best of them would, whatever the bug is. The seventh is for whoever has lately shown
//! most that was new; but after the first runs, and until each has been tried, for single deviations.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::adequacy::shown;
use crate::case::Decisions;
use crate::decide::{Act, Choice, Draw, Profile, Single, pick, run_hash};
use crate::run::{Ran, Stage};

/// What a sweep draws from, where each seed is a run of its own.
const OF_SEEDS: &[(Choice, u64)] = &[
    (Choice::Random, 3),
    (Choice::Remaining, 1),
    (Choice::Priorities, 1),
    (Choice::Preemptions, 3),
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
    /// It has every run, except the quiet one.
    alone: Option<Choice>,
    profile: Rc<Profile>,
    /// Single deviations that were drawn.
    singles: usize,
    /// What runs have shown.
    seen: BTreeSet<u64>,
    /// Deviations of runs that showed something for the first time.
    parents: Vec<Rc<[Single]>>,
    pays: Pays,
}

/// The turns of seven runs; the seventh is nobody's.
const TURNS: [Choice; 6] = [
    Choice::Remaining,
    Choice::Priorities,
    Choice::Random,
    Choice::Deviations,
    Choice::Preemptions,
    Choice::Feedback,
];

/// Most bugs are found in so many runs; single deviations have a turn of their own in them, and only after them another one.
const EARLY: u64 = 100;

/// So many parents are kept; a new one takes the place of the oldest.
const MOST_PARENTS: usize = 256;

/// Of more single deviations than this most do nothing, and a search would be over before it has tried them.
const MANY: usize = 2_000;

/// From so many single deviations on, a few at once are drawn when each has been tried.
const ENOUGH: usize = 64;

impl Portfolio {
    /// Of all strategies.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            alone: None,
            profile: Rc::default(),
            singles: 0,
            seen: BTreeSet::new(),
            parents: Vec::new(),
            pays: Pays::default(),
        }
    }

    /// Of one strategy.
    pub fn alone(seed: u64, choice: Choice) -> Self {
        Self {
            alone: Some(choice),
            ..Self::new(seed)
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
        let choice = self.choice(run);
        let draw = self.draw(choice, run);
        let profile = Rc::clone(&self.profile);
        let mut ran = stage.run(&mut || draw.strategy(&profile))?;
        if run == 0 {
            self.profile = Rc::new(std::mem::take(&mut ran.profile));
        }
        let new = self.learn(&ran);
        self.pays.learn(choice, new);
        Ok(ran)
    }

    fn choice(&self, run: u64) -> Choice {
        let turn = (run.saturating_sub(1) % (TURNS.len() as u64 + 1)) as usize;
        match (self.alone, TURNS.get(turn)) {
            (Some(alone), _) => alone,
            (None, Some(choice)) => *choice,
            (None, None) if run > EARLY && self.tries_singles() => Choice::Deviations,
            (None, None) => self.pays.most(),
        }
    }

    /// Whether single deviations are left, and so few that it pays to try each of them.
    fn tries_singles(&self) -> bool {
        let all = self.profile.survey.singles.len();
        self.singles < all && (all <= MANY || self.alone.is_some())
    }

    /// What run `run` does: run 0 is quiet.
    fn draw(&mut self, choice: Choice, run: u64) -> Draw {
        let hash = run_hash(self.seed, run);
        let all = &self.profile.survey.singles;
        let parent = pick::parent(hash, &self.parents);
        let next = all.get(self.singles).filter(|_| self.tries_singles());
        match (choice, next, parent) {
            _ if run == 0 => Draw::Quiet,
            (Choice::Deviations, Some(single), _) => {
                self.singles += 1;
                Draw::One(single.clone())
            }
            // A few of few are soon the same.
            (Choice::Deviations, None, _) if all.len() < ENOUGH => Draw::By(Choice::Random, hash),
            (Choice::Feedback, _, Some(parent)) => Draw::Mutant(hash, Rc::clone(parent)),
            _ => Draw::By(choice, hash),
        }
    }

    /// Whether a run has shown something for the first time. It becomes a parent then.
    fn learn(&mut self, ran: &Ran) -> bool {
        let before = self.seen.len();
        self.seen.extend(shown(ran));
        let new = self.seen.len() > before;
        if new && !ran.decisions.0.is_empty() {
            if self.parents.len() == MOST_PARENTS {
                self.parents.remove(0);
            }
            self.parents.push(singles(&ran.decisions));
        }
        new
    }
}

/// What each strategy's last runs have shown: how many of them something new, on a scale that forgets.
#[derive(Debug, Default)]
struct Pays([f64; Choice::ALL.len()]);

impl Pays {
    /// A run of the strategy has ended.
    fn learn(&mut self, choice: Choice, new: bool) {
        let known = &mut self.0[choice as usize];
        *known += (f64::from(u8::from(new)) - *known) / MEMORY;
    }

    /// The strategy that pays most; where none does, chance.
    fn most(&self) -> Choice {
        let pays = |choice: &Choice| self.0[*choice as usize];
        let mut most = Choice::Random;
        for choice in TURNS {
            if pays(&choice) > pays(&most) {
                most = choice;
            }
        }
        most
    }
}

/// A run counts for as many runs of its strategy.
const MEMORY: f64 = 32.0;

/// Decisions as what a mutant has for a parent.
fn singles(decisions: &Decisions) -> Rc<[Single]> {
    let decisions = decisions.0.iter();
    decisions
        .map(|(point, deviation)| Single {
            key: point.key(),
            act: Act::from(deviation),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Choice, Pays, Portfolio, TURNS};

    #[test]
    fn of_seven_runs_each_strategy_has_one() {
        let portfolio = Portfolio::new(1);
        let turns: Vec<Choice> = (1..=6).map(|run| portfolio.choice(run)).collect();
        assert_eq!(turns, TURNS);
        assert_eq!(portfolio.choice(8), TURNS[0]);
        assert_eq!(TURNS.len(), Choice::ALL.len());
        assert!(Choice::ALL.iter().all(|choice| TURNS.contains(choice)));
    }

    #[test]
    fn what_shows_something_new_pays_and_what_showed_it_long_ago_does_not() {
        let mut pays = Pays::default();
        assert_eq!(pays.most(), Choice::Random);
        (0..50).for_each(|_| pays.learn(Choice::Feedback, true));
        assert_eq!(pays.most(), Choice::Feedback);
        (0..200).for_each(|_| pays.learn(Choice::Feedback, false));
        (0..5).for_each(|_| pays.learn(Choice::Priorities, true));
        assert_eq!(pays.most(), Choice::Priorities);
    }
}
