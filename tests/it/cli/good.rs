//! What `run` gives for good input.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Desk;
use super::desk::{known, surprised};

const RUN: &str = "schema_version as_expected digest kept scenarios sweep troubles interrupted";
pub(super) const VARIANT: &str = "name expect verdict violated first_runs as_expected runs distinct singles exhausted exhaustion saturated cut runs_to_find \
                       events_shrunk deviations_shrunk case replay cases covers faults uncaught";
const CASE: &str = "invariant key seed events deviations case replay";
const SWEEP: &str =
    "runs statements violations faults goals adequacy seconds undecided vacuous cut cases";
const ADEQUACY: &str = "sites roles rare pairs whole_runs";

pub(super) fn has_fields(value: &Value, fields: &str) {
    let found: BTreeSet<&str> = value
        .as_object()
        .unwrap_or_else(|| panic!("an object: {value}"))
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(found, fields.split_whitespace().collect());
}

#[test]
fn a_run_is_one_json_object_with_the_documented_fields() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let json = desk.run(&["run", "x.yaml", "--json"]).ends_with(0).json();
    has_fields(&json, RUN);
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["as_expected"], true);
    assert_eq!(json["interrupted"], false);
    assert_eq!(json["sweep"], Value::Null);
    let [scenario] = &json["scenarios"].as_array().expect("scenarios")[..] else {
        panic!("one scenario: {json}")
    };
    has_fields(scenario, "name file variants");
    for variant in scenario["variants"].as_array().expect("variants") {
        has_fields(variant, VARIANT);
        assert_eq!(variant["as_expected"], true, "{variant}");
    }
    let verdict = |n: usize| scenario["variants"][n]["verdict"].as_str();
    assert_eq!(
        [verdict(0), verdict(1), verdict(2)],
        [Some("violated"), Some("undecided"), Some("holds")]
    );
    let case = &scenario["variants"][0]["cases"][0];
    has_fields(case, CASE);
    assert_eq!(case["invariant"], "one_active_session");
    assert!(desk.path(case["case"].as_str().expect("a path")).exists());
}

#[test]
fn an_exhaustive_run_says_how_far_it_came_and_its_cases_replay() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let json = desk
        .run(&["run", "--exhaustive", "x.yaml", "--json"])
        .ends_with(0)
        .json();
    let variants = json["scenarios"][0]["variants"]
        .as_array()
        .expect("variants");
    let reached = |n: usize| &variants[n]["exhaustion"];
    assert_eq!(
        reached(0)["deviations"],
        0,
        "the bug needs one: {}",
        reached(0)
    );
    for clean in [1, 2] {
        assert_eq!(variants[clean]["exhausted"], true);
        assert_eq!(
            (&reached(clean)["complete"], &reached(clean)["frontier"]),
            (&true.into(), &0.into())
        );
        assert!(reached(clean)["states"].as_u64() > Some(20));
    }
    let case = variants[0]["cases"][0]["case"].as_str().expect("a path");
    let replayed = desk.run(&["replay", case]).ends_with(1).stdout;
    assert!(
        replayed.contains("violated one_active_session"),
        "{replayed}"
    );
    let told = desk
        .run(&["run", "--exhaustive", "x.yaml"])
        .ends_with(0)
        .stdout;
    assert!(told.contains("exhausted: "), "{told}");
}

#[test]
fn a_violation_leaves_a_case_and_two_traces_and_nothing_half_written() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    desk.run(&["run", "x.yaml", "--variant", "bug", "--out", "deep/er"])
        .ends_with(0);
    let found: BTreeSet<String> = std::fs::read_dir(desk.path("deep/er"))
        .expect("the folder of results")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let name = "two_first_messages-bug-one_active_session";
    let wanted = ["case", "trace.jsonl", "txt"].map(|end| format!("{name}.{end}"));
    assert_eq!(found, BTreeSet::from(wanted));
}

fn sweep(desk: &Desk, more: &[&str]) -> String {
    let args = [&["run", "--sweep", "--json"][..], more].concat();
    let json = desk.run(&args).ends_with(0).json();
    has_fields(&json["sweep"], SWEEP);
    json["digest"].as_str().expect("a digest").to_owned()
}

