//! Cases: found, pasted, put under another text, damaged.

use std::fs;
use std::path::Path;

use super::desk::{known, surprised};
use super::{Desk, Told};

const CASE: &str = "target/lockstep/two_first_messages-bug-one_active_session.case";

/// A desk with a case that a run has found there.
fn with_case() -> (Desk, Told) {
    let desk = Desk::new();
    desk.put("x.yaml", surprised());
    let told = desk
        .run(&["run", "x.yaml", "--variant", "bug"])
        .ends_with(1);
    (desk, told)
}

/// The line as a shell reads it, in the folder where it was shown.
#[cfg(unix)]
fn paste(desk: &Desk, line: &str) -> Told {
    let mut shell = desk.command(Path::new("sh"));
    Told::of(&shell.args(["-c", line]).output().expect("a shell"))
}

#[cfg(unix)]
#[test]
fn the_last_line_of_a_failure_shows_the_same_violation() {
    let (desk, told) = with_case();
    let line = told
        .last_line()
        .strip_prefix("replay: ")
        .expect("a line to paste");
    let again = paste(&desk, line).ends_with(1);
    assert!(
        again
            .stdout
            .contains("VIOLATED one_active_session user=u active=2"),
        "{}",
        again.stdout
    );
    // The replay of a replay is the same line.
    assert_eq!(again.last_line(), told.last_line());
}

#[cfg(unix)]
#[test]
fn the_line_can_be_pasted_from_any_folder_name() {
    let desk = Desk::new();
    desk.put("x.yaml", surprised());
    for out in ["with space", "it's", "back\\slash", "$HOME", "ünï"] {
        let told = desk
            .run(&["run", "x.yaml", "--variant", "bug", "--out", out])
            .ends_with(1);
        let line = told
            .last_line()
            .strip_prefix("replay: ")
            .expect("a line to paste");
        paste(&desk, line).ends_with(1);
    }
}

#[test]
fn through_cargo_the_line_goes_through_cargo() {
    let desk = Desk::new();
    desk.put("x.yaml", surprised());
    let args = ["run", "x.yaml", "--variant", "bug"];
    let told = desk.run_with(&args, &[("CARGO", "cargo")]).ends_with(1);
    assert!(
        told.last_line().starts_with("replay: cargo run "),
        "{}",
        told.stdout
    );
    assert!(
        told.last_line().ends_with(&format!("-q -- replay {CASE}")),
        "{}",
        told.stdout
    );
}

#[test]
fn a_replay_as_json_says_what_was_carried_out() {
    let (desk, _) = with_case();
    let json = desk.run(&["replay", CASE, "--json"]).ends_with(1).json();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["verdict"], "violated");
    assert_eq!(json["violated"][0], "one_active_session");
    assert_eq!(json["deviations"]["used"], 1);
    let twice = desk.run(&["replay", CASE, "--json"]).ends_with(1).json();
    assert_eq!(json, twice);
}

#[test]
fn a_case_needs_no_other_file() {
    let (desk, _) = with_case();
    fs::remove_file(desk.path("x.yaml")).expect("removed");
    fs::rename(desk.path(CASE), desk.path("moved")).expect("moved");
    fs::remove_dir_all(desk.path("target")).expect("removed");
    desk.run(&["replay", "moved"]).ends_with(1);
}

/// The same flow, where the second of two inserts does nothing.
fn fixed() -> String {
    let index = "CREATE UNIQUE INDEX only_one ON session (user) WHERE status = 'active';\n  CREATE TABLE message";
    surprised()
        .replacen("CREATE TABLE message", index, 1)
        .replacen(
            "sql: INSERT INTO session VALUES (:s, :user, 'active')",
            "sql: INSERT INTO session VALUES (:s, :user, 'active') ON CONFLICT DO NOTHING",
            1,
        )
}

#[test]
fn a_text_that_cures_the_case_is_fixed() {
    let (desk, _) = with_case();
    desk.put("fixed.yaml", fixed());
    let told = desk
        .run(&["replay", CASE, "--scenario", "fixed.yaml"])
        .ends_with(0);
    assert!(told.stdout.contains("fixed"), "{}", told.stdout);
    let json = desk
        .run(&["replay", CASE, "--scenario", "fixed.yaml", "--json"])
        .json();
    assert_eq!(json["verdict"], "fixed");
}

#[test]
fn a_text_where_the_case_says_nothing_is_drifted() {
    let (desk, _) = with_case();
    desk.put(
        "other.yaml",
        fixed()
            .replace("hello", "bonjour")
            .replace("again", "encore"),
    );
    let told = desk
        .run(&["replay", CASE, "--scenario", "other.yaml"])
        .ends_with(4);
    assert!(told.stdout.contains("drifted"), "{}", told.stdout);
    desk.run(&["replay", CASE, "--scenario", "fixed.yaml"])
        .ends_with(2);
    desk.run(&[
        "replay",
        CASE,
        "--scenario",
        "x.yaml",
        "--variant",
        "unique_index",
    ])
    .ends_with(4);
}

#[test]
fn a_text_without_the_invariant_cannot_say_fixed() {
    let (desk, _) = with_case();
    let text = fixed().replace("one_active_session", "something_else");
    desk.put("renamed.yaml", text);
    desk.refuses(
        &["replay", CASE, "--scenario", "renamed.yaml"],
        "no invariant is named one_active_session",
    );
}

