//! One rule at one moment: for one key or whole, and what becomes of a query that does not end.

use rusqlite::types::Value;

use super::{Checker, Compiled, Offences, Rule, bound};
use crate::run::Kernel;
use crate::trace::plain;

impl Checker {
    pub(super) fn has_rows(&self, rule: &Compiled) -> rusqlite::Result<bool> {
        for table in &rule.reads {
            let (file, table) = self.place(table);
            let file = file.map_or(String::new(), |file| format!("\"{file}\"."));
            let sql = format!("SELECT 1 FROM {file}\"{table}\" LIMIT 1");
            if self.rows(&sql, &[])?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Evaluates a rule, for one key or whole, and reports each offending row.
    pub(super) fn evaluate(
        &self,
        kernel: &Kernel,
        rule: &Compiled,
        key: Option<&Value>,
        found: &mut Offences,
    ) -> rusqlite::Result<()> {
        if kernel.is_broken() {
            return Ok(());
        }
        let done = self.offences(kernel, rule, key, found);
        self.ended(kernel, &rule.rule, done)
    }

    /// What a query came to. One that does not end is a mistake of the scenario, and the run says nothing more.
    pub(super) fn ended<T: Default>(
        &self,
        kernel: &Kernel,
        rule: &Rule,
        done: rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        match done {
            Err(error) if bound::is_over(&error) => {
                kernel.endless(format!(
                    "{}: the query of `{}` does not come to an end: it was stopped after {} million steps of SQLite's \
                     machine. End its recursion by a LIMIT or a condition, or join tables by columns of an index",
                    rule.place, rule.name, bound::MOST
                ));
                Ok(T::default())
            }
            done => done,
        }
    }

    fn offences(
        &self,
        kernel: &Kernel,
        rule: &Compiled,
        key: Option<&Value>,
        found: &mut Offences,
    ) -> rusqlite::Result<()> {
        bound::begin();
        let (sql, params): (&str, &[Value]) = match (key, &rule.keyed) {
            (Some(Value::Null), Some(keyed)) => (&keyed.null, &[]),
            (Some(key), Some(keyed)) => (&keyed.sql, std::slice::from_ref(key)),
            _ => (&rule.rule.sql, &[]),
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let count = statement.column_count();
        let mut names: Vec<String> = Vec::new();
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        while let Some(row) = rows.next()? {
            if names.is_empty() {
                let columns = row.as_ref().column_names();
                names = columns.map(str::to_owned).collect();
            }
            let values: Vec<Value> = (0..count).map(|i| row.get(i)).collect::<Result<_, _>>()?;
            let key = rule.key_of(&names, &values);
            kernel.violated(&rule.rule.name, &key, &words(&names, &values));
            found.insert((rule.rule.name.clone(), key));
        }
        Ok(())
    }

    pub(super) fn rows(&self, sql: &str, params: &[Value]) -> rusqlite::Result<Option<()>> {
        bound::begin();
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        Ok(rows.next()?.map(|_| ()))
    }
}

fn words(names: &[String], values: &[Value]) -> String {
    let pairs: Vec<String> = names
        .iter()
        .zip(values)
        .map(|(name, value)| format!("{name}={}", plain(value)))
        .collect();
    pairs.join(" ")
}
