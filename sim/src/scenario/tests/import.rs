//! What a scenario takes from other files, and what is said when it cannot.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::*;
use super::only;

/// A project in which scenarios are written.
struct Desk(tempfile::TempDir);

const SHARED: &str = "\
import: ../base.yaml
flows:
  pay(buy):
    - read: { file: queries.sql, name: paid }
    - if: :paid = 0
      then: [sql: { file: queries.sql, name: charge }]
    - call: answer
goals:
  tried: { file: queries.sql, name: tried }
";
const QUERIES: &str = "\
-- Everything that the shop asks.
-- name: paid :one
SELECT count(*) AS paid
\tFROM charge WHERE buy = :buy;

-- name: charge :exec
INSERT INTO charge VALUES (:buy, :event);
-- name: tried
SELECT 1 FROM event
";
const BASE: &str = "\
processes: { api: 2 }
flows:
  answer(): [reply]
";
const OWN: &str = "\
version: 1
name: twice
import: [../shared/shop.yaml, ../base.yaml]
schema: { file: tables.sql }
events:
  - click: { on: api, send: pay, with: { buy: b1 } }
invariants:
  once: { per: buy, never: { file: ../shared/queries.sql, name: twice } }
variants: { bug: {} }
expect: { bug: undecided }
";

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir(desk.0.path().join(".git")).expect("a repository");
        desk.write("base.yaml", BASE);
        desk.write("shared/shop.yaml", SHARED);
        desk.write(
            "shared/queries.sql",
            &format!(
                "{QUERIES}-- name: twice\nSELECT buy FROM charge GROUP BY buy HAVING count(*) > 1"
            ),
        );
        desk.write(
            "scenarios/tables.sql",
            "CREATE TABLE charge (buy TEXT, click TEXT);\r\n",
        );
        desk.write("scenarios/own.yaml", OWN);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn change(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).expect("a file");
        assert_eq!(text.matches(from).count(), 1, "`{from}` must be there once");
        self.write(name, &text.replace(from, to));
    }

    fn load(&self) -> Result<Scenario, Problems> {
        load(&self.path("scenarios/own.yaml"))
    }

    /// File, line, message and help of the only problem.
    fn refuses(&self, file: &str, line: u32, message: &str, help: &str) {
        let problems = self.load().expect_err("a problem");
        let problem = only(&problems, message, help);
        let at = format!("{}/{file}", self.0.path().display());
        assert_eq!(
            (&problem.file, problem.place.line),
            (&at, line),
            "\n{problems}"
        );
    }
}

#[test]
fn a_case_brings_all_files_along() {
    let desk = Desk::new();
    let scenario = desk.load().unwrap_or_else(|problems| panic!("{problems}"));
    let elsewhere = parse("elsewhere.yaml", &scenario.text);
    let elsewhere = elsewhere.unwrap_or_else(|problems| panic!("{problems}"));
    for scenario in [&scenario, &elsewhere] {
        let program = &scenario.variants[0].program;
        let flows: Vec<&str> = program.versions[0]
            .flows
            .iter()
            .map(|flow| flow.name.as_str())
            .collect();
        assert_eq!(flows, ["answer", "pay"]);
        assert_eq!(program.processes[0].count, 2);
        assert_eq!(program.goals[0].sql, "SELECT 1 FROM event");
        assert!(program.invariants[0].sql.ends_with("count(*) > 1"));
    }
    assert!(
        scenario.text.starts_with(OWN),
        "places of the scenario stay what they are"
    );
    assert_eq!(elsewhere.text, scenario.text);
}

#[test]
fn problems_stand_in_the_file_that_has_them() {
    let desk = Desk::new();
    desk.change(
        "shared/queries.sql",
        "FROM charge WHERE buy = :buy;",
        "FROM charges WHERE buy = :buy;",
    );
    desk.refuses(
        "shared/queries.sql",
        4,
        "no such table: charges",
        "`charge`",
    );
    let desk = Desk::new();
    desk.change("shared/shop.yaml", "call: answer", "call: anwser");
    desk.refuses("shared/shop.yaml", 7, "unknown flow `anwser`", "`answer`");
    let desk = Desk::new();
    desk.change("base.yaml", "answer(): [reply]", "answer(): [@reply]");
    desk.refuses("base.yaml", 3, "not YAML", "quotes");
    let desk = Desk::new();
    desk.write(
        "scenarios/tables.sql",
        "CREATE TABLE charge (buy TEXT,\n click TEXT,);\n",
    );
    desk.refuses("scenarios/tables.sql", 2, "syntax error", "");
}

