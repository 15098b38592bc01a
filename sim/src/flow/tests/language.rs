//! What the words of the language do: each file of `language/` is a scenario whose variants differ in one word.

use std::fs;
use std::path::Path;

use super::searched;
use crate::report;
use crate::scenario;

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
        let found = searched(variant, &variant.expect, variant.program.runs);
        let surprise = report::surprise(variant, &found);
        wrong.extend(surprise.map(|words| format!("{}, {}: {words}", scenario.name, variant.name)));
    }
    wrong
}
