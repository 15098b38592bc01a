//! Every scenario of the project loads; every kind of wrong text is answered with its place, its cause and its remedy.

use std::fs;

mod ablate;
mod databases;
mod ddl;
mod hints;
mod hostile;
mod import;
mod meaning;
mod platform;
mod start;
mod wrong;

use super::*;

/// A scenario with a little of everything. Wrong ones are made from it.
const GOOD: &str = r#"version: 1
name: good
source: { incident: 000-x }
schema: |
  CREATE TABLE session (chat TEXT PRIMARY KEY, active TEXT, n INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE task (id TEXT PRIMARY KEY, chat TEXT NOT NULL);
setup:
  - sql: INSERT INTO session (chat) VALUES ('c')
processes: { api: 2, ws: { memory: { seen: null, per: connection } } }
resources:
  native: { exclusive: true, release_after: 0s..20s, refuses: in_use }
locks:
  chat: { breaks: [waiter_timeout, stale: 300s] }
flows:
  enqueue(chat):
    - label: look
      read: SELECT active FROM session WHERE chat = :chat
      none: return
    - new_id: task
    - lock: chat(:chat)
      wait: 10s
      do:
        - { call: save, with: { chat: ":chat", task: ":task" } }
        - take: 1s..2s
    - use: native(:task)
      retry: { on: in_use, after: [2s, 3s] }
      else: return
    - reply: { ok: ":task" }
  save(chat, task):
    - sql: |
        INSERT INTO task
        VALUES (:task, :chat)
      catch: { constraint: return }
  note():
    - set: { memory.seen: "coalesce(:memory.seen, 0) + 1" }
events:
  - m1: { on: api.2, send: enqueue, with: { chat: c }, redeliver: { every: 5s, times: 2 } }
  - m2: { on: ws.connection(1), send: note, at: 7s, after: [m1, crash(api)] }
faults: { crash: { api: 1 }, lost_reply: 1, late: { strikes: 1, up_to: 30s } }
invariants:
  one_task:
    per: chat
    never: SELECT chat, count(*) AS tasks FROM task GROUP BY chat HAVING count(*) > 1
  told_once: { history: SELECT cause FROM effect GROUP BY cause HAVING count(*) > 1 }
goals:
  - crashed: SELECT 1 FROM event WHERE kind = 'fault'
variants:
  bug: {}
  fix:
    flows: { enqueue: { look: delete } }
expect: { bug: { violates: one_task }, fix: holds }
"#;

/// The good scenario with one piece of text replaced.
fn with(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "`{from}` must be there once");
    GOOD.replace(from, to)
}

/// The only problem, which has these words in message and help.
fn only<'p>(problems: &'p Problems, message: &str, help: &str) -> &'p Problem {
    let [problem] = &problems.list[..] else {
        panic!("one problem expected:\n{problems}")
    };
    for (words, told) in [(message, &problem.message), (help, &problem.help)] {
        assert!(told.contains(words), "`{words}` expected in\n{problems}");
    }
    problem
}

/// Asserts that the text has exactly one problem, with these words in message and help, at the place that `«` marks; the mark is
/// taken out before the parse.
fn refuses(marked: &str, message: &str, help: &str) {
    let before = marked.split('«').next().expect("a mark");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().expect("a line").chars().count() + 1;
    let problems = parse("x.yaml", &marked.replacen('«', "", 1)).expect_err("a problem");
    let place = only(&problems, message, help).place;
    let place = (place.line as usize, place.column as usize);
    assert_eq!(place, (line, column), "\n{problems}");
}

/// The same for the good scenario with one piece replaced.
fn refuses_with(from: &str, marked: &str, message: &str, help: &str) {
    refuses(&with(from, marked), message, help);
}

#[test]
fn every_scenario_of_the_project_loads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let files = fs::read_dir(folder)
        .expect("scenarios")
        .map(|entry| entry.expect("entry").path());
    let mut count = 0;
    for file in files.filter(|file| {
        file.extension()
            .is_some_and(|extension| extension == "yaml")
    }) {
        let scenario = load(&file).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(scenario.variants.len() > 1, "{}", scenario.file);
        count += 1;
    }
    assert!(count > 3);
}
