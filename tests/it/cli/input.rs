//! Arguments and an environment that make no sense.

use std::fs;

use super::Desk;
#[cfg(target_os = "linux")]
use super::Told;
use super::desk::{known, lockstep};

fn with_scenario() -> Desk {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    desk
}

#[test]
fn arguments_that_do_not_parse_are_refused() {
    let desk = with_scenario();
    for (args, reason) in [
        (&["run", "--seeds", "5..5"][..], "this range is empty"),
        (&["run", "--seeds", "9..3"], "this range is empty"),
        (&["run", "--seeds", "a..b"], "half-open range"),
        (&["run", "--seeds", "7"], "half-open range"),
        (
            &["run", "--seeds", "0..18446744073709551616"],
            "half-open range",
        ),
        (
            &["run", "x.yaml", "--seed", "-1"],
            "a seed is a whole number",
        ),
        (&["run", "x.yaml", "--jobs", "-2"], "from 1 to 256"),
        (
            &["run", "x.yaml", "--seed", "1.5"],
            "a seed is a whole number",
        ),
        (
            &["run", "x.yaml", "--seed", "18446744073709551615"],
            "the largest seed",
        ),
        (&["run", "x.yaml", "--jobs", "0"], "from 1 to 256"),
        (&["run", "x.yaml", "--jobs", "x"], "from 1 to 256"),
        (&["run", "x.yaml", "--jobs", "257"], "from 1 to 256"),
        (
            &["run", "x.yaml", "--time-limit", "0s"],
            "500ms, 30s, 5m or 1h",
        ),
        (
            &["run", "x.yaml", "--time-limit", "5 years"],
            "500ms, 30s, 5m or 1h",
        ),
        (
            &["run", "x.yaml", "--time-limit", "5"],
            "a whole number with its unit",
        ),
        (&["run", "x.yaml", "--bogus"], "--bogus"),
        (&["run", "x.yaml", "--out"], "--out"),
        (
            &["run", "x.yaml", "--seed", "1", "--seeds", "1..2"],
            "cannot be used with",
        ),
        (&["run", "--sweep", "x.yaml"], "cannot be used with"),
        (&["--bogus"], "--bogus"),
        (&["frobnicate"], "unrecognized subcommand"),
        (&["check"], "FILES"),
        (&["verify"], "DATABASE"),
        (&["replay"], "CASE"),
        (&["replay", "--world", "moon"], "store"),
        (&["replay", "--world", "store", "--run", "3"], "--seed"),
    ] {
        desk.refuses(args, reason);
    }
}

#[test]
fn names_that_nothing_has_are_refused_with_those_that_are_known() {
    let desk = with_scenario();
    for (args, reason) in [
        (
            &["run", "x.yaml", "--variant", "nope"][..],
            "known are bug, reference, unique_index",
        ),
        (
            &["run", "x.yaml", "--scenario", "nope"],
            "known are two_first_messages",
        ),
        (
            &["run", "x.yaml", "--scenario", "other.yaml"],
            "is not among the files",
        ),
        (
            &["replay", "--scenario", "x.yaml"],
            "--variant bug, unique_index, reference",
        ),
        (
            &["replay", "--scenario", "x.yaml", "--variant", "nope"],
            "known are bug",
        ),
        (&["run"], "run this in the project's folder"),
        (&[], "run this in the project's folder"),
    ] {
        desk.refuses(args, reason);
    }
}

#[test]
fn decisions_that_do_not_parse_are_refused() {
    let desk = with_scenario();
    for decisions in [
        "nonsense",
        "hello @ open",
        "hello => crash",
        "hello @ open => explode",
        "hello @ open => switch",
        "hello @ open => pause soon",
        "hello @ open => pause -1ms",
        "hello @ open => jump 99999999999999999999ms",
        "hello @ open #0 => crash",
        "hello @ open #x => crash",
        "hello @ open #4294967296 => crash",
        " @  => crash",
        "hello @ open => crash; hello @ open => lost_reply",
    ] {
        let variant = ["--variant", "bug", "--decisions", decisions];
        desk.refuses(
            &[&["run", "x.yaml"][..], &variant].concat(),
            "--decisions: `",
        );
        desk.refuses(
            &[&["replay", "--scenario", "x.yaml"][..], &variant].concat(),
            "--decisions: `",
        );
    }
    desk.refuses(&["run", "x.yaml", "--decisions", ""], "say which variant");
}

#[test]
fn decisions_beyond_all_measure_are_carried_out_or_drift() {
    let desk = with_scenario();
    let (most, least) = (i64::MAX, i64::MIN);
    for decision in [
        format!("pause {}ms", u64::MAX),
        format!("jump {most}ms"),
        format!("jump {least}ms"),
        format!("offset {least}ms"),
        format!("late {}ms", u64::MAX),
        format!("take {}ms", u64::MAX),
        format!("pick {}", u64::MAX),
        "switch nobody".to_owned(),
    ] {
        for point in ["hello @ open", "hello @ deliver", "api.1 @ start"] {
            let decisions = format!("{point} => {decision}");
            let told = desk.run(&[
                "run",
                "x.yaml",
                "--variant",
                "bug",
                "--decisions",
                &decisions,
            ]);
            assert!(
                matches!(told.code, Some(0 | 1 | 4)),
                "{decisions}: {:?} {}",
                told.code,
                told.stderr
            );
        }
    }
}

