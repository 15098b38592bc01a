//! Variants that start after others.

use super::super::*;
use super::{GOOD, refuses, with};

/// The good scenario with other variants; each is expected to hold unless it says otherwise.
fn variants(text: &str) -> String {
    let at = GOOD.find("\nvariants:").expect("variants");
    let names = text.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(':').next()?;
        let own = text.contains(&format!("expect: {{ {name}:"));
        (!name.starts_with(' ') && !own).then(|| format!("{}: holds", name.replace('«', "")))
    });
    let expect = names.collect::<Vec<_>>().join(", ");
    format!("{}\nvariants:\n{text}expect: {{ {expect} }}\n", &GOOD[..at])
}

fn programs(text: &str) -> Vec<Program> {
    let scenario = parse("x.yaml", &variants(text)).unwrap_or_else(|found| panic!("{found}"));
    let variants = scenario.variants.into_iter();
    variants.map(|variant| variant.program).collect()
}

#[test]
fn a_leg_has_only_what_the_ones_before_do_not_have() {
    let found = programs(
        "  bug:
    schema: |
      CREATE INDEX a ON task (id);
      CREATE INDEX b ON task (chat);
    setup:
      - sql: INSERT INTO task VALUES ('x', 'c')
  fix:
    start: after(bug)
    repair: { sql: DELETE FROM task }
    schema: |
      create  index a on task (id);
      CREATE INDEX   b ON task (chat) ; -- as before
      CREATE UNIQUE INDEX c ON task (chat);
    setup:
      - { sql: \"INSERT INTO task VALUES ('x', 'c')\" }
      - sql: INSERT INTO task VALUES ('y', 'd')
  clean:
    start: clean
",
    );
    let [bug, fix, clean] = &found[..] else {
        panic!("three variants")
    };
    assert!(bug.before.is_none() && clean.before.is_none());
    let before = fix.before.as_ref().expect("the leg before");
    assert_eq!(before.variant, "bug");
    assert!(before.schema.contains("CREATE TABLE session") && before.schema.contains("INDEX b"));
    assert_eq!(fix.schema, "CREATE UNIQUE INDEX c ON task (chat);\n");
    assert_eq!((fix.repair.steps.len(), fix.setup.steps.len()), (1, 1));
    assert_eq!(
        (bug.runs, fix.runs, bug.setup.steps.len()),
        (1_000, 2_000, 2)
    );
    assert!(
        fix.goals.iter().all(|goal| !goal.name.contains("bug")),
        "bug is said to hold"
    );
}

#[test]
fn what_was_broken_must_be_met() {
    let text = with(
        "fix:\n    flows: { enqueue: { look: delete } }",
        "fix: { start: after(bug) }",
    );
    let scenario = parse("x.yaml", &text).unwrap_or_else(|found| panic!("{found}"));
    let goals = &scenario.variants[1].program.goals;
    assert_eq!(goals.last().expect("a goal").name, "after(bug)");
}

#[test]
fn legs_follow_each_other_in_any_order_of_the_file() {
    let found = programs(
        "  third: { start: after(second), schema: CREATE INDEX c ON task (id) }
  second: { start: after(first), schema: CREATE INDEX b ON task (id) }
  first: { schema: CREATE INDEX a ON task (id) }
",
    );
    let second = found[0].before.as_ref().expect("a leg before");
    let first = second.before.as_ref().expect("one before that");
    assert_eq!(
        (second.variant.as_str(), first.variant.as_str()),
        ("second", "first")
    );
    assert_eq!(found[0].schema, "CREATE INDEX c ON task (id);\n");
    assert_eq!(found[0].runs, 3_000);
}

#[test]
fn what_is_wrong_with_a_start() {
    let refused = |text: &str, message, help| refuses(&variants(text), message, help);
    refused(
        "  bug: {}\n  fix: { start: «after(bgu) }\n",
        "there is no variant `bgu`",
        "did you mean `bug`?",
    );
    refused(
        "  bug: {}\n  fix: { start: «bug }\n",
        "`start` is clean or after(variant)",
        "start: after(bug)",
    );
    refused(
        "  bug: { start: «after(bug) }\n",
        "variant `bug` starts after itself",
        "starts clean",
    );
    refused(
        "  a: { start: «after(b) }\n  b: { start: after(a) }\n",
        "variant `a` starts after itself",
        "starts clean",
    );
    refused(
        "  bug: { repair: «[] }\n",
        "nothing to repair",
        "start: after(bug)",
    );
    refused(
        "  bug: {}\n  fix:\n    start: after(bug)\n    repair:\n      - «read: SELECT chat FROM session\n",
        "the repair takes no such step",
        "give `repair` only",
    );
    refused(
        "  bug: {}\n  fix:\n    start: after(bug)\n    repair:\n      - sql: DELETE FROM «tsk\n",
        "no such table: tsk",
        "did you mean `task`?",
    );
    refused(
        "  bug: {}\n  fix:\n    start: after(bug)\n    schema: CREATE INDEX a ON «tsk (id)\n",
        "no such table: main.tsk",
        "",
    );
}

#[test]
fn all_legs_have_one_store() {
    let text = variants("  bug: {}\n  fix: { start: after(bug), store: reference }\n");
    let found = parse("x.yaml", &text).expect_err("problems").to_string();
    assert!(
        found.contains("`fix` has another store than `bug`"),
        "{found}"
    );
}

#[test]
fn only_a_variant_with_a_start_can_fail_to_migrate() {
    let name = "violates: [migration_completes]";
    let text = with(
        "{ violates: one_task }",
        &format!("{{ {} }}", name.replace("[m", "[«m")),
    );
    refuses(&text, "unknown invariant `migration_completes`", "known: ");
    let text = with("fix: holds", &format!("fix: {{ {name} }}"));
    let text = text.replace("fix:\n    flows", "fix:\n    start: after(bug)\n    flows");
    parse("x.yaml", &text).unwrap_or_else(|found| panic!("{found}"));
}
