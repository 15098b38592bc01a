//! Facts about the whole. Each module says what belongs into it.

mod agreement;
mod cli;
mod determinism;
mod docs;
mod exhaustive;
mod explain;
mod faults;
mod linearizable;
mod properties;
mod refactor;
mod sabotage;
mod schema;
mod search;
mod shrink;
mod suggest;
mod tidy;
mod wrong;

use std::path::{Path, PathBuf};

use lockstep_sim::scenario::{self, Program};

/// The root of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every variant of every scenario at the top level of `scenarios/`, in the order of their names.
fn scenario_programs() -> Vec<(String, Program)> {
    let entries = std::fs::read_dir(root().join("scenarios")).expect("the folder of scenarios");
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    files.sort();
    let programs = files.iter().flat_map(|file| {
        let scenario = scenario::load(file).unwrap_or_else(|problems| panic!("{problems}"));
        let name = scenario.name;
        scenario
            .variants
            .into_iter()
            .map(move |variant| (format!("{name}::{}", variant.name), variant.program))
    });
    programs.collect()
}
