//! The floor: raw rusqlite doing the same statements with the same values, prepared once, and nothing around them.

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::types::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

thread_local! {
    /// What was run: the text as it was prepared, and as it was with its values.
    static RECORD: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// One statement and the values of its parameters, by their place.
pub(crate) struct Step {
    sql: Rc<str>,
    values: Vec<Value>,
}

fn note(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(statement, sql) = event {
        // A trigger that fires inside a statement is reported as a comment.
        if !sql.starts_with("--") {
            let with_values = statement.expanded_sql().unwrap_or_default();
            RECORD.with_borrow_mut(|record| record.push((sql.to_owned(), with_values)));
        }
    }
}

/// From now on every statement of the connection is recorded.
pub(crate) fn record(conn: &mut Connection) {
    RECORD.with_borrow_mut(Vec::clear);
    conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note))
        .expect("traces");
}

/// What was run since `record`.
pub(crate) fn recorded(conn: &mut Connection) -> Vec<Step> {
    conn.trace_v2(TraceEventCodes::empty(), None::<fn(TraceEvent<'_>)>)
        .expect("stops");
    let mut texts: BTreeMap<String, Rc<str>> = BTreeMap::new();
    let record = RECORD.with_borrow_mut(std::mem::take);
    let steps = record.into_iter().map(|(sql, with_values)| Step {
        values: values(&sql, &with_values),
        sql: texts
            .entry(sql)
            .or_insert_with_key(|sql| Rc::from(sql.as_str()))
            .clone(),
    });
    steps.collect()
}

/// Runs the steps as fast as rusqlite does, reading every row.
pub(crate) fn replay(conn: &Connection, steps: &[Step]) {
    for step in steps {
        let mut statement = conn.prepare_cached(&step.sql).expect("prepares");
        for (at, value) in step.values.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, value).expect("binds");
        }
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().expect("steps") {
            for column in 0..columns {
                std::hint::black_box(row.get_ref(column).expect("a value"));
            }
        }
    }
}

/// The values of a statement, found by laying both texts side by side.
fn values(sql: &str, with_values: &str) -> Vec<Value> {
    let mut found: Vec<(String, Value)> = Vec::new();
    let (mut plain, mut full) = (sql, with_values);
    while let Some(at) = plain.find(':') {
        let name = name(&plain[at + 1..]);
        full = &full[at..];
        let (value, rest) = literal(full);
        if !found.iter().any(|(known, _)| known == name) {
            found.push((name.to_owned(), value));
        }
        plain = &plain[at + 1 + name.len()..];
        full = rest;
    }
    found.into_iter().map(|(_, value)| value).collect()
}

fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// A literal at the beginning of a text, and what follows.
fn literal(text: &str) -> (Value, &str) {
    if let Some(rest) = text.strip_prefix("NULL") {
        return (Value::Null, rest);
    }
    if let Some(body) = text.strip_prefix('\'') {
        let mut value = String::new();
        let mut rest = body;
        loop {
            let end = rest.find('\'').expect("a text ends");
            value.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(more) => {
                    value.push('\'');
                    rest = more;
                }
                None => return (Value::Text(value), rest),
            }
        }
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '-');
    let (number, rest) = text.split_at(end.unwrap_or(text.len()));
    (Value::Integer(number.parse().expect("a number")), rest)
}
