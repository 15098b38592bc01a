//! What a good scenario is told besides.

use super::super::*;
use super::with;

/// The hints about a text, each as its line and message.
fn hints(text: &str) -> Vec<(u32, String)> {
    let scenario = parse("x.yaml", text).unwrap_or_else(|problems| panic!("{problems}"));
    let told = scenario.hints.iter();
    told.map(|hint| (hint.place.line, hint.message.clone()))
        .collect()
}

/// What is new in a text that has one place changed.
fn new(from: &str, to: &str) -> Vec<String> {
    let before: Vec<String> = hints(super::GOOD)
        .into_iter()
        .map(|(_, told)| told)
        .collect();
    let after = hints(&with(from, to)).into_iter().map(|(_, told)| told);
    after.filter(|told| !before.contains(told)).collect()
}

#[test]
fn flows_that_nothing_runs() {
    let told = new("  note():", "  lost(): [reply]\n  note():");
    assert_eq!(told, ["hint: nothing runs flow `lost`"]);
    let told = new(
        "  note():",
        "  lost(): [reply]\n  note():\n    - spawn: lost",
    );
    assert!(told.is_empty(), "{told:?}");
    let told = new(
        "  bug: {}",
        "  bug: {}\n  other: { flows: { \"lost()\": [reply] }, expect: holds }",
    );
    assert_eq!(told, ["hint: nothing runs flow `lost`"]);
}

#[test]
fn flows_that_do_nothing() {
    let quiet = "  look(): [read: SELECT count(*) AS n FROM task, set: { m: \":n\" }]\n  note():\n    - call: look";
    assert_eq!(
        new("  note():", quiet),
        ["hint: flow `look` leaves nothing behind"]
    );
    for acts in [
        "effect: seen, wait: 10s",
        "reply",
        "set: { memory.seen: 1 }",
        "sql: DELETE FROM task",
        "if: 1, then: reply",
    ] {
        let told = new(
            "  note():",
            &format!("  look(): [{{ {acts} }}]\n  note():\n    - call: look")
                .replace("[{ reply }]", "[reply]"),
        );
        let idle = told.iter().any(|told| told.contains("leaves nothing"));
        assert!(!idle, "{acts}: {told:?}");
    }
}

#[test]
fn rows_that_nobody_looks_at() {
    let told = new("      catch: { constraint: return }", "      rows: 1");
    assert_eq!(told, ["hint: `rows` without `else` does nothing"]);
}

#[test]
fn rules_whose_key_no_index_leads_to() {
    let scan = "hint: for one `chat` this rule reads all rows of `task`";
    assert!(hints(super::GOOD).iter().any(|(_, told)| told == scan));
    let indexed = with("setup:", "  CREATE INDEX by_chat ON task (chat);\nsetup:");
    assert!(hints(&indexed).iter().all(|(_, told)| told != scan));
    let aliased = with(
        "SELECT chat, count(*) AS tasks FROM task GROUP BY chat",
        "SELECT t.chat, count(*) AS tasks FROM task AS t GROUP BY t.chat",
    );
    assert!(hints(&aliased).iter().any(|(_, told)| told == scan));
    let only = with(
        "  bug: {}",
        "  bug: { schema: CREATE INDEX by_chat ON task (chat) }",
    );
    let only = hints(&only);
    let told = only.iter().find(|(_, told)| told.starts_with(scan));
    assert_eq!(
        told.map(|(_, told)| told.as_str()),
        Some(&*format!("{scan} (variant `fix`)"))
    );
}

#[test]
fn what_sqlite_does_not_show_of_postgresql() {
    let steps = "    - transaction:\n        - sql: INSERT INTO task SELECT :task, :chat WHERE NOT EXISTS (SELECT 1 FROM task)\n      catch: { busy: return }\n";
    let text = with(
        "    - sql: |\n        INSERT INTO task\n        VALUES (:task, :chat)\n      catch: { constraint: return }\n",
        steps,
    );
    let before = hints(&text).len();
    let told = hints(&text.replace("name: good\n", "name: good\ntarget: postgres\n"));
    let new: Vec<&str> = told
        .iter()
        .map(|(_, told)| told.as_str())
        .filter(|told| told.contains("PostgreSQL"))
        .collect();
    assert_eq!((told.len() - before, new.len()), (3, 3), "{told:?}");
    for (said, word) in new.iter().zip([
        "races between its steps",
        "reads and writes in one moment",
        "never `busy`",
    ]) {
        assert!(said.contains(word), "{said}");
    }
    let locks = with(
        "SELECT active FROM session WHERE chat = :chat",
        "SELECT active FROM session WHERE chat = :chat FOR UPDATE SKIP LOCKED",
    );
    let problems = parse("x.yaml", &locks).expect_err("no SQLite").to_string();
    assert!(
        problems.contains("a `lock` step around these"),
        "{problems}"
    );
}