#[test]
fn an_environment_that_does_not_parse_is_refused_and_named() {
    let desk = with_scenario();
    for (name, value) in [
        ("LOCKSTEP_JOBS", "x"),
        ("LOCKSTEP_JOBS", "0"),
        ("LOCKSTEP_JOBS", ""),
        ("LOCKSTEP_SEEDS", "7"),
        ("LOCKSTEP_SEEDS", "9..3"),
        ("LOCKSTEP_SEED", "-1"),
        ("LOCKSTEP_SEED", "one"),
    ] {
        let reason = format!("{name}={value:?}: ");
        desk.refuses_with(&["run", "x.yaml"], &[(name, value)], &reason);
        desk.refuses_with(&["run", "--sweep"], &[(name, value)], &reason);
    }
    let both = [("LOCKSTEP_SEED", "1"), ("LOCKSTEP_SEEDS", "1..2")];
    desk.refuses_with(&["run", "x.yaml"], &both, "both set");
}

#[test]
fn results_that_cannot_be_written_are_told_before_anything_runs() {
    let desk = with_scenario();
    desk.put("file", "in the way");
    for out in ["file", "file/below", "file/far/below"] {
        desk.refuses(&["run", "x.yaml", "--out", out], "cannot write");
        desk.refuses(
            &["run", "--sweep", "--seeds", "0..2", "--out", out],
            "cannot write",
        );
    }
}

/// A full disk behind stdout is an error like any other.
#[cfg(target_os = "linux")]
#[test]
fn a_result_that_nobody_can_read_is_an_error() {
    let desk = with_scenario();
    for args in [
        &["check", "x.yaml"][..],
        &["--help"],
        &["run", "x.yaml", "--variant", "bug"],
    ] {
        let full = fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full");
        let mut command = desk.command(&lockstep());
        let output = command
            .args(args)
            .stdout(full)
            .output()
            .expect("lockstep starts");
        let told = Told::of(&output).ends_with(2);
        assert!(
            told.stderr.contains("cannot write the result"),
            "{}",
            told.stderr
        );
    }
}

/// `lockstep … | head -1`: whoever reads has seen what he wanted.
#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let desk = with_scenario();
    for args in [
        &["schema"][..],
        &["--help"],
        &["check", "x.yaml"],
        &["run", "x.yaml", "--variant", "bug"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = desk.command(&lockstep());
        let output = command.args(args).stdout(writer).output();
        let told = Told::of(&output.expect("lockstep starts")).ends_with(0);
        assert!(!told.stderr.contains("write"), "{}", told.stderr);
    }
}

/// The place of a case is taken, as on a disk that is full by then.
#[test]
fn a_case_that_cannot_be_written_leaves_the_verdict() {
    let desk = with_scenario();
    let case = "out/two_first_messages-bug-one_active_session.case";
    fs::create_dir_all(desk.path(case).join("in the way")).expect("a folder");
    let args = ["run", "x.yaml", "--variant", "bug", "--out", "out"];
    let told = desk.run(&args).ends_with(2);
    for words in ["bug  violated", &format!("cannot write {case}"), "digest "] {
        assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
    }
    let json = desk.run(&[&args[..], &["--json"]].concat());
    let json = json.ends_with(2).json();
    let variant = &json["scenarios"][0]["variants"][0];
    assert_eq!(variant["case"], serde_json::Value::Null);
    assert_eq!(json["troubles"].as_array().map(Vec::len), Some(1));
    // What is named instead shows the run that was found.
    let replay = variant["replay"].as_str().expect("a command");
    let words: Vec<&str> = replay.split_whitespace().skip(1).collect();
    desk.run(&words).ends_with(1);
}

#[test]
fn a_scenario_and_a_case_are_told_apart() {
    let desk = with_scenario();
    let told = desk.run(&["run", "x.yaml", "--variant", "bug", "--out", "."]);
    told.ends_with(0);
    let case = "two_first_messages-bug-one_active_session.case";
    for command in ["check", "compare"] {
        let told = desk.run(&[command, case]).ends_with(2);
        let said = told.stderr.matches("help: ").count();
        assert_eq!(said, 1, "{command}: {}", told.stderr);
        for words in [
            "this is a case, not a scenario",
            &format!("`lockstep replay {case}`"),
        ] {
            assert!(told.stderr.contains(words), "{words}: {}", told.stderr);
        }
    }
}

#[test]
fn a_query_that_does_not_end_is_told() {
    let desk = Desk::new();
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS buy FROM n WHERE x < 0";
    let race = include_str!("uncaught.yaml");
    let never = "SELECT buy, count(*) AS times FROM charge GROUP BY buy HAVING count(*) > 1";
    for (text, line) in [
        (race.replace(never, endless), 17),
        (
            race.replace(
                "invariants:",
                &format!("goals:\n  g: {endless}\ninvariants:"),
            ),
            17,
        ),
    ] {
        desk.put("x.yaml", text);
        let reason = format!("x.yaml:{line}: the query of `");
        desk.refuses(&["run", "x.yaml", "--variant", "index"], &reason);
        let quiet = ["--variant", "index", "--decisions", ""];
        let replay = [&["replay", "--scenario", "x.yaml"][..], &quiet].concat();
        let told = desk.refuses(&replay, &reason);
        assert!(told.stderr.contains("LIMIT"), "{}", told.stderr);
    }
}

#[test]
fn help_and_version_are_results() {
    let desk = Desk::new();
    for flag in ["--help", "-h", "--version", "-V", "help"] {
        assert!(!desk.run(&[flag]).ends_with(0).stdout.is_empty(), "{flag}");
    }
}