#[test]
fn names_that_are_not_there() {
    let desk = Desk::new();
    desk.change("shared/shop.yaml", "name: tried", "name: tired");
    desk.refuses(
        "shared/shop.yaml",
        9,
        "`../shared/queries.sql` has no line `-- name: tired`",
        "`tried`",
    );
    let desk = Desk::new();
    desk.change("shared/queries.sql", "-- name: tried", "-- name: paid");
    desk.write(
        "shared/shop.yaml",
        &SHARED.replace("name: tried", "name: paid"),
    );
    let problems = desk.load().expect_err("two lines").to_string();
    assert!(problems.contains("two lines `-- name: paid`"), "{problems}");
    let desk = Desk::new();
    desk.change(
        "scenarios/own.yaml",
        "tables.sql }",
        "tables.sql, nmae: x }",
    );
    desk.refuses("scenarios/own.yaml", 4, "unknown key `nmae`", "`name`");
    let desk = Desk::new();
    desk.change("shared/shop.yaml", "goals:", "events: {}\ngoals:");
    desk.refuses(
        "shared/shop.yaml",
        8,
        "unknown key `events` in an imported file",
        "known: platforms",
    );
}

#[test]
fn an_imported_name_is_not_changed() {
    let desk = Desk::new();
    desk.change(
        "scenarios/own.yaml",
        "invariants:",
        "flows: { \"answer(x)\": [] }\ninvariants:",
    );
    desk.refuses(
        "scenarios/own.yaml",
        7,
        "`answer` is there already, from line 3 of",
        "another name",
    );
}

#[test]
fn a_circle_of_imports_is_named() {
    let desk = Desk::new();
    desk.change(
        "base.yaml",
        "processes",
        "import: [shared/shop.yaml]\nprocesses",
    );
    desk.refuses(
        "base.yaml",
        1,
        "own.yaml imports ../shared/shop.yaml imports ../base.yaml imports ../shared/shop.yaml",
        "a third file",
    );
    let desk = Desk::new();
    desk.change(
        "base.yaml",
        "processes",
        "import: scenarios/own.yaml\nprocesses",
    );
    desk.refuses("base.yaml", 1, "a circle: own.yaml imports", "a third file");
}

#[test]
fn files_that_cannot_be_read() {
    let desk = Desk::new();
    desk.change("scenarios/own.yaml", "tables.sql", "table.sql");
    desk.refuses(
        "scenarios/own.yaml",
        4,
        "cannot read `table.sql`",
        "the folder of the file",
    );
    let desk = Desk::new();
    desk.change("scenarios/own.yaml", "tables.sql", "/etc/passwd");
    desk.refuses(
        "scenarios/own.yaml",
        4,
        "an absolute path",
        "the folder of this file",
    );
    let desk = Desk::new();
    let above = "../".repeat(desk.path("scenarios").components().count());
    desk.change(
        "scenarios/own.yaml",
        "tables.sql",
        &format!("{above}etc/hostname"),
    );
    desk.refuses("scenarios/own.yaml", 4, "it is not in", "its project");
    let desk = Desk::new();
    fs::write(desk.path("scenarios/tables.sql"), b"\x00").expect("written");
    desk.refuses("scenarios/own.yaml", 4, "control characters", "");
    let desk = Desk::new();
    desk.write("scenarios/own.yaml", "{ import: ../base.yaml }");
    desk.refuses(
        "scenarios/own.yaml",
        1,
        "a scenario in { }",
        "a line of its own",
    );
}

#[test]
fn a_text_alone_says_what_it_lacks() {
    let problems = parse("own.yaml", OWN).expect_err("nothing is read from the disk");
    let words = problems.to_string();
    assert!(
        words.contains("does not bring `tables.sql` along"),
        "{words}"
    );
    assert!(!Path::new("tables.sql").exists());
}
