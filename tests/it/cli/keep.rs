//! `lockstep keep`, and what `run` says of kept cases.

use std::process::Command;

use lockstep_sim::scenario;

use super::desk::{known, known_with, lockstep};
use super::{Desk, Told};
use crate::root;

const FOUND: &str = "target/lockstep/two_first_messages-bug-one_active_session.case";
const KEPT: &str = "scenarios/regression/twice.case";
const INDEX: &str = "CREATE INDEX session_of_user ON session (user);";
const UNIQUE: &str = "CREATE UNIQUE INDEX session_of_user ON session (user);";

/// A project with one scenario and one case of it that is kept.
fn project() -> Desk {
    let desk = Desk::new();
    desk.put("scenarios/x.yaml", known());
    desk.run(&["run", "scenarios/x.yaml", "--variant", "bug"])
        .ends_with(0);
    desk.run(&["keep", FOUND, "--name", "twice"]).ends_with(0);
    desk
}

/// What a run says of the kept case when the scenario has become this one.
fn told_of(desk: &Desk, text: String, exit: i32) -> String {
    desk.put("scenarios/x.yaml", text);
    let told = desk.run(&["run", "scenarios/regression"]).ends_with(exit);
    let line = told.stdout.lines().find(|line| line.contains(KEPT));
    line.unwrap_or_else(|| panic!("{}", told.stdout)).to_owned()
}

