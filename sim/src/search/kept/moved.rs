//! The decisions of a case at other places, the nearest first: steps, causes and times may have other names and sizes now, and
//! passages other numbers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::decide::{Log, Moved, Near, Placed, Single};
use crate::run::{Ran, Stage};

/// Runs with decisions at other places, where all of them could be made.
const MOST: usize = 300;

/// The same where some of them could not.
const MOST_IF_LOST: usize = 1_000;

/// Placements that come nearest to what the case did, for those who go on from them.
const PARENTS: usize = 4;

/// What a decision that cannot be made costs beside one that is moved.
const LOST: u32 = 5;

/// What it costs to move one that could be made: it stands where it should, most likely.
const MADE: u32 = 6;

/// What came of it.
pub(super) enum Came {
    /// A run shows what the case has shown.
    Fails,
    /// None does; these placements were carried out best.
    Not(Vec<Rc<[Single]>>),
}

/// A search over placements, the cheapest first: those with few decisions that cannot be made, and few that are moved far.
struct Placements {
    /// By what they cost, then in the order in which they were found; with what the moves alone cost.
    open: BTreeMap<(u32, usize), (u32, Vec<Placed>)>,
    known: BTreeSet<String>,
    found: usize,
    /// How many may be tried.
    most: usize,
    /// By how many decisions could not be made, then in the order in which they were tried.
    best: BTreeMap<(usize, usize), Rc<[Single]>>,
}

/// Tries other places until `is_it` says that a run shows it. `stop` is asked between runs.
pub(super) fn elsewhere(
    stage: &mut Stage,
    case: Vec<Placed>,
    is_it: &mut dyn FnMut(Ran) -> Result<bool, super::Broken>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Came, super::Broken> {
    let mut placements = Placements {
        open: BTreeMap::new(),
        known: BTreeSet::new(),
        found: 0,
        most: MOST,
        best: BTreeMap::new(),
    };
    placements.add(0, 0, case);
    let log = Rc::default();
    while let Some((_, (moves, placed))) = placements.open.pop_first() {
        if placements.best.len() >= placements.most || stop() {
            break;
        }
        let ran = stage.run(&mut || Box::new(Moved::new(placed.clone(), &log)))?;
        if is_it(ran)? {
            return Ok(Came::Fails);
        }
        placements.learn(moves, &placed, &log);
    }
    let best = placements.best.into_values();
    Ok(Came::Not(best.take(PARENTS).collect()))
}

impl Placements {
    fn add(&mut self, cost: u32, moves: u32, placed: Vec<Placed>) {
        if self.known.insert(format!("{placed:?}")) {
            self.open.insert((cost, self.found), (moves, placed));
            self.found += 1;
        }
        if self.open.len() > self.most {
            self.open.pop_last();
        }
    }

    /// Nobody will come to it.
    fn is_too_dear(&self, cost: u32) -> bool {
        let last = self.open.last_key_value();
        self.open.len() >= self.most && last.is_some_and(|((dearest, _), _)| *dearest <= cost)
    }

    /// What a placement has shown leads to others, in each of which one decision more stands elsewhere.
    fn learn(&mut self, moves: u32, placed: &[Placed], log: &RefCell<Log>) {
        let log = log.take();
        let lost = log.done.iter().filter(|done| !**done).count();
        if lost > 0 && self.best.is_empty() {
            self.most = MOST_IF_LOST;
        }
        self.best.insert((lost, self.best.len()), singles(placed));
        for chance in log.chances {
            let is_lost = !log.done[chance.decision];
            let left = u32::try_from(lost - usize::from(is_lost)).unwrap_or(u32::MAX);
            let moves = moves + far(chance.near) + MADE * u32::from(!is_lost);
            let cost = moves.saturating_add(left.saturating_mul(LOST));
            if self.is_too_dear(cost) {
                continue;
            }
            for moved in chance.taken(placed, &log.done) {
                self.add(cost, moves, moved);
            }
        }
    }
}

/// The further away, the dearer.
fn far(near: Near) -> u32 {
    match near {
        Near::Here => 1,
        Near::Passage(n) => (n + 1).ilog2(),
        Near::Site(n) | Near::Cause(n) => 2 + (n + 1).ilog2(),
    }
}

fn singles(placed: &[Placed]) -> Rc<[Single]> {
    let single = |placed: &Placed| Single {
        key: placed.key,
        act: placed.act.clone(),
    };
    placed.iter().map(single).collect()
}
