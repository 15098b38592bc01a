//! `bench bugs`: the bugs that are named, the strategies that are named, and what both were meant by.

use super::Desk;
use super::desk::known;
use super::good::has_fields;

#[test]
fn each_strategy_hunts_for_the_bug_and_the_exhaustive_one_tells_its_depth() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let flags = [
        "bench", "bugs", "x.yaml", "--seeds", "0..3", "--most", "300", "--json",
    ];
    let json = desk.run(&flags).ends_with(0).json();
    has_fields(&json, "schema_version bugs seeds most_runs cut");
    let bugs = json["bugs"].as_array().expect("bugs");
    assert_eq!(bugs.len(), 1, "one variant is expected to fail");
    has_fields(&bugs[0], "name family depth found strategy");
    assert_eq!(bugs[0]["name"], "two_first_messages.bug");
    assert_eq!(
        (&bugs[0]["found"], &bugs[0]["depth"]),
        (&true.into(), &().into())
    );
    has_fields(
        &bugs[0]["strategy"],
        "deviations random urw pct preemptions feedback portfolio",
    );
    let exhaustive = [&flags[..], &["--strategy", "exhaustive"]].concat();
    let json = desk.run(&exhaustive).ends_with(0).json();
    let bug = &json["bugs"][0];
    assert_eq!((&bug["found"], &bug["depth"]), (&true.into(), &1.into()));
    has_fields(&bug["strategy"], "exhaustive");
    has_fields(&bug["strategy"]["exhaustive"], "median p90 found ms");
    assert_eq!(bug["strategy"]["exhaustive"]["found"], 3);
}

#[test]
fn hunts_do_not_depend_on_jobs_and_say_what_they_are() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    let hunt = |jobs: &str| {
        let flags = ["bench", "bugs", "x.yaml", "--seeds", "0..4", "--jobs", jobs];
        desk.run(&flags).ends_with(0).stdout
    };
    let told = hunt("1");
    assert_eq!(told, hunt("2"));
    assert!(told.contains("two_first_messages.bug"), "{told}");
    assert!(told.contains("geometric mean"), "{told}");
}

#[test]
fn what_is_not_known_is_named_with_what_is() {
    let desk = Desk::new();
    desk.put("x.yaml", known());
    for (flags, words) in [
        (
            ["--strategy", "dfs"],
            "no strategy is named dfs; known are deviations, random, urw",
        ),
        (
            ["--bug", "two_first_mesages.bug"],
            "did you mean two_first_messages.bug?",
        ),
        (["--most", "0"], "0 is not in 1.."),
        (["--seeds", "3..3"], "this range is empty"),
    ] {
        let told = desk.run(&[&["bench", "bugs", "x.yaml"], &flags[..]].concat());
        let told = told.ends_with(2);
        assert!(told.stderr.contains(words), "{}", told.stderr);
    }
    let text = known().replace("{ violates: one_active_session }", "holds");
    desk.put("clean.yaml", &text);
    let told = desk.run(&["bench", "bugs", "clean.yaml"]).ends_with(2);
    let words = "no variant of these scenarios is expected to fail";
    assert!(told.stderr.contains(words), "{}", told.stderr);
}
