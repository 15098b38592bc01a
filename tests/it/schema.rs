//! The JSON Schema of the language takes every scenario that the parser takes, and refuses what nobody could mean.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use lockstep_sim::scenario;
use serde_json::Value;

use super::{docs, root};

fn validator() -> Validator {
    jsonschema::draft7::meta::validate(&scenario::schema()).expect("a schema of draft 7");
    jsonschema::draft7::new(&scenario::schema()).expect("a schema")
}

fn json(text: &str, at: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{at}: {error}"))
}

fn told(validator: &Validator, text: &str, at: &str) -> Vec<String> {
    let found = json(text, at);
    let errors = validator.iter_errors(&found);
    errors
        .map(|error| format!("{at}: {}: {error}", error.instance_path()))
        .collect()
}

/// Scenario files below a folder, those that are only imported left out.
fn scenarios(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let imported = path.ends_with("platforms") || path.ends_with("shared");
        if path.is_dir() && !imported {
            scenarios(&path, into);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            into.push(path);
        }
    }
}

#[test]
fn every_scenario_is_one() {
    let validator = validator();
    let mut files = Vec::new();
    scenarios(&root().join("scenarios"), &mut files);
    assert!(files.len() > 3);
    let mut wrong = Vec::new();
    for file in files {
        let text = scenario::whole_text(&file).unwrap_or_else(|problems| panic!("{problems}"));
        wrong.extend(told(&validator, &text, &file.to_string_lossy()));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_example_of_the_manual_is_one() {
    let validator = validator();
    let examples = docs::examples();
    assert!(examples.len() > 10);
    let wrong: Vec<String> = examples
        .iter()
        .flat_map(|(at, text)| told(&validator, text, at))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_skeleton_is_one() {
    let text = scenario::skeleton("charged_twice").expect("a name");
    assert_eq!(told(&validator(), &text, "skeleton"), Vec::<String>::new());
}

#[test]
fn slips_are_not() {
    let validator = validator();
    let good = scenario::skeleton("charged_twice").expect("a name");
    for (from, to) in [
        ("faults:", "fualts:"),
        ("version: 1", "version: 2"),
        ("name: charged_twice", "name: charged twice"),
        ("    - reply: {", "    - answer: {"),
        ("          source: src/pay.ts:71", "          take: 1s"),
        ("every: 5s", "every: 5"),
        ("unique_index: holds", "unique_index: hold"),
        ("    never: SELECT", "    newer: SELECT"),
        (
            "send: pay, with: { buy: b1 } }",
            "send: pay, wiht: { buy: b1 } }",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        assert!(!told(&validator, &text, to).is_empty(), "{to} is taken");
    }
}
