//! What `compare` gives.

use serde_json::Value;

use super::Desk;
use super::desk::{known, known_with, surprised};
use super::good::{VARIANT, has_fields};

const COMPARE: &str =
    "schema_version as_expected digest name file seed invariants variants troubles interrupted";

fn compare(text: &str, more: &[&str], code: i32) -> Value {
    let desk = Desk::new();
    desk.put("x.yaml", text);
    let args = [&["compare", "x.yaml", "--json"][..], more].concat();
    desk.run(&args).ends_with(code).json()
}

#[test]
fn every_variant_is_searched_to_the_end_of_its_budget() {
    let json = compare(&known(), &[], 0);
    has_fields(&json, COMPARE);
    assert_eq!(json["invariants"][0], "one_active_session");
    let variants = json["variants"].as_array().expect("variants");
    assert_eq!(variants.len(), 3);
    for variant in variants {
        has_fields(variant, VARIANT);
        assert_eq!(variant["runs"], 1000, "{variant}");
        let covers = variant["covers"].as_str().expect("words");
        for words in [
            "SQLite, serialized writers",
            "gates",
            "1 of 1 goal reached",
            "1,000 runs, ",
        ] {
            assert!(covers.contains(words), "{words}: {covers}");
        }
        let postgres = variant["name"] != "reference";
        assert_eq!(
            covers.contains("clean means undecided"),
            postgres,
            "{covers}"
        );
    }
    assert!(variants[0]["first_runs"]["one_active_session"].is_u64());
}

#[test]
fn a_cell_names_the_run_that_a_replay_shows() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let json = desk
        .run(&["compare", "x.yaml", "--json", "--seed", "3"])
        .ends_with(0)
        .json();
    let run = json["variants"][0]["first_runs"]["one_active_session"].to_string();
    let replay = [
        "replay",
        "--scenario",
        "x.yaml",
        "--variant",
        "bug",
        "--seed",
        "3",
        "--run",
    ];
    let told = desk.run(&[&replay[..], &[&run]].concat()).ends_with(1);
    assert!(
        told.stdout.contains("VIOLATED one_active_session"),
        "{}",
        told.stdout
    );
    let table = desk.run(&["compare", "x.yaml", "--seed", "3"]).ends_with(0);
    let row = table.stdout.lines().find(|line| line.contains(" bug "));
    assert!(
        row.is_some_and(|row| row.contains(&format!("run {run} "))),
        "{}",
        table.stdout
    );
}

#[test]
fn the_number_of_jobs_does_not_show() {
    let one = compare(&known(), &["--jobs", "1"], 0);
    assert_eq!(one, compare(&known(), &["--jobs", "2"], 0));
}

#[test]
fn what_was_not_expected_ends_with_its_replay() {
    let desk = Desk::new();
    desk.put("x.yaml", surprised());
    let told = desk.run(&["compare", "x.yaml"]).ends_with(1);
    assert!(told.stdout.contains("UNEXPECTED"), "{}", told.stdout);
    assert!(told.last_line().starts_with("replay: "), "{}", told.stdout);
    let cut = desk
        .run(&["compare", "x.yaml", "--time-limit", "1ms"])
        .ends_with(4);
    assert!(cut.stdout.contains("cut short"), "{}", cut.stdout);
}

#[test]
fn many_invariants_have_numbers_over_their_columns() {
    let rule = "never: SELECT id FROM message WHERE body = 'nobody says this'";
    let more: String = ('a'..='d')
        .map(|c| format!("  a_rule_with_quite_a_long_name_that_fills_columns_{c}: {{ {rule} }}\n"))
        .collect();
    let text = known_with("goals:\n", &format!("{more}goals:\n"));
    // The reference store has no table `message`.
    let text = text
        .split("  reference:\n    store")
        .next()
        .expect("the rest")
        .to_owned();
    let text =
        text + "expect: { bug: { violates: one_active_session }, unique_index: undecided }\n";
    let desk = Desk::new();
    desk.put("x.yaml", text);
    let told = desk.run(&["compare", "x.yaml"]).ends_with(0);
    for words in [
        "  [1] one_active_session\n",
        "  [5] a_rule_with",
        "[1]     [2]   [3]",
    ] {
        assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
    }
}

#[test]
fn what_is_no_scenario_is_refused() {
    let desk = Desk::new();
    desk.put("bad.yaml", known_with("api: 2", "api: none"));
    desk.refuses(&["compare", "bad.yaml"], "bad.yaml:");
    desk.refuses(&["compare", "missing.yaml"], "cannot read this file");
    desk.refuses(&["compare"], "FILE");
    desk.refuses_with(
        &["compare", "bad.yaml"],
        &[("LOCKSTEP_SEED", "x")],
        "LOCKSTEP_SEED",
    );
}
