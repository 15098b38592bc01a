//! What a good text becomes.

use rusqlite::types::Value;

use super::super::*;
use super::{GOOD, with};
use crate::fault::Fault;

fn load_good(text: &str) -> Scenario {
    parse("x.yaml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn variants_are_programs_of_their_own() {
    let scenario = load_good(GOOD);
    let [bug, fix] = &scenario.variants[..] else {
        panic!("two variants")
    };
    assert_eq!((bug.name.as_str(), fix.name.as_str()), ("bug", "fix"));
    assert_eq!(bug.expect, Expect::Violates(vec!["one_task".to_owned()]));
    assert_eq!(fix.expect, Expect::Holds);
    assert_eq!(
        bug.program.versions[0].flows[0].steps.len(),
        fix.program.versions[0].flows[0].steps.len() + 1
    );
    assert_eq!(
        bug.program.versions[0].flows[0].locals,
        ["chat", "active", "task"]
    );
    assert_eq!(scenario.text, GOOD);
}

#[test]
fn events_name_instance_connection_and_cause() {
    let scenario = load_good(GOOD);
    let program = &scenario.variants[0].program;
    let [first, second] = &program.events[..] else {
        panic!("two events")
    };
    assert_eq!((first.process, first.instance), (0, Some(1)));
    let (connection, args) = sent(first);
    assert_eq!(connection, None);
    assert!(matches!(args, [Expr::Const(Value::Text(text))] if text == "c"));
    assert_eq!(
        first.redeliver,
        Some(Redeliver {
            gaps: vec![5_000, 5_000],
            ..Redeliver::default()
        })
    );
    assert_eq!((second.process, second.instance), (1, None));
    assert_eq!(sent(second).0, Some(1));
    assert_eq!(second.after, [After::Event(0), After::Crash(0)]);
    assert_eq!((second.at.shortest, second.at.longest), (7_000, 7_000));
    assert_eq!(program.faults.crash, [(0, 1)]);
    let budget = &program.faults.budget;
    assert_eq!(
        (budget.left(Fault::Late), budget.longest(Fault::Late)),
        (1, 30_000)
    );
}

fn sent(event: &Event) -> (Option<u32>, &[Expr]) {
    match &event.does {
        Does::Send {
            connection, args, ..
        } => (*connection, args),
        other => panic!("{other:?} sends nothing"),
    }
}

#[test]
fn variables_become_slots_in_the_order_of_sqlite() {
    let scenario = load_good(GOOD);
    let program = &scenario.variants[0].program;
    let StepKind::Sql { sql, .. } = &program.versions[0].flows[1].steps[0].kind else {
        panic!("sql")
    };
    assert_eq!(sql.params, [Var::Local(1), Var::Local(0)]);
    assert_eq!(
        program.versions[0].flows[1].steps[0].site.as_str(),
        "sql task"
    );
    assert_eq!(program.versions[0].flows[0].steps[0].site.as_str(), "look");
    let StepKind::Set(assigned) = &program.versions[0].flows[2].steps[0].kind else {
        panic!("set")
    };
    let [(Var::Memory(0), Expr::Sql(sql))] = &assigned[..] else {
        panic!("one assignment to memory")
    };
    assert_eq!(sql.text, "SELECT (coalesce(:memory_seen, 0) + 1)");
    assert_eq!(sql.params, [Var::Memory(0)]);
}

/// One layout of memory, so that a flow means the same slot on each process.
#[test]
fn memory_has_one_layout() {
    let scenario = load_good(&with("api: 2,", "api: { count: 2, memory: { last: 0 } },"));
    let processes = &scenario.variants[0].program.processes;
    let layout = |index: usize| -> Vec<&str> {
        processes[index]
            .memory
            .iter()
            .map(|(name, _)| name.as_str())
            .collect()
    };
    assert_eq!(layout(0), ["last", "seen"]);
    assert_eq!(layout(1), ["last", "seen"]);
    assert!(processes[1].memory_per_connection);
}

#[test]
fn patches_reach_into_bodies() {
    let text = with(
        "look: delete",
        "slow: { before: [return], after: { new_id: more } }",
    );
    let text = text.replace("- take: 1s..2s", "- { label: slow, take: 1s..2s }");
    let scenario = load_good(&text);
    let StepKind::Lock { steps, .. } =
        &scenario.variants[1].program.versions[0].flows[0].steps[2].kind
    else {
        panic!("lock")
    };
    let sites: Vec<&str> = steps.iter().map(|step| step.site.as_str()).collect();
    assert_eq!(sites, ["call save", "return", "slow", "new_id more"]);
}

/// A problem of the base stands in every variant and is told once; one of a single variant names it.
#[test]
fn problems_are_told_once_and_all_at_once() {
    let text = with("none: return", "non: return")
        .replace("on: api.2", "on: apii")
        .replace("look: delete", "look: { before: [retrun] }");
    let found = parse("dir\\x.yaml", &text).expect_err("problems");
    let messages: Vec<&str> = found
        .list
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(messages.len(), 3, "{found}");
    assert!(
        messages[0].contains("`non`") && messages[1].contains("`apii`"),
        "{found}"
    );
    assert!(
        messages[2].contains("`retrun`") && messages[2].ends_with("(variant `fix`)"),
        "{found}"
    );
    let shown = found.to_string();
    assert!(
        shown.starts_with("dir/x.yaml:18:7: unknown key `non` in a `read` step\n"),
        "{shown}"
    );
    assert!(
        shown.contains("\n  18 |       non: return\n     |       ^^^\nhelp: did you mean `none`?"),
        "{shown}"
    );
}

/// Under YAML 1.1 these would be truth values and numbers of base 60.
#[test]
fn plain_words_stay_texts() {
    let words = |value: &str| {
        let scenario = load_good(&with(
            "{ chat: c }, redeliver",
            &format!("{{ chat: {value} }}, redeliver"),
        ));
        match &sent(&scenario.variants[0].program.events[0]).1[0] {
            Expr::Const(value) => value.clone(),
            other => panic!("{other:?}"),
        }
    };
    for text in ["on", "yes", "1:30", "1_000", "2025-11-12", "nulL", "0o9"] {
        assert_eq!(words(text), Value::Text(text.to_owned()));
    }
    assert_eq!(words("null"), Value::Null);
    assert_eq!(words("'null'"), Value::Text("null".to_owned()));
    assert_eq!(words("-7"), Value::Integer(-7));
    assert_eq!(words("0x1F"), Value::Integer(31));
    assert_eq!(words("1.5e3"), Value::Real(1500.0));
    assert_eq!(words("true"), Value::Integer(1));
}
