//! What a changed program is asked before it counts as repaired.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::deeds::{Deeds, does, does_all};
use super::outcome::{Outcome, note_working, words};
use super::repair::Keeps;
use crate::case::Decisions;
use crate::decide::{Draw, Quiet, Replay};
use crate::flow::FlowWorld;
use crate::run::{Ran, Stage};
use crate::scenario::{Expect, Program};
use crate::search::{First, Plan, Searched, Verdict, search};

/// What became of a changed program.
pub(super) enum Tried {
    /// It does less than before, or does not begin.
    Unfit,
    /// It fails; which of the runs that failed before pass, in their order.
    Fails(Vec<bool>),
    /// It stands.
    Stands(Box<Searched>, Verdict),
}

/// Programs on trial, and what has made some of them fail.
pub(super) struct Trials {
    /// The quiet run fails already: what is done in it says little.
    fails_quietly: bool,
    /// What the quiet run does.
    does: Deeds,
    /// What it comes to.
    end: Outcome,
    /// Errors that ended flows of the quiet run.
    errors: usize,
    /// Runs that have failed so far.
    failing: Vec<Decisions>,
    /// Runs that pass as the program is, and what they come to.
    right: Vec<(Decisions, Outcome)>,
    /// What counts in a row of theirs.
    words: BTreeSet<String>,
    /// Sites that have found or changed a row in one of all these runs.
    working: BTreeSet<String>,
}

impl Trials {
    /// Searches the program as it is; also what it has violated, and how it is set up.
    pub(super) fn of(
        program: &Program,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<(Self, Stage, Vec<First>), String> {
        let (mut stage, quiet) = quiet(program)?.map_err(|why| format!("as it is: {why}"))?;
        let found = searched(&mut stage, program, 0, None, stop)?;
        let failing = found.firsts.values().map(|first| first.decisions.clone());
        let failing: Vec<Decisions> = failing.collect();
        let words = words(program);
        let mut working = BTreeSet::new();
        note_working(&quiet, &mut working);
        for decisions in &failing {
            let ran = stage.run(&mut || Box::new(Replay::new(decisions)))?;
            note_working(&ran, &mut working);
        }
        let trials = Self {
            fails_quietly: !quiet.violations.is_empty(),
            does: does(&quiet),
            end: Outcome::of(&quiet, None),
            errors: errors(&quiet),
            right: right(&mut stage, &quiet, &words)?,
            failing,
            words,
            working,
        };
        Ok((trials, stage, found.firsts.into_values().collect()))
    }

    /// How many runs have failed so far, those of the program as it is first.
    pub(super) fn failing(&self) -> usize {
        self.failing.len()
    }

    /// Whether it stands; what made it fail is remembered. Statements at these sites, if they did anything, must still do it
    /// in some run.
    pub(super) fn of_changed(
        &mut self,
        program: &Program,
        keeps: Keeps,
        sites: &[&str],
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Tried, String> {
        let Ok((mut stage, ran)) = quiet(program)? else {
            return Ok(Tried::Unfit);
        };
        let fails_quietly = !ran.violations.is_empty();
        if errors(&ran) > self.errors || (!fails_quietly && !self.is_kept(&ran, keeps)) {
            return Ok(Tried::Unfit);
        }
        let mut working = BTreeSet::new();
        note_working(&ran, &mut working);
        let passed = self.passed(&mut stage, &mut working)?;
        let idles = |site: &&str| self.working.contains(*site) && !working.contains(*site);
        if sites.iter().any(idles) {
            return Ok(Tried::Unfit);
        }
        if fails_quietly || passed.contains(&false) {
            return Ok(Tried::Fails(passed));
        }
        if keeps > Keeps::Somebody && !self.is_right(&mut stage)? {
            return Ok(Tried::Unfit);
        }
        // The first violation ends a search. A second seed tries other runs: what stands has passed both.
        let mut clean = None;
        for seed in 0..SEEDS {
            let found = searched(&mut stage, program, seed, Some(&Expect::Holds), stop)?;
            if let Some(first) = found.firsts.values().next() {
                self.failing.push(first.decisions.clone());
                return Ok(Tried::Fails(passed));
            }
            let verdict = found.verdict(program);
            let clean_enough = verdict == Verdict::Undecided && !found.cut;
            if found.endless.is_some() || !(matches!(verdict, Verdict::Holds) || clean_enough) {
                return Ok(Tried::Fails(passed));
            }
            clean = Some((Box::new(found), verdict));
        }
        Ok(match clean {
            Some((searched, verdict)) => Tried::Stands(searched, verdict),
            None => Tried::Fails(passed),
        })
    }

    /// Whether the quiet run does what it did.
    fn is_kept(&self, ran: &Ran, keeps: Keeps) -> bool {
        let end = Outcome::of(ran, None);
        match keeps {
            _ if self.fails_quietly => end.is_no_less_than(&self.end),
            Keeps::End => does_all(&self.does, &does(ran)) && end.comes_to(&self.end),
            Keeps::Somebody | Keeps::Right => does_all(&self.does, &does(ran)),
        }
    }

    /// Which of the runs that failed before pass.
    fn passed(
        &self,
        stage: &mut Stage,
        working: &mut BTreeSet<String>,
    ) -> Result<Vec<bool>, String> {
        let passes = |decisions| -> Result<bool, String> {
            let ran = stage.run(&mut || Box::new(Replay::new(decisions)))?;
            note_working(&ran, working);
            Ok(ran.violations.is_empty())
        };
        self.failing.iter().map(passes).collect()
    }

    /// Whether the runs that were right come to what they came to.
    fn is_right(&self, stage: &mut Stage) -> Result<bool, String> {
        for (decisions, outcome) in &self.right {
            let ran = stage.run(&mut || Box::new(Replay::new(decisions)))?;
            if !Outcome::of(&ran, Some(&self.words)).comes_to(outcome) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Runs of different kinds that pass, and what they come to.
fn right(
    stage: &mut Stage,
    quiet: &Ran,
    words: &BTreeSet<String>,
) -> Result<Vec<(Decisions, Outcome)>, String> {
    let profile = Rc::new(quiet.profile.clone());
    let mut right = Vec::new();
    for n in 0..SAMPLES {
        let ran = stage.run(&mut || Draw::nth(n).strategy(&profile))?;
        if ran.violations.is_empty() && ran.internal.is_none() {
            right.push((ran.decisions.clone(), Outcome::of(&ran, Some(words))));
        }
    }
    Ok(right)
}

/// One search of the program's own budget.
pub(super) fn searched(
    stage: &mut Stage,
    program: &Program,
    seed: u64,
    expect: Option<&Expect>,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Searched, String> {
    let plan = Plan {
        seed,
        runs: program.runs,
        expect,
    };
    let found = search(stage, &plan, stop)?;
    match &found.internal {
        Some(words) => Err(words.clone()),
        None => Ok(found),
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

/// Errors that ended a flow because nobody caught them.
fn errors(ran: &Ran) -> usize {
    ran.endings.errors.len()
}

/// Searches that a set has to pass.
const SEEDS: u64 = 2;

/// Runs that are drawn to see what the program does where it is right.
const SAMPLES: u64 = 100;
