//! One wrong text after the other. `«` marks the place that the problem must name; it is taken out before the parse.

use super::super::*;
use super::{GOOD, with};

/// Asserts that the text has exactly one problem, at the mark, with these words in message and help.
pub(super) fn refuses(marked: &str, message: &str, help: &str) {
    let before = marked.split('«').next().expect("a mark");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().expect("a line").chars().count() + 1;
    let problems = parse("x.yaml", &marked.replacen('«', "", 1)).expect_err("a problem");
    let [problem] = &problems.list[..] else {
        panic!("one problem expected:\n{problems}")
    };
    let place = (problem.place.line as usize, problem.place.column as usize);
    assert_eq!(place, (line, column), "\n{problems}");
    assert!(
        problem.message.contains(message),
        "`{message}` expected in\n{problems}"
    );
    assert!(
        problem.help.contains(help),
        "`{help}` expected in\n{problems}"
    );
}

/// The same for the good scenario with one piece replaced.
pub(super) fn refuses_with(from: &str, marked: &str, message: &str, help: &str) {
    refuses(&with(from, marked), message, help);
}

#[test]
fn the_good_scenario_loads() {
    parse("x.yaml", GOOD).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn top_of_the_file() {
    refuses_with("version: 1", "version: «2", "version", "version: 1");
    refuses_with(
        "goals:",
        "«gaols:",
        "unknown key `gaols`",
        "did you mean `goals`?",
    );
    refuses_with(
        "name: good",
        "name: «not a name",
        "`not a name`",
        "a letter",
    );
    refuses_with(
        "source:",
        "clock: «2025-13-01T00:00:00Z\nsource:",
        "`clock`",
        "2025-11-12T20:39:00Z",
    );
    refuses_with(
        "source:",
        "target: «sqllite\nsource:",
        "unknown target `sqllite`",
        "did you mean `sqlite`?",
    );
    refuses_with(
        "source:",
        "explore: { runs: «many }\nsource:",
        "whole number",
        "without quotes",
    );
    refuses("«- a\n- b\n", "a mapping of keys", "version: 1");
    refuses("«", "empty", "version: 1");
    refuses(
        &format!("{GOOD}«---\na: b\n"),
        "a second document",
        "a file of its own",
    );
}

#[test]
fn yaml_itself() {
    refuses_with(
        "name: good",
        "name: good\n«name: twice",
        "duplicate key `name`",
        "line 2",
    );
    refuses_with("name: good", "name: «@good", "not YAML", "needs quotes");
    refuses_with("name: good", "name: «%good", "not YAML", "needs quotes");
    refuses_with(
        "name: good",
        "name: «*good",
        "names no anchor",
        "needs quotes",
    );
    refuses_with("wait: 10s", "wait: «*", "not YAML", "alias and anchor");
    refuses_with("      none: return", "«\tnone: return", "tab", "spaces");
    refuses_with(
        "\"coalesce(:memory.seen, 0) + 1\"",
        "«\"coalesce(1)",
        "unclosed quote",
        "quotes do not match",
    );
}

#[test]
fn steps() {
    refuses_with(
        "- new_id: task",
        "- «newid: task",
        "unknown step `newid`",
        "did you mean `new_id`?",
    );
    refuses_with(
        "- new_id: task",
        "- new_id: task\n      «take: 1s",
        "two verbs",
        "another step",
    );
    refuses_with(
        "- new_id: task",
        "- «label: a",
        "no verb",
        "known: read, sql",
    );
    refuses_with(
        "- new_id: task",
        "- new_id: task\n    - «retrun",
        "`retrun` is no step",
        "did you mean `return`?",
    );
    refuses_with(
        "none: return",
        "«non: return",
        "unknown key `non` in a `read` step",
        "did you mean `none`?",
    );
    refuses_with("wait: 10s", "wait: «10", "`10` is none", "10s");
    refuses_with("take: 1s..2s", "take: «1:30", "`1:30` is none", "8s..12s");
    refuses_with(
        "- new_id: task",
        "- new_id: «now",
        "`now` cannot be assigned",
        "given by the harness",
    );
    refuses_with(
        "- lock: chat(:chat)",
        "- lock: «chta(:chat)",
        "unknown lock `chta`",
        "did you mean `chat`?",
    );
    refuses_with(
        "- lock: chat(:chat)",
        "- lock: «chat",
        "NAME(key)",
        "chat(:key)",
    );
    refuses_with(
        "on: in_use",
        "on: «inuse",
        "unknown refusal `inuse`",
        "did you mean `in_use`?",
    );
    refuses_with(
        "{ constraint: return }",
        "{ «constrain: return }",
        "unknown error",
        "did you mean `constraint`?",
    );
    refuses_with(
        "- new_id: task",
        "- new_id: task\n      label: «look",
        "label `look` is there twice",
        "another one",
    );
    refuses_with(
        "- reply:",
        "- op: «accept\n    - reply:",
        "needs the reference store",
        "store: reference",
    );
}

#[test]
fn commas_inside_braces() {
    let text = "- { sql: INSERT INTO task VALUES (:task, «:chat) }";
    let found =
        parse("x.yaml", &with("- take: 1s..2s", &text.replace('«', ""))).expect_err("problems");
    let keyed = found.list.iter().find(|problem| problem.text == ":chat)");
    let keyed = keyed.unwrap_or_else(|| panic!("{found}"));
    assert!(keyed.message.contains("a comma ended the text"), "{found}");
    assert!(keyed.help.contains("put SQL into quotes"), "{found}");
    refuses_with(
        "- take: 1s..2s",
        "- call: «save(:chat)",
        "takes the name of a flow",
        "{ call: save, with:",
    );
}

#[test]
fn calls() {
    refuses_with(
        "call: save,",
        "call: «sav,",
        "unknown flow `sav`",
        "did you mean `save`?",
    );
    refuses_with(
        "call: save, with: { chat: \":chat\", task: \":task\" }",
        "call: «save, with: { chat: \":chat\" }",
        "needs the argument `task`",
        "with:",
    );
}

#[test]
fn sql() {
    refuses_with(
        "WHERE chat = :chat",
        "WHERE chat = «:chta",
        "unbound variable `:chta`",
        "did you mean `chat`?",
    );
    refuses_with(
        "VALUES (:task, :chat)",
        "VALUES (:task, «:tsk)",
        "unbound variable `:tsk`",
        "did you mean `task`?",
    );
    refuses_with(
        "SELECT active FROM",
        "SELECT «activ FROM",
        "no such column: activ",
        "did you mean `active`?",
    );
    refuses_with(
        "FROM session WHERE",
        "FROM «sesion WHERE",
        "no such table: sesion",
        "did you mean `session`?",
    );
    refuses_with(
        "INSERT INTO task\n",
        "INSERT «INTOO task\n",
        "syntax error",
        "one SQLite statement",
    );
    refuses_with(
        "{ ok: \":task\" }",
        "{ ok: \"'a' || «tsk\" }",
        "no such column: tsk",
        "single quotes",
    );
    refuses_with(
        "{ ok: \":task\" }",
        "{ ok: «task }",
        "no such column: task",
        "`:task`",
    );
    refuses_with("= :chat\n", "= «?1\n", "another dialect", ":name");
    refuses_with(
        "VALUES (:task, :chat)",
        "VALUES (:task, :chat); «DELETE FROM task",
        "more than one",
        "of its own",
    );
    refuses_with(
        "INSERT INTO session (chat) VALUES ('c')",
        "«BEGIN",
        "`BEGIN` by hand",
        "`transaction:`",
    );
    refuses_with(
        "0) + 1\"",
        "0) + «random()\"",
        "not authorized",
        "`new_id` makes ids",
    );
    refuses_with(
        "- new_id: task",
        "- new_id: task\n    - sql: «SELECT 1",
        "only reads",
        "use `read:`",
    );
    refuses_with(
        "DEFAULT 0);\n  CREATE",
        "DEFAULT 0);\n  «CRAETE",
        "syntax error",
        "",
    );
    refuses_with(
        "read: SELECT active FROM",
        "read: «SELECT count(*) FROM",
        "no name for a variable",
        "AS",
    );
}

#[test]
fn processes_and_memory() {
    refuses_with(
        "on: api.2",
        "on: «apii",
        "unknown process `apii`",
        "did you mean `api`?",
    );
    refuses_with(
        "on: api.2",
        "on: «api.3",
        "`3` is no instance",
        "api.1 to api.2",
    );
    refuses_with("api: 2,", "api: «0,", "at least one", "");
    refuses_with(
        "per: connection",
        "per: «conection",
        "unknown owner of memory",
        "did you mean `connection`?",
    );
    refuses_with(
        "{ memory.seen:",
        "{ «memory.sen:",
        "no process has `sen`",
        "did you mean `seen`?",
    );
    refuses_with(
        "exclusive: true",
        "exclusive: «yes",
        "true or false",
        "ordinary texts",
    );
    refuses_with(
        "breaks: [waiter_timeout",
        "breaks: [«waiter_timout",
        "does not break by",
        "did you mean `waiter_timeout`?",
    );
    let elsewhere = with("on: ws.connection(1)", "on: api").replace("\"coalesce", "«\"coalesce");
    let first = elsewhere.replacen("memory.seen: «", "«memory.seen: ", 1);
    let found = parse("x.yaml", &first.replace('«', "")).expect_err("problems");
    assert!(
        found
            .list
            .iter()
            .all(|problem| problem.message.contains("has no memory `seen`")),
        "{found}"
    );
}

#[test]
fn events_and_faults() {
    refuses_with(
        "send: enqueue",
        "send: «enqeue",
        "unknown flow `enqeue`",
        "did you mean `enqueue`?",
    );
    refuses_with(
        "{ chat: c }, redeliver",
        "{ «chatt: c, chat: c }, redeliver",
        "unknown key `chatt`",
        "did you mean `chat`?",
    );
    refuses_with(
        "- m1: { on: api.2, send: enqueue, with: { chat: c },",
        "- «m1: { on: api.2, send: enqueue,",
        "argument `chat`",
        "with:",
    );
    refuses_with(
        "{ chat: c }, redeliver",
        "{ chat: «:chat }, redeliver",
        "unknown variable `:chat`",
        "literal",
    );
    refuses_with(
        "after: [m1,",
        "after: [«m3,",
        "unknown event `m3`",
        "crash(process)",
    );
    refuses_with(
        "- m1: { on",
        "- «m1: { after: m2, on",
        "waits for itself",
        "circle",
    );
    refuses_with(
        "{ crash: { api: 1 }",
        "{ crash: { «app: 1 }",
        "unknown process `app`",
        "did you mean `api`?",
    );
    refuses_with(
        "lost_reply: 1",
        "«lost_replies: 1",
        "unknown key `lost_replies`",
        "did you mean `lost_reply`?",
    );
    refuses_with("{ strikes: 1, up_to: 30s }", "«1", "", "");
}

#[test]
fn rules() {
    refuses_with(
        "per: chat\n",
        "per: «user\n",
        "unknown column `user`",
        "known: chat, tasks",
    );
    refuses_with(
        "FROM effect GROUP",
        "FROM «efect GROUP",
        "no such table: efect",
        "",
    );
    refuses_with(
        "never: SELECT chat,",
        "never: SELECT «caht,",
        "no such column: caht",
        "did you mean `chat`?",
    );
    refuses_with(
        "{ history: SELECT cause FROM effect GROUP BY cause HAVING count(*) > 1 }",
        "{ builtin: «resource.home }",
        "no resource has a home",
        "`home: true`",
    );
    refuses_with(
        "  told_once: { history:",
        "  «told_once: { allways:",
        "",
        "",
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
        "fix: holds",
        "fix: «hold",
        "an expectation is",
        "did you mean `holds`?",
    );
    refuses(
        &with(", fix: holds", "").replace("  fix:\n", "  «fix:\n"),
        "no expectation",
        "holds, undecided",
    );
    refuses_with(
        "fix: holds",
        "fix: holds, «fxi: holds",
        "no variant `fxi`",
        "did you mean `fix`?",
    );
    refuses_with(
        "violates: one_task",
        "violates: «one_tsk",
        "unknown invariant `one_tsk`",
        "did you mean `one_task`?",
    );
    refuses_with(
        "bug: {}",
        "bug: { «events: [] }",
        "cannot change `events`",
        "same pressure",
    );
    refuses_with(
        "bug: {}",
        "bug: { invariants: «{ one_task: {} } }",
        "cannot change `invariants`",
        "reference",
    );
    refuses_with(
        "look: delete",
        "«lok: delete",
        "no step with the label `lok`",
        "did you mean `look`?",
    );
    refuses_with(
        "enqueue: { look: delete }",
        "«enqeue: []",
        "no flow `enqeue`",
        "did you mean `enqueue`?",
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
    refuses_with(
        "- take: 1s..2s",
        "- call: «enqueue\n          with: { chat: null }",
        "calls itself",
        "or let the flow `spawn` itself",
    );
    refuses_with(
        "- take: 1s..2s",
        "- transaction:\n            - «transaction: []",
        "inside a transaction",
        "",
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
