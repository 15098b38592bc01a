//! The guide's table names every operation, and tests that exist.

use crate::model;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The cells of the table in `docs/store.md`.
fn rows() -> Vec<Vec<String>> {
    let guide = fs::read_to_string(root().join("../docs/store.md")).expect("the guide");
    let (_, table) = guide
        .split_once("| operation | promise | test |\n|---|---|---|\n")
        .expect("the table");
    table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn every_operation_has_a_promise_and_a_test() {
    let rows = rows();
    let told: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let mut known: BTreeSet<&str> = model::operations().collect();
    known.insert("verify");
    assert_eq!(told, known);
    let sources: String = fs::read_dir(root().join("tests/it"))
        .expect("the tests")
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .collect();
    for row in &rows {
        assert!(row.len() == 3 && !row[1].is_empty(), "{row:?}");
        assert!(sources.contains(&format!("fn {}()", row[2])), "{row:?}");
    }
}
