//! Reads what [`crate::SqliteStore::export`] wrote into an empty database: all of it, or nothing.
//!
//! The rows go in under the schema that they were written under, with its constraints and without its triggers: these tell
//! transitions, and a finished row is none. Then newer migrations run as on any older database.

use crate::error::Error;
use crate::export::columns;
use crate::schema;
use crate::sqlite::{failed, transaction};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value};
use std::io::BufRead;

/// Answers the number of rows.
pub(crate) fn import(conn: &Connection, from: &mut dyn BufRead, now_ms: i64) -> Result<u64, Error> {
    transaction(conn, "BEGIN IMMEDIATE", || {
        if schema::version(conn)? != 0 {
            return Err(invalid("database", "is not empty".to_owned()));
        }
        let mut lines = Lines { from, number: 0 };
        let version = header(&mut lines)?;
        schema::build(conn, 0, version)?;
        conn.execute_batch("PRAGMA defer_foreign_keys = ON")
            .map_err(failed)?;
        let triggers = take_triggers(conn)?;
        let rows = all_rows(conn, &mut lines)?;
        conn.execute_batch(&triggers).map_err(failed)?;
        dangling(conn)?;
        schema::advance(conn, now_ms)?;
        schema::check(conn)?;
        Ok(rows)
    })
}

fn invalid(field: &'static str, why: String) -> Error {
    Error::Invalid { field, why }
}

struct Lines<'f> {
    from: &'f mut dyn BufRead,
    number: u64,
}

impl Lines<'_> {
    fn wrong(&self, why: impl std::fmt::Display) -> Error {
        invalid("line", format!("{}: {why}", self.number))
    }

    /// The next line: its one key, and what stands under it.
    fn next(&mut self) -> Result<(String, Map<String, Value>), Error> {
        self.number += 1;
        let mut text = String::new();
        let length = self.from.read_line(&mut text).map_err(|e| self.wrong(e))?;
        if length == 0 {
            return Err(self.wrong("the file ends before its last line, which counts the rows"));
        }
        let line: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| self.wrong(error))?;
        let mut entries = line.into_iter();
        match (entries.next(), entries.next()) {
            (Some((key, Value::Object(row))), None) => Ok((key, row)),
            _ => {
                Err(self.wrong("expected an object with one key: {\"TABLE\":{\"COLUMN\":VALUE,…}}"))
            }
        }
    }

    fn is_over(&mut self) -> Result<bool, Error> {
        let rest = self.from.fill_buf().map(<[u8]>::is_empty);
        rest.map_err(|error| self.wrong(error))
    }
}

/// The schema version that the rows were written under.
fn header(lines: &mut Lines<'_>) -> Result<i64, Error> {
    let (key, fields) = lines.next()?;
    let version = fields.get("schema").and_then(Value::as_i64);
    match (key.as_str(), version) {
        ("lockstep", Some(found)) if found > schema::newest() => Err(Error::TooNew {
            found,
            known: schema::newest(),
        }),
        ("lockstep", Some(version)) if version >= 1 => Ok(version),
        _ => {
            Err(lines.wrong("expected {\"lockstep\":{\"schema\":N}}: this is no export of a store"))
        }
    }
}

/// Removes all triggers; answers the SQL that brings them back as they were.
fn take_triggers(conn: &Connection) -> Result<String, Error> {
    let mut query = conn
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name")
        .map_err(failed)?;
    let triggers: Vec<(String, String)> = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(failed)?;
    let mut back = String::new();
    for (name, sql) in triggers {
        conn.execute_batch(&format!("DROP TRIGGER {name}"))
            .map_err(failed)?;
        back.push_str(&sql);
        back.push_str(";\n");
    }
    Ok(back)
}

fn all_rows(conn: &Connection, lines: &mut Lines<'_>) -> Result<u64, Error> {
    let mut rows = 0;
    loop {
        let (table, row) = lines.next()?;
        if table == "end" {
            return end(lines, rows, &row);
        }
        put(conn, &table, row).map_err(|error| match error {
            Error::Invalid { why, .. } => lines.wrong(format!("{table}: {why}")),
            Error::Constraint { name } => lines.wrong(format!("{table}: refused by {name}")),
            other => other,
        })?;
        rows += 1;
    }
}

fn end(lines: &mut Lines<'_>, rows: u64, said: &Map<String, Value>) -> Result<u64, Error> {
    if said.get("rows").and_then(Value::as_u64) != Some(rows) {
        return Err(lines.wrong(format!("{rows} rows were read, which is not what it says")));
    }
    if !lines.is_over()? {
        return Err(lines.wrong("there is more behind the last line"));
    }
    Ok(rows)
}

fn put(conn: &Connection, table: &str, mut row: Map<String, Value>) -> Result<(), Error> {
    let columns = columns(conn, table, "pragma_table_info(:table) ORDER BY cid")?;
    if columns.is_empty() {
        return Err(invalid("table", "no such table".to_owned()));
    }
    let mut values = Vec::with_capacity(columns.len());
    for column in &columns {
        let value = row
            .remove(column)
            .ok_or_else(|| invalid("column", format!("{column} is missing")))?;
        values.push(sql_value(column, value)?);
    }
    if let Some(column) = row.keys().next() {
        return Err(invalid("column", format!("no column {column}")));
    }
    let places = vec!["?"; columns.len()].join(", ");
    let insert = format!(
        "INSERT INTO {table} ({}) VALUES ({places})",
        columns.join(", ")
    );
    let mut insert = conn.prepare_cached(&insert).map_err(failed)?;
    insert.execute(params_from_iter(values)).map_err(failed)?;
    Ok(())
}

fn sql_value(column: &str, value: Value) -> Result<Sql, Error> {
    match value {
        Value::Null => Ok(Sql::Null),
        Value::String(text) => Ok(Sql::Text(text)),
        Value::Number(number) if number.is_i64() => {
            Ok(number.as_i64().map_or(Sql::Null, Sql::Integer))
        }
        other => Err(invalid(
            "value",
            format!("{column} is {other}, expected a text, an integer or null"),
        )),
    }
}

/// Names one row that points at nothing: the commit would only say that there is one.
fn dangling(conn: &Connection) -> Result<(), Error> {
    let mut query = conn.prepare("PRAGMA foreign_key_check").map_err(failed)?;
    let mut rows = query.query([]).map_err(failed)?;
    let Some(row) = rows.next().map_err(failed)? else {
        return Ok(());
    };
    let table: String = row.get(0).map_err(failed)?;
    let rowid: Option<i64> = row.get(1).map_err(failed)?;
    let parent: String = row.get(2).map_err(failed)?;
    let which = rowid.map_or(String::new(), |rowid| format!(" number {rowid}"));
    Err(invalid(
        "rows",
        format!("{table}{which} points at a {parent} that is not there"),
    ))
}
