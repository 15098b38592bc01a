//! The rules as they fit the schema of the moment, which flows may change in the middle of a run.

use std::collections::BTreeMap;
use std::rc::Rc;

use rusqlite::Connection;

use super::rule::{Compiled, Listener, compile};
use super::{Checker, Rule, Rules, keys};
use crate::run::Kernel;
use crate::scenario::RuleKind;

/// The columns of each table, in the order of captured rows.
pub(super) type Columns = BTreeMap<String, Vec<String>>;

/// Rules prepared on one schema.
pub(super) struct Fit {
    /// SQLite's version of that schema.
    schema: i64,
    pub(super) invariants: Vec<Compiled>,
    pub(super) goals: Vec<Compiled>,
    pub(super) columns: Columns,
}

impl Fit {
    /// Prepares the rules. One that does not fit is an error, unless flows change the schema: then it is left out.
    ///
    /// # Errors
    /// In words, when a rule does not fit, or the schema cannot be read.
    pub(super) fn of(
        connection: &Connection,
        listener: &Listener,
        rules: &Rules,
        databases: &[String],
    ) -> Result<Self, String> {
        let words = |error: rusqlite::Error| error.to_string();
        let schema = version(connection).map_err(words)?;
        let mut columns = columns_of(connection, "main", "").map_err(words)?;
        // A rule that reads a further file is judged whole: nothing is known here of the columns of its tables.
        let tables = keys::tables(connection, &columns).map_err(words)?;
        for name in databases {
            let further = columns_of(connection, name, &format!("{name}."));
            columns.append(&mut further.map_err(words)?);
        }
        let compiled = |rules_of_kind: Vec<Rule>| -> Result<Vec<Compiled>, String> {
            let each = rules_of_kind.into_iter();
            let each = each.map(|rule| compile(connection, listener, rule, &tables));
            each.filter(|found| found.is_ok() || !rules.changes_schema)
                .collect()
        };
        Ok(Self {
            schema,
            invariants: compiled(rules.invariants.clone())?,
            goals: compiled(rules.goals.clone())?,
            columns,
        })
    }

    /// The rules that are judged on a snapshot.
    pub(super) fn snapshot_rules(&self) -> impl Iterator<Item = &Compiled> {
        let rules = self.invariants.iter();
        rules.filter(|rule| rule.rule.kind == RuleKind::Never)
    }
}

/// Every schema of one run, with the number of row changes that were committed before it.
pub(super) type Fits = Vec<(usize, Rc<Fit>)>;

impl Checker {
    /// The rules as they fit now.
    pub(super) fn fit(&self) -> Rc<Fit> {
        let fits = self.fits.borrow();
        fits.last().map_or(&self.first, |(_, fit)| fit).clone()
    }

    /// Looks, inside a snapshot, whether the schema is another one now, and prepares the rules on it.
    pub(super) fn refit(&self, kernel: &Kernel) -> rusqlite::Result<bool> {
        if !self.rules.changes_schema || !kernel.disk().schema_changed() {
            return Ok(false);
        }
        // The connection reads the schema again when it is not the one that it remembers; to prepare does not ask for that.
        self.rows("SELECT 1 FROM sqlite_schema", &[])?;
        if version(&self.connection)? == self.fit().schema {
            return Ok(false);
        }
        match Fit::of(
            &self.connection,
            &self.listener,
            &self.rules,
            &self.databases,
        ) {
            Ok(fit) => {
                let before = kernel.trace.borrow().changes.len();
                self.fits.borrow_mut().push((before, Rc::new(fit)));
            }
            Err(words) => kernel.internal(format!("the checker failed at a new schema: {words}")),
        }
        Ok(true)
    }

    /// Before a run that follows one in which the schema changed: the rules fit the template again, and the connection
    /// remembers the schema of that. Another change may get the same version as the one before.
    ///
    /// # Errors
    /// In words, when the template cannot be read.
    pub fn forget_schema(&self) -> Result<(), String> {
        self.fits.borrow_mut().clear();
        let read = self.rows("SELECT 1 FROM sqlite_schema", &[]);
        read.map(|_| ()).map_err(|error| error.to_string())
    }

    /// The columns of all tables for each schema of this run, with the number of row changes before it.
    pub(super) fn columns(&self) -> Vec<(usize, Rc<Fit>)> {
        let fits = self.fits.borrow();
        let first = [(0, Rc::clone(&self.first))].into_iter();
        first.chain(fits.iter().cloned()).collect()
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached("PRAGMA main.schema_version")?;
    statement.query_row([], |row| row.get(0))
}

/// The columns of the tables of one file, with `before` in front of their names.
fn columns_of(connection: &Connection, database: &str, before: &str) -> rusqlite::Result<Columns> {
    let sql =
        format!("SELECT name FROM \"{database}\".sqlite_schema WHERE type = 'table' ORDER BY name");
    let mut names = connection.prepare(&sql)?;
    let tables: Vec<String> = names
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut all = BTreeMap::new();
    for table in tables {
        let mut info =
            connection.prepare("SELECT name FROM pragma_table_info(?1, ?2) ORDER BY cid")?;
        let columns = info
            .query_map([table.as_str(), database], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        all.insert(format!("{before}{table}"), columns);
    }
    Ok(all)
}
