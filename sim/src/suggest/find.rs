//! The repairs that a program could have, from its rules and its flows.

use super::steps::{is_of_database, sql_of, statements, visit};
use super::{Key, Repair};
use crate::check::RECORDED;
use crate::scenario::token::{Kind, Token, tokens};
use crate::scenario::{Does, Expr, Flow, Program, RuleKind, Step, StepKind, Var};

/// All of them, the plainest first.
pub fn repairs(program: &Program) -> Vec<Repair> {
    let mut all: Vec<Repair> = program
        .invariants
        .iter()
        .filter(|rule| matches!(rule.kind, RuleKind::Never | RuleKind::Finally))
        .filter_map(|rule| unique_index(&rule.sql))
        .collect();
    let flows = flows(program);
    for (index, flow) in &flows {
        all.extend(compare_and_set(*index, flow));
    }
    for (index, flow) in &flows {
        all.extend(transactions(*index, flow));
    }
    if flows.iter().any(|(_, flow)| has_deferred(flow)) {
        all.push(Repair::Immediate);
    }
    for (index, flow) in &flows {
        all.push(Repair::Dedup {
            flow: *index,
            key: Key::Event,
        });
        all.extend(intents(flow).into_iter().map(|slot| Repair::Dedup {
            flow: *index,
            key: Key::Parameter(slot),
        }));
    }
    all.extend(locks(&flows));
    for (index, flow) in &flows {
        all.extend(moves(*index, flow));
    }
    all.dedup();
    all
}

/// Whether two repairs say different things.
pub(super) fn go_together(one: &Repair, other: &Repair) -> bool {
    let moves = |repair: &Repair| matches!(repair, Repair::Move { .. });
    if moves(one) || moves(other) {
        return false;
    }
    let same_kind = std::mem::discriminant(one) == std::mem::discriminant(other);
    let flow = |repair: &Repair| match repair {
        Repair::Transaction { flow, .. }
        | Repair::Dedup { flow, .. }
        | Repair::CompareAndSet { flow, .. } => Some(*flow),
        _ => None,
    };
    // A lock of some flows beside one of others is a lock that does not meet it.
    let locks = matches!(one, Repair::Lock { .. });
    !same_kind || (!locks && flow(one).is_some() && flow(one) != flow(other))
}

/// Flows that events and processes begin, with their indices, in the code as it is first.
fn flows(program: &Program) -> Vec<(usize, &Flow)> {
    let Some(version) = program.versions.first() else {
        return Vec::new();
    };
    let sent = program.events.iter().filter_map(|event| match event.does {
        Does::Send { flow, .. } => Some(flow),
        _ => None,
    });
    let mut begun: Vec<usize> = sent.collect();
    for flow in &version.flows {
        visit(&flow.steps, &mut |step| match step.kind {
            StepKind::Request { flow, .. } | StepKind::Spawn { flow, .. } => begun.push(flow),
            _ => {}
        });
    }
    begun.sort_unstable();
    begun.dedup();
    let known = begun
        .into_iter()
        .filter_map(|at| Some((at, version.flows.get(at)?)));
    known.filter(|(_, flow)| !flow.steps.is_empty()).collect()
}

/// `SELECT … FROM t [WHERE c] GROUP BY a, b HAVING count(*) > 1` says what an index can say.
fn unique_index(sql: &str) -> Option<Repair> {
    let all = tokens(sql);
    let at = |word: &str| all.iter().position(|token| token.is(word));
    let (from, group, having) = (at("FROM")?, at("GROUP")?, at("HAVING")?);
    let one = |word: &str| all.iter().filter(|token| token.is(word)).count() == 1;
    if !one("FROM") || all.iter().any(|token| token.is("JOIN")) || !counts_many(&all[having..]) {
        return None;
    }
    let table = all.get(from + 1).filter(|token| token.kind == Kind::Word)?;
    if RECORDED.contains(&table.text) {
        return None;
    }
    let (condition, end) = match at("WHERE") {
        Some(filter) => (Some(text(sql, &all, filter + 1, group)), filter),
        None => (None, group),
    };
    // `FROM t a`, `FROM t, u` and the like are more than one table.
    if end != from + 2 {
        return None;
    }
    let columns = all[group + 2..having].split(|token| token.text == ",");
    let columns: Option<Vec<String>> = columns
        .map(|column| match column {
            [column] if column.kind == Kind::Word => Some(column.text.to_owned()),
            _ => None,
        })
        .collect();
    Some(Repair::UniqueIndex {
        table: table.text.to_owned(),
        columns: columns?,
        condition,
    })
}

