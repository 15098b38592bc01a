//! How a statement looks at rows, as far as SQLite tells: which tables, whether row by row, and whether it sees their order.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// How a statement looks at rows.
pub(super) struct Looks {
    pub(super) tables: BTreeSet<String>,
    /// Row by row, at one table.
    pub(super) by_row: bool,
    /// It may see several rows, and nothing else says which comes first.
    pub(super) sees_order: bool,
}

/// Hears what SQLite says while it prepares a statement.
pub(super) struct Looker(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    /// Read or written.
    tables: BTreeSet<String>,
    functions: BTreeSet<String>,
}

impl Looker {
    /// Listens on a connection as long as that lives.
    pub(super) fn on(connection: &mut Connection) -> rusqlite::Result<Self> {
        let looker = Self(Arc::default());
        let heard = Arc::clone(&looker.0);
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            hear(&mut lock(&heard), &context);
            Authorization::Allow
        }))?;
        Ok(looker)
    }

    fn take(&self) -> Heard {
        std::mem::take(&mut *lock(&self.0))
    }

    /// How a statement looks at the tables of this connection.
    pub(super) fn look(&self, on: &Connection, text: &str) -> Looks {
        self.take();
        let prepared = on.prepare(text).is_ok();
        let Heard { tables, functions } = self.take();
        let words = words(text);
        let selects = words.iter().filter(|word| *word == "select").count();
        // A query inside a statement looks at rows of its own.
        let is_query = words.first().is_some_and(|word| word == "select");
        let plan = plan(on, text);
        let loops = plan.iter().filter(|step| is_loop(step)).count();
        let by_row = prepared
            && tables.len() == 1
            && loops <= 1
            && selects == usize::from(is_query)
            && functions.iter().all(|name| PLAIN.contains(&name.as_str()))
            && !words.iter().any(|word| BEYOND.contains(&word.as_str()));
        let finds_one = !plan.is_empty() && plan.iter().all(|step| is_of_one(on, step));
        let sees_order = selects > 0 && !finds_one && !names_order(on, text, &tables);
        Looks {
            tables,
            by_row,
            sees_order,
        }
    }
}

fn hear(heard: &mut Heard, context: &AuthContext<'_>) {
    match context.action {
        AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => {
            heard.tables.insert(table_name.to_owned());
        }
        AuthAction::Function { function_name } => {
            heard.functions.insert(function_name.to_ascii_lowercase());
        }
        _ => {}
    }
}

/// The authorizer's type asks for `Send`, although everything here happens on one thread.
fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The rows of a query.
pub(super) fn rows(
    on: &Connection,
    text: &str,
    values: &[Value],
) -> rusqlite::Result<Vec<Vec<Value>>> {
    let mut prepared = on.prepare_cached(text)?;
    let columns = prepared.column_count();
    let rows = prepared.query_map(params_from_iter(values), |row| {
        (0..columns).map(|i| row.get(i)).collect()
    })?;
    rows.collect()
}

/// The steps in which SQLite would carry out a statement, in its words.
fn plan(on: &Connection, text: &str) -> Vec<String> {
    let plan = || -> rusqlite::Result<Vec<String>> {
        let mut plan = on.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
        let nothing = vec![Value::Null; plan.parameter_count()];
        let steps = plan.query_map(params_from_iter(nothing), |row| row.get(3))?;
        steps.collect()
    };
    plan().unwrap_or_default()
}

fn is_loop(step: &str) -> bool {
    step.starts_with("SCAN") || step.starts_with("SEARCH")
}

/// Whether a step finds one row at most, by a unique key.
fn is_of_one(on: &Connection, step: &str) -> bool {
    if step.contains("USING INTEGER PRIMARY KEY (rowid=?)") {
        return true;
    }
    let Some((_, of)) = step.split_once("INDEX ") else {
        return false;
    };
    let index = of.split(' ').next().unwrap_or_default();
    let equal = of.matches("=?").count() - of.matches(">=?").count() - of.matches("<=?").count();
    let columns = on.query_row(UNIQUE_COLUMNS, [index], |row| row.get::<_, i64>(0));
    columns.is_ok_and(|columns| columns > 0 && columns == equal as i64)
}

/// How many columns an index has, if it is unique.
const UNIQUE_COLUMNS: &str = "SELECT count(*) FROM pragma_index_info(?1) WHERE EXISTS
    (SELECT 1 FROM sqlite_schema s, pragma_index_list(s.name) l WHERE l.name = ?1 AND l.\"unique\" = 1)";

/// Whether a query says in which order it sees the rows of its only table, by columns of which no two rows have the same.
fn names_order(on: &Connection, text: &str, tables: &BTreeSet<String>) -> bool {
    let text = text.to_ascii_lowercase();
    let Some((_, by)) = text.rsplit_once("order by") else {
        return false;
    };
    // What a function makes of two keys may be the same, and a text in quotes is no column.
    if by.contains(['(', '\'', '"']) || tables.len() != 1 {
        return false;
    }
    let by = words(by);
    let names = |key: &Vec<Value>| match key.first() {
        Some(Value::Text(key)) => {
            let mut columns = key.split(' ');
            columns.all(|column| by.iter().any(|word| word == column))
        }
        _ => false,
    };
    tables.iter().all(|table| {
        let keys = rows(on, KEYS, &[Value::Text(table.clone())]);
        keys.is_ok_and(|keys| keys.iter().any(names))
    })
}

/// The columns of each unique key of a table that cannot be NULL, and of its primary key.
const KEYS: &str = "SELECT group_concat(lower(c.name), ' ') FROM pragma_index_list(?1) l, pragma_index_info(l.name) c
    LEFT JOIN pragma_table_info(?1) t ON t.name = c.name WHERE l.\"unique\" = 1 AND l.partial = 0
    GROUP BY l.name HAVING min(coalesce(t.\"notnull\" OR t.pk, 0)) = 1
    UNION ALL SELECT group_concat(lower(name), ' ') FROM pragma_table_info(?1) WHERE pk > 0";

/// Whether a statement puts rows in.
pub(super) fn is_insert(text: &str) -> bool {
    let words = words(text);
    words
        .iter()
        .any(|word| word == "insert" || word == "replace")
}

/// Whether a statement of the schema makes others look at what they do not name.
pub(super) fn is_far_reaching(sql: &str) -> bool {
    let far = ["trigger", "references", "view", "virtual"];
    words(sql).iter().any(|word| far.contains(&word.as_str()))
}

/// The words of a text, in small letters. What stands in quotes counts too: more words only mean less certainty.
fn words(text: &str) -> Vec<String> {
    let split = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let words = split.filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

/// Words beside which a statement is not looked at row by row.
const BEYOND: [&str; 13] = [
    "join",
    "group",
    "having",
    "over",
    "window",
    "offset",
    "union",
    "except",
    "intersect",
    "with",
    "exists",
    "distinct",
    "in",
];

/// Functions of one row.
const PLAIN: [&str; 18] = [
    "abs",
    "coalesce",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_extract",
    "json_object",
    "json_set",
    "length",
    "like",
    "lower",
    "nullif",
    "printf",
    "replace",
    "substr",
    "upper",
];