#[test]
fn a_sweep_tells_what_it_was_made_of_for_any_number_of_jobs() {
    let desk = Desk::new();
    let adequacy = |jobs: &str| {
        let args = [
            "run", "--sweep", "--json", "--seeds", "0..600", "--jobs", jobs,
        ];
        let json = desk.run(&args).ends_with(0).json();
        (
            json["sweep"]["faults"].clone(),
            json["sweep"]["adequacy"].clone(),
        )
    };
    let (faults, one) = adequacy("1");
    has_fields(&one, ADEQUACY);
    assert_eq!(adequacy("3"), (faults.clone(), one.clone()));
    let count = |value: &Value| value.as_u64().expect("a number");
    for (fault, runs) in faults.as_object().expect("faults") {
        let sites = one["sites"][fault].as_object().expect("sites");
        assert!(
            sites
                .values()
                .all(|struck| (1..=count(runs)).contains(&count(struck)))
        );
        assert!(
            sites.values().map(count).sum::<u64>() >= count(runs),
            "{fault}"
        );
        let numbered = |site: &String| site.contains(|c: char| c.is_ascii_digit());
        assert!(!sites.keys().any(numbered), "{fault}: {sites:?}");
    }
    for role in ["api", "worker", "operator", "provider", "reaper"] {
        assert!((1..=601).contains(&count(&one["roles"][role])), "{role}");
    }
    assert_eq!(
        one["rare"],
        Value::Array(Vec::new()),
        "too short to be judged"
    );
    for orders in ["pairs", "whole_runs"] {
        has_fields(&one[orders], "distinct next_is_new");
        let chance = one[orders]["next_is_new"].as_f64().expect("a chance");
        assert!(chance > 0.0 && chance < 1.0, "{orders}: {chance}");
    }
    assert!(count(&one["pairs"]["distinct"]) > 100);
}

#[test]
fn more_runs_leave_less_to_be_seen_for_the_first_time() {
    let desk = Desk::new();
    let chance = |seeds: &str| {
        let args = ["run", "--sweep", "--json", "--seeds", seeds];
        let json = desk.run(&args).ends_with(0).json();
        json["sweep"]["adequacy"]["pairs"]["next_is_new"]
            .as_f64()
            .expect("a chance")
    };
    let (few, many) = (chance("0..100"), chance("0..900"));
    assert!(many < few / 2.0, "{few} after 101 runs, {many} after 901");
}

#[test]
fn progress_is_plain_lines_where_there_is_no_terminal_and_nothing_beside_json() {
    let desk = Desk::new();
    let args = ["run", "--sweep", "--seeds", "0..600", "--jobs", "1"];
    let told = desk.run(&args).ends_with(0);
    let lines: Vec<&str> = told.stderr.lines().collect();
    assert_eq!(lines[0], "sweep: 601 runs");
    assert!(lines.len() > 1, "{lines:?}");
    for line in &lines[1..] {
        assert!(
            line.starts_with("sweep   ") && line.ends_with("   0 findings"),
            "{line}"
        );
        assert!(
            line.contains("/601 runs   ") && line.contains(" left   "),
            "{line}"
        );
    }
    assert!(!told.stderr.contains('\r'), "{:?}", told.stderr);
    let told = desk.run(&[&args[..], &["--json"]].concat()).ends_with(0);
    assert_eq!(told.stderr, "");
}

#[test]
fn a_sweep_has_one_digest_for_any_number_of_jobs() {
    let desk = Desk::new();
    let one = sweep(&desk, &["--seeds", "0..60", "--jobs", "1"]);
    assert_eq!(one.len(), 32);
    assert_eq!(one, sweep(&desk, &["--seeds", "0..60", "--jobs", "2"]));
    assert_eq!(
        one,
        sweep(&desk, &["--seeds", "0..60", "--jobs", "1"]),
        "in another process"
    );
}

