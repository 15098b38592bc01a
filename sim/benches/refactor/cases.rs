//! The corpus: shrunk cases of every bug in the folder of scenarios, and of planted ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lockstep_sim::case::Decisions;
use lockstep_sim::decide::Replay;
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Expect, Program, Variant};
use lockstep_sim::shrink::Target;

/// A bug of a scenario, and a case of it.
pub(crate) struct Case {
    /// File, variant and invariant.
    pub(crate) name: String,
    pub(crate) stem: String,
    pub(crate) program: Program,
    pub(crate) decisions: Decisions,
    pub(crate) target: Target,
}

/// Every variant that is expected to fail, with the name of its file and the invariants that it violates.
pub(crate) fn failing() -> Vec<(String, Variant, Vec<String>)> {
    let failing = variants().into_iter().filter_map(|(stem, variant)| {
        let Expect::Violates(names) = &variant.expect else {
            return None;
        };
        let names = names.clone();
        Some((stem, variant, names))
    });
    failing.collect()
}

/// Every variant in which nothing is expected to be found, with the name of its file.
pub(crate) fn cured() -> Vec<(String, Variant)> {
    let mut all = variants();
    all.retain(|(_, variant)| !matches!(variant.expect, Expect::Violates(_)));
    all
}

fn variants() -> Vec<(String, Variant)> {
    let mut all = Vec::new();
    for file in files() {
        let scenario = scenario::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let variants = scenario.variants.into_iter();
        all.extend(variants.map(|variant| (stem.to_string(), variant)));
    }
    all
}

/// All scenario files, in the order of their paths.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&root().join("scenarios"), &mut files);
    files.sort();
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of scenarios") {
        let path = entry.expect("an entry").path();
        // What others import is no scenario by itself.
        let imported = path.ends_with("platforms") || path.ends_with("shared");
        if path.is_dir() && !imported {
            collect(&path, into);
        } else if path.extension().is_some_and(|it| it == "yaml") {
            into.push(path);
        }
    }
}

/// The world of a program.
pub(crate) fn stage(program: &Program) -> Result<Stage, String> {
    Stage::new(FlowWorld::new(Rc::new(program.clone())))
}

/// The case that was reviewed, whose shrunk trace is kept beside the tests of scenarios.
pub(crate) fn reviewed(stem: &str, variant: &Variant, invariant: &str) -> Case {
    let file = format!("{stem}-{}-{invariant}.snap", variant.name);
    let path = root().join("tests/scenarios/snapshots").join(&file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let line = text.lines().skip_while(|line| *line != "---").skip(1);
    let line = line.skip_while(|line| *line != "---").nth(1);
    let decisions: Decisions = line.unwrap_or_default().parse().expect("decisions");
    let mut stage = stage(&variant.program).expect("the stage is set");
    let ran = stage.run(&mut || Box::new(Replay::new(&decisions)));
    let ran = ran.expect("a run");
    let mut violations = ran.violations.iter();
    let violation = violations.find(|violation| violation.invariant == invariant);
    let violation = violation.unwrap_or_else(|| panic!("{file}: it does not fail"));
    Case {
        name: format!("{stem}.{}.{invariant}", variant.name),
        stem: stem.to_owned(),
        program: variant.program.clone(),
        target: Target {
            invariant: invariant.to_owned(),
            key: violation.key.clone(),
        },
        decisions,
    }
}
