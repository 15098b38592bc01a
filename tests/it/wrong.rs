//! Wrong scenarios, one kind of mistake each, and what is said about them: place, cause and remedy. The snapshots are the
//! messages as a user reads them; a new kind is a line of a table, and its message is to be reviewed.

use std::fmt::Write as _;
use std::fs;
use std::ops::RangeInclusive;

use lockstep_sim::scenario::{self, Problems};

use super::root;

/// What is wrong, a piece of the good scenario, and what stands there instead.
type Kind = (&'static str, &'static str, &'static str);

/// Kinds whose place is not where the text was changed, with a piece of the line that is named instead.
const ELSEWHERE: [(&str, &str); 6] = [
    ("a condition that decides nothing", "- if: "),
    ("no name", "version: 1"),
    ("a quote is never closed", "- effect: card"),
    ("a request that says nobody", "- request: boot"),
    ("no expectation", "fix:"),
    ("no version", "name: base"),
];

fn good() -> String {
    let path = root().join("tests/it/wrong/base.yaml");
    fs::read_to_string(path).expect("the good scenario")
}

/// Each kind with what is said about it. The first thing that is said stands in the lines that were changed.
fn told(kinds: &[Kind]) -> String {
    let good = good();
    let mut shown = String::new();
    for (what, from, to) in kinds {
        assert_eq!(
            good.matches(from).count(),
            1,
            "{what}: {from:?} is there once"
        );
        let text = good.replace(from, to);
        let problems = scenario::parse("x.yaml", &text)
            .err()
            .unwrap_or_else(|| panic!("{what}: it loads"));
        complete(what, &problems);
        let lines = lines(
            what,
            &text,
            (good.find(from).unwrap_or(0), to.trim_end().len()),
        );
        let line = problems.list[0].place.line as usize;
        assert!(
            lines.contains(&line),
            "{what}: line {line}, not {lines:?}:\n{problems}"
        );
        let _ = writeln!(shown, "== {what}\n{problems}");
    }
    shown
}

/// The lines that the first problem may name.
fn lines(what: &str, text: &str, (start, length): (usize, usize)) -> RangeInclusive<usize> {
    let line = |byte: usize| text[..byte].matches('\n').count() + 1;
    match ELSEWHERE.iter().find(|(kind, _)| *kind == what) {
        Some((_, piece)) => {
            let at = line(
                text.find(piece)
                    .unwrap_or_else(|| panic!("{what}: {piece:?}")),
            );
            at..=at
        }
        None => line(start)..=line(start + length),
    }
}

/// Every problem has a place, a cause and a remedy.
fn complete(what: &str, problems: &Problems) {
    for problem in &problems.list {
        let place = problem.place;
        assert!(place.line > 0 && place.column > 0, "{what}: {place:?}");
        assert!(!problem.message.is_empty(), "{what}");
        assert!(!problem.help.is_empty(), "{what}: {}", problem.message);
    }
}

fn check(area: &str, kinds: &[Kind]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/it/wrong/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(area, told(kinds)));
}

