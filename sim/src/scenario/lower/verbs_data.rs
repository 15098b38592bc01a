//! Verbs that read and write the database and variables: `read`, `sql`, `set`, `new_id`, `transaction`.

use super::super::fields::as_steps;
use super::super::node::Node;
use super::super::program::{Sql, StepKind, Var};
use super::super::sql::Prepared;
use super::super::token;
use super::flow::Walk;
use super::scope::Unfit;

impl Walk<'_> {
    pub(super) fn read(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let prepared = self.statement(node, value, "read");
        let site = self.site(node, "read", value);
        let Some((sql, prepared)) = prepared else {
            self.scope.broken = true;
            self.body(node, "none");
            return (site, None);
        };
        if prepared.columns.is_empty() {
            self.world.report.at(
                value,
                "`read` has no columns to bind",
                "use `sql:` for a statement without a result",
            );
        }
        if prepared.varies {
            let help = "name the columns that the flow uses, instead of `*`";
            let message = "flows change the schema, and this `read` then has other columns";
            self.world.report.at(value, message, help);
        }
        // Without `none` a missing row binds NULL; with it, those steps still see the names.
        let into: Option<Vec<Var>> = prepared
            .columns
            .iter()
            .map(|column| self.bind(value, column))
            .collect();
        let none = self.body(node, "none");
        let kind = into.map(|into| StepKind::Read { sql, into, none });
        (site, kind)
    }

    pub(super) fn sql(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let report = self.world.report;
        let prepared = self.statement(node, value, "sql");
        let rows = node
            .get("rows")
            .and_then(|rows| report.whole(rows, "`rows`", 1_000_000));
        let otherwise = self.body(node, "else");
        if let (Some(body), None) = (node.get("else"), node.get("rows")) {
            report.at(
                body,
                "`else` of `sql` without `rows`",
                "say how many rows the statement changes: rows: 1",
            );
        }
        let changes_schema = value.scalar().is_some_and(token::changes_schema);
        if let Some(rows) = node.get("rows").filter(|_| changes_schema) {
            let help =
                "leave `rows` out; when the statement fails, `catch` has `constraint` and `error`";
            report.at(rows, "`rows` of a statement that changes the schema", help);
        }
        if changes_schema {
            self.changes_main(value, prepared.as_ref().and_then(|(sql, _)| sql.db));
        }
        let changes = |(_, prepared): &&(Sql, Prepared)| !prepared.readonly || changes_schema;
        if let Some((_, prepared)) = prepared.as_ref().filter(|found| !changes(found)) {
            let help = "use `read:`, which binds the columns of the first row";
            let what = if prepared.columns.is_empty() {
                "changes nothing"
            } else {
                "only reads"
            };
            report.at(value, format!("this `sql` {what}"), help);
        }
        let kind = prepared.map(|(sql, _)| StepKind::Sql {
            sql,
            rows,
            otherwise: otherwise.unwrap_or_default(),
        });
        (self.site(node, "sql", value), kind)
    }

    /// A change of the schema is for the main file only: rules are fitted to it, and to nothing else.
    fn changes_main(&mut self, value: &Node, db: Option<usize>) {
        const WORDS: &str = "flows change the schema of the main database only";
        if db.is_some_and(|file| file > 0) {
            let help = "write the table under `schema` of the database";
            self.world.report.at(value, WORDS, help);
        }
        for file in self.world.defaults() {
            if db.is_none() && file > 0 {
                self.scope.unfit.push(Unfit {
                    file,
                    start: value.start,
                    end: value.end,
                    message: WORDS.to_owned(),
                });
            }
        }
    }

    pub(super) fn set(&mut self, value: &Node) -> (String, Option<StepKind>) {
        let report = self.world.report;
        let entries = report.mapping(value, "`set`");
        let first = entries.first().map_or("", |entry| entry.name());
        if entries.is_empty() {
            report.at(
                value,
                "`set` assigns nothing",
                "write set: { name: \"expression\" }",
            );
        }
        let mut assigned = Vec::new();
        for entry in entries {
            // The value first: it does not see the variable that it makes.
            let expr = self.expr(&entry.value);
            let var = self.bind(&entry.key, entry.name());
            assigned.extend(var.zip(expr));
        }
        (format!("set {first}"), Some(StepKind::Set(assigned)))
    }

    pub(super) fn new_id(&mut self, value: &Node) -> (String, Option<StepKind>) {
        let Some(name) = self.world.report.text(value, "`new_id`") else {
            return (String::new(), None);
        };
        let var = self.bind(value, name);
        (format!("new_id {name}"), var.map(StepKind::NewId))
    }

    pub(super) fn transaction(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let report = self.world.report;
        if self.scope.in_transaction {
            report.at(
                node,
                "a transaction inside a transaction",
                "SQLite has no nested ones: join the two",
            );
        }
        let begin = node.get("begin");
        let begin = begin.map_or(Some(0), |begin| {
            report.known(begin, "`begin`", &["deferred", "immediate"])
        });
        let db = self.database(node);
        self.scope.broken |= db.is_none();
        let outer = std::mem::replace(&mut self.scope.in_transaction, true);
        let outer_db = std::mem::replace(&mut self.scope.db, db.flatten());
        self.scope.opens = true;
        // Of the steps inside a wrong one nobody knows what they mean.
        let steps = db.map(|_| self.steps(as_steps(value)));
        self.scope.in_transaction = outer;
        self.scope.db = outer_db;
        let kind = begin
            .zip(steps)
            .zip(db)
            .map(|((begin, steps), db)| StepKind::Transaction {
                immediate: begin == 1,
                db,
                steps,
            });
        ("transaction".to_owned(), kind)
    }

    /// A variable for an assignment; `node` is where its name stands.
    pub(super) fn bind(&mut self, node: &Node, name: &str) -> Option<Var> {
        match self.scope.assign(name) {
            Ok(var) => {
                self.scope.used(var, node.start, node.end);
                Some(var)
            }
            Err((message, help)) => {
                self.scope.broken = true;
                self.world.report.at(node, message, help);
                None
            }
        }
    }
}

impl Walk<'_> {
    /// `sql session`: the verb and the table, or what a change of the schema is about. With `db` the table is that of a file.
    pub(super) fn site(&self, node: &Node, verb: &str, value: &Node) -> String {
        let db = node.get("db").and_then(Node::scalar);
        match (table(value), db) {
            (Some(name), Some(db)) => format!("{verb} {db}.{name}"),
            (Some(name), None) => format!("{verb} {name}"),
            (None, _) => verb.to_owned(),
        }
    }
}

fn table(value: &Node) -> Option<String> {
    let name = |sql: &str| {
        if token::changes_schema(sql) {
            token::made(sql)
        } else {
            token::table(sql)
        }
    };
    value.scalar().and_then(name)
}
