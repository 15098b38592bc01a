//! A rule as it is evaluated: what it reads, and which keys a commit may concern.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::Value;

use super::{Rule, keys, tables};
use crate::disk::capture::Change;
use crate::scenario::RuleKind;
use crate::trace::plain;

/// A rule that can be evaluated.
pub(super) struct Compiled {
    pub(super) rule: Rule,
    pub(super) keyed: Option<Keyed>,
    /// Tables it reads. A change of another table cannot violate it.
    pub(super) reads: BTreeSet<String>,
}

/// How a rule is evaluated for one key.
pub(super) struct Keyed {
    pub(super) sql: String,
    /// The same for the key NULL.
    pub(super) null: String,
    /// Tables whose changed rows tell the keys that they concern, each with the positions of those columns.
    pub(super) columns: BTreeMap<String, BTreeSet<usize>>,
}

impl Compiled {
    pub(super) fn reads_any(&self, changes: &[Change]) -> bool {
        changes
            .iter()
            .any(|change| self.reads.contains(&*change.table))
    }

    /// The keys that a commit may concern; `None` when that may be any.
    pub(super) fn keys<'a>(&self, changes: &'a [Change]) -> Option<Vec<&'a Value>> {
        let keyed = self.keyed.as_ref()?;
        let mut keys: Vec<&Value> = Vec::new();
        let read = |change: &&Change| self.reads.contains(&*change.table);
        for change in changes.iter().filter(read) {
            for at in keyed.columns.get(&*change.table)? {
                for image in [&change.old, &change.new].into_iter().flatten() {
                    let key = image.get(*at)?;
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
            }
        }
        Some(keys)
    }

    pub(super) fn reads_tables(&self) -> bool {
        tables::NAMES.iter().any(|name| self.reads.contains(*name))
    }

    pub(super) fn key_of(&self, names: &[String], values: &[Value]) -> String {
        let at = self
            .rule
            .per
            .as_ref()
            .and_then(|per| names.iter().position(|name| name == per));
        at.map_or(String::new(), |at| plain(&values[at]))
    }
}

/// Hears which tables a query reads while it is prepared.
#[derive(Clone, Default)]
pub(super) struct Listener(Arc<Mutex<BTreeSet<String>>>);

impl Listener {
    /// Listens on a connection as long as that lives.
    pub(super) fn on(connection: &mut Connection) -> rusqlite::Result<Self> {
        let listener = Self::default();
        let heard = Arc::clone(&listener.0);
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            if let AuthAction::Read { table_name, .. } = context.action {
                let further = context
                    .database_name
                    .filter(|name| !["main", "temp"].contains(name));
                let name = further.map_or(table_name.to_owned(), |further| {
                    format!("{further}.{table_name}")
                });
                lock(&heard).insert(name);
            }
            Authorization::Allow
        }))?;
        Ok(listener)
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *lock(&self.0))
    }
}

/// Prepares a rule, to see what it reads and what is its key.
///
/// # Errors
/// In words, when its query does not prepare.
pub(super) fn compile(
    connection: &Connection,
    listener: &Listener,
    rule: Rule,
    tables: &keys::Tables,
) -> Result<Compiled, String> {
    listener.take();
    let prepared = connection.prepare(&rule.sql).map(|_| ());
    prepared.map_err(|error| format!("{}: {error}", rule.name))?;
    let reads = listener.take();
    let per = rule.per.as_ref();
    let keyed = per
        .filter(|_| rule.kind == RuleKind::Never)
        .map(|per| {
            keyed(
                &rule.sql,
                per,
                keys::of_rule(&rule.sql, per, tables, &reads),
            )
        })
        .filter(|keyed| !keyed.columns.is_empty());
    Ok(Compiled { rule, keyed, reads })
}

fn keyed(sql: &str, per: &str, columns: BTreeMap<String, BTreeSet<usize>>) -> Keyed {
    let rule = sql.trim().trim_end_matches(';');
    // A comment at the end of the rule must not swallow what follows.
    let with = |condition: &str| format!("SELECT * FROM ({rule}\n) WHERE \"{per}\" {condition}");
    Keyed {
        sql: with("= ?1"),
        null: with("IS NULL"),
        columns,
    }
}

/// The authorizer's type asks for `Send`, although everything here happens on one thread.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
