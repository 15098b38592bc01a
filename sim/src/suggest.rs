//! Repairs: a catalogue of small changes, tried on a failing variant alone and in pairs.
//!
//! A repair is a change of the program that anybody could make in the code behind it. It stands when the runs that failed before
//! pass, when two whole searches find nothing, and when in the quiet run everybody who did something still does: doing nothing
//! breaks nothing.

mod apply;
mod find;
mod guard;
mod index;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::case::Decisions;
use crate::decide::{Quiet, Replay};
use crate::flow::FlowWorld;
use crate::label::Label;
use crate::run::{Ran, Stage};
use crate::scenario::{Expect, Program};
use crate::search::{Plan, Searched, Verdict, search};
use crate::trace::plain;

pub use find::repairs;

/// What a key of deduplication is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The event's own id: the same for each delivery of it.
    Event,
    /// A parameter of the flow.
    Parameter(usize),
}

/// One small change. Flows are indices into the flows of a version, steps into the flow's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// A unique index; a flow that it refuses begins again.
    UniqueIndex {
        /// The table.
        table: String,
        /// Its columns.
        columns: Vec<String>,
        /// Rows that it is about, if not all.
        condition: Option<String>,
    },
    /// Steps of a flow in one transaction that locks at its beginning.
    Transaction {
        /// The flow.
        flow: usize,
        /// The first step, and the one behind the last.
        steps: (usize, usize),
    },
    /// Transactions that are there lock at their beginning.
    Immediate,
    /// Flows hold a lock from their first step to their last, on a parameter of this name, or on everything.
    Lock {
        /// The flows.
        flows: Vec<usize>,
        /// The parameter.
        on: Option<String>,
    },
    /// A flow records a key before it does anything, and does nothing when it is there already.
    Dedup {
        /// The flow.
        flow: usize,
        /// The key.
        key: Key,
    },
    /// A step of a flow's body stands elsewhere in it.
    Move {
        /// The flow.
        flow: usize,
        /// Where it stands.
        from: usize,
        /// The step that it is to stand before; the number of steps for the end.
        before: usize,
    },
    /// An update asks that what it changes is still what was read.
    CompareAndSet {
        /// The flow.
        flow: usize,
        /// The step's site.
        site: String,
        /// The column, and the variable that it was read into.
        still: (String, String),
    },
}

/// What a unique index is on: table, columns, and the rows that it is about.
pub fn indexed(table: &str, columns: &[String], condition: Option<&str>) -> String {
    let filter = condition.map_or(String::new(), |sql| format!(" WHERE {sql}"));
    format!("ON {table} ({}){filter}", columns.join(", "))
}

/// A set of repairs that stands.
#[derive(Debug)]
pub struct Stands {
    /// The repairs, by their places in the list.
    pub repairs: Vec<usize>,
    /// What the search of it found: nothing.
    pub searched: Searched,
    /// `Holds`, or `Undecided` where the engine cannot show it.
    pub verdict: Verdict,
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
    let mut trials = Trials::of(program, stop)?;
    let mut suggested = Suggested::default();
    let alone: Vec<Vec<usize>> = (0..repairs.len()).map(|n| vec![n]).collect();
    let pairs: Vec<Vec<usize>> = (0..repairs.len())
        .flat_map(|a| (a + 1..repairs.len()).map(move |b| vec![a, b]))
        .filter(|pair| find::go_together(&repairs[pair[0]], &repairs[pair[1]]))
        .take(MOST_PAIRS)
        .collect();
    let all = alone.len() + pairs.len();
    for sets in [alone, pairs] {
        if !suggested.stand.is_empty() {
            break;
        }
        for set in sets {
            if stop() {
                suggested.cut = true;
                return Ok(suggested);
            }
            if is_covered(&suggested.stand, repairs, &set) {
                continue;
            }
            suggested.tried += 1;
            suggested.largest = set.len();
            told(suggested.tried, all);
            let chosen: Vec<&Repair> = set.iter().map(|n| &repairs[*n]).collect();
            let Some(changed) = apply::all(program, &chosen) else {
                continue;
            };
            // What only stands elsewhere does the same when nobody disturbs it.
            let moves = chosen
                .iter()
                .any(|repair| matches!(repair, Repair::Move { .. }));
            if let Some((searched, verdict)) = trials.stands(changed, moves, stop)? {
                suggested.stand.push(Stands {
                    repairs: set,
                    searched,
                    verdict,
                });
            }
        }
    }
    Ok(suggested)
}

/// Whether a plainer key of the same flow stands already: the event's own id swallows nothing but repeats.
fn is_covered(stand: &[Stands], repairs: &[Repair], set: &[usize]) -> bool {
    let by_event = |flow: usize| {
        let key = Key::Event;
        let repair = Repair::Dedup { flow, key };
        stand
            .iter()
            .any(|stands| matches!(stands.repairs[..], [n] if repairs[n] == repair))
    };
    match set {
        [n] => {
            matches!(&repairs[*n], Repair::Dedup { flow, key: Key::Parameter(_) } if by_event(*flow))
        }
        _ => false,
    }
}

