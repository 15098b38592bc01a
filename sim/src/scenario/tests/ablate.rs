//! The parts of a fix, and what is left without them.

use super::super::ablate::{Part, parts, without};
use super::super::*;

const BASE: &str = r#"version: 1
name: charged_twice
schema: CREATE TABLE charge (buy TEXT NOT NULL, click TEXT NOT NULL)
processes: { api: 2 }
flows:
  pay(buy):
    - read: SELECT count(*) AS paid FROM charge WHERE buy = :buy
    - if: :paid = 0
      then:
        - label: write
          sql: INSERT INTO charge VALUES (:buy, :event)
    - reply: { ok: "'paid'" }
events: [ click: { on: api, send: pay, with: { buy: b1 } } ]
invariants:
  charged_once:
    per: buy
    never: SELECT buy, count(*) AS times FROM charge GROUP BY buy HAVING count(*) > 1
"#;

const PATCHED: &str = r#"
variants:
  - fix:
      schema: |
        CREATE TABLE lost (buy TEXT);
        -- ä; a comment
        CREATE UNIQUE INDEX one_charge ON charge (buy);
        CREATE TRIGGER told AFTER INSERT ON charge BEGIN
          INSERT INTO lost VALUES (NEW.buy); DELETE FROM lost;
        END;
      setup: [ sql: INSERT INTO lost VALUES ('x') ]
      processes: { api: { count: 3, home: h }, worker: 1 }
      flows:
        pay:
          write:
            before: { take: 1s }
            replace:
              sql: INSERT INTO charge VALUES (:buy, :delivery)
              rows: 1
              else: return
              catch: { constraint: [], busy: return }
expect: { fix: holds }
"#;

const WHOLE: &str = r#"
variants:
  fix:
    flows:
      pay(buy):
        - transaction:
            - read: SELECT count(*) AS paid FROM charge WHERE buy = :buy
              none: return
            - if: :paid = 0
              then:
                - sql: INSERT INTO charge VALUES (:buy, :delivery)
            - call: note
          begin: immediate
        - reply: { ok: "'paid'" }
      note():
        - take: 1s
expect: { fix: holds }
"#;

fn found(variants: &str) -> Vec<Part> {
    parts("x.yaml", &format!("{BASE}{variants}"), "fix").unwrap_or_else(|told| panic!("{told}"))
}

fn names(variants: &str) -> Vec<String> {
    found(variants).into_iter().map(|part| part.name).collect()
}

/// The first variant without these parts, as the parser shows it.
fn left(variants: &str, dropped: &[&str]) -> Program {
    let dropped: Vec<String> = dropped.iter().map(|name| (*name).to_owned()).collect();
    let text = format!("{BASE}{variants}");
    let scenario = without("x.yaml", &text, "fix", &dropped);
    let scenario = scenario.unwrap_or_else(|told| panic!("{dropped:?}: {told}"));
    let fix = scenario
        .variants
        .iter()
        .find(|variant| variant.name == "fix");
    fix.expect("the fix").program.clone()
}

