//! What `compare` gives.

use serde_json::Value;

use super::Desk;
use super::good::{VARIANT, has_fields};

const COMPARE: &str = "schema_version as_expected digest name file seed invariants variants ablations troubles interrupted";

/// Its variants are known: bug is violated, unique_index undecided and more than it needs, reference holds.
const KNOWN: &str = include_str!("compare.yaml");

fn known_with(from: &str, to: &str) -> String {
    assert_eq!(KNOWN.matches(from).count(), 1, "{from:?} is there once");
    KNOWN.replace(from, to)
}

/// The bug is expected to hold.
fn surprised() -> String {
    known_with("bug: { violates: one_active_session }", "bug: holds")
}

fn compare(text: &str, more: &[&str], code: i32) -> Value {
    let desk = Desk::new();
    desk.put("x.yaml", text);
    let args = [&["compare", "x.yaml", "--json"][..], more].concat();
    desk.run(&args).ends_with(code).json()
}

#[test]
fn every_variant_is_searched_to_the_end_of_its_budget() {
    let json = compare(KNOWN, &[], 0);
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
    desk.put("x.yaml", KNOWN);
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
    let one = compare(KNOWN, &["--jobs", "1"], 0);
    assert_eq!(one, compare(KNOWN, &["--jobs", "2"], 0));
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
    let known = known_with("goals:\n", &format!("{more}goals:\n"));
    // The reference store has no table `message`.
    let text = known
        .split("  reference:\n    store")
        .next()
        .expect("the rest")
        .to_owned();
    let expect = "expect: { bug: { violates: one_active_session }, unique_index: undecided }";
    let text = format!("{text}{expect}\n");
    let desk = Desk::new();
    desk.put("x.yaml", text);
    let told = desk.run(&["compare", "x.yaml"]).ends_with(0);
    for words in [
        "  [1] one_active_session\n",
        "  [5] a_rule_with",
        "[1]     [2]   [3]",
        "columns_d: no variant violates it: nothing here shows that it can fail",
    ] {
        assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
    }
    assert!(
        !told.stdout.contains("session: no variant violates it"),
        "{}",
        told.stdout
    );
}

/// What came of each part of the only fix that was taken apart.
fn fates(json: &Value) -> Vec<(&str, &str)> {
    let [ablation] = &json["ablations"].as_array().expect("ablations")[..] else {
        panic!("one fix was taken apart: {json}")
    };
    let parts = ablation["parts"].as_array().expect("parts");
    parts
        .iter()
        .map(|part| {
            has_fields(part, "name of line text fate run case runs distinct why");
            let (name, fate) = (&part["name"], &part["fate"]);
            (
                name.as_str().expect("a name"),
                fate.as_str().expect("a word"),
            )
        })
        .collect()
}

#[test]
fn a_fix_is_taken_apart_and_what_it_needs_can_be_replayed() {
    let desk = Desk::new();
    desk.put("x.yaml", KNOWN);
    let args = ["compare", "x.yaml", "--json", "--ablate"];
    let json = desk.run(&args).ends_with(0).json();
    let expected = [("schema 1", "needed"), ("flows inbound open", "not_needed")];
    assert_eq!(
        fates(&json),
        expected,
        "the fallback of the index does nothing here"
    );
    let ablation = &json["ablations"][0];
    assert_eq!(ablation["variant"], "unique_index");
    assert_eq!(
        ablation["smallest"]["kept"],
        serde_json::json!(["schema 1"])
    );
    assert_eq!(ablation["smallest"]["verdict"], "undecided");
    let case = ablation["parts"][0]["case"]["case"]
        .as_str()
        .expect("a path");
    let told = desk.run(&["replay", case]).ends_with(1);
    for words in [
        "unique_index without schema 1",
        "VIOLATED one_active_session",
    ] {
        assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
    }
    // Under another text the same part is missing; one that has no such part is no answer.
    desk.run(&["replay", case, "--scenario", "x.yaml"])
        .ends_with(1);
    let bare = known_with(
        "    schema: CREATE UNIQUE INDEX one_active ON session (user) WHERE status = 'active'\n",
        "",
    );
    desk.put("y.yaml", bare);
    desk.refuses(
        &["replay", case, "--scenario", "y.yaml"],
        "has no part `schema 1`",
    );
}

#[test]
fn the_steps_of_a_needed_flow_are_dropped_one_by_one() {
    let whole = "    flows:
      inbound:
        - take: 1s
        - transaction:
            - read: SELECT id AS s FROM session WHERE user = :user AND status = 'active'
              none:
                - new_id: s
                - label: open
                  sql: INSERT INTO session VALUES (:s, :user, 'active')
        - sql: INSERT INTO message VALUES (:event, :s, :body)
        - reply: { session: \":s\" }
";
    let text = KNOWN;
    let (before, rest) = text
        .split_once("    schema: CREATE UNIQUE")
        .expect("the fix");
    let (_, after) = rest
        .split_once("  reference:\n    store")
        .expect("the reference");
    let text = format!("{before}{whole}  reference:\n    store{after}");
    let json = compare(&text, &["--ablate", "unique_index"], 0);
    let expected = [
        ("flows inbound", "needed"),
        ("flows inbound step 1", "not_needed"),
        ("flows inbound step 2", "needed"),
    ];
    assert_eq!(fates(&json), expected);
    let smallest = &json["ablations"][0]["smallest"];
    assert_eq!(
        smallest["kept"],
        serde_json::json!(["flows inbound step 2"])
    );
    assert_eq!(
        smallest["dropped"],
        serde_json::json!(["flows inbound step 1"])
    );
}

#[test]
fn the_words_of_an_ablation_and_what_cannot_be_taken_apart() {
    let desk = Desk::new();
    desk.put("x.yaml", KNOWN);
    let told = desk.run(&["compare", "x.yaml", "--ablate"]).ends_with(0);
    for words in [
        "unique_index without one of its parts",
        "schema 1   line 35: CREATE UNIQUE INDEX one_active",
        "needed: violates one_active_session at run ",
        "replay: ",
        "not needed within 1,000 runs, ",
        "smallest fix: schema 1; undecided without flows inbound open (1,000 runs, ",
    ] {
        assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
    }
    assert!(
        !told.stdout.contains("reference without"),
        "{}",
        told.stdout
    );
    let named = desk
        .run(&["compare", "x.yaml", "--ablate", "reference"])
        .ends_with(0);
    assert!(
        named.stdout.contains("cannot be dropped alone: line "),
        "{}",
        named.stdout
    );
    for name in ["bug", "nobody"] {
        desk.refuses(
            &["compare", "x.yaml", "--ablate", name],
            "such are unique_index, reference",
        );
    }
    desk.put("y.yaml", surprised());
    let told = desk
        .run(&["compare", "y.yaml", "--ablate", "bug"])
        .ends_with(1);
    let words = "bug was not taken apart: as a whole it is violated";
    assert!(told.stdout.contains(words), "{}", told.stdout);
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
