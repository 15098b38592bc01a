//! Everything in a store as JSON lines, without loss: what [`crate::SqliteStore::import`] reads, and any script.
//!
//! The first line is `{"lockstep":{"schema":N}}`; then each row is `{"TABLE":{"COLUMN":VALUE,…}}`, in the order of its key; the last
//! line is `{"end":{"rows":N}}`, so that a file that was cut off is told. Equal contents give equal bytes.

use crate::error::Error;
use crate::schema;
use crate::sqlite::{failed, transaction};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use std::io::Write;

/// The tables, each after those that it points at.
pub(crate) const TABLES: [&str; 20] = [
    "migration",
    "meta",
    "op_result",
    "audit",
    "runtime_build",
    "resume_edge",
    "worker",
    "conversation",
    "conversation_key",
    "session",
    "session_data",
    "lease",
    "task",
    "item",
    "note",
    "inbox",
    "inbox_mark",
    "prompt_option",
    "prompt",
    "outbox",
];

/// Writes everything, as one snapshot; answers the number of rows.
pub(crate) fn export(conn: &Connection, to: &mut dyn Write) -> Result<u64, Error> {
    transaction(conn, "BEGIN", || {
        let schema = schema::newest();
        line(to, &serde_json::json!({"lockstep": {"schema": schema}}))?;
        let mut rows = 0;
        for table in TABLES {
            rows += table_rows(conn, table, to)?;
        }
        line(to, &serde_json::json!({"end": {"rows": rows}}))?;
        to.flush().map_err(unwritten)?;
        Ok(rows)
    })
}

fn table_rows(conn: &Connection, table: &str, to: &mut dyn Write) -> Result<u64, Error> {
    let all = columns(conn, table, "pragma_table_info(:table) ORDER BY cid")?;
    let key = columns(
        conn,
        table,
        "pragma_table_info(:table) WHERE pk > 0 ORDER BY pk",
    )?;
    let select = format!(
        "SELECT {} FROM {table} ORDER BY {}",
        all.join(", "),
        key.join(", ")
    );
    let mut query = conn.prepare(&select).map_err(failed)?;
    let mut rows = query.query([]).map_err(failed)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        count += 1;
        let row = TableRow {
            table,
            values: Values { columns: &all, row },
        };
        line(to, &row)?;
    }
    Ok(count)
}

/// Names of a table's columns; none when there is no such table.
pub(crate) fn columns(conn: &Connection, table: &str, from: &str) -> Result<Vec<String>, Error> {
    let mut query = conn
        .prepare_cached(&format!("SELECT name FROM {from}"))
        .map_err(failed)?;
    query
        .query_map(&[(":table", table)], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(failed)
}

fn line(to: &mut dyn Write, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(|error| Error::Invalid {
        field: "row",
        why: error.to_string(),
    })?;
    writeln!(to, "{text}").map_err(unwritten)
}

fn unwritten(error: std::io::Error) -> Error {
    Error::Io {
        code: 0,
        message: format!("the export cannot be written: {error}"),
    }
}

struct TableRow<'r> {
    table: &'r str,
    values: Values<'r>,
}

struct Values<'r> {
    columns: &'r [String],
    row: &'r Row<'r>,
}

impl Serialize for TableRow<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry(self.table, &self.values)?;
        map.end()
    }
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.columns.len()))?;
        for (at, column) in self.columns.iter().enumerate() {
            match self.row.get_ref(at).map_err(S::Error::custom)? {
                ValueRef::Null => map.serialize_entry(column, &()),
                ValueRef::Integer(number) => map.serialize_entry(column, &number),
                ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                    Ok(text) => map.serialize_entry(column, text),
                    Err(_) => Err(S::Error::custom(format!(
                        "{column} holds text that is not UTF-8"
                    ))),
                },
                other => Err(S::Error::custom(format!(
                    "{column} holds a {:?}",
                    other.data_type()
                ))),
            }?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_exported() {
        let mut conn = Connection::open_in_memory().expect("opens");
        schema::migrate(&mut conn, 0).expect("migrates");
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
        let mut query = conn.prepare(sql).expect("prepares");
        let names = query.query_map([], |row| row.get(0)).expect("runs");
        let names: Vec<String> = names.collect::<Result<_, _>>().expect("names");
        let mut tables = TABLES;
        tables.sort_unstable();
        assert_eq!(names, tables);
    }
}
