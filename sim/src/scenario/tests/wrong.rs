//! What is said about wrong texts, besides the kinds of mistakes in `tests/it/wrong/`: forms of a text, and places inside of
//! one, that no change of one word makes.

use super::super::*;
use super::{GOOD, refuses, refuses_with, with};

#[test]
fn the_good_scenario_loads() {
    parse("x.yaml", GOOD).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn texts_that_are_no_mapping() {
    refuses("«- a\n- b\n", "a mapping of keys", "version: 1");
    refuses("«", "empty", "version: 1");
}

#[test]
fn yaml_itself() {
    refuses_with("wait: 10s", "wait: «*", "not YAML", "alias and anchor");
    refuses_with(
        "\"coalesce(:memory.seen, 0) + 1\"",
        "«\"coalesce(1)",
        "unclosed quote",
        "quotes do not match",
    );
}

#[test]
fn commas_inside_braces() {
    let text = "- { sql: INSERT INTO task VALUES (:task, :chat) }";
    let found = parse("x.yaml", &with("- take: 1s..2s", text)).expect_err("problems");
    let keyed = found.list.iter().find(|problem| problem.text == ":chat)");
    let keyed = keyed.unwrap_or_else(|| panic!("{found}"));
    assert!(keyed.message.contains("a comma ended the text"), "{found}");
    assert!(keyed.help.contains("put SQL into quotes"), "{found}");
}

#[test]
fn sql() {
    refuses_with(
        "VALUES (:task, :chat)",
        "VALUES (:task, «:tsk)",
        "unbound variable `:tsk`",
        "did you mean `task`?",
    );
    refuses_with(
        "{ ok: \":task\" }",
        "{ ok: \"'a' || «tsk\" }",
        "no such column: tsk",
        "single quotes",
    );
    refuses_with("= :chat\n", "= «?1\n", "another dialect", ":name");
}

#[test]
fn memory_of_another_process() {
    let elsewhere = with("on: ws.connection(1)", "on: api");
    let found = parse("x.yaml", &elsewhere).expect_err("problems");
    assert!(
        found
            .list
            .iter()
            .all(|problem| problem.message.contains("has no memory `seen`")),
        "{found}"
    );
}

#[test]
fn rules() {
    refuses_with(
        "FROM effect GROUP",
        "FROM «efect GROUP",
        "no such table: efect",
        "",
    );
    refuses_with(
        "{ history: SELECT cause FROM effect GROUP BY cause HAVING count(*) > 1 }",
        "{ builtin: «resource.home }",
        "no resource has a home",
        "`home: true`",
    );
    refuses_with(
        "WHERE kind = 'fault'",
        "WHERE «kimd = 'fault'",
        "no such column: kimd",
        "",
    );
}

#[test]
fn variants_and_expectations() {
    refuses_with(
        "bug: {}",
        "bug: { invariants: «{ one_task: {} } }",
        "cannot change `invariants`",
        "reference",
    );
    refuses_with(
        "look: delete",
        "look: «remove",
        "does not say what to do",
        "replace:",
    );
}

#[test]
fn flows() {
    refuses_with(
        "look: delete }",
        "look: delete }, «\"other(a, a)\": []",
        "cannot be a parameter",
        "a name of its own",
    );
}

#[test]
fn operations_of_the_store() {
    let good = |op: &str| {
        let steps = format!("store: reference\n    flows: {{ note: [{op}] }}");
        let text = with("fix:\n", &format!("fix:\n    {steps}\n"));
        let text = text.replace("    flows: { enqueue: { look: delete } }\n", "");
        let rules = "    invariants: { one_task: { per: chat, never: SELECT chat FROM conversation_key WHERE 0 } }\n";
        let text = text.replace("expect: {", &format!("{rules}expect: {{"));
        // The flow that speaks about the bug's tables is replaced as well.
        text.replace("flows: { note:", "flows: { enqueue(chat): [], note:")
    };
    refuses(
        &good("{ op: «shw, with: {} }"),
        "unknown operation `shw`",
        "did you mean `show`?",
    );
    refuses(
        &good("{ op: show, with: { «sesion: 1, session: 1 } }"),
        "unknown key `sesion`",
        "`session`?",
    );
    refuses(
        &good("{ op: «show }"),
        "has no `session`",
        "it needs session",
    );
    refuses(
        &good("{ transaction: { op: «reap, with: { limit: 1 } } }"),
        "inside a transaction",
        "of its own",
    );
}
