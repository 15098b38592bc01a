//! Every scenario and variant is its own test: `cargo test --test scenarios -- 001-c` filters.
//!
//! Each is searched as `lockstep run` does, must get its expected verdict, and each violation is shrunk; the shrunk trace
//! is a snapshot to review. Dropping a YAML file into `scenarios/` adds its tests.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use libtest_mimic::{Arguments, Failed, Trial};
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Expect, Variant};
use lockstep_sim::search::{Plan, Searched, reduce, search};
use lockstep_sim::shrink;

/// A shrunk case is at most this large.
const EVENTS: usize = 15;
const DEVIATIONS: usize = 4;

fn main() {
    let arguments = Arguments::from_args();
    let trials = files().iter().flat_map(|file| trials(file)).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files() -> Vec<PathBuf> {
    let folder = root().join("scenarios");
    let entries = std::fs::read_dir(folder).expect("the folder of scenarios");
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    files.sort();
    files
}

fn trials(file: &Path) -> Vec<Trial> {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let shown = format!("scenarios/{stem}.yaml");
    let text = std::fs::read_to_string(file).expect("a readable scenario");
    match scenario::parse(&shown, &text) {
        Err(problems) => vec![Trial::test(stem, move || {
            Err(Failed::from(problems.to_string()))
        })],
        Ok(scenario) => {
            let names: Vec<String> = scenario
                .variants
                .iter()
                .map(|variant| variant.name.clone())
                .collect();
            let trial = |name: String| {
                let (shown, text, stem) = (shown.clone(), text.clone(), stem.clone());
                Trial::test(format!("{stem}::{name}"), move || {
                    judge(&shown, &text, &stem, &name)
                })
            };
            names.into_iter().map(trial).collect()
        }
    }
}

fn judge(file: &str, text: &str, stem: &str, name: &str) -> Result<(), Failed> {
    let scenario = scenario::parse(file, text).map_err(|problems| problems.to_string())?;
    let variant = scenario
        .variants
        .iter()
        .find(|variant| variant.name == name)
        .ok_or("the variant is gone")?;
    let mut stage = Stage::new(FlowWorld::new(Rc::new(variant.program.clone())))?;
    let plan = Plan {
        seed: 1,
        runs: variant.program.runs,
        expect: Some(&variant.expect),
    };
    let found = search(&mut stage, &plan, &mut || false)?;
    expected(variant, &found)?;
    for first in found.firsts.values() {
        let small = reduce(&mut stage, first, 2_000)?;
        let (events, deviations) = (
            shrink::events(&small.ran.trace),
            small.ran.decisions.0.len(),
        );
        if events > EVENTS || deviations > DEVIATIONS {
            let shown = report::human(&small.ran.trace);
            return Err(format!(
                "{}: shrunk to {events} events and {deviations} deviations\n{shown}",
                first.invariant
            )
            .into());
        }
        let shown = format!(
            "{}\n{}",
            small.ran.decisions,
            report::human(&small.ran.trace)
        );
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(root().join("tests/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings
            .bind(|| insta::assert_snapshot!(format!("{stem}-{name}-{}", first.invariant), shown));
    }
    Ok(())
}

fn expected(variant: &Variant, found: &Searched) -> Result<(), Failed> {
    if let Some(words) = &found.internal {
        return Err(format!("a bug in lockstep: {words}").into());
    }
    let goals: Vec<String> = variant
        .program
        .goals
        .iter()
        .map(|goal| goal.name.clone())
        .collect();
    let verdict = found.verdict(&goals, variant.program.target);
    if found.is_expected(&variant.expect, verdict) {
        return Ok(());
    }
    let violated: Vec<&String> = found.firsts.keys().collect();
    let missing: Vec<&String> = goals
        .iter()
        .filter(|goal| !found.goals.contains(*goal))
        .collect();
    let expect = match &variant.expect {
        Expect::Holds => "holds".to_owned(),
        Expect::Undecided => "undecided".to_owned(),
        Expect::Violates(names) => format!("violates {names:?}"),
    };
    let runs = found.runs;
    Err(format!("expected {expect}, got {} {violated:?} after {runs} runs; goals never reached: {missing:?}", verdict.name()).into())
}
