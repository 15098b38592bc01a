//! Whether two steps meet: whether what one of them does can be different when the other was there before it.
//!
//! SQLite tells which rows a statement wrote, and not which it read. So a statement is tried: on a scratch database with nothing
//! in it, and on one with nothing but the row that the other step wrote. If it does the same on both, it does not care about that
//! row. That is right for a statement that looks at one table row by row; of any other it is enough that the tables are the
//! same. Triggers and foreign keys look at what no statement names: with them, every statement meets every row.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::access::{Access, Statement, What};
use crate::disk::capture::Change;

/// Tells what meets what, and remembers it.
pub(super) struct Meetings {
    /// The tables of the program, with their keys, and no rows.
    scratch: Connection,
    heard: Heard,
    /// There are triggers or foreign keys.
    far_reaching: bool,
    known: BTreeMap<(u128, u128), bool>,
    looks: BTreeMap<String, Rc<Looks>>,
    /// Tables in which somebody sees the order of rows.
    ordered: BTreeSet<String>,
}

/// What SQLite says while it prepares a statement: tables that are read or written, and functions.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<(BTreeSet<String>, BTreeSet<String>)>>);

/// How a statement looks at rows.
struct Looks {
    tables: BTreeSet<String>,
    /// Row by row, at one table.
    by_row: bool,
    /// It may see several rows, in no order that it names.
    sees_order: bool,
}

/// Two runs of a statement that do not differ here do not differ.
#[derive(PartialEq)]
struct Done {
    rows: Vec<Vec<Value>>,
    changed: u64,
    rowid: i64,
    error: Option<String>,
}

