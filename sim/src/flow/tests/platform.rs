//! When platforms deliver: one after the other, and again when an attempt has failed.

use std::collections::BTreeSet;

use super::searched;
use crate::scenario::{self, Expect};

/// A flow that thinks for a while before it answers, and what happens to it.
fn text(events: &str, rules: &str) -> String {
    format!(
        "\
version: 1
name: deliveries
schema: CREATE TABLE done (label TEXT)
processes: {{ api: 2 }}
flows:
  work():
    - take: 10s..20s
    - sql: INSERT INTO done VALUES (:delivery)
    - reply
events:
{events}
faults: {{ lost_request: 1, lost_reply: 1, crash: {{ api: 1 }} }}
invariants:
{rules}
variants: {{ only: {{}} }}
expect: {{ only: holds }}
"
    )
}

/// Names of the invariants that some run of many violates.
fn violated(events: &str, rules: &str, runs: u64) -> BTreeSet<String> {
    let text = text(events, rules);
    let scenario = scenario::parse("x.yaml", &text).unwrap_or_else(|words| panic!("{words}"));
    let variant = &scenario.variants[0];
    let expect = Expect::Violates(vec!["one".to_owned(), "two".to_owned()]);
    let found = searched(variant, &expect, runs);
    found.firsts.into_keys().collect()
}

#[test]
fn one_queue_is_delivered_one_after_the_other() {
    let rules = "  \
  one: { history: SELECT b.cause FROM event a JOIN event b ON b.n > a.n AND (a.end_n IS NULL OR b.n < a.end_n)
    WHERE a.kind = 'deliver' AND b.kind = 'deliver' AND a.cause NOT LIKE 'second%' AND b.cause LIKE 'second%'
      AND NOT EXISTS (SELECT 1 FROM event f WHERE f.kind = 'fault') }";
    let both = |queue: &str| {
        let law = "redeliver: { every: 30s, times: 2 }";
        format!(
            "  - first: {{ on: api, send: work, {law}{queue} }}\n  - second: {{ on: api, send: work, at: 1s, {law}{queue} }}"
        )
    };
    assert_eq!(
        violated(&both(""), rules, 200),
        BTreeSet::from(["one".to_owned()])
    );
    assert!(violated(&both(", queue: ann"), rules, 200).is_empty());
}

#[test]
fn a_queue_goes_on_after_a_message_that_nobody_answers() {
    let events = "  - first: { on: api.1, send: work, queue: ann }\n  - second: { on: api.2, send: work, queue: ann }";
    let rules = "  one: { finally: SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM event WHERE cause = 'second' AND kind = 'deliver')
    AND NOT EXISTS (SELECT 1 FROM event WHERE kind = 'fault' AND cause LIKE 'second%') }";
    assert!(violated(events, rules, 300).is_empty());
}

/// With a time-out a gap begins when the attempt has failed; without one, when it was made.
#[test]
fn gaps_begin_where_the_platform_counts_from() {
    let starts = |from: i64, to: i64| {
        format!(
            "  one: {{ history: SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM event WHERE kind = 'fault') AND
    (SELECT min(at_ms) FROM event WHERE cause = 'm/redelivery#1') - (SELECT min(at_ms) FROM event WHERE cause = 'm') NOT BETWEEN {from} AND {to} }}"
        )
    };
    let timed = "  - m: { on: api, send: work, redeliver: { after: [5s], timeout: 3s } }";
    assert!(violated(timed, &starts(8_000, 8_000), 50).is_empty());
    let plain = "  - m: { on: api, send: work, redeliver: { after: [5s] } }";
    assert!(violated(plain, &starts(5_000, 5_000), 50).is_empty());
}
