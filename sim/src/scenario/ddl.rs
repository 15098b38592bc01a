//! The schemas that a statement may meet when flows change the schema beside live traffic: the one of the file, and what
//! each DDL of the flows makes of it, in the order of the file.

use rusqlite::Connection;

use super::node::{Kind, Node};
use super::sql::Checker;
use super::token;

/// Schemas that are kept beside that of the file. Of more steps the first ones and the last one count.
const STAGES: usize = 12;

impl Checker {
    /// From here on a text is accepted when it fits any schema that these statements lead to. One that cannot be applied
    /// here, because of data or because it was written for another order, changes nothing.
    pub(super) fn flows_change(&self, ddl: &[&str]) {
        let mut applied: Vec<&str> = Vec::new();
        let mut stages: Vec<Connection> = Vec::new();
        for text in ddl {
            let Some(stage) = self.stage(&applied, text) else {
                continue;
            };
            applied.push(text);
            stages.truncate(STAGES - 1);
            stages.push(stage);
        }
        self.stages.replace(stages);
    }

    /// A database of its own with the schema of the file, these statements, and one more; none if that does not apply.
    fn stage(&self, applied: &[&str], next: &str) -> Option<Connection> {
        let schemas = self.schemas.borrow();
        let conn = self.scratch().ok()?;
        for text in schemas
            .iter()
            .map(String::as_str)
            .chain(applied.iter().copied())
        {
            conn.execute_batch(text).ok()?;
        }
        conn.execute_batch(next).ok().map(|()| conn)
    }
}

/// The statements of `sql` steps that change the schema, wherever they stand in these steps.
pub(super) fn of_steps<'n>(steps: &'n [Node], found: &mut Vec<&'n str>) {
    for step in steps {
        collect(step, found);
    }
}

fn collect<'n>(node: &'n Node, found: &mut Vec<&'n str>) {
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => of_steps(items, found),
        Kind::Map { entries, .. } => {
            for entry in entries {
                match entry.value.scalar() {
                    Some(text) if entry.name() == "sql" && token::changes_schema(text) => {
                        found.push(text);
                    }
                    _ => collect(&entry.value, found),
                }
            }
        }
    }
}