impl Meetings {
    /// Of a program with this schema: each statement of it.
    ///
    /// # Errors
    /// In words, when it cannot be built again.
    pub(super) fn of(schema: &[String]) -> Result<Self, String> {
        let words = |error: rusqlite::Error| error.to_string();
        let mut scratch = Connection::open_in_memory().map_err(words)?;
        let far_reaching = schema.iter().any(|sql| is_far_reaching(sql));
        if !far_reaching {
            schema
                .iter()
                .try_for_each(|sql| scratch.execute_batch(sql))
                .map_err(words)?;
        }
        let heard = Heard::default();
        let ears = heard.clone();
        scratch
            .authorizer(Some(move |context: AuthContext<'_>| ears.hear(&context)))
            .map_err(words)?;
        Ok(Self {
            scratch,
            heard,
            far_reaching,
            known: BTreeMap::new(),
            looks: BTreeMap::new(),
            ordered: BTreeSet::new(),
        })
    }

    /// Takes note of something that is touched. True if steps may meet from now on that did not.
    pub(super) fn note(&mut self, access: &Access) -> bool {
        let What::Statement(statement) = &access.what else {
            return false;
        };
        let looks = self.looks(statement);
        let mut more = false;
        if looks.sees_order {
            for table in &looks.tables {
                more |= self.ordered.insert(table.clone());
            }
        }
        if more {
            self.known.clear();
        }
        more
    }

    /// Whether they meet.
    pub(super) fn meet(&mut self, one: &Access, other: &Access) -> bool {
        match (&one.what, &other.what) {
            (What::Anything, _) | (_, What::Anything) => true,
            (
                What::Thing { name, changes },
                What::Thing {
                    name: other,
                    changes: too,
                },
            ) => name == other && (*changes || *too),
            (What::Statement(statement), What::Row(row)) => {
                self.finds((one.id, statement), (other.id, row))
            }
            (What::Row(row), What::Statement(statement)) => {
                self.finds((other.id, statement), (one.id, row))
            }
            (What::Row(row), What::Row(other)) => {
                row.table == other.table && (self.ordered.contains(&*row.table))
            }
            _ => false,
        }
    }

    fn finds(
        &mut self,
        (id, statement): (u128, &Rc<Statement>),
        (row_id, row): (u128, &Rc<Change>),
    ) -> bool {
        if let Some(known) = self.known.get(&(id, row_id)) {
            return *known;
        }
        let looks = self.looks(statement);
        let finds = self.far_reaching
            || looks.tables.contains(&*row.table)
                && (!looks.by_row || self.tells(statement, row).unwrap_or(true));
        self.known.insert((id, row_id), finds);
        finds
    }

    /// Whether the statement does something else where the row is, as it was or as it became.
    fn tells(&self, statement: &Statement, row: &Change) -> rusqlite::Result<bool> {
        let without = self.done(statement, &row.table, None)?;
        for image in [&row.old, &row.new].into_iter().flatten() {
            if self.done(statement, &row.table, Some(image))? != without {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn done(
        &self,
        statement: &Statement,
        table: &str,
        row: Option<&Vec<Value>>,
    ) -> rusqlite::Result<Done> {
        self.scratch.execute_batch("BEGIN")?;
        let done = row
            .map_or(Ok(()), |row| self.put(table, row))
            .map(|()| self.run(statement));
        self.scratch.execute_batch("ROLLBACK")?;
        done
    }

    fn put(&self, table: &str, row: &[Value]) -> rusqlite::Result<()> {
        let places = vec!["?"; row.len()].join(", ");
        let sql = format!("INSERT INTO \"{table}\" VALUES ({places})");
        let mut insert = self.scratch.prepare_cached(&sql)?;
        insert.execute(params_from_iter(row)).map(|_| ())
    }

    fn run(&self, statement: &Statement) -> Done {
        let before = self.scratch.total_changes();
        let rows = self.rows(statement);
        Done {
            changed: self.scratch.total_changes() - before,
            rowid: match is_insert(statement) && self.has_rowid_of_its_own(statement) {
                true => self.scratch.last_insert_rowid(),
                false => 0,
            },
            error: rows.as_ref().err().map(ToString::to_string),
            rows: rows.unwrap_or_default(),
        }
    }

    fn rows(&self, statement: &Statement) -> rusqlite::Result<Vec<Vec<Value>>> {
        let mut prepared = self.scratch.prepare_cached(&statement.text)?;
        let columns = prepared.column_count();
        let rows = prepared.query_map(params_from_iter(&statement.values), |row| {
            (0..columns).map(|i| row.get(i)).collect()
        })?;
        rows.collect()
    }

    /// Whether a table that the statement touches has numbers for rows that SQLite gives out.
    fn has_rowid_of_its_own(&self, statement: &Statement) -> bool {
        let looks = self.looks.get(&statement.text);
        let mut tables = looks.into_iter().flat_map(|looks| &looks.tables);
        tables.any(|table| {
            let sql = "SELECT count(*) = 1 AND max(upper(type)) = 'INTEGER' FROM pragma_table_info(?1) WHERE pk > 0";
            let one = self.scratch.prepare_cached(sql);
            one.and_then(|mut one| one.query_row([table], |row| row.get(0))).unwrap_or(true)
        })
    }

    fn looks(&mut self, statement: &Statement) -> Rc<Looks> {
        if let Some(known) = self.looks.get(&statement.text) {
            return Rc::clone(known);
        }
        let looks = Rc::new(self.look(&statement.text));
        self.looks.insert(statement.text.clone(), Rc::clone(&looks));
        looks
    }

    fn look(&self, text: &str) -> Looks {
        self.heard.take();
        let prepared = self.scratch.prepare(text).is_ok();
        let (tables, functions) = self.heard.take();
        let words = words(text);
        let has = |of: &[&str]| words.iter().any(|word| of.contains(&word.as_str()));
        let selects = words.iter().filter(|word| *word == "select").count();
        let plain = functions.iter().all(|name| PLAIN.contains(&name.as_str()));
        let by_row = prepared
            && tables.len() == 1
            && selects <= 1
            && plain
            && !has(&BEYOND)
            && !(selects == 1 && has(&["insert", "replace"]));
        let sees_order = selects > 0 && !has(&["order"]) && !self.finds_one(text);
        Looks {
            tables,
            by_row,
            sees_order,
        }
    }

    /// Whether a query finds one row at most, by a unique key.
    fn finds_one(&self, text: &str) -> bool {
        let plan = || -> rusqlite::Result<Vec<String>> {
            let mut plan = self
                .scratch
                .prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
            let nothing = vec![Value::Null; plan.parameter_count()];
            let steps = plan.query_map(params_from_iter(nothing), |row| row.get(3))?;
            steps.collect()
        };
        let plan = plan().unwrap_or_default();
        !plan.is_empty() && plan.iter().all(|step| self.is_of_one(step))
    }

    fn is_of_one(&self, step: &str) -> bool {
        if step.contains("USING INTEGER PRIMARY KEY (rowid=?)") {
            return true;
        }
        let Some((_, of)) = step.split_once("INDEX ") else {
            return false;
        };
        let index = of.split(' ').next().unwrap_or_default();
        let equal =
            of.matches("=?").count() - of.matches(">=?").count() - of.matches("<=?").count();
        let sql = "SELECT count(*) FROM pragma_index_info(?1) WHERE
            EXISTS (SELECT 1 FROM sqlite_schema s, pragma_index_list(s.name) l WHERE l.name = ?1 AND l.\"unique\" = 1)";
        let columns = self
            .scratch
            .query_row(sql, [index], |row| row.get::<_, i64>(0));
        columns.is_ok_and(|columns| columns > 0 && columns == equal as i64)
    }
}

impl Heard {
    fn hear(&self, context: &AuthContext<'_>) -> Authorization {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match context.action {
            AuthAction::Read { table_name, .. }
            | AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name } => {
                heard.0.insert(table_name.to_owned());
            }
            AuthAction::Function { function_name } => {
                heard.1.insert(function_name.to_ascii_lowercase());
            }
            _ => {}
        }
        Authorization::Allow
    }

    fn take(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_insert(statement: &Statement) -> bool {
    let words = words(&statement.text);
    words
        .iter()
        .any(|word| word == "insert" || word == "replace")
}

fn is_far_reaching(sql: &str) -> bool {
    let words = words(sql);
    let has = |word: &str| words.iter().any(|known| known == word);
    has("trigger") || has("references") || has("view") || has("virtual")
}

/// The words of a text, in small letters. What stands in quotes counts too: more words only mean less certainty.
fn words(text: &str) -> Vec<String> {
    let split = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    split
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
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
    "lower",
    "nullif",
    "printf",
    "replace",
    "substr",
    "upper",
    "like",
];

#[cfg(test)]
mod tests;