#[test]
fn another_seed_has_another_digest_and_the_environment_counts_as_the_flag_does() {
    let desk = Desk::new();
    let (one, two) = (
        sweep(&desk, &["--seed", "1"]),
        sweep(&desk, &["--seed", "2"]),
    );
    assert_ne!(one, two);
    let told = desk.run_with(
        &["--sweep", "--json"],
        &[("LOCKSTEP_SEED", "2"), ("LOCKSTEP_JOBS", "1")],
    );
    assert_eq!(told.ends_with(0).json()["digest"], two.as_str());
    let told = desk.run_with(
        &["--sweep", "--json", "--seed", "1"],
        &[("LOCKSTEP_SEED", "2")],
    );
    assert_eq!(
        told.ends_with(0).json()["digest"],
        one.as_str(),
        "a flag beats the environment"
    );
}

#[test]
fn searches_have_one_digest_for_any_number_of_jobs() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let digest = |jobs: &str, seeds: &str| {
        let args = [
            "run",
            "x.yaml",
            "--variant",
            "bug",
            "--json",
            "--jobs",
            jobs,
            "--seeds",
            seeds,
        ];
        desk.run(&args).ends_with(0).json()["digest"].clone()
    };
    assert_eq!(digest("1", "0..4"), digest("2", "0..4"));
    assert_ne!(digest("1", "0..4"), digest("1", "4..8"));
}

#[test]
fn seeds_are_searched_when_only_a_variant_is_named() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("scenarios")).expect("a folder");
    desk.put("scenarios/x.yaml", known());
    let runs = |seeds: &str| {
        let args = ["run", "--variant", "bug", "--json", "--seeds", seeds];
        let json = desk.run(&args).ends_with(0).json();
        json["scenarios"][0]["variants"][0]["runs"]
            .as_u64()
            .expect("runs")
    };
    assert!(runs("0..3") > runs("0..1"));
}

#[test]
fn a_search_that_was_cut_is_undecided() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let told = desk
        .run(&["run", "x.yaml", "--time-limit", "1ms"])
        .ends_with(4);
    assert!(told.stdout.contains("cut short"), "{}", told.stdout);
}

#[test]
fn what_was_not_expected_ends_with_exit_1() {
    let desk = Desk::new();
    desk.put("x.yaml", surprised());
    let told = desk
        .run(&["run", "x.yaml", "--variant", "bug"])
        .ends_with(1);
    assert!(told.stdout.contains("UNEXPECTED"), "{}", told.stdout);
    let json = desk
        .run(&["run", "x.yaml", "--variant", "bug", "--json"])
        .ends_with(1)
        .json();
    assert_eq!(json["as_expected"], false);
}

#[cfg(unix)]
mod interrupted {
    use std::process::{Command, Stdio};
    use std::thread::sleep;
    use std::time::Duration;

    use super::super::desk::lockstep;
    use super::super::{Desk, Told};

    /// Starts a sweep that would take many minutes, and interrupts it as Ctrl-C does.
    fn sweep(desk: &Desk, more: &[&str]) -> Told {
        let mut command = desk.command(&lockstep());
        command
            .args(["run", "--sweep", "--seeds", "0..1000000"])
            .args(more);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("lockstep starts");
        // The folder of results is made once the handler is there; then some runs are waited for.
        let ready = desk.path("target/lockstep");
        (0..600)
            .take_while(|_| !ready.exists())
            .for_each(|_| sleep(Duration::from_millis(50)));
        sleep(Duration::from_millis(500));
        let kill = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(kill.expect("kill starts").success());
        Told::of(&child.wait_with_output().expect("lockstep ends"))
    }

    #[test]
    fn a_sweep_ends_with_exit_130_and_its_table() {
        let told = sweep(&Desk::new(), &["--jobs", "2"]).ends_with(130);
        for words in [
            "sweep of the reference store",
            "rarest site",
            "next run shows a new order of events: ",
            "interrupted",
            "digest ",
        ] {
            assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
        }
    }

    #[test]
    fn its_json_says_so() {
        let json = sweep(&Desk::new(), &["--jobs", "1", "--json"])
            .ends_with(130)
            .json();
        assert_eq!(json["interrupted"], true);
        assert_eq!(json["as_expected"], false);
        assert_eq!(json["sweep"]["cut"], true);
    }
}
