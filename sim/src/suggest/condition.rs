//! Conditions that a statement could also ask: what others ask of the same table, and what follows from what is written into it.

use std::collections::BTreeMap;

use super::schema::columns;
use super::statement::{Statement, Verb, named};
use super::steps::{Spot, sql_of, visit};
use crate::scenario::token::{Kind, tokens};
use crate::scenario::{Builtin, Flow, Program, Step, StepKind, Var};

/// Where a condition comes from; the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The flow has read the column into a variable.
    AsRead,
    /// Another statement about the table asks it.
    AsAsked,
    /// A flow writes this into the column.
    AsWritten,
    /// A text that the column is known to have, or not to have.
    Known,
}

/// What a statement could also ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As SQL.
    pub sql: String,
    /// Variables in it, by their names without colons.
    pub vars: Vec<(String, Var)>,
    /// Where it comes from.
    pub origin: Origin,
    /// The table that it is about.
    pub(super) table: String,
    /// The flow whose own variables it needs.
    pub(super) flow: Option<usize>,
    /// The step that has read what it compares with.
    pub(super) read: Option<Spot>,
}

/// Texts by table and column.
type Texts = BTreeMap<(String, String), Vec<String>>;

/// All conditions of a program, without repetitions, the likeliest first.
pub(super) fn conditions(program: &Program) -> Vec<Condition> {
    let columns = columns(&program.schema);
    let (mut found, mut texts) = (Vec::new(), Texts::new());
    for version in &program.versions {
        for (index, flow) in version.flows.iter().enumerate() {
            visit(&flow.steps, &mut |step| {
                let sql = sql_of(step);
                let Some((sql, statement)) =
                    sql.and_then(|sql| Some((sql, Statement::of(&sql.text)?)))
                else {
                    return;
                };
                let known = columns.get(statement.table).map_or(&[][..], Vec::as_slice);
                found.extend(said(index, &named(sql), &statement, known));
                learn(&sql.text, &statement, known, &mut texts);
            });
            found.extend(as_read(index, flow));
        }
    }
    found.extend(texts.into_iter().flat_map(|(of, texts)| known(&of, texts)));
    found.sort_by_key(|condition| condition.origin);
    let mut all: Vec<Condition> = Vec::new();
    for condition in found {
        if !all.contains(&condition) {
            all.push(condition);
        }
    }
    all
}

/// What a statement asks, and what follows from what it writes.
fn said(
    index: usize,
    vars: &[(String, Var)],
    statement: &Statement<'_>,
    columns: &[String],
) -> Vec<Condition> {
    let condition = |sql: String, origin| {
        let vars = used(&sql, vars);
        let own = vars.iter().any(|(_, var)| is_own(*var));
        Condition {
            table: statement.table.to_owned(),
            flow: own.then_some(index),
            read: None,
            vars,
            origin,
            sql,
        }
    };
    let asked = statement.conjuncts().into_iter();
    let asked = asked.filter(|asked| is_plain(asked, columns));
    let asked = asked.map(|asked| condition(asked.to_owned(), Origin::AsAsked));
    let written = statement.written(columns).into_iter();
    let written = written.filter(|(_, value)| is_lasting(value, vars));
    let written = written.map(|(column, value)| {
        let sql = format!("{column} = {value}");
        condition(sql, Origin::AsWritten)
    });
    asked.chain(written).collect()
}

/// Only the flow itself knows it, or knows what it means there: its variables, and which message it handles.
fn is_own(var: Var) -> bool {
    let of_message = [
        Builtin::Event,
        Builtin::Delivery,
        Builtin::Attempt,
        Builtin::Error,
    ];
    match var {
        Var::Local(_) => true,
        Var::Builtin(builtin) => of_message.contains(&builtin),
        Var::Memory(_) => false,
    }
}

/// A comparison of a column of the table that stands on its own.
fn is_plain(asked: &str, columns: &[String]) -> bool {
    let all = tokens(asked);
    let is_column = |name: &str| columns.iter().any(|column| column == name);
    all.first().is_some_and(|first| is_column(first.text))
        && all.len() <= LONGEST
        && !all.iter().any(|token| token.is("SELECT"))
}

/// Conditions of more tokens are no plain ones.
const LONGEST: usize = 9;

/// A parameter that is the same from one step of its process to the next: who it is, and what it remembers.
fn is_lasting(value: &str, vars: &[(String, Var)]) -> bool {
    let name = value.strip_prefix(':');
    let var = vars.iter().find(|(known, _)| Some(known.as_str()) == name);
    matches!(
        var,
        Some((
            _,
            Var::Memory(_)
                | Var::Builtin(
                    Builtin::Home | Builtin::Process | Builtin::Incarnation | Builtin::Connection
                )
        ))
    )
}

/// Variables that a condition names.
fn used(sql: &str, vars: &[(String, Var)]) -> Vec<(String, Var)> {
    let names = super::statement::names(sql);
    let all = vars.iter().filter(|(name, _)| names.contains(name));
    all.cloned().collect()
}

