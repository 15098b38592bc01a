//! Flows that end by an error: nobody has to look into a trace to learn of them.

use serde_json::Value;

use super::Desk;

/// Clicks that race for a charge: an index refuses the second one, and nobody catches that.
const RACE: &str = include_str!("uncaught.yaml");

fn variants(desk: &Desk) -> Value {
    let told = desk.run(&["run", "x.yaml", "--json"]).ends_with(0);
    told.json()["scenarios"][0]["variants"].clone()
}

#[test]
fn what_nobody_caught_is_under_the_verdict() {
    let desk = Desk::new();
    desk.put("x.yaml", RACE);
    let variants = variants(&desk);
    assert_eq!(variants[0]["uncaught"]["runs"], 0, "{variants}");
    let uncaught = &variants[1]["uncaught"];
    let runs = uncaught["runs"].as_u64().expect("a number");
    assert!((1..1000).contains(&runs), "{uncaught}");
    let insert = RACE.lines().position(|line| line.contains("- sql: INSERT"));
    let place = format!("x.yaml:{}", insert.expect("the step") + 1);
    let refused = "UNIQUE constraint failed: charge.buy";
    let [error] = &uncaught["errors"].as_array().expect("errors")[..] else {
        panic!("one error: {uncaught}")
    };
    let expected = serde_json::json!(
        { "flow": "pay", "place": place, "error": refused, "runs": runs }
    );
    assert_eq!(error, &expected);
    // Most of them have ended well.
    assert_eq!(uncaught["never_well"], serde_json::json!([]));
    let told = desk.run(&["compare", "x.yaml"]).ends_with(0).stdout;
    let line = format!("uncaught errors in {runs} of 1,000 runs, most often {place}: {refused}\n");
    assert!(told.contains(&line), "{line}: {told}");
    assert!(!told.contains("EVERY"), "{told}");
}

#[test]
fn a_flow_that_never_ends_well_is_a_mistake_of_the_scenario() {
    let desk = Desk::new();
    desk.put("x.yaml", RACE.replace("\"'paid'\"", "\"json('paid')\""));
    let uncaught = variants(&desk)[0]["uncaught"].clone();
    assert_eq!(uncaught["never_well"], serde_json::json!(["pay"]));
    let told = desk.run(&["run", "x.yaml"]).ends_with(0).stdout;
    let line = "EVERY time flow `pay` ran, it ended in an error that nobody caught: most likely a mistake in the scenario; x.yaml:";
    assert!(told.contains(line), "{told}");
    assert!(told.contains("malformed JSON"), "{told}");
}

#[test]
fn a_locked_database_is_no_error_of_postgres() {
    let desk = Desk::new();
    let (head, rest) = RACE.split_once("  pay(buy):").expect("the flow");
    let (_, tail) = rest.split_once("events:").expect("the events");
    let flow = "  pay(buy):
    - transaction:
        - read: SELECT count(*) AS paid FROM charge WHERE buy = :buy
        - sql: INSERT INTO charge VALUES (:buy, :event)
    - reply
";
    for (target, expected) in [
        ("sqlite", "database is locked"),
        ("postgres", "SQLite, not PostgreSQL: database is locked"),
    ] {
        desk.put(
            "x.yaml",
            format!("target: {target}\n{head}{flow}events:{tail}"),
        );
        let json = desk.run(&["compare", "x.yaml", "--json"]).json();
        let errors = &json["variants"][0]["uncaught"]["errors"];
        assert_eq!(errors[0]["error"], expected, "{errors}");
    }
}
