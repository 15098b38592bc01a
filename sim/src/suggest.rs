//! Repairs: a catalogue of small changes, tried on a failing variant alone and in pairs.
//!
//! A repair is a change of the program that anybody could make in the code behind it. It stands when the runs that failed before
//! pass, when two whole searches find nothing, and when in the quiet run everybody who did something still does: doing nothing
//! breaks nothing.

mod apply;
mod body;
mod condition;
mod deeds;
mod find;
mod guard;
mod index;
mod memory;
mod order;
mod outcome;
mod reach;
mod repair;
mod rows;
mod schema;
mod statement;
mod steps;
mod trial;

use crate::scenario::Program;
use crate::search::{Searched, Verdict};

pub use condition::{Condition, Origin};
pub use find::repairs;
pub use repair::{Key, Repair, indexed};
use rows::Left;
pub use rows::Rows;
pub use steps::Spot;
use trial::{Trials, Tried};

/// A set of repairs that stands.
#[derive(Debug)]
pub struct Stands {
    /// The repairs, by their places in the list.
    pub repairs: Vec<usize>,
    /// What the search of it found: nothing.
    pub searched: Searched,
    /// `Holds`, or `Undecided` where the engine cannot show it.
    pub verdict: Verdict,
    /// What becomes of the rows that the bug has left.
    pub rows: Rows,
}

/// What came of a list of repairs.
#[derive(Debug, Default)]
pub struct Suggested {
    /// The smallest sets that stand.
    pub stand: Vec<Stands>,
    /// Sets that were tried.
    pub tried: usize,
    /// How many repairs the largest of them had.
    pub largest: usize,
    /// Somebody wanted an end.
    pub cut: bool,
}

/// Tries the repairs alone, and if none of them stands in pairs. `told` hears how many sets were tried, and of how many; `stop`
/// is asked between runs.
///
/// # Errors
/// In words, when a stage cannot run.
pub fn suggest(
    program: &Program,
    repairs: &[Repair],
    told: &mut dyn FnMut(usize, usize),
    stop: &mut dyn FnMut() -> bool,
) -> Result<Suggested, String> {
    let (trials, stage, firsts) = Trials::of(program, stop)?;
    let mut search = Search {
        left: Left::of(program, &stage, &firsts),
        trials,
        passes: vec![None; repairs.len()],
        suggested: Suggested::default(),
        program,
        repairs,
    };
    let alone: Vec<Vec<usize>> = (0..repairs.len()).map(|n| vec![n]).collect();
    search.all(&alone, told, stop)?;
    if search.suggested.stand.is_empty() && !search.suggested.cut {
        let pairs = search.pairs();
        search.all(&pairs, told, stop)?;
    }
    Ok(search.suggested)
}

/// The program with these repairs; `None` when one of them does not fit.
pub fn repaired(program: &Program, repairs: &[&Repair]) -> Option<Program> {
    apply::all(program, repairs)
}

/// A list of repairs being tried.
struct Search<'a> {
    program: &'a Program,
    repairs: &'a [Repair],
    trials: Trials,
    left: Left<'a>,
    /// Of each repair alone which of the failing runs passed; none where it cannot be made.
    passes: Vec<Option<Vec<bool>>>,
    suggested: Suggested,
}

impl Search<'_> {
    fn all(
        &mut self,
        sets: &[Vec<usize>],
        told: &mut dyn FnMut(usize, usize),
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<(), String> {
        let all = self.suggested.tried + sets.len();
        for set in sets {
            if stop() {
                self.suggested.cut = true;
                break;
            }
            if self.is_covered(set) {
                continue;
            }
            self.suggested.tried += 1;
            self.suggested.largest = set.len();
            told(self.suggested.tried, all);
            self.one(set, stop)?;
        }
        Ok(())
    }

    fn one(&mut self, set: &[usize], stop: &mut dyn FnMut() -> bool) -> Result<(), String> {
        let chosen: Vec<&Repair> = set.iter().map(|n| &self.repairs[*n]).collect();
        let Some(changed) = apply::all(self.program, &chosen) else {
            return Ok(());
        };
        let keeps = chosen.iter().map(|repair| repair.keeps()).min();
        let keeps = keeps.unwrap_or(repair::Keeps::End);
        let sites: Vec<&str> = chosen
            .iter()
            .filter_map(|repair| works_on(repair))
            .collect();
        match (self.trials.of_changed(&changed, keeps, &sites, stop)?, set) {
            (Tried::Stands(searched, verdict), _) => {
                let rows = self.left.under(&changed, stop)?;
                self.suggested.stand.push(Stands {
                    repairs: set.to_vec(),
                    searched: *searched,
                    verdict,
                    rows,
                });
            }
            (Tried::Fails(passed), [n]) => self.passes[*n] = Some(passed),
            _ => {}
        }
        Ok(())
    }

    /// Pairs of repairs that can be made, those first of which one or the other makes each run pass that is known to fail.
    fn pairs(&self) -> Vec<Vec<usize>> {
        let known = self.trials.failing();
        let passes = |n: usize, run: usize| {
            let passed = self.passes[n].as_ref().and_then(|passed| passed.get(run));
            passed.copied().unwrap_or(false)
        };
        let uncovered = |a: usize, b: usize| {
            let runs = (0..known).filter(|run| !passes(a, *run) && !passes(b, *run));
            runs.count()
        };
        let fit: Vec<usize> = (0..self.repairs.len())
            .filter(|n| self.passes[*n].is_some())
            .collect();
        let mut pairs: Vec<(usize, Vec<usize>)> = Vec::new();
        for (at, a) in fit.iter().enumerate() {
            for b in &fit[at + 1..] {
                if find::go_together(&self.repairs[*a], &self.repairs[*b]) {
                    pairs.push((uncovered(*a, *b), vec![*a, *b]));
                }
            }
        }
        pairs.sort_by_key(|(uncovered, _)| *uncovered);
        pairs.truncate(MOST_PAIRS);
        pairs.into_iter().map(|(_, pair)| pair).collect()
    }

    /// Whether a plainer repair of the same place stands already: the event's own id swallows nothing but repeats, and of the
    /// conditions that a statement could ask one is enough.
    fn is_covered(&self, set: &[usize]) -> bool {
        let standing = |set: &[usize]| -> Vec<&Repair> {
            let chosen = set.iter().map(|n| &self.repairs[*n]);
            chosen.collect()
        };
        let tried = standing(set);
        let mut all = self.suggested.stand.iter();
        all.any(|stands| {
            let known = standing(&stands.repairs);
            known.len() == tried.len()
                && known
                    .iter()
                    .zip(&tried)
                    .all(|(known, tried)| find::is_plainer(known, tried))
        })
    }
}

/// The site of a statement that must not become idle by asking more. Whoever asks whether the row is its own may never find it so.
fn works_on(repair: &Repair) -> Option<&str> {
    match repair {
        Repair::Guard { step, asks, .. } if asks.origin != Origin::AsWritten => Some(&step.site),
        _ => None,
    }
}

/// More pairs are not tried.
const MOST_PAIRS: usize = 400;
