//! What a schema says of its tables.

use std::collections::BTreeMap;

use rusqlite::Connection;

/// The columns of each table, in order.
pub(super) fn columns(schema: &str) -> BTreeMap<String, Vec<String>> {
    let read = || -> rusqlite::Result<BTreeMap<String, Vec<String>>> {
        let db = Connection::open_in_memory()?;
        db.execute_batch(schema)?;
        let sql = "SELECT t.name, c.name FROM pragma_table_list t, pragma_table_info(t.name) c \
                   WHERE t.schema = 'main' ORDER BY t.name, c.cid";
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut rows = db.prepare(sql)?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            found.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        Ok(found)
    };
    // What is not known is not suggested.
    read().unwrap_or_default()
}

/// The one column that names a row of a table.
pub(super) fn key_of(schema: &str, table: &str) -> Option<String> {
    let db = Connection::open_in_memory().ok()?;
    db.execute_batch(schema).ok()?;
    let sql = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
    let mut found = db.prepare(sql).ok()?;
    let names = found.query_map([table], |row| row.get(0)).ok()?;
    let names: Vec<String> = names.collect::<Result<_, _>>().ok()?;
    match &names[..] {
        [one] => Some(one.clone()),
        _ => None,
    }
}
