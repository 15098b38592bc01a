//! The folder of scenarios: its files, and what must be true of all of them together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use lockstep_sim::scenario::{self, Expect, Scenario};

/// Traces that were reviewed.
pub(super) const SNAPSHOTS: &str = "tests/scenarios/snapshots";
/// Folders of files that scenarios import; nothing runs them by themselves.
const IMPORTED: [&str; 2] = ["platforms", "shared"];

/// All scenarios, in the order of their paths.
pub(super) fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(Path::new("scenarios"), &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of scenarios") {
        let path = entry.expect("an entry").path();
        let imported = IMPORTED.iter().any(|name| path.ends_with(name));
        if path.is_dir() && !imported {
            collect(&path, into);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            into.push(path);
        }
    }
}

/// Name of a file without folder and ending.
pub(super) fn stem(file: &Path) -> String {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    stem.unwrap_or_default()
}

/// Name of the snapshot of what a variant violates.
pub(super) fn snapshot(stem: &str, variant: &str, invariant: &str) -> String {
    format!("{stem}-{variant}-{invariant}")
}

/// Something that is true of all files together.
type Fact = fn(&[PathBuf]) -> Result<(), Failed>;

/// Facts about the folder.
pub(super) fn trials(files: &[PathBuf]) -> Vec<Trial> {
    let facts: [(&str, Fact); 4] = [
        ("folder::there_are_scenarios", there_are_scenarios),
        (
            "folder::names_and_files_are_unique",
            names_and_files_are_unique,
        ),
        (
            "folder::each_file_begins_with_what_it_is_about",
            each_file_begins_with_what_it_is_about,
        ),
        (
            "folder::snapshots_are_those_of_expected_violations",
            snapshots_are_expected,
        ),
    ];
    let trial = |(name, fact): (&str, Fact)| {
        let files = files.to_owned();
        Trial::test(name, move || fact(&files))
    };
    facts.map(trial).into()
}

fn there_are_scenarios(files: &[PathBuf]) -> Result<(), Failed> {
    nothing(if files.is_empty() {
        vec!["no file".to_owned()]
    } else {
        Vec::new()
    })
}

/// Cases, snapshots and tests are named after both.
fn names_and_files_are_unique(files: &[PathBuf]) -> Result<(), Failed> {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let path = file.display().to_string();
        by_name
            .entry(format!("{}.yaml", stem(file)))
            .or_default()
            .push(path.clone());
        if let Some(scenario) = loaded(file) {
            by_name
                .entry(format!("name: {}", scenario.name))
                .or_default()
                .push(path.clone());
        }
    }
    let twice = by_name.into_iter().filter(|(_, files)| files.len() > 1);
    nothing(
        twice
            .map(|(name, files)| format!("{name}: {}", files.join(", ")))
            .collect(),
    )
}

fn each_file_begins_with_what_it_is_about(files: &[PathBuf]) -> Result<(), Failed> {
    let silent = files.iter().filter(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        !text.starts_with("# ")
    });
    nothing(silent.map(|file| file.display().to_string()).collect())
}

/// None is left over from a scenario that has changed, none waits for its review, none is missing.
fn snapshots_are_expected(files: &[PathBuf]) -> Result<(), Failed> {
    let mut expected = BTreeSet::new();
    for file in files {
        for variant in loaded(file).iter().flat_map(|scenario| &scenario.variants) {
            if let Expect::Violates(names) = &variant.expect {
                let name = |invariant| snapshot(&stem(file), &variant.name, invariant) + ".snap";
                expected.extend(names.iter().map(|invariant| name(invariant)));
            }
        }
    }
    let entries = fs::read_dir(SNAPSHOTS)?;
    let found: BTreeSet<String> = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, std::io::Error>>()?;
    let odd = found.symmetric_difference(&expected);
    nothing(odd.map(|name| format!("{SNAPSHOTS}/{name}")).collect())
}

/// A file that does not load is red by itself.
fn loaded(file: &Path) -> Option<Scenario> {
    scenario::load(file).ok()
}

fn nothing(found: Vec<String>) -> Result<(), Failed> {
    match found.is_empty() {
        true => Ok(()),
        false => Err(found.join("\n").into()),
    }
}