fn says(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn what_is_expected_to_fail_still_fails() {
    let desk = project();
    says(&told_of(&desk, known(), 0), &["still fails", "as expected"]);
    let json = desk.run(&["run", KEPT, "--json"]).ends_with(0).json();
    assert_eq!(json["kept"][0]["verdict"], "still_fails");
    assert_eq!(json["kept"][0]["key"], "u");
}

#[test]
fn what_is_expected_to_hold_is_fixed_or_a_failure() {
    let desk = project();
    let holds = "bug: holds";
    let red = known_with("bug: { violates: one_active_session }", holds);
    says(
        &told_of(&desk, red.clone(), 1),
        &["still fails", "UNEXPECTED"],
    );
    let green = red.replacen(INDEX, UNIQUE, 1);
    says(&told_of(&desk, green, 0), &["fixed", "as expected"]);
    // Cured, and the scenario does not say so.
    let silent = known_with(INDEX, UNIQUE);
    says(&told_of(&desk, silent, 1), &["fixed", "UNEXPECTED"]);
}

#[test]
fn a_step_of_another_name_is_found_nearby_or_the_case_has_drifted() {
    let desk = project();
    let renamed = known().replace("label: open\n", "label: begin\n");
    let renamed = renamed.replace("{ open: {", "{ begin: {");
    assert_ne!(renamed, known());
    let moved = told_of(&desk, renamed.clone(), 0);
    says(
        &moved,
        &["still fails (1 of 1 decision gone, found nearby)"],
    );
    let cured = renamed.replacen(INDEX, UNIQUE, 1);
    let drifted = told_of(&desk, cured, 4);
    says(&drifted, &["drifted (1 of 1 decision gone)", "UNEXPECTED"]);
}

#[test]
fn without_its_scenario_a_case_runs_its_own_text() {
    let desk = project();
    std::fs::rename(desk.path("scenarios/x.yaml"), desk.path("elsewhere.yaml")).expect("moved");
    let told = desk.run(&["run", KEPT]).ends_with(0);
    says(&told.stdout, &["still fails"]);
}

#[test]
fn what_cannot_be_kept_is_refused_and_nothing_is_written() {
    let desk = project();
    let refused = |args: &[&str], why: &str| {
        let told: Told = desk.run(&[&["keep"], args].concat()).ends_with(2);
        assert!(told.stderr.contains(why), "{why}: {}", told.stderr);
    };
    refused(&[FOUND, "--name", "twice"], "is there already");
    refused(&[FOUND, "--name", "../up"], "a name is letters");
    refused(&["nowhere.case"], "nowhere.case");
    refused(&["scenarios/x.yaml"], "this is a scenario, not a case");
    let cured = std::fs::read_to_string(desk.path(FOUND)).expect("the case");
    desk.put("cured.case", cured.replace(INDEX, UNIQUE));
    refused(
        &["cured.case"],
        "does not violate one_active_session any more",
    );
    let outside = Desk::new();
    outside.put(
        "x.case",
        std::fs::read_to_string(desk.path(FOUND)).expect("the case"),
    );
    let told = outside.run(&["keep", "x.case"]).ends_with(2);
    says(&told.stderr, &["no folder scenarios"]);
}

/// The project's own.
#[test]
fn the_cases_of_the_project_are_as_expected() {
    let desk = Desk::new();
    let mut command = Command::new(lockstep());
    command.current_dir(root());
    command.args(["run", "scenarios/regression", "--out"]);
    let told = Told::of(&command.arg(desk.path("out")).output().expect("it runs"));
    says(&told.ends_with(0).stdout, &["7 kept cases: 7 as expected"]);
}

const NEVER: &str = "SELECT user, count(*) AS active FROM session WHERE status = 'active' GROUP BY user HAVING count(*) > 1";

/// What a run says that cannot replay the kept case.
fn refused(desk: &Desk, parts: &[&str]) {
    let told = desk.run(&["run", "scenarios/regression"]).ends_with(2);
    says(&told.stderr, parts);
    assert!(!told.stdout.contains("drifted"), "{}", told.stdout);
}

#[test]
fn without_its_variant_or_invariant_a_case_tells_what_there_is_and_what_to_do() {
    let desk = project();
    let renamed = known().replace("  bug: {", "  begun_twice: {");
    desk.put("scenarios/x.yaml", renamed);
    let there = "begun_twice, unique_index, reference";
    refused(
        &desk,
        &[
            KEPT,
            "scenarios/x.yaml today has no variant \"bug\"",
            there,
            "help: ",
        ],
    );
    desk.put(
        "scenarios/x.yaml",
        known().replace("one_active_session", "only_one"),
    );
    let gone = "variant bug of scenarios/x.yaml today has no invariant \"one_active_session\", but only_one";
    refused(&desk, &[KEPT, gone, "under `violates.invariant`"]);
}

#[test]
fn a_scenario_that_is_not_sound_is_told_with_the_case_that_waits_for_it() {
    let desk = project();
    desk.put("scenarios/x.yaml", known() + "  : : [\n");
    refused(
        &desk,
        &[
            KEPT,
            "scenarios/x.yaml today is no sound scenario",
            "this is not YAML",
            "mend the scenario",
        ],
    );
    desk.put("scenarios/x.yaml", "");
    refused(&desk, &[KEPT, "the file is empty"]);
}

#[test]
fn a_case_that_is_damaged_says_so_and_so_does_each_of_several() {
    let desk = project();
    let whole = desk.read(KEPT);
    desk.put("scenarios/regression/short.case", &whole[..whole.len() / 2]);
    desk.put("scenarios/regression/nothing.case", "");
    let other = whole.replace(" => ", " ");
    desk.put("scenarios/regression/other.case", other);
    let help = "it was cut off or edited: take it from where it was whole";
    refused(
        &desk,
        &[
            "short.case: ",
            "nothing.case: ",
            "other.case: ",
            "is not of the form",
            help,
        ],
    );
    let newer = whole.replacen("\"lockstep_case\": 1", "\"lockstep_case\": 2", 1);
    desk.put("newer.case", newer);
    let told = desk.run(&["run", "newer.case"]).ends_with(2);
    says(&told.stderr, &["reads format 1"]);
    assert!(!told.stderr.contains("cut off"), "{}", told.stderr);
}

#[test]
fn without_its_scenario_it_says_under_what_it_was_replayed() {
    let desk = project();
    std::fs::remove_file(desk.path("scenarios/x.yaml")).expect("removed");
    let told = desk.run(&["run", KEPT]).ends_with(0);
    says(
        &told.stderr,
        &["scenarios/x.yaml is gone: replayed under its own text"],
    );
    let edited = desk
        .read(KEPT)
        .replace("\"variant\": \"bug\"", "\"variant\": \"gub\"");
    desk.put(KEPT, edited);
    refused(&desk, &["its own text has no variant \"gub\", but bug"]);
}

/// No rule of the file is called so: it is what a variant asks that starts after another one.
#[test]
fn a_migration_that_fails_can_be_kept() {
    let desk = Desk::new();
    let file = "scenarios/dirty/001-c-after-two-sessions.yaml";
    let text = scenario::whole_text(&root().join(file)).expect("a scenario");
    desk.put("scenarios/x.yaml", text);
    desk.run(&["run", "scenarios/x.yaml", "--variant", "fix_after_bug"])
        .ends_with(0);
    let found = "target/lockstep/after_two_sessions-fix_after_bug-migration_completes.case";
    desk.run(&["keep", found, "--name", "twice"]).ends_with(0);
    let told = desk.run(&["run", KEPT]).ends_with(0);
    says(&told.stdout, &["still fails", "as expected"]);
}

/// Only where somebody is switched to, which the case is not: its step has another name.
#[test]
fn a_rule_that_does_not_end_in_a_run_near_the_case_is_the_scenarios_fault() {
    let desk = project();
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE (SELECT count(*) FROM session) > 1) SELECT x AS user FROM n WHERE x < 0";
    let text = known_with(NEVER, endless).replace("label: open\n", "label: begin\n");
    desk.put("scenarios/x.yaml", text.replace("{ open: {", "{ begin: {"));
    refused(
        &desk,
        &[
            KEPT,
            "the query of `one_active_session` does not come to an end",
        ],
    );
}

#[test]
fn a_rule_that_does_not_end_is_the_scenarios_fault() {
    let desk = project();
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS user FROM n WHERE x < 0";
    desk.put("scenarios/x.yaml", known_with(NEVER, endless));
    let told = desk.run(&["run", KEPT]).ends_with(2);
    says(&told.stderr, &["one_active_session"]);
}
