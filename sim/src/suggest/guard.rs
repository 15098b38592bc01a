//! Updates that could ask whether what they change is still what was read.

use super::Repair;
use super::steps::{sql_of, visit};
use crate::scenario::token::{Kind, tokens};
use crate::scenario::{Flow, Step, StepKind, Var};

/// Updates of a column that the flow has read before.
pub(super) fn compare_and_set(index: usize, flow: &Flow) -> Vec<Repair> {
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