/// Texts that a statement compares with a column or writes into it.
fn learn(sql: &str, statement: &Statement<'_>, columns: &[String], texts: &mut Texts) {
    let all = tokens(sql);
    let compared = all.windows(3).filter(|three| three[2].kind == Kind::Text);
    let compared = compared.filter(|three| three[1].text == "=" || three[1].text == ">");
    let of_unequal = all
        .windows(4)
        .filter(|four| four[1].text == "<" && four[2].text == ">");
    let mut pairs: Vec<(&str, &str)> = compared
        .map(|three| (three[0].text, three[2].text))
        .collect();
    pairs.extend(of_unequal.map(|four| (four[0].text, four[3].text)));
    pairs.extend(statement.written(columns));
    for (column, text) in pairs {
        let is_text = tokens(text)
            .first()
            .is_some_and(|first| first.kind == Kind::Text && first.text.len() == text.len());
        if is_text && columns.iter().any(|known| known == column) {
            let of = (statement.table.to_owned(), column.to_owned());
            let known = texts.entry(of).or_default();
            if !known.iter().any(|other| other == text) {
                known.push(text.to_owned());
            }
        }
    }
}

/// Not one of the known texts, or one of them.
fn known((table, column): &(String, String), texts: Vec<String>) -> Vec<Condition> {
    let one = |sql: String| Condition {
        sql,
        vars: Vec::new(),
        origin: Origin::Known,
        table: table.clone(),
        flow: None,
        read: None,
    };
    let unequal = texts.iter().map(|text| one(format!("{column} <> {text}")));
    let equal = texts.iter().map(|text| one(format!("{column} = {text}")));
    unequal.chain(equal).collect()
}

/// Columns that a flow reads into variables: what was read may have changed by the time of a write.
fn as_read(index: usize, flow: &Flow) -> Vec<Condition> {
    let mut found = Vec::new();
    visit(&flow.steps, &mut |step| {
        if let StepKind::Read { into, .. } | StepKind::Each { into, .. } = &step.kind {
            found.extend(columns_read(step, into).filter_map(|(table, column, var)| {
                let Var::Local(slot) = var else { return None };
                let name = flow.locals.get(slot)?;
                Some(Condition {
                    sql: format!("{column} IS :{name}"),
                    vars: vec![(name.clone(), var)],
                    origin: Origin::AsRead,
                    table,
                    flow: Some(index),
                    read: Some(Spot::of(step)),
                })
            }));
        }
    });
    found
}

/// Table, column and variable of each plain column that a query binds.
fn columns_read<'a>(
    step: &'a Step,
    into: &'a [Var],
) -> impl Iterator<Item = (String, String, Var)> + 'a {
    let sql = sql_of(step).map_or("", |sql| sql.text.as_str());
    let all = tokens(sql);
    let from = all.iter().position(|token| token.is("FROM"));
    let selects = all.first().is_some_and(|first| first.is("SELECT"));
    let from = from.filter(|_| selects).unwrap_or(1);
    let table = all
        .get(from + 1)
        .map_or(String::new(), |table| table.text.to_owned());
    let columns: Vec<Option<String>> = all
        .get(1..from)
        .unwrap_or(&[])
        .split(|token| token.text == ",")
        .map(|column| {
            let plain = column.len() == 1 || (column.len() == 3 && column[1].is("AS"));
            plain.then(|| column[0].text.to_owned())
        })
        .collect();
    let bound = columns.into_iter().zip(into);
    bound.filter_map(move |(column, var)| Some((table.clone(), column?, *var)))
}

/// Whether a statement may ask this, too, and could come to something by it.
pub(super) fn fits(condition: &Condition, statement: &Statement<'_>, asked: &[&str]) -> bool {
    let origin = condition.origin;
    let verb = match statement.verb {
        Verb::Insert => false,
        // A query that asks again for what was just read finds what it finds.
        Verb::Select => origin != Origin::AsRead,
        Verb::Update | Verb::Delete => true,
    };
    let column = |sql: &str| tokens(sql).first().map(|first| first.text.to_owned());
    let of = column(&condition.sql);
    let is_fixed = |asked: &&str| {
        let all = tokens(asked);
        all.len() == 3 && all[1].text == "=" && all[2].kind == Kind::Text && column(asked) == of
    };
    // What has one text has no other.
    let settled = condition.vars.is_empty() && asked.iter().any(is_fixed);
    let writes = |(column, value): &(&str, &str)| condition.sql == format!("{column} = {value}");
    let writes_it = statement.written(&[]).iter().any(writes);
    // `a IS :a` says what `a = :a` says already.
    let is_asked =
        |asked: &&str| **asked == condition.sql || asked.replace(" = ", " IS ") == condition.sql;
    condition.table == statement.table
        && verb
        && !settled
        && !writes_it
        && !asked.iter().any(is_asked)
}
