//! Whether two steps meet: whether what one of them does can be different when the other was there before it.
//!
//! SQLite tells which rows a statement wrote, and not which it read. So a statement is tried: on a scratch database with nothing
//! in it, and on one with nothing but the row that the other step wrote. If it does the same on both, it does not care about that
//! row. That is right for a statement that looks at one table row by row; of any other it is enough that the tables are the
//! same. Triggers and foreign keys look at what no statement names: with them, every statement meets every row.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use self::look::{Looker, Looks};
use crate::access::{Access, Statement, What};
use crate::disk::capture::Change;

mod look;

/// Tells what meets what, and remembers it.
pub(super) struct Meetings {
    /// The tables of the program, with their keys, and no rows.
    scratch: Connection,
    looker: Looker,
    /// There are triggers or foreign keys.
    far_reaching: bool,
    known: BTreeMap<(u128, u128), bool>,
    looks: BTreeMap<String, Rc<Looks>>,
    /// Tables in which somebody sees the order of rows.
    ordered: BTreeSet<String>,
}

/// What a statement did to a table with few rows or none.
struct Done {
    rows: Vec<Vec<Value>>,
    changed: u64,
    rowid: i64,
    error: Option<String>,
    /// The rows that are in the table afterwards.
    left: Vec<Vec<Value>>,
}

impl Done {
    /// Whether the statement does the same where this row is, and leaves it alone.
    fn is_same_beside(&self, row: &[Value], with: &Self) -> bool {
        let mut left = with.left.clone();
        let Some(at) = left.iter().position(|known| known == row) else {
            return false;
        };
        left.remove(at);
        left == self.left
            && self.rows == with.rows
            && self.changed == with.changed
            && self.rowid == with.rowid
            && self.error == with.error
    }
}

impl Meetings {
    /// Of a program with this schema: each statement of it. If it cannot be built again, every statement meets every row.
    ///
    /// # Errors
    /// In words, when there is no memory for a database.
    pub(super) fn of(schema: &[String]) -> Result<Self, String> {
        let words = |error: rusqlite::Error| error.to_string();
        let mut scratch = Connection::open_in_memory().map_err(words)?;
        let far_reaching = schema
            .iter()
            .any(|sql| look::is_far_reaching(sql) || scratch.execute_batch(sql).is_err());
        let looker = Looker::on(&mut scratch).map_err(words)?;
        Ok(Self {
            scratch,
            looker,
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
            (
                What::Answer { to, given },
                What::Answer {
                    to: other,
                    given: too,
                },
            ) => to == other && (*given || *too),
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
            let with = self.done(statement, &row.table, Some(image))?;
            if !without.is_same_beside(image, &with) {
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
            .and_then(|()| self.run(statement, table));
        self.scratch.execute_batch("ROLLBACK")?;
        done
    }

    fn put(&self, table: &str, row: &[Value]) -> rusqlite::Result<()> {
        let places = vec!["?"; row.len()].join(", ");
        let sql = format!("INSERT INTO \"{table}\" VALUES ({places})");
        let mut insert = self.scratch.prepare_cached(&sql)?;
        insert.execute(params_from_iter(row)).map(|_| ())
    }

    fn run(&self, statement: &Statement, table: &str) -> rusqlite::Result<Done> {
        let before = self.scratch.total_changes();
        let rows = look::rows(&self.scratch, &statement.text, &statement.values);
        Ok(Done {
            changed: self.scratch.total_changes() - before,
            rowid: match look::is_insert(&statement.text) && self.has_rowid_of_its_own(statement) {
                true => self.scratch.last_insert_rowid(),
                false => 0,
            },
            error: rows.as_ref().err().map(ToString::to_string),
            rows: rows.unwrap_or_default(),
            left: look::rows(&self.scratch, &format!("SELECT * FROM \"{table}\""), &[])?,
        })
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
        let looks = Rc::new(self.looker.look(&self.scratch, &statement.text));
        self.looks.insert(statement.text.clone(), Rc::clone(&looks));
        looks
    }
}

#[cfg(test)]
mod tests;