/// Its steps from top to bottom, by their sites.
fn sites(steps: &[Step]) -> Vec<String> {
    let inside = |step: &Step| match &step.kind {
        StepKind::Transaction { steps, .. } => sites(steps),
        StepKind::If { then, .. } => sites(then),
        _ => Vec::new(),
    };
    steps
        .iter()
        .flat_map(|step| {
            let name = step.site.as_str().to_owned();
            [name].into_iter().chain(inside(step)).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn everything_that_a_variant_says_is_a_part() {
    let expected = [
        "schema 1",
        "schema 2",
        "schema 3",
        "setup 1",
        "processes api count",
        "processes api home",
        "processes worker",
        "flows pay write",
        "flows pay step 1",
        "flows pay step 2",
        "flows pay step 2 rows",
        "flows pay step 2 catch constraint",
        "flows pay step 2 catch busy",
    ];
    assert_eq!(names(PATCHED), expected);
    let found = found(PATCHED);
    assert_eq!(
        found[1].text,
        "CREATE UNIQUE INDEX one_charge ON charge (buy);"
    );
    assert_eq!(found[1].at.line, 24);
    assert_eq!(
        found[2].at.line, 25,
        "the `;` inside of a trigger ends nothing"
    );
    assert_eq!(found[8].of.as_deref(), Some("flows pay write"));
}

#[test]
fn statements_of_a_schema_are_dropped_one_by_one() {
    let program = left(PATCHED, &["schema 2", "schema 3"]);
    assert!(program.schema.contains("TABLE lost"));
    assert!(!program.schema.contains("INDEX") && !program.schema.contains("TRIGGER"));
    let program = left(PATCHED, &["schema 1", "schema 3", "setup 1"]);
    assert!(program.schema.contains("INDEX") && !program.schema.contains("lost"));
    assert!(program.setup.steps.is_empty());
    let text = format!("{BASE}{PATCHED}");
    let told =
        without("x.yaml", &text, "fix", &["schema 1".to_owned()]).expect_err("`lost` is used");
    assert!(told.to_string().contains("lost"), "{told}");
}

#[test]
fn changes_of_processes_are_dropped_one_by_one() {
    let program = left(PATCHED, &["processes api count", "processes worker"]);
    assert_eq!(program.processes.len(), 1);
    assert_eq!(program.processes[0].count, 2);
    assert_eq!(program.processes[0].home.as_deref(), Some("h"));
}

#[test]
fn a_patch_is_dropped_whole_or_by_its_steps_and_guards() {
    let base = ["read charge", "if", "write", "reply"];
    assert_eq!(
        sites(&left(PATCHED, &["flows pay write"]).versions[0].flows[0].steps),
        base
    );
    let all = ["read charge", "if", "take", "sql charge", "reply"];
    assert_eq!(sites(&left(PATCHED, &[]).versions[0].flows[0].steps), all);
    let step = |dropped: &[&str]| {
        let program = left(PATCHED, &[&["flows pay step 1"], dropped].concat());
        let StepKind::If { then, .. } = &program.versions[0].flows[0].steps[1].kind else {
            panic!("an if")
        };
        then[0].clone()
    };
    let rows = |step: &Step| match &step.kind {
        StepKind::Sql {
            sql,
            rows,
            otherwise,
        } => (sql.text.contains(":event"), *rows, otherwise.len()),
        _ => panic!("a statement"),
    };
    assert_eq!(rows(&step(&[])), (false, Some(1), 1));
    assert_eq!(rows(&step(&["flows pay step 2 rows"])), (false, None, 0));
    assert_eq!(
        rows(&step(&["flows pay step 2"])),
        (true, Some(1), 1),
        "the statement of the base"
    );
    assert_eq!(step(&["flows pay step 2 catch busy"]).catch.len(), 1);
}

#[test]
fn a_whole_flow_is_dropped_by_what_the_base_does_not_have() {
    let expected = [
        "flows pay",
        "flows pay step 1",
        "flows pay step 2 none",
        "flows pay step 5",
        "flows pay step 6",
        "flows note",
        "flows note step 1",
    ];
    assert_eq!(names(WHOLE), expected, "steps of the base are no parts");
    let pay = |dropped: &[&str]| sites(&left(WHOLE, dropped).versions[0].flows[0].steps);
    assert_eq!(pay(&["flows pay"])[..3], ["read charge", "if", "write"]);
    let unwrapped = ["read charge", "if", "sql charge", "call note", "reply"];
    assert_eq!(
        pay(&["flows pay step 1"]),
        unwrapped,
        "a transaction around steps of the base"
    );
    assert!(!pay(&["flows pay step 6"]).contains(&"call note".to_owned()));
}

#[test]
fn a_variant_that_extends_another_has_the_parts_of_both() {
    let variants = r#"
variants:
  half: { schema: CREATE UNIQUE INDEX one_charge ON charge (buy), expect: holds }
  fix:
    extends: half
    schema: CREATE INDEX by_click ON charge (click)
    flows: { pay: { write: { after: { take: 1s } } } }
    expect: holds
"#;
    let found = found(variants);
    let text = |n: usize| found[n].text.as_str();
    assert_eq!(text(0), "CREATE UNIQUE INDEX one_charge ON charge (buy);");
    assert_eq!(text(1), "CREATE INDEX by_click ON charge (click)");
    assert_eq!(found[2].name, "flows pay write");
    assert!(left(variants, &["schema 1"]).schema.contains("by_click"));
}

#[test]
fn other_versions_of_the_code_have_parts_too() {
    let variants = r#"
variants:
  fix:
    versions:
      new:
        flows: { pay: { write: { after: { take: 1s } } } }
expect: { fix: holds }
"#;
    assert_eq!(names(variants), ["versions new pay write"]);
    let new = |dropped: &[&str]| sites(&left(variants, dropped).versions[1].flows[0].steps);
    assert!(new(&[]).contains(&"take".to_owned()));
    assert!(!new(&["versions new pay write"]).contains(&"take".to_owned()));
}

#[test]
fn what_is_no_part_is_told_with_those_that_are() {
    let text = format!("{BASE}{WHOLE}");
    let told = without("x.yaml", &text, "fix", &["flow pay".to_owned()]).expect_err("no part");
    assert!(
        told.to_string().contains("did you mean `flows pay`"),
        "{told}"
    );
    assert_eq!(parts("x.yaml", &text, "nobody"), Ok(Vec::new()));
}
