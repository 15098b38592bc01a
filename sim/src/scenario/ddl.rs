//! The schemas that a statement may meet when flows change the schema beside live traffic: the one of the file, and what
//! each DDL of the flows makes of it, in the order of the file.

use rusqlite::Connection;

use super::node::{self, Node};
use super::problem::Report;
use super::sql::Checker;
use super::token::{self, Kind};

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

    /// The statements have been carried out for good, as far as they could be.
    pub(super) fn keep_changes(&self, ddl: &[&str]) {
        self.stages.take();
        for text in ddl {
            if self.conn().execute_batch(text).is_ok() {
                self.schemas.borrow_mut().push((*text).to_owned());
            }
        }
    }

    /// Executes the statements of a schema that stand in none of the schemas before it, and returns them.
    pub(super) fn additions(&self, report: &Report<'_>, node: &Node, before: &[&Node]) -> String {
        let Some(text) = report.text(node, "`schema`") else {
            return String::new();
        };
        let before = before.iter().filter_map(|node| node.scalar());
        let known: Vec<Vec<String>> = before
            .flat_map(statements)
            .map(|(_, statement)| words(statement))
            .collect();
        let mut added = String::new();
        for (from, statement) in statements(text) {
            if !known.contains(&words(statement)) {
                self.execute(report, node, from, statement);
                added.push_str(statement.trim().trim_end_matches(';'));
                added.push_str(";\n");
            }
        }
        added
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

/// The statements of a text with the bytes at which they start. That of a trigger ends with its END.
fn statements(sql: &str) -> Vec<(usize, &str)> {
    let tokens = token::tokens(sql);
    let (mut found, mut first) = (Vec::new(), 0);
    for (at, token) in tokens.iter().enumerate() {
        let own = &tokens[first..at];
        let is_trigger = own.first().is_some_and(|word| word.is("CREATE"))
            && own.iter().take(3).any(|word| word.is("TRIGGER"));
        let is_over = match own {
            [.., end, last] => end.kind == Kind::End && last.is("END"),
            _ => false,
        };
        if token.kind == Kind::End && (!is_trigger || is_over) {
            if let Some(word) = own.first() {
                found.push((word.start, &sql[word.start..token.start]));
            }
            first = at + 1;
        }
    }
    if let Some(word) = tokens.get(first) {
        found.push((word.start, &sql[word.start..]));
    }
    found
}

/// What a statement says, however it is written.
fn words(statement: &str) -> Vec<String> {
    let word = |token: &token::Token<'_>| match token.kind {
        Kind::Text => token.text.to_owned(),
        _ => token.text.to_ascii_lowercase(),
    };
    token::tokens(statement).iter().map(word).collect()
}

/// The statements of `sql` steps that change the schema, wherever they stand in these steps.
pub(super) fn of_steps<'n>(steps: &'n [Node], found: &mut Vec<&'n str>) {
    for step in steps {
        collect(step, found);
    }
}

fn collect<'n>(node: &'n Node, found: &mut Vec<&'n str>) {
    match &node.kind {
        node::Kind::Scalar { .. } => {}
        node::Kind::List(items) => of_steps(items, found),
        node::Kind::Map { entries, .. } => {
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

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn statements_are_told_apart() {
        let sql = "CREATE TABLE t (a DEFAULT ';');
            CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = CASE WHEN 1 THEN 2 END; DELETE FROM t; END;
            ; INSERT INTO t VALUES (1) -- the last one; really";
        let found: Vec<&str> = statements(sql).into_iter().map(|(_, text)| text).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[1].ends_with("DELETE FROM t; END"), "{found:?}");
        assert!(
            statements(sql)
                .iter()
                .all(|(at, text)| sql[*at..].starts_with(text))
        );
        assert!(statements(" ; -- nothing").is_empty());
    }
}