#[test]
fn what_a_search_ran_can_be_run_again() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let of = |run: &str, code: i32| {
        let args = [
            "replay",
            "--scenario",
            "x.yaml",
            "--variant",
            "bug",
            "--seed",
            "0",
            "--run",
            run,
        ];
        desk.run(&args).ends_with(code);
    };
    let search = ["run", "x.yaml", "--variant", "bug", "--json"];
    let found = desk.run(&search).json();
    let runs = found["scenarios"][0]["variants"][0]["runs_to_find"].as_u64();
    let last = runs.expect("it is found") - 1;
    of("0", 0);
    of(&(last - 1).to_string(), 0);
    of(&last.to_string(), 1);
    let store = ["replay", "--world", "store", "--seed", "7", "--json"];
    assert_eq!(
        desk.run(&store).ends_with(0).json(),
        desk.run(&store).json()
    );
}

#[test]
fn a_damaged_case_is_refused() {
    let (desk, _) = with_case();
    let whole = desk.read(CASE);
    let put = |text: &str, reason: &str| {
        desk.put("bad.case", text);
        desk.refuses(&["replay", "bad.case"], reason);
        desk.refuses(&["replay", "bad.case", "--scenario", "x.yaml"], "");
    };
    for length in (0..whole.len() - 2).step_by(whole.len() / 20 + 1) {
        put(
            &whole[..whole.floor_char_boundary(length)],
            "not a case file",
        );
    }
    let change = |from: &str, to: &str, reason: &str| {
        assert!(whole.contains(from), "{from}: {whole}");
        put(&whole.replacen(from, to, 1), reason);
    };
    change(
        "\"lockstep_case\": 1",
        "\"lockstep_case\": 2",
        "case format 2 is not known here",
    );
    change(
        "\"lockstep_case\": 1",
        "\"lockstep_case\": \"1\"",
        "is not known here",
    );
    change("\"lockstep_case\": 1,", "", "`lockstep_case` is missing");
    change("\"variant\": \"bug\"", "\"variant\": 7", "not a case file");
    change("\"seed\": 0", "\"seed\": -1", "not a case file");
    change("\"seed\": 0", "\"seed\": 0, \"sead\": 0", "sead");
    change("switch again", "explode", "is not a decision");
    change("hello @ open", "hello open", "is not of the form");
    put(&"[".repeat(100_000), "not JSON");
    put("[]", "`lockstep_case` is missing");
}

#[test]
fn a_case_whose_contents_do_not_resolve_is_refused() {
    let (desk, _) = with_case();
    let whole = desk.read(CASE);
    for (from, to, reason) in [
        (
            "\"variant\": \"bug\"",
            "\"variant\": \"nope\"",
            "no variant is named nope",
        ),
        ("version: 1", "version: 9", "its scenario:"),
        (
            "processes: { api: 2 }",
            "processes: { api: 2",
            "its scenario:",
        ),
    ] {
        desk.put("bad.case", whole.replacen(from, to, 1));
        desk.refuses(&["replay", "bad.case"], reason);
    }
    let mut json: serde_json::Value = serde_json::from_str(&whole).expect("a case is JSON");
    json["scenario"] = serde_json::json!({"world": "moon"});
    desk.put("bad.case", json.to_string());
    desk.refuses(&["replay", "bad.case"], "no world named moon");
}

#[test]
fn what_is_no_case_file_is_refused() {
    let desk = Desk::new();
    fs::create_dir(desk.path("folder")).expect("a folder");
    desk.put("empty", "");
    desk.put("binary", [0xff, 0x00, 0x80]);
    desk.put("x.yaml", known());
    desk.put("x.sql", "SELECT 1");
    desk.put("large", " ".repeat(5 << 20));
    for (file, reason) in [
        ("missing", "No such file"),
        ("folder", "is a directory"),
        ("empty", "not a case file"),
        ("binary", "not a text file"),
        ("x.yaml", "this is a scenario, not a case"),
        ("x.sql", "not JSON"),
        ("large", "is larger than"),
    ] {
        desk.refuses(&["replay", file], reason);
    }
}

/// Two messages meet, and a third one of somebody else has nothing to do with it.
const BYSTANDER: &str = "version: 1
name: bystander
schema: CREATE TABLE t (id TEXT, user TEXT)
processes: { api: 2 }
flows:
  open(user):
    - read: SELECT id FROM t WHERE user = :user
      none: [sql: \"INSERT INTO t VALUES (:event, :user)\"]
events:
  - other: { on: api.1, send: open, with: { user: v } }
  - one: { on: api.1, send: open, with: { user: u }, after: other }
  - two: { on: api.2, send: open, with: { user: u }, after: other }
invariants:
  one_row: { per: user, never: SELECT user FROM t GROUP BY user HAVING count(*) > 1 }
variants: { bug: {} }
expect: { bug: { violates: one_row } }
";

#[test]
fn a_case_does_without_events_that_have_nothing_to_do_with_it() {
    let desk = Desk::new();
    desk.put("scenarios/x.yaml", BYSTANDER);
    desk.run(&["run", "scenarios/x.yaml"]).ends_with(0);
    let found = "target/lockstep/bystander-bug-one_row.case";
    let text = fs::read_to_string(desk.path(found)).expect("a case");
    assert!(text.contains("\"absent\": [\n    \"other\"\n  ]"), "{text}");
    let told = desk.run(&["replay", found]).ends_with(1).stdout;
    assert!(told.contains("variant bug without other"), "{told}");
    assert!(!told.contains("other arrives"), "{told}");
    // It stays so where it is kept, and under another text.
    desk.run(&["keep", found, "--name", "kept"]).ends_with(0);
    let told = desk.run(&["run", "scenarios/regression/kept.case"]);
    let told = told.ends_with(0).stdout;
    assert!(told.contains("still fails"), "{told}");
    desk.put("damaged.case", text.replace("\"other\"", "\"nobody\""));
    let told = desk.run(&["replay", "damaged.case"]).ends_with(2).stderr;
    assert!(told.contains("without the event nobody"), "{told}");
}
