//! Steps of flows.

use super::Kind;

pub(super) const KINDS: &[Kind] = &[
    (
        "a verb that nobody knows",
        "- new_id: task",
        "- newid: task",
    ),
    (
        "two verbs in one step",
        "- new_id: task",
        "- new_id: task\n      take: 1s",
    ),
    ("no verb", "- new_id: task", "- label: fresh"),
    (
        "a key that stands beside its verb instead of below it",
        "none: return",
        "none: [set: { g: 0 }, with: { chat: c }]",
    ),
    ("a word that is no step", "none: return", "none: retrun"),
    ("a key of another verb", "none: return", "else: return"),
    (
        "a label that is there twice",
        "- label: tell",
        "- label: look",
    ),
    (
        "a duration without a unit",
        "wait: 10s\n      as: g",
        "wait: 10\n      as: g",
    ),
    (
        "a duration with its unit apart",
        "take: 1s..2s",
        "take: 5 sec",
    ),
    ("a duration with a point", "take: 1s..2s", "take: 1.5h"),
    ("a duration below nothing", "take: 1s..2s", "take: -3s"),
    (
        "a range the wrong way round",
        "take: 1s..2s",
        "take: 2s..1s",
    ),
    (
        "a time of the day for a duration",
        "take: 1s..2s",
        "take: 1:30",
    ),
    ("a flow that is not there", "call: save,", "call: sav,"),
    (
        "arguments in parentheses",
        "{ call: save, with: { chat: \":chat\", task: \":task\" } }",
        "call: save(:chat)",
    ),
    (
        "an argument that is missing",
        "with: { chat: \":chat\", task: \":task\" }",
        "with: { chat: \":chat\" }",
    ),
    (
        "a flow that calls itself",
        "- set: { n: 0 }",
        "- set: { n: 0 }\n    - call: boot",
    ),
    (
        "a lock that is not there",
        "lock: chat(:chat)",
        "lock: chta(:chat)",
    ),
    ("a lock without a key", "lock: chat(:chat)", "lock: chat"),
    (
        "a resource that is not there",
        "use: native(:task)",
        "use: navite(:task)",
    ),
    ("a refusal that nobody gives", "on: in_use", "on: inuse"),
    (
        "an error that nobody raises",
        "catch: { constraint: return }",
        "catch: { constrain: return }",
    ),
    ("a request to nobody", "to: worker\n", "to: wroker\n"),
    ("a request that says nobody", "      to: worker\n", ""),
    ("an answer that nobody waits for", "      wait: 5s\n", ""),
    (
        "a condition that decides nothing",
        "      then: { reply: { n: \":n\" } }\n",
        "",
    ),
    (
        "each over a statement that writes",
        "each: SELECT id FROM task",
        "each: DELETE FROM task",
    ),
    (
        "an operation without the store",
        "- new_id: task",
        "- op: accept",
    ),
    (
        "a variable of the harness is assigned",
        "- new_id: task",
        "- new_id: now",
    ),
    (
        "a transaction inside another",
        "          rows: 1\n",
        "          rows: 1\n        - transaction: []\n",
    ),
];
