//! Further database files, and which of them a step or a process uses.

use super::super::node::Node;
use super::super::problem::Report;
use super::super::program::Database;
use super::flow::Walk;
use super::words;

/// Name of the file that `schema` is about.
const MAIN: &str = "main";
/// SQLite attaches ten at most, and rules see them all at once.
const MOST: usize = 8;

/// The further files with their schemas, in order.
pub(super) fn databases<'n>(report: &Report<'_>, root: &'n Node) -> Vec<(&'n str, &'n Node)> {
    let Some(node) = root.get("databases") else {
        return Vec::new();
    };
    let entries = report.named(node, "`databases`");
    if entries.len() > MOST {
        let message = format!("{} further databases", entries.len());
        report.at(node, message, format!("at most {MOST} can be there"));
    }
    let mut found: Vec<(&str, &Node)> = Vec::new();
    for entry in entries.into_iter().take(MOST) {
        let Some(name) = report.name(&entry.key, "a database") else {
            continue;
        };
        let is_taken = |other: &str| other.eq_ignore_ascii_case(name);
        let known = found.iter().map(|(known, _)| *known);
        if [MAIN, "temp"].into_iter().chain(known).any(is_taken) {
            let message = format!("`{name}` cannot be a further database");
            let help = "SQLite does not tell upper from lower case, and `main` and `temp` are its own: choose another name";
            report.at(&entry.key, message, help);
            continue;
        }
        report.only(
            &entry.value,
            &format!("database `{name}`"),
            &words::DATABASE,
        );
        match entry.value.get("schema") {
            Some(schema) => found.push((name, schema)),
            None => {
                let help = "write schema: CREATE TABLE …";
                report.at(&entry.key, format!("database `{name}` has no tables"), help);
            }
        }
    }
    found
}

/// The names of all files, the main one first.
pub(super) fn names(databases: &[(&str, &Node)]) -> Vec<String> {
    let further = databases.iter().map(|(name, _)| *name);
    [MAIN]
        .into_iter()
        .chain(further)
        .map(str::to_owned)
        .collect()
}

/// The further files as they are run.
pub(super) fn lowered(databases: &[(&str, &Node)]) -> Vec<Database> {
    let each = databases.iter();
    each.map(|(name, schema)| Database {
        name: (*name).to_owned(),
        schema: schema.scalar().unwrap_or("").to_owned(),
    })
    .collect()
}

impl Walk<'_> {
    /// The file that a step uses: the one that it names, else that of the transaction around it, else (`Some(None)`) that of
    /// the process. `None` when it names none of the files, or another one than the transaction.
    pub(super) fn database(&self, node: &Node) -> Option<Option<usize>> {
        let Some(named) = node.get("db") else {
            return Some(self.scope.db);
        };
        let report = self.world.report;
        let names: Vec<&str> = self.world.databases.iter().map(String::as_str).collect();
        let file = report.known(named, "database", &names)?;
        if !self.scope.in_transaction || self.scope.db == Some(file) {
            return Some(Some(file));
        }
        let around = match self.scope.db {
            Some(around) => format!("`{}`", names[around]),
            None => "the database of the process".to_owned(),
        };
        let name = names[file];
        let message = format!("a step on `{name}` inside a transaction on {around}");
        let help = format!(
            "no transaction spans two files: write `db: {name}` beside `transaction`, or take the step out of it"
        );
        report.at(named, message, help);
        None
    }
}
