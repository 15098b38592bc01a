//! Cases: every variant of the folder that is expected to fail, searched, shrunk and explained.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use lockstep_sim::case::{CaseFile, Decisions, Source, Violates};
use lockstep_sim::explain::{Explained, explain};
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Expect, Program, Scenario, Variant};
use lockstep_sim::search::{Plan, reduce, search};
use lockstep_sim::shrink::{BUDGET, Target};

/// A case, and what is said about it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) program: Program,
    pub(super) explained: Explained,
    /// The case as it would be written.
    pub(super) file: CaseFile,
}

impl Case {
    pub(super) fn decisions(&self) -> &Decisions {
        &self.explained.ran.decisions
    }

    pub(super) fn target(&self) -> &Target {
        &self.explained.target
    }

    pub(super) fn stage(&self) -> Stage {
        stage(&self.program)
    }
}

pub(super) fn stage(program: &Program) -> Stage {
    Stage::new(FlowWorld::new(Rc::new(program.clone()))).expect("the stage is set")
}

/// Scenario files below a folder, without those that others import.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of scenarios");
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        match path.is_dir() {
            true if path.ends_with("platforms") || path.ends_with("shared") => {}
            true => found.extend(files(&path)),
            false if path.extension().is_some_and(|it| it == "yaml") => found.push(path),
            false => {}
        }
    }
    found
}

/// All cases of a file, with so many searches of each variant that is expected to fail. The same case is taken once.
pub(super) fn of(path: &Path, seeds: u64) -> Vec<Case> {
    let scenario = scenario::load(path).unwrap_or_else(|problems| panic!("{problems}"));
    let mut cases: Vec<Case> = Vec::new();
    for variant in &scenario.variants {
        let Expect::Violates(names) = &variant.expect else {
            continue;
        };
        let mut stage = stage(&variant.program);
        for (seed, name) in (0..seeds).flat_map(|seed| names.iter().map(move |name| (seed, name))) {
            let Some(case) = case(&mut stage, &scenario, variant, name, seed) else {
                continue;
            };
            let same = |other: &Case| other.file == case.file;
            if !cases.iter().any(same) {
                cases.push(case);
            }
        }
    }
    cases
}

fn case(
    stage: &mut Stage,
    scenario: &Scenario,
    variant: &Variant,
    invariant: &str,
    seed: u64,
) -> Option<Case> {
    let plan = Plan {
        seed,
        runs: variant.program.runs,
        expect: Some(&variant.expect),
    };
    let searched = search(stage, &plan, &mut || false).expect("a search");
    let first = searched.firsts.get(invariant)?;
    let small = reduce(stage, first, BUDGET, &mut || false).expect("a case");
    let target = Target {
        invariant: first.invariant.clone(),
        key: first.key.clone(),
    };
    let program = Some(&variant.program);
    let decisions = &small.ran.decisions;
    let explained = explain(stage, decisions, Some(&target), program, &mut || false);
    let explained = explained.expect("runs")?;
    Some(Case {
        name: format!("{}.{}.{invariant}", scenario.name, variant.name),
        program: variant.program.clone(),
        file: written(scenario, variant, &explained),
        explained,
    })
}

fn written(scenario: &Scenario, variant: &Variant, explained: &Explained) -> CaseFile {
    let source = Source::Scenario {
        name: scenario.name.clone(),
        file: scenario.file.clone(),
        text: scenario.text.clone(),
    };
    let violates = Violates {
        invariant: explained.target.invariant.clone(),
        key: explained.target.key.clone(),
    };
    let decisions = &explained.ran.decisions;
    CaseFile::new(source, &variant.name, 0, 0, decisions, violates)
}
