//! SQL texts and expressions of a flow: their variables become slots, SQLite has the last word on the rest.

use rusqlite::types::Value;

use super::super::fields::literal;
use super::super::names;
use super::super::node::Node;
use super::super::program::{Expr, Sql, Var};
use super::super::sql::{Prepared, Refusal};
use super::super::token::{self, Kind, Token};
use super::flow::Walk;
use super::scope::Unfit;

/// What stands before an expression when SQLite gets it.
const BEFORE: &str = "SELECT (";

/// SQL that stands in a scalar, as all of it or from the byte `from` of its value.
#[derive(Clone, Copy)]
struct Piece<'n> {
    node: &'n Node,
    text: &'n str,
    from: usize,
}

impl Walk<'_> {
    /// A whole statement.
    pub(super) fn statement(
        &mut self,
        step: &Node,
        node: &Node,
        verb: &str,
    ) -> Option<(Sql, Prepared)> {
        let text = self.world.report.text(node, &format!("`{verb}`"))?;
        let piece = Piece {
            node,
            text,
            from: 0,
        };
        let db = self.database(step)?;
        let outer = std::mem::replace(&mut self.scope.db, db);
        let prepared = self.prepare(piece, "", "");
        self.scope.db = outer;
        prepared
    }

    /// A value: a constant, a variable, or an expression for SQLite.
    pub(super) fn expr(&mut self, node: &Node) -> Option<Expr> {
        let report = self.world.report;
        match literal(node) {
            Some(Value::Text(_)) => {}
            Some(value) => return Some(Expr::Const(value)),
            None => {
                let message = format!(
                    "a value is a number, null or an SQL expression, not {}",
                    node.what()
                );
                report.at(node, message, "write an expression such as \":x\" or \"json_array(:x, 1)\"; numbers have 64 bits");
                return None;
            }
        }
        self.expr_within(node, node.scalar().unwrap_or(""), 0)
    }

    /// An expression that stands at the byte `from` of the value of a scalar.
    pub(super) fn expr_within(&mut self, node: &Node, text: &str, from: usize) -> Option<Expr> {
        let piece = Piece { node, text, from };
        if let [only] = token::tokens(text)[..] {
            if only.kind == Kind::Parameter {
                return self.variable(piece, &only).map(Expr::Var);
            }
            if let Some(value) = whole_text(&only) {
                return Some(Expr::Const(Value::Text(value)));
            }
        }
        // A comment at the end must not swallow the parenthesis.
        let after = if text.contains("--") { "\n)" } else { ")" };
        let (sql, _) = self.prepare(piece, BEFORE, after)?;
        Some(Expr::Sql(sql))
    }

    /// The values of a mapping, in order.
    pub(super) fn exprs(&mut self, node: &Node, what: &str) -> Vec<(String, Expr)> {
        let mut found = Vec::new();
        for entry in self.world.report.mapping(node, what) {
            if node.is_flow_map()
                && entry.value.is_null()
                && entry.name().contains([':', '(', ')', '\''])
            {
                self.world.report.unknown_key(node, entry, what, &[]);
            } else if let Some(expr) = self.expr(&entry.value) {
                found.push((entry.name().to_owned(), expr));
            }
        }
        found
    }

    fn prepare(&mut self, piece: Piece<'_>, before: &str, after: &str) -> Option<(Sql, Prepared)> {
        let tokens = token::tokens(piece.text);
        let params = self.parameters(piece, &tokens)?;
        let mut body = piece.text.to_owned();
        for token in tokens
            .iter()
            .filter(|token| token.text.starts_with(":memory."))
        {
            // `:memory.x` has the same length as `:memory_x`, so that places stay what they are.
            let dot = token.start + ":memory".len();
            body.replace_range(dot..=dot, "_");
        }
        let text = format!("{before}{body}{after}");
        let report = self.world.report;
        let prepared = self.accepted(piece, &text, before.len())?;
        if prepared.parameters != params.len() {
            let help = "variables are written :name, with letters, digits and _";
            report.at(
                piece.node,
                "SQLite counts other variables than Lockstep",
                help,
            );
            return None;
        }
        let db = self.scope.db;
        let sql = Sql { text, params, db };
        Some((sql, prepared))
    }

    /// What SQLite says about a text on the file that it is for, or on those of the processes. There one that fits is enough
    /// for now: who runs the flow is seen when all flows are known.
    fn accepted(&mut self, piece: Piece<'_>, text: &str, before: usize) -> Option<Prepared> {
        let files = self
            .scope
            .db
            .map_or_else(|| self.world.defaults(), |file| vec![file]);
        let (mut found, mut refused): (Option<Prepared>, Vec<(usize, Refusal)>) =
            (None, Vec::new());
        for file in files {
            match (self.world.checker.prepare(file, text), &mut found) {
                (Ok(prepared), None) => found = Some(prepared),
                (Ok(prepared), Some(found)) => found.varies |= prepared.columns != found.columns,
                (Err(refusal), _) => refused.push((file, refusal)),
            }
        }
        if found.is_none() {
            let (file, refusal) = refused.first()?;
            self.refused(piece, *file, refusal, before);
            return None;
        }
        let unfit = refused.into_iter().map(|(file, refusal)| Unfit {
            file,
            start: piece.node.start,
            end: piece.node.end,
            message: refusal.message,
        });
        self.scope.unfit.extend(unfit);
        found
    }

    fn refused(&self, piece: Piece<'_>, file: usize, refusal: &Refusal, before: usize) {
        let Refusal {
            message,
            offset,
            length,
        } = refusal;
        if self.world.checker.excuses(refusal) {
            return;
        }
        let known = self.scope.known();
        let elsewhere = self.elsewhere(file, message);
        let help =
            elsewhere.unwrap_or_else(|| self.world.checker.help(file, message, &refs(&known)));
        let message = format!("SQLite refuses this text: {message}");
        let from = piece.from + offset.saturating_sub(before);
        self.world
            .report
            .in_scalar(piece.node, from, *length, message, help);
    }

    /// What to do about a table that another file has.
    fn elsewhere(&self, file: usize, message: &str) -> Option<String> {
        let table = message.strip_prefix("no such table: ")?;
        let bare = table.rsplit('.').next().unwrap_or(table);
        let others = (0..self.world.databases.len()).filter(|other| *other != file);
        let has = |other: &usize| {
            let tables = self.world.checker.tables(*other);
            tables.iter().any(|known| known.eq_ignore_ascii_case(bare))
        };
        let found = &self.world.databases[others.into_iter().find(has)?];
        Some(format!(
            "`{bare}` is a table of `{found}`, and each file has a connection of its own: write `db: {found}` beside the statement, and `{bare}` in it"
        ))
    }

    /// Variables in the order of SQLite's numbers: by their first use.
    fn parameters(&mut self, piece: Piece<'_>, tokens: &[Token<'_>]) -> Option<Vec<Var>> {
        let mut seen: Vec<&str> = Vec::new();
        let mut params = Vec::new();
        let mut complete = true;
        for token in tokens {
            if token.kind == Kind::Foreign {
                let message = format!("`{}` is a parameter of another dialect", token.text);
                let from = piece.from + token.start;
                let report = self.world.report;
                report.in_scalar(
                    piece.node,
                    from,
                    token.text.len(),
                    message,
                    "name the variable: `:name`",
                );
                complete = false;
            }
            if token.kind == Kind::Parameter && !seen.contains(&token.text) {
                seen.push(token.text);
                match self.variable(piece, token) {
                    Some(var) => params.push(var),
                    None => complete = false,
                }
            }
        }
        complete.then_some(params)
    }

    fn variable(&mut self, piece: Piece<'_>, token: &Token<'_>) -> Option<Var> {
        let name = token.text.strip_prefix(':')?;
        let Some(var) = self.scope.find(name) else {
            if self.scope.broken {
                return None;
            }
            let help = format!(
                "{}; a parameter, a column of `read`, `set`, `new_id`, `create` or `as` binds a variable before its use",
                names::help(name, "variable", &refs(&self.scope.known()))
            );
            let message = format!("unbound variable `:{name}`");
            let from = piece.from + token.start;
            self.world
                .report
                .in_scalar(piece.node, from, token.text.len(), message, help);
            return None;
        };
        self.scope.used(var, piece.node.start, piece.node.end);
        Some(var)
    }
}

fn refs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// The value of `'…'`, when the token is closed.
fn whole_text(token: &Token<'_>) -> Option<String> {
    if token.kind != Kind::Text {
        return None;
    }
    let inner = token.text.strip_prefix('\'')?.strip_suffix('\'')?;
    // An odd quote at the end means that the text is still open.
    let quotes = inner.matches('\'').count();
    let doubled = inner.matches("''").count();
    (quotes == 2 * doubled).then(|| inner.replace("''", "'"))
}