/// What a changed program is asked.
struct Trials {
    /// What the quiet run does.
    does: Deeds,
    /// Errors that ended flows of the quiet run.
    errors: usize,
    /// Runs that have failed so far.
    failing: Vec<Decisions>,
}

impl Trials {
    /// Searches the program as it is.
    fn of(program: &Program, stop: &mut dyn FnMut() -> bool) -> Result<Self, String> {
        let (mut stage, quiet) = quiet(program)?.map_err(|why| format!("as it is: {why}"))?;
        let plan = Plan {
            seed: 0,
            runs: program.runs,
            expect: None,
        };
        let found = search(&mut stage, &plan, stop)?;
        if let Some(words) = found.internal {
            return Err(words);
        }
        let failing = found.firsts.values().map(|first| first.decisions.clone());
        Ok(Self {
            does: does(&quiet),
            errors: errors(&quiet),
            failing: failing.collect(),
        })
    }

    /// Whether it stands; what made it fail is remembered. `same`: in the quiet run everybody has to do exactly what they did.
    fn stands(
        &mut self,
        program: Program,
        same: bool,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Option<(Searched, Verdict)>, String> {
        let Ok((mut stage, ran)) = quiet(&program)? else {
            return Ok(None);
        };
        let now = does(&ran);
        let does_all = does_all(&self.does, &now) && (!same || self.does == now);
        if !ran.violations.is_empty() || errors(&ran) > self.errors || !does_all {
            return Ok(None);
        }
        for decisions in &self.failing {
            let ran = stage.run(&mut || Box::new(Replay::new(decisions)))?;
            if !ran.violations.is_empty() {
                return Ok(None);
            }
        }
        // The first violation ends a search. A second seed tries other runs: what stands has passed both.
        let searches = (0..SEEDS).map(|seed| {
            let plan = Plan {
                seed,
                runs: program.runs,
                expect: Some(&Expect::Holds),
            };
            search(&mut stage, &plan, stop)
        });
        let mut clean = None;
        for searched in searches {
            let searched = searched?;
            if let Some(words) = &searched.internal {
                return Err(words.clone());
            }
            if searched.endless.is_some() {
                return Ok(None);
            }
            if let Some(first) = searched.firsts.values().next() {
                self.failing.push(first.decisions.clone());
                return Ok(None);
            }
            clean = Some(searched);
        }
        let Some(searched) = clean else {
            return Ok(None);
        };
        let verdict = searched.verdict(&program);
        let stands = matches!(verdict, Verdict::Holds)
            || (verdict == Verdict::Undecided && !searched.cut && searched.firsts.is_empty());
        Ok(stands.then_some((searched, verdict)))
    }
}

/// The quiet run; an error in words when the changed program does not even begin.
fn quiet(program: &Program) -> Result<Began, String> {
    let mut stage = match Stage::new(FlowWorld::new(Rc::new(program.clone()))) {
        Ok(stage) => stage,
        Err(why) => return Ok(Err(why)),
    };
    let ran = stage.run(&mut || Box::<Quiet>::default())?;
    Ok(match ran.internal.clone() {
        Some(words) => return Err(words),
        None => Ok((stage, ran)),
    })
}

/// A stage and its quiet run, or why the program does not begin.
type Began = Result<(Stage, Ran), String>;

/// What each cause has done: effects and rows, in words.
type Deeds = BTreeMap<String, BTreeSet<String>>;

fn does(ran: &Ran) -> Deeds {
    let mut deeds = Deeds::new();
    let mut did = |cause: &Label, deed: String| {
        deeds
            .entry(cause.as_str().to_owned())
            .or_default()
            .insert(deed);
    };
    for effect in &ran.ledger.effects {
        let intent = effect.deed.intent.as_ref().map(plain);
        did(&effect.cause, format!("{} {intent:?}", effect.deed.name));
    }
    let changes = ran
        .trace
        .changes
        .iter()
        .map(|committed| (&committed.cause, &committed.change));
    for (cause, change) in changes.filter(|(_, change)| &*change.table != apply::HANDLED) {
        let row: Vec<String> = change.new.iter().flatten().map(plain).collect();
        did(cause, format!("{} {}", change.table, row.join(", ")));
    }
    deeds
}

/// Whether everybody who did something still does: nobody may be passed over whose deeds were not those of somebody else.
fn does_all(before: &Deeds, now: &Deeds) -> bool {
    before.iter().all(|(cause, deeds)| {
        let others = || before.iter().filter(|(other, _)| *other != cause);
        let repeated = |deed: &String| others().any(|(_, deeds)| deeds.contains(deed));
        now.contains_key(cause) || deeds.iter().all(repeated)
    })
}

/// Errors that ended a flow because nobody caught them.
fn errors(ran: &Ran) -> usize {
    ran.endings.errors.len()
}

/// Searches that a set has to pass.
const SEEDS: u64 = 2;

/// More pairs are not tried.
const MOST_PAIRS: usize = 60;