/// `HAVING count(*) > 1` or an alias of it.
fn counts_many(having: &[Token<'_>]) -> bool {
    let words: Vec<&str> = having.iter().map(|token| token.text).collect();
    matches!(words[..], [_, _, ">", "1"])
        || words.ends_with(&["(", "*", ")", ">", "1"]) && words.len() == 7
}

fn text(sql: &str, all: &[Token<'_>], from: usize, to: usize) -> String {
    let start = all[from].start;
    let end = all[to - 1].start + all[to - 1].text.len();
    sql[start..end].to_owned()
}

/// Neighbouring steps that only work on the database, two statements or more.
fn transactions(index: usize, flow: &Flow) -> Vec<Repair> {
    let mut found = Vec::new();
    let mut from = 0;
    for at in 0..=flow.steps.len() {
        if flow.steps.get(at).is_some_and(is_of_database) {
            continue;
        }
        if statements(&flow.steps[from..at]) >= 2 {
            found.push(Repair::Transaction {
                flow: index,
                steps: (from, at),
            });
        }
        from = at + 1;
    }
    found
}

fn has_deferred(flow: &Flow) -> bool {
    let mut found = false;
    visit(&flow.steps, &mut |step| {
        found |= matches!(
            step.kind,
            StepKind::Transaction {
                immediate: false,
                ..
            }
        );
    });
    found
}

/// Parameters that are the intent of an effect: what is to happen once for each of their values.
fn intents(flow: &Flow) -> Vec<usize> {
    let mut slots = Vec::new();
    visit(&flow.steps, &mut |step| {
        if let StepKind::Effect {
            intent: Some(Expr::Var(Var::Local(slot))),
            ..
        } = step.kind
            && slot < flow.params
        {
            slots.push(slot);
        }
    });
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// Each write of a short body at each other place. What is seen of a flow, its effects and answers, stays where it is.
fn moves(index: usize, flow: &Flow) -> Vec<Repair> {
    let steps = flow.steps.len();
    if steps > LONGEST_BODY {
        return Vec::new();
    }
    let does = |step: &Step| matches!(step.kind, StepKind::Sql { .. });
    let movable = (0..steps).filter(|at| does(&flow.steps[*at]));
    let to = |from: usize| (0..=steps).filter(move |to| *to != from && *to != from + 1);
    let moves = movable.flat_map(|from| to(from).map(move |before| (from, before)));
    moves
        .map(|(from, before)| Repair::Move {
            flow: index,
            from,
            before,
        })
        .collect()
}

/// Steps of longer bodies are not moved.
const LONGEST_BODY: usize = 8;

/// Each flow under a lock of its own, and all of them under one.
fn locks(flows: &[(usize, &Flow)]) -> Vec<Repair> {
    let lockable = |flow: &Flow| {
        let mut free = true;
        visit(&flow.steps, &mut |step| {
            free &= !matches!(step.kind, StepKind::Lock { .. } | StepKind::Atomic(_));
        });
        free
    };
    let free: Vec<&(usize, &Flow)> = flows.iter().filter(|(_, flow)| lockable(flow)).collect();
    let first = |flow: &Flow| flow.locals.first().filter(|_| flow.params > 0).cloned();
    let mut found: Vec<Repair> = free
        .iter()
        .map(|(index, flow)| Repair::Lock {
            flows: vec![*index],
            on: first(flow),
        })
        .collect();
    if let [(_, one), _, ..] = free[..] {
        let names = one.locals[..one.params].iter();
        let common = names.filter(|name| {
            free.iter()
                .all(|(_, flow)| flow.locals[..flow.params].contains(name))
        });
        let on: Vec<Option<String>> = common.cloned().map(Some).chain([None]).collect();
        let flows: Vec<usize> = free.iter().map(|(index, _)| *index).collect();
        found.extend(on.into_iter().map(|on| Repair::Lock {
            flows: flows.clone(),
            on,
        }));
    }
    found
}

/// Updates of a column that the flow has read before.
fn compare_and_set(index: usize, flow: &Flow) -> Vec<Repair> {
    let (mut read, mut found): (Vec<(String, String, String)>, _) = (Vec::new(), Vec::new());
    visit(&flow.steps, &mut |step| match &step.kind {
        StepKind::Read { sql, into, .. } => read.extend(columns_read(&sql.text, into, flow)),
        StepKind::Sql { .. } => {
            found.extend(guards(step, &read).map(|still| Repair::CompareAndSet {
                flow: index,
                site: step.site.as_str().to_owned(),
                still,
            }))
        }
        _ => {}
    });
    found
}

/// Table, column and variable of each plain column that a query binds.
fn columns_read(sql: &str, into: &[Var], flow: &Flow) -> Vec<(String, String, String)> {
    let all = tokens(sql);
    let Some(from) = all.iter().position(|token| token.is("FROM")) else {
        return Vec::new();
    };
    let (Some(table), true) = (all.get(from + 1), all[0].is("SELECT")) else {
        return Vec::new();
    };
    let columns = all[1..from].split(|token| token.text == ",");
    let bound = columns.zip(into).filter_map(|(column, var)| {
        let Var::Local(slot) = var else { return None };
        let plain = column.len() == 1 || (column.len() == 3 && column[1].is("AS"));
        let name = flow.locals.get(*slot)?;
        plain.then(|| {
            (
                table.text.to_owned(),
                column[0].text.to_owned(),
                name.clone(),
            )
        })
    });
    bound.collect()
}

/// Columns that an update sets and that were read: what it can ask for.
fn guards<'a>(
    step: &'a Step,
    read: &'a [(String, String, String)],
) -> impl Iterator<Item = (String, String)> + 'a {
    let sql = sql_of(step).map_or("", |sql| sql.text.as_str());
    let all = tokens(sql);
    let is_update = all.first().is_some_and(|token| token.is("UPDATE"))
        && all.iter().any(|token| token.is("WHERE"))
        && !all.iter().any(|token| token.is("RETURNING"));
    let table = all
        .get(1)
        .map_or(String::new(), |token| token.text.to_owned());
    let filter = all.iter().position(|token| token.is("WHERE")).unwrap_or(0);
    let sets: Vec<String> = all[..filter]
        .windows(2)
        .filter(|pair| pair[0].kind == Kind::Word && pair[1].text == "=")
        .map(|pair| pair[0].text.to_owned())
        .collect();
    let of_table = move |(of, column, _): &&(String, String, String)| {
        is_update && *of == table && sets.contains(column)
    };
    let read = read.iter().filter(of_table);
    read.map(|(_, column, name)| (column.clone(), name.clone()))
}

#[cfg(test)]
mod tests {
    use super::{Repair, unique_index};

    #[test]
    fn a_rule_that_counts_rows_is_an_index() {
        let sql = "SELECT user, count(*) AS n FROM session WHERE status = 'active' GROUP BY user HAVING count(*) > 1";
        let expected = Repair::UniqueIndex {
            table: "session".into(),
            columns: vec!["user".into()],
            condition: Some("status = 'active'".into()),
        };
        assert_eq!(unique_index(sql), Some(expected));
        for other in [
            "SELECT intent FROM effect GROUP BY intent HAVING count(*) > 1",
            "SELECT a FROM t JOIN u USING (a) GROUP BY a HAVING count(*) > 1",
            "SELECT a FROM t GROUP BY a HAVING count(*) > 2",
            "SELECT a FROM t GROUP BY lower(a) HAVING count(*) > 1",
            "SELECT a FROM t WHERE b = 1",
        ] {
            assert_eq!(unique_index(other), None, "{other}");
        }
    }
}