/// The hints about the scenario of the manual with one of its lines changed, those that it has anyway left out.
fn after(rule: &str, steps: &str) -> Vec<String> {
    let text = format!(
        "version: 1
name: words
schema: CREATE TABLE task (id TEXT PRIMARY KEY, state TEXT NOT NULL)
processes: {{ api: 2, worker: 1 }}
flows:
  accept():
    - sql: INSERT OR IGNORE INTO task VALUES ('t', 'waiting')
    - {{ effect: told, intent: \"'t'\" }}
{steps}
    - reply
  work(): [sql: DELETE FROM task]
  answers(): [{{ if: 1, then: [reply, return] }}, reply]
  sometimes(): [{{ read: SELECT 1 AS one FROM task, none: return }}, reply]
events:
  - click: {{ on: api, send: accept, redeliver: {{ every: 5s, times: 2 }} }}
  - other: {{ on: worker, send: work }}
  - more: {{ on: worker, send: answers }}
  - last: {{ on: worker, send: sometimes }}
faults: {{ lost_reply: 1 }}
invariants:
  rule: {{ {rule} }}
variants: {{ bug: {{}} }}
expect: {{ bug: holds }}
"
    );
    let told = hints(&text).into_iter().map(|(_, told)| told);
    told.filter(|told| !told.contains("answers to events only"))
        .collect()
}

#[test]
fn rules_that_compare_with_what_never_is() {
    let told = |query: &str| after(&format!("history: \"{query}\""), "");
    for good in [
        "SELECT 1 FROM effect WHERE name = 'told' AND cause LIKE 'click%'",
        "SELECT 1 FROM event e WHERE e.kind IN ('deliver', 'rest') AND 'api.2' <> e.actor AND e.cause = 'click/redelivery#1'",
        "SELECT 1 FROM event WHERE cause = 'start api.1#2' OR cause LIKE '%/work' OR outcome = 'tolt'",
        "SELECT 1 FROM change WHERE tab = 'task' AND new ->> 'state' = 'waitink'",
        "SELECT id FROM task WHERE state = 'waiting' OR state = 'something else'",
        "SELECT name FROM (SELECT state AS name FROM task) WHERE name = 'waiting'",
    ] {
        assert_eq!(told(good), Vec::<String>::new(), "{good}");
    }
    for (wrong, says) in [
        (
            "SELECT 1 FROM effect WHERE name = 'tolt'",
            "no effect is ever 'tolt'",
        ),
        (
            "SELECT 1 FROM event e JOIN effect f WHERE e.kind <> 'delivery'",
            "no kind of event is ever 'delivery'",
        ),
        (
            "SELECT 1 FROM event WHERE kind IN ('deliver', 'efect')",
            "no kind of event is ever 'efect'",
        ),
        (
            "SELECT 1 FROM event WHERE cause = 'clik'",
            "no cause is ever 'clik'",
        ),
        (
            "SELECT 1 FROM event WHERE cause LIKE 'clik%'",
            "no cause is ever 'clik%'",
        ),
        (
            "SELECT 1 FROM event WHERE actor = 'api.3'",
            "no process is ever 'api.3'",
        ),
        (
            "SELECT 1 FROM change WHERE tab = 'tasks'",
            "no table is ever 'tasks'",
        ),
        (
            "SELECT id FROM task WHERE state = 'waitng'",
            "nothing in this scenario is 'waitng'",
        ),
    ] {
        let told = told(wrong);
        assert!(
            told.len() == 1 && told[0].contains(says),
            "{wrong}: {told:?}"
        );
    }
}

#[test]
fn answers_that_nobody_waits_for() {
    let rule = "never: SELECT id FROM task WHERE id = 'u'";
    let told = |steps: &str| after(rule, steps);
    assert_eq!(
        told("    - { effect: told, catch: { timeout: return } }"),
        ["hint: this `timeout` never comes: nobody waits"]
    );
    assert!(told("    - { effect: told, wait: 10s, catch: { timeout: return } }").is_empty());
    assert!(told("    - { effect: told, within: 1s, catch: { timeout: return } }").is_empty());
    assert_eq!(
        told("    - { request: work, to: worker, wait: 10s }"),
        ["hint: flow `work` may end without `reply`"]
    );
    assert_eq!(
        told("    - { request: sometimes, to: worker, wait: 10s }"),
        ["hint: flow `sometimes` may end without `reply`"]
    );
    assert!(told("    - { request: answers, to: worker, wait: 10s }").is_empty());
    assert!(told("    - { request: work, to: worker }").is_empty());
}
