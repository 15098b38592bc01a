//! Scenario files that are wrong.

use std::fs;

use super::Desk;
use super::desk::{known, known_with};

/// A place in the known scenario, what stands there instead, and what the message says.
type Wrong = (&'static str, &'static str, &'static str);

/// Some of the mistakes that people make; `tests/it/wrong` has each kind, and all that is said about it.
const WRONG: &[Wrong] = &[
    ("flows:\n", "flows:\n\tx: 1\n", "a tab"),
    ("name: two_first_messages", "name: [a, b]", "name"),
    (
        "INTO message VALUES (:event, :s, :body)",
        "INTO message VALUES (:s)",
        "message",
    ),
    (
        "violates: one_active_session",
        "violates: two_active_sessions",
        "two_active_sessions",
    ),
    ("op: accept", "op: acept", "acept"),
];

/// `bad.yaml:LINE:COLUMN: `, or a file that it imports, at the start of a line.
fn has_place(text: &str) -> bool {
    text.lines().any(|line| {
        let Some((_, rest)) = line.split_once(".yaml:") else {
            return false;
        };
        let numbers: Vec<&str> = rest.splitn(3, ':').collect();
        numbers.len() == 3
            && numbers[..2]
                .iter()
                .all(|n| n.parse::<u32>().is_ok_and(|n| n > 0))
    })
}

#[test]
fn wrong_yaml_is_told_with_its_place() {
    let desk = Desk::new();
    for (from, to, reason) in WRONG {
        desk.put("bad.yaml", known_with(from, to));
        for command in ["check", "run"] {
            let told = desk.refuses(&[command, "bad.yaml"], reason);
            assert!(has_place(&told.stderr), "{from} => {to}: {}", told.stderr);
        }
    }
}

#[test]
fn what_is_no_yaml_mapping_is_refused() {
    let desk = Desk::new();
    let endless = "a: &a [*a, *a]\n";
    for text in [
        "- 1\n- 2\n",
        "just words",
        "{",
        "\u{0}",
        endless,
        "%YAML 9\n",
        "---\na: 1\n---\nb: 2\n",
    ] {
        desk.put("bad.yaml", text);
        let told = desk.refuses(&["check", "bad.yaml"], "bad.yaml:");
        assert!(has_place(&told.stderr), "{text:?}: {}", told.stderr);
        desk.refuses(&["run", "bad.yaml"], "bad.yaml:");
    }
}

#[test]
fn what_is_no_scenario_file_is_refused() {
    let desk = Desk::new();
    fs::create_dir(desk.path("folder")).expect("a folder");
    desk.put("empty.yaml", "");
    desk.put("binary.yaml", [0xff, 0xfe, 0x00, 0x80, 0x0a]);
    desk.put("large.yaml", "# large\n".repeat(50_000));
    for (file, reason) in [
        ("missing.yaml", "cannot read this file"),
        ("folder", ""),
        ("empty.yaml", "the file is empty"),
        ("binary.yaml", "not UTF-8"),
        ("large.yaml", "is larger than"),
    ] {
        desk.refuses(&["check", file], reason);
        desk.refuses(&["run", file], reason);
        desk.refuses(&["run", "--scenario", file, "--variant", "x"], "");
        desk.refuses(&["replay", "--scenario", file], reason);
    }
}

#[test]
fn check_looks_at_every_file_and_says_which_are_good() {
    let desk = Desk::new();
    desk.put("good.yaml", known());
    desk.put("bad.yaml", known_with("api: 2", "api: none"));
    let told = desk
        .run(&["check", "bad.yaml", "good.yaml", "missing.yaml"])
        .ends_with(2);
    assert_eq!(
        told.stdout,
        "good.yaml: two_first_messages, 3 variants, ok\n"
    );
    assert!(
        has_place(&told.stderr) && told.stderr.contains("missing.yaml:1:1"),
        "{}",
        told.stderr
    );
    desk.run(&["check", "good.yaml"]).ends_with(0);
}

#[test]
fn one_bad_file_among_good_ones_keeps_all_of_them_from_running() {
    let desk = Desk::new();
    desk.put("good.yaml", known());
    desk.put("bad.yaml", known_with("api: 2", "api: none"));
    desk.refuses(&["run", "good.yaml", "bad.yaml"], "nothing was run");
    desk.refuses(
        &["run", "good.yaml", "good.yaml"],
        "both named two_first_messages",
    );
}

#[test]
fn a_setup_that_fails_is_bad_input_and_leaves_no_folder() {
    let desk = Desk::new();
    let setup = "setup:\n  - sql: INSERT INTO session VALUES ('a', 'u', NULL)\nflows:\n";
    desk.put("bad.yaml", known_with("flows:\n", setup));
    for jobs in ["1", "2"] {
        desk.refuses(
            &["run", "bad.yaml", "--jobs", jobs, "--out", "a/b"],
            "setup, line",
        );
    }
    desk.refuses(
        &["replay", "--scenario", "bad.yaml", "--variant", "bug"],
        "setup, line",
    );
}
