//! `lockstep explain`.

use super::Desk;
use super::desk::{known, surprised};

const CASE: &str = "target/lockstep/two_first_messages-bug-one_active_session.case";

#[test]
fn a_case_is_explained_in_words_and_as_json() {
    let desk = Desk::new();
    desk.put("x.yaml", surprised());
    desk.run(&["run", "x.yaml", "--variant", "bug"])
        .ends_with(1);
    let told = desk.run(&["explain", CASE]).ends_with(0).stdout;
    for part in [
        "violated one_active_session user=u active=2",
        "what happened",
        "what the invariant looks at",
        "where to look",
        "x.yaml:",
        "what it takes",
        "the event hello",
        "hello @ open => switch again",
        "which values matter",
        "no way back",
        "the nearest run that passes",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let json = desk.run(&["explain", CASE, "--json"]).ends_with(0).json();
    assert_eq!(json["invariant"], "one_active_session");
    assert_eq!(json["decisions"][0]["needed"], true);
    assert_eq!(json["events"].as_array().map(Vec::len), Some(2));
    let values = &json["events"][0]["values"];
    assert_eq!(values[1]["others"], "any other will do", "{json}");
    assert!(json["places"][0].is_string(), "{json}");
    assert!(json["no_return"]["n"].is_u64(), "{json}");
}

#[test]
fn what_is_replayed_can_be_explained() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let case = ["--scenario", "x.yaml", "--variant", "bug"];
    let decisions = ["--decisions", "hello @ open => switch again"];
    let args = [&["explain"], &case[..], &decisions[..]].concat();
    desk.run(&args).ends_with(0);
    let found = desk.run(&[&["explain"], &case[..], &["--seed", "0", "--run", "0"]].concat());
    let told = found.ends_with(2);
    assert!(
        told.stderr.contains("nothing is violated"),
        "{}",
        told.stderr
    );
    assert!(told.stderr.contains("replay --scenario"), "{}", told.stderr);
}
