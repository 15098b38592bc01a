//! No text makes the parser panic or hang.

use std::fs;

use super::super::*;
use super::GOOD;

fn first_message(text: &str) -> String {
    parse("x.yaml", text).expect_err("a problem").list[0]
        .message
        .clone()
}

#[test]
fn aliases_that_explode_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let before = format!("*a{}", level - 1);
        text.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![before; 9].join(", ")
        ));
    }
    assert!(first_message(&text).contains("too large or too deep"));
}

#[test]
fn depth_and_size_are_bounded() {
    assert!(first_message(&"[".repeat(100_000)).contains("longer than"));
    assert!(first_message(&"[".repeat(10_000)).contains("nested too deeply"));
    assert!(first_message(&"- \n".repeat(50_000)).contains("too large or too deep"));
    assert!(first_message(&" ".repeat(1_000_000)).contains("larger than"));
    let deep: String = (0..100)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect();
    assert!(first_message(&deep).contains("deep"));
}

#[test]
fn sql_that_never_ends_is_stopped() {
    let endless = "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let text = GOOD.replace(
        "  CREATE TABLE task (id",
        &format!("  {endless};\n  CREATE TABLE task (id"),
    );
    let found = parse("x.yaml", &text).expect_err("a problem");
    assert!(found.to_string().contains("interrupted"), "{found}");
}

#[test]
fn sql_that_fills_the_memory_is_stopped() {
    let counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    for (heavy, said) in [
        ("SELECT zeroblob(999999999) AS z".to_owned(), "too big"),
        (
            "SELECT printf('%.*c', 999999999, 'x') AS z".to_owned(),
            "too big",
        ),
        (
            format!("{counted} SELECT i, zeroblob(30000) FROM n"),
            "is full",
        ),
        (
            format!("{counted} SELECT i FROM n ORDER BY zeroblob(30000)"),
            "interrupted",
        ),
    ] {
        let text = GOOD.replace(
            "  CREATE TABLE task (id",
            &format!("  CREATE TABLE z AS {heavy};\n  CREATE TABLE task (id"),
        );
        let found = parse("x.yaml", &text).expect_err("a problem");
        assert!(found.to_string().contains(said), "{heavy}: {found}");
        assert!(
            found.to_string().contains("too much work or room"),
            "{found}"
        );
    }
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = |path: &Path| load(path).expect_err("a problem").list[0].message.clone();
    assert!(message(folder.path()).contains("cannot read"));
    assert!(message(&folder.path().join("missing.yaml")).contains("cannot read"));
    let file = folder.path().join("x.yaml");
    fs::write(&file, b"version: 1\nname: \xff\n").expect("written");
    assert!(message(&file).contains("not UTF-8"));
    fs::write(&file, "ä".repeat(200_000)).expect("written");
    assert!(message(&file).contains("larger than"));
}

/// Every line left out, every prefix of the text, odd characters everywhere: an answer each time, never a panic.
#[test]
fn damaged_texts_are_answered() {
    let lines: Vec<&str> = GOOD.lines().collect();
    for skipped in 0..lines.len() {
        let rest: Vec<&str> = lines
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != skipped)
            .map(|(_, line)| *line)
            .collect();
        let _ = parse("x.yaml", &rest.join("\n"));
    }
    for end in (0..GOOD.len()).step_by(3) {
        if let Err(problems) = parse("x.yaml", &GOOD[..end]) {
            assert!(!problems.to_string().is_empty());
        }
    }
    let odd = [
        "\"", "'", "\\", "\t", "\r", "{", "]", "é", "*", "&", "%", "\u{0}", "|", "#", ": ", "- ",
        "\u{2028}", "?", "!!x ",
    ];
    for (nth, at) in (0..GOOD.len()).step_by(7).enumerate() {
        let text = format!("{}{}{}", &GOOD[..at], odd[nth % odd.len()], &GOOD[at..]);
        if let Err(problems) = parse("x.yaml", &text) {
            assert!(
                problems
                    .list
                    .iter()
                    .all(|problem| problem.place.line > 0 && problem.place.column > 0)
            );
            assert!(!problems.to_string().is_empty());
        }
    }
}

#[test]
fn imports_that_never_end_are_refused() {
    let mut text = GOOD.replace("name: good\n", "name: good\nimport: f0.yaml\n");
    text.push_str("files:\n");
    for n in 0..5_000 {
        text.push_str(&format!("  f{n}.yaml: \"import: f{}.yaml\"\n", n + 1));
    }
    assert!(first_message(&text).contains("deeper than 16 files"));
}
