//! The sweep: one run for each seed of the default world, in blocks that any process can take.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::{Adequacy, First, of_seed};
use crate::decide::{Profile, Quiet};
use crate::fault::Fault;
use crate::run::{Ran, Stage};

/// Seeds between two questions whether to stop.
const BLOCK: usize = 50;

/// What a part of a sweep saw. Plain data: it crosses from one process to another.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Swept {
    /// Runs.
    pub runs: u64,
    /// SQL statements executed.
    pub statements: u64,
    /// Runs that violated something.
    pub violations: u64,
    /// Seeds of the runs that violated nothing, as far as could be decided.
    pub undecided: BTreeSet<u64>,
    /// Runs in which each fault struck, by name.
    pub faults: BTreeMap<String, u64>,
    /// Runs that reached each goal.
    pub goals: BTreeMap<String, u64>,
    /// What the runs were made of.
    pub adequacy: Adequacy,
    /// The violation of each invariant with the lowest seed.
    pub firsts: BTreeMap<String, First>,
    /// Seed and trace hash of each run.
    pub hashes: Vec<(u64, u128)>,
    /// It was told to stop.
    pub cut: bool,
    /// A bug in lockstep, in words.
    pub internal: Option<String>,
}

/// The quiet run: yardstick of all others, and itself part of the sweep.
///
/// # Errors
/// In words, when the stage cannot run.
pub fn quiet(stage: &mut Stage, seed: u64) -> Result<(Rc<Profile>, Swept), String> {
    let ran = stage.run(&mut || Box::<Quiet>::default())?;
    let mut swept = Swept::default();
    swept.take(seed, 0, &ran);
    Ok((Rc::new(ran.profile), swept))
}

/// Run 1 of each seed. `stop` is asked between blocks of them.
///
/// # Errors
/// In words, when the stage cannot run.
pub fn sweep(
    stage: &mut Stage,
    profile: &Rc<Profile>,
    seeds: Range<u64>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Swept, String> {
    let mut swept = Swept::default();
    for (i, seed) in seeds.enumerate() {
        if i > 0 && i % BLOCK == 0 && stop() {
            swept.cut = true;
            break;
        }
        let ran = stage.run(&mut || of_seed(seed).strategy(profile))?;
        swept.take(seed, 1, &ran);
        if swept.internal.is_some() {
            break;
        }
    }
    Ok(swept)
}

impl Swept {
    fn take(&mut self, seed: u64, run: u64, ran: &Ran) {
        self.runs += 1;
        self.statements += ran.statements;
        self.violations += u64::from(!ran.violations.is_empty());
        if ran.undecided.is_some() && ran.violations.is_empty() {
            self.undecided.insert(seed);
        }
        self.hashes.push((seed, ran.hash));
        let struck: BTreeSet<Fault> = ran.strikes.iter().map(|(fault, _)| *fault).collect();
        for fault in struck {
            *self.faults.entry(fault.name().to_owned()).or_default() += 1;
        }
        self.adequacy.take(seed, run, ran);
        for goal in &ran.goals {
            *self.goals.entry(goal.clone()).or_default() += 1;
        }
        for violation in &ran.violations {
            let first = || First::new(seed, run, violation, ran);
            self.firsts
                .entry(violation.invariant.clone())
                .or_insert_with(first);
        }
        if let Some(words) = &ran.internal {
            self.internal = Some(format!("sweep, seed {seed}: {words}"));
        }
    }

    /// Adds what another part saw. Parts may come in any order.
    pub fn absorb(&mut self, other: Self) {
        self.runs += other.runs;
        self.statements += other.statements;
        self.violations += other.violations;
        self.undecided.extend(other.undecided);
        self.cut |= other.cut;
        self.hashes.extend(other.hashes);
        for (fault, runs) in other.faults {
            *self.faults.entry(fault).or_default() += runs;
        }
        self.adequacy.absorb(other.adequacy);
        for (goal, runs) in other.goals {
            *self.goals.entry(goal).or_default() += runs;
        }
        for (invariant, first) in other.firsts {
            let known = self
                .firsts
                .entry(invariant)
                .or_insert_with(|| first.clone());
            if (first.run, first.seed) < (known.run, known.seed) {
                *known = first;
            }
        }
        if self.internal.is_none() {
            self.internal = other.internal;
        }
    }
}