#[test]
fn the_good_scenario_loads() {
    scenario::parse("x.yaml", &good()).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn yaml_itself() {
    check(
        "yaml",
        &[
            ("a tab indents", "      none: return\n", "\tnone: return\n"),
            (
                "a quote is never closed",
                "name: \":chat\"",
                "name: \":chat",
            ),
            (
                "a bracket is never closed",
                "after: [2s, 3s] }",
                "after: [2s, 3s }",
            ),
            (
                "a key is there twice",
                "name: base\n",
                "name: base\nname: again\n",
            ),
            ("an alias of nothing", "name: base\n", "name: *base\n"),
            ("a text begins with @", "name: base\n", "name: @base\n"),
            (
                "a list where a mapping is due",
                "  chat: { per: chat,",
                "  [chat]: { per: chat,",
            ),
            (
                "the indentation is off",
                "    - new_id: task\n",
                "   - new_id: task\n",
            ),
            (
                "`: ` inside of a text",
                "INSERT INTO task VALUES (:task, :chat)",
                "INSERT INTO task VALUES (:task, 'a: b')",
            ),
            (
                "` #` inside of a text",
                "SELECT id FROM task\n",
                "SELECT id FROM #task\n",
            ),
            (
                "a second document",
                "explore: { runs: 500 }\n",
                "explore: { runs: 500 }\n---\na: 1\n",
            ),
            (
                "a comma ends SQL inside { }",
                "- { effect: bell, intent: \":id\" }",
                "- { sql: INSERT INTO task VALUES (:id, 'x') }",
            ),
        ],
    );
}

#[test]
fn the_top_of_the_file() {
    check(
        "top",
        &[
            ("another version", "version: 1\n", "version: 2\n"),
            (
                "another version and what it may know",
                "version: 1\nname: base\n",
                "version: 2\nname: base\ngoal: 7\n",
            ),
            ("no version", "version: 1\n", ""),
            ("no name", "name: base\n", ""),
            ("a name that is none", "name: base\n", "name: two words\n"),
            ("a key that nobody knows", "goals:\n", "gaols:\n"),
            (
                "a clock without a zone",
                "2025-11-12T20:39:00Z",
                "2025-11-12 20:39",
            ),
            (
                "an engine that nobody knows",
                "schema: |\n",
                "target: oracle\nschema: |\n",
            ),
            ("a number in quotes", "runs: 500", "runs: \"500\""),
            (
                "a number beyond all measure",
                "runs: 500",
                "runs: 99999999999999999999",
            ),
            ("a number below nothing", "runs: 500", "runs: -5"),
            (
                "a schema that SQLite refuses",
                "chat TEXT NOT NULL);\nsetup",
                "chat TEXT NOT NULL;\nsetup",
            ),
            ("a setup with a variable", "VALUES ('c')", "VALUES (:c)"),
            (
                "a setup with a step of flows",
                "  - sql: INSERT INTO session (chat) VALUES ('c')",
                "  - take: 1s",
            ),
            (
                "an import that is not there",
                "platforms:\n",
                "import: platforms/nowhere.yaml\nplatforms:\n",
            ),
        ],
    );
}

#[test]
fn processes_resources_locks_and_effects() {
    check(
        "processes",
        &[
            ("no instance", "count: 2,", "count: 0,"),
            ("a key that nobody knows", "home: host-a", "hom: host-a"),
            (
                "a start flow that is not there",
                "start: boot",
                "start: reboot",
            ),
            (
                "a start flow with parameters",
                "start: boot",
                "start: enqueue",
            ),
            ("an offset without a unit", "offset: -90s", "offset: -90"),
            (
                "an owner of memory that nobody knows",
                "per: connection",
                "per: conection",
            ),
            ("memory that starts with a list", "seen: null", "seen: []"),
            ("a version that is not there", "code: base", "code: bsae"),
            ("a loop without a flow", "flow: boot, every", "every"),
            ("yes instead of true", "exclusive: true", "exclusive: yes"),
            ("a range that goes backwards", "0s..20s", "20s..0s"),
            (
                "a lock that breaks in an unknown way",
                "waiter_timeout",
                "waiter_timout",
            ),
            (
                "an effect with an unknown key",
                "idempotent: true",
                "idempotence: true",
            ),
        ],
    );
}

#[test]
fn steps() {
    check(
        "steps",
        &[
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
        ],
    );
}

#[test]
fn sql() {
    check(
        "sql",
        &[
            (
                "a table that is not there",
                "FROM session WHERE",
                "FROM sesion WHERE",
            ),
            (
                "a column that is not there",
                "SELECT active FROM",
                "SELECT activ FROM",
            ),
            (
                "a word that is no SQL",
                "INSERT INTO task VALUES (:task",
                "INSERT INTOO task VALUES (:task",
            ),
            (
                "a variable that nothing binds",
                "WHERE chat = :chat",
                "WHERE chat = :chta",
            ),
            (
                "a parameter of another dialect",
                "WHERE chat = :chat",
                "WHERE chat = $1",
            ),
            (
                "a text without SQL's quotes",
                "{ ok: \":task\" }",
                "{ ok: done }",
            ),
            (
                "a variable without its colon",
                "{ ok: \":task\" }",
                "{ ok: task }",
            ),
            (
                "two statements in one step",
                "VALUES (:task, :chat)\n",
                "VALUES (:task, :chat); DELETE FROM task\n",
            ),
            ("a transaction by hand", "- new_id: task", "- sql: BEGIN"),
            ("sql that only reads", "- new_id: task", "- sql: SELECT 1"),
            (
                "a column without a name",
                "SELECT active FROM",
                "SELECT count(*) FROM",
            ),
            ("dice", "coalesce(:memory.seen, 0) + 1", "random()"),
            (
                "a clock",
                "coalesce(:memory.seen, 0) + 1",
                "strftime('%s', 'now')",
            ),
            (
                "a file that is attached",
                "- new_id: task",
                "- sql: ATTACH 'x' AS y",
            ),
            ("memory that nobody has", "memory.seen:", "memory.sene:"),
            (
                "a rule that writes",
                "never: SELECT chat, count(*) AS tasks FROM task",
                "never: DELETE FROM task --",
            ),
            (
                "a rule without its key",
                "    per: chat\n    never",
                "    per: id\n    never",
            ),
        ],
    );
}

#[test]
fn events_and_faults() {
    check(
        "events",
        &[
            ("a process that is not there", "on: api.2", "on: apii"),
            ("an instance that is not there", "on: api.2", "on: api.3"),
            ("a flow that is not there", "send: note", "send: ntoe"),
            (
                "an argument that is missing",
                "with: { chat: c }, from",
                "from",
            ),
            (
                "an argument that nobody takes",
                "with: { chat: c }, from",
                "with: { chat: c, chatt: c }, from",
            ),
            (
                "a variable for an argument",
                "with: { chat: c }, from",
                "with: { chat: :chat }, from",
            ),
            ("an event that is not there", "after: [m1,", "after: [m4,"),
            (
                "events that wait for each other",
                "on: api.2, send",
                "after: m2, on: api.2, send",
            ),
            (
                "a platform that is not there",
                "redeliver: telegram",
                "redeliver: telegarm",
            ),
            (
                "a repeat without its number",
                "every: 5s, times: 3,",
                "every: 5s,",
            ),
            (
                "nothing that happens",
                "- copy: { backup: store }",
                "- copy: { at: 1s }",
            ),
            ("a version that is not there", "to: new,", "to: newer,"),
            (
                "a fault that nobody knows",
                "lost_reply: 1",
                "lost_replies: 1",
            ),
            (
                "a crash of nobody",
                "{ crash: { api: 1 }",
                "{ crash: { app: 1 }",
            ),
            (
                "a fault without its bound",
                "late: { strikes: 1, up_to: 30s }",
                "late: 1",
            ),
        ],
    );
}

#[test]
fn rules_and_variants() {
    check(
        "variants",
        &[
            (
                "a rule of two kinds",
                "told_once: { history",
                "told_once: { finally: SELECT 1, history",
            ),
            (
                "a rule of no kind",
                "{ builtin: resource.home }",
                "{ per: chat }",
            ),
            (
                "a builtin that nobody knows",
                "resource.home }",
                "resource.hom }",
            ),
            ("no expectation", ", fix: holds }", " }"),
            (
                "an expectation of nobody",
                "fix: holds",
                "fixed: holds, fix: holds",
            ),
            ("a verdict that nobody knows", "fix: holds", "fix: hold"),
            (
                "an invariant that is not there",
                "violates: one_task",
                "violates: one_tsak",
            ),
            (
                "a key that no variant may change",
                "  bug: {}",
                "  bug: { faults: {} }",
            ),
            (
                "a flow that is not there",
                "flows: { enqueue: { tell",
                "flows: { enqeue: { tell",
            ),
            ("a label that is not there", "{ tell: {", "{ tel: {"),
            (
                "variants that are only names",
                "  bug: {}\n  fix:\n    schema: CREATE UNIQUE INDEX one_task ON task (chat)\n    \
                 flows: { enqueue: { tell: { before: { take: 1s } } } }\n",
                "  - bug\n  - fix\n",
            ),
            ("a patch that does nothing", "before: { take: 1s }", ""),
            (
                "a patch with an unknown key",
                "before: { take: 1s }",
                "instead: { take: 1s }",
            ),
            (
                "a schema that does not fit",
                "ON task (chat)",
                "ON task (chatt)",
            ),
        ],
    );
}
