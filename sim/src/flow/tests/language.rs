//! What the words of the language do: each file of `language/` is a scenario whose variants differ in one word.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use crate::flow::FlowWorld;
use crate::run::Stage;
use crate::scenario;
use crate::search::{Plan, search};

#[test]
fn each_word_does_what_the_manual_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/flow/tests/language");
    let entries = fs::read_dir(folder).expect("the folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    assert!(paths.len() > 8, "the files are there");
    let mut wrong = Vec::new();
    for path in &paths {
        wrong.extend(judge(path));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Variants that do not get their verdicts.
fn judge(path: &Path) -> Vec<String> {
    let scenario = scenario::load(path).unwrap_or_else(|problems| panic!("{problems}"));
    let mut wrong = Vec::new();
    for variant in &scenario.variants {
        let world = FlowWorld::new(Rc::new(variant.program.clone()));
        let mut stage = Stage::new(world).expect("a stage");
        let plan = Plan {
            seed: 1,
            runs: variant.program.runs,
            expect: Some(&variant.expect),
        };
        let found = search(&mut stage, &plan, &mut || false).expect("a search");
        assert_eq!(found.internal, None, "{}, {}", scenario.name, variant.name);
        let goals: Vec<String> = variant
            .program
            .goals
            .iter()
            .map(|goal| goal.name.clone())
            .collect();
        let verdict = found.verdict(&goals, variant.program.target);
        if !found.is_expected(&variant.expect, verdict) {
            wrong.push(format!(
                "{}, {}: {:?} expected, {} {:?} after {} runs",
                scenario.name,
                variant.name,
                variant.expect,
                verdict.name(),
                found.firsts.keys().collect::<Vec<_>>(),
                found.runs
            ));
        }
    }
    wrong
}
