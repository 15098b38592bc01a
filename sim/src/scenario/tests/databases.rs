//! Further database files: which text is for which of them.

use super::super::*;
use super::{refuses, with};

/// The good scenario with another file, and with these flows.
fn with_files(flows: &str) -> String {
    let files = "databases:
  legacy: { schema: 'CREATE TABLE note (id TEXT, body TEXT); CREATE TABLE task (id TEXT, chat TEXT)' }
processes: { api: 2, cron: { database: legacy }, ws: { memory: { seen: null, per: connection } } }
";
    let text = with("  note():\n", &format!("{flows}  note():\n"));
    text.replace(
        "processes: { api: 2, ws: { memory: { seen: null, per: connection } } }\n",
        files,
    )
}

#[test]
fn a_text_fits_the_file_that_it_is_for() {
    let text = with_files(
        "  copy():
    - each: SELECT id FROM task
      do: { sql: 'INSERT INTO note VALUES (:id, NULL)', db: legacy }
    - transaction:
        - read: SELECT body FROM note
        - set: { n: (SELECT count(*) FROM note) }
      db: legacy
",
    );
    let text = text.replace(
        "  told_once:",
        "  copied: { never: SELECT id FROM task JOIN legacy.note n USING (id) WHERE n.body IS NULL }\n  told_once:",
    );
    let scenario = parse("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let program = &scenario.variants[0].program;
    assert_eq!(program.databases.len(), 1);
    let flows = &program.versions[0].flows;
    let copy = flows.iter().find(|flow| flow.name == "copy");
    let steps = &copy.expect("the flow").steps;
    let StepKind::Each {
        sql, steps: inner, ..
    } = &steps[0].kind
    else {
        panic!("{:?}", steps[0]);
    };
    assert_eq!(sql.db, None, "that of the process");
    assert_eq!(inner[0].site.as_str(), "sql legacy.note");
    let StepKind::Transaction {
        db, steps: inner, ..
    } = &steps[1].kind
    else {
        panic!("{:?}", steps[1]);
    };
    assert_eq!(*db, Some(1));
    let StepKind::Set(assigned) = &inner[1].kind else {
        panic!("{:?}", inner[1]);
    };
    assert!(matches!(&assigned[0].1, Expr::Sql(sql) if sql.db == Some(1)));
}

#[test]
fn the_file_of_a_step() {
    let refused = |steps: &str, message: &str, help: &str| {
        refuses(&with_files(&format!("  x():\n{steps}")), message, help);
    };
    refused(
        "    - { sql: DELETE FROM note, db: «legcy }\n",
        "unknown database `legcy`",
        "did you mean `legacy`?",
    );
    refused(
        "    - transaction: [ { sql: DELETE FROM note, db: «legacy } ]\n",
        "a step on `legacy` inside a transaction on the database of the process",
        "no transaction spans two files: write `db: legacy` beside `transaction`",
    );
    refused(
        "    - { transaction: [ { sql: DELETE FROM task, db: «main } ], db: legacy }\n",
        "a step on `main` inside a transaction on `legacy`",
        "take the step out of it",
    );
    refused(
        "    - { sql: DELETE FROM «note, db: main }\n",
        "no such table: note",
        "`note` is a table of `legacy`",
    );
    refused(
        "    - { sql: DELETE FROM legacy.«note, db: main }\n",
        "no such table: legacy.note",
        "write `db: legacy` beside the statement, and `note` in it",
    );
    refused(
        "    - { sql: DELETE FROM «notes, db: legacy }\n",
        "no such table: notes",
        "did you mean `note`?",
    );
    refused(
        "    - { sql: «CREATE TABLE more (id TEXT), db: legacy }\n",
        "the main database only",
        "under `schema` of the database",
    );
    refused(
        "    - { set: { x: 1 }, «db: legacy }\n",
        "unknown key `db` in a `set` step",
        "known: ",
    );
}

/// A flow must fit the database of each process that runs it.
#[test]
fn the_file_of_a_process() {
    let event = "  - m2: { on: ws.connection(1)";
    let run = |flow: &str| {
        let text = with_files(flow);
        text.replace(event, &format!("  - x: {{ on: cron, send: x }}\n{event}"))
    };
    refuses(
        &run("  x(): [ { sql: «UPDATE session SET n = 1 } ]\n"),
        "process `cron` runs this on its database `legacy`: no such table: session",
        "write `db:`",
    );
    refuses(
        &run("  x(): [ { sql: «CREATE TABLE more (id TEXT) } ]\n"),
        "process `cron` runs this on its database `legacy`: flows change the schema of the main",
        "write `db:`",
    );
    let fits = run("  x(): [ { sql: DELETE FROM note } ]\n");
    parse("x.yaml", &fits).unwrap_or_else(|problems| panic!("{problems}"));
    let unknown = with_files("").replace("database: legacy", "database: «legazy");
    refuses(&unknown, "unknown database `legazy`", "`legacy`");
}

#[test]
fn the_files_themselves() {
    let refused = |line: &str, message: &str, help: &str| {
        let text = with_files("").replace("databases:\n", &format!("databases:\n  {line}\n"));
        refuses(&text, message, help);
    };
    refused(
        "«Main: { schema: CREATE TABLE a (b) }",
        "`Main` cannot be a further database",
        "choose another name",
    );
    refused(
        "other: { schema: CREATE TABLE a (b), «shema: x }",
        "unknown key `shema` in database `other`",
        "did you mean `schema`?",
    );
    refused(
        "«other: {}",
        "database `other` has no tables",
        "write schema:",
    );
    refused(
        "other: { schema: CREATE «TABEL a (b) }",
        "near \"TABEL\": syntax error",
        "one SQLite statement",
    );
    let variant = with_files("").replace("  bug: {}", "  bug: { «databases: {} }");
    refuses(&variant, "a variant cannot change `databases`", "the same");
}
