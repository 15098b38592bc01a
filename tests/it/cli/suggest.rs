//! `lockstep suggest`.

use super::Desk;
use super::desk::known;

#[test]
fn the_smallest_repairs_that_stand_are_told() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let told = desk.run(&["suggest", "x.yaml"]).ends_with(0).stdout;
    for part in [
        "two_first_messages, variant bug",
        "CREATE UNIQUE INDEX ON session (user) WHERE status = 'active'",
        "inbound: one transaction from `read session`",
        "inbound: a lock, on :user, from the first step to the last",
        "of at most 1 repair",
        "victims x.yaml",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let json = desk
        .run(&["suggest", "x.yaml", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(json["stand"].as_array().map(Vec::len), Some(3), "{json}");
    assert_eq!(json["stand"][0]["verdict"], "undecided");
    assert_eq!(json["cut"], false);
}

/// A repair that does nothing for anybody any more is none: here each would swallow a message, or is another change.
#[test]
fn what_does_less_than_before_does_not_stand() {
    let desk = Desk::new();
    let path = crate::root().join("scenarios/003-e-two-tabs.yaml");
    let told = desk
        .run(&["suggest", path.to_str().expect("a path")])
        .ends_with(1);
    assert!(
        told.stdout.contains("none of these stands"),
        "{}",
        told.stdout
    );
}

#[test]
fn what_cannot_be_repaired_is_said() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let told = desk
        .run(&["suggest", "x.yaml", "--variant", "nope"])
        .ends_with(2);
    assert!(told.stderr.contains("known are bug"), "{}", told.stderr);
    let told = desk
        .run(&["suggest", "x.yaml", "--variant", "reference"])
        .ends_with(2);
    assert!(told.stderr.contains("reference store"), "{}", told.stderr);
    desk.run(&["suggest", "nowhere.yaml"]).ends_with(2);
}
