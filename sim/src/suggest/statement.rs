//! The little that a repair has to know of a statement: its one table, what it asks, and what it writes.

use crate::scenario::token::{Kind, Token, tokens};
use crate::scenario::{Sql, Var};

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Select,
    Update,
    Delete,
    Insert,
}

/// A statement about one table, without groups, joins and results of writes.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    pub(super) verb: Verb,
    pub(super) table: &'a str,
    sql: &'a str,
    tokens: Vec<Token<'a>>,
    /// In how many parentheses each token stands.
    depths: Vec<usize>,
    /// The token of the table.
    name: usize,
    /// The first token of its condition.
    filter: Option<usize>,
    /// The token behind its condition, or behind the place where one could stand.
    end: usize,
}

impl<'a> Statement<'a> {
    /// `None` for any other statement.
    pub(super) fn of(sql: &'a str) -> Option<Self> {
        let mut tokens = tokens(sql);
        while tokens.last().is_some_and(|last| last.kind == Kind::End) {
            tokens.pop();
        }
        let depths = depths(&tokens);
        let top = |word: &str| {
            let mut all = tokens.iter().zip(&depths);
            all.position(|(token, depth)| *depth == 0 && token.is(word))
        };
        let (verb, name) = match tokens.first()? {
            first if first.is("SELECT") => (Verb::Select, top("FROM")? + 1),
            first if first.is("DELETE") => (Verb::Delete, top("FROM")? + 1),
            first if first.is("INSERT") => (Verb::Insert, top("INTO")? + 1),
            // UPDATE OR IGNORE t
            first if first.is("UPDATE") && tokens.get(1)?.is("OR") => (Verb::Update, 3),
            first if first.is("UPDATE") => (Verb::Update, 1),
            _ => return None,
        };
        let table = tokens.get(name).filter(|name| name.kind == Kind::Word)?;
        let filter = top("WHERE");
        let end = [top("ORDER"), top("LIMIT")].into_iter().flatten().min();
        let end = end.unwrap_or(tokens.len());
        let asks_next = name + 1 == filter.unwrap_or(end);
        let plain = match verb {
            Verb::Select | Verb::Delete => asks_next,
            Verb::Update => top("SET") == Some(name + 1) && top("FROM").is_none(),
            Verb::Insert => true,
        };
        let simple = UNFIT.iter().all(|word| top(word).is_none());
        (plain && simple).then_some(Self {
            verb,
            table: table.text,
            sql,
            name,
            filter: filter.map(|at| at + 1),
            end,
            depths,
            tokens,
        })
    }

    /// The parts of its condition that all have to be true; none if it is not made of such parts.
    pub(super) fn conjuncts(&self) -> Vec<&'a str> {
        let Some(from) = self.filter else {
            return Vec::new();
        };
        let mixed = |at: usize| MIXED.iter().any(|word| self.tokens[at].is(word));
        if (from..self.end).any(|at| self.depths[at] == 0 && mixed(at)) {
            return Vec::new();
        }
        self.split(from, self.end, &|token| token.is("AND"))
    }

    /// Whether a query shows this column.
    pub(super) fn selects(&self, column: &str) -> bool {
        let shown = self.split(1, self.name - 1, &|token| token.text == ",");
        shown.contains(&column) || shown == ["*"]
    }

    /// What it writes: columns, and expressions as text. `columns` are those of the table, for an insert that names none.
    pub(super) fn written(&self, columns: &'a [String]) -> Vec<(&'a str, &'a str)> {
        let comma = |token: &Token<'_>| token.text == ",";
        match self.verb {
            Verb::Update => {
                let end = self.filter.map_or(self.end, |at| at - 1);
                let parts = self.split(self.name + 2, end, &comma);
                let pairs = parts.into_iter().filter_map(|part| part.split_once('='));
                pairs
                    .map(|(column, value)| (column.trim(), value.trim()))
                    .collect()
            }
            Verb::Insert => self.inserted(columns, &comma),
            Verb::Select | Verb::Delete => Vec::new(),
        }
    }

    fn inserted(
        &self,
        columns: &'a [String],
        comma: &dyn Fn(&Token<'_>) -> bool,
    ) -> Vec<(&'a str, &'a str)> {
        let values = self.tokens.iter().position(|token| token.is("VALUES"));
        let Some(values) = values.and_then(|at| self.inside(at + 1)) else {
            return Vec::new();
        };
        let names: Vec<&str> = match self.inside(self.name + 1) {
            Some((from, to)) => self.split(from, to, comma),
            None => columns.iter().map(String::as_str).collect(),
        };
        let values = self.split(values.0, values.1, comma);
        names.into_iter().zip(values).collect()
    }

    /// The tokens inside the parentheses that open here.
    fn inside(&self, open: usize) -> Option<(usize, usize)> {
        self.tokens.get(open).filter(|token| token.text == "(")?;
        let close =
            (open + 1..self.tokens.len()).find(|at| self.depths[*at] == self.depths[open])?;
        Some((open + 1, close))
    }

    /// The texts between separators of the outermost level.
    fn split(&self, from: usize, to: usize, is: &dyn Fn(&Token<'_>) -> bool) -> Vec<&'a str> {
        let Some(level) = self.depths[from..to].iter().min() else {
            return Vec::new();
        };
        let ends = (from..to).filter(|at| self.depths[*at] == *level && is(&self.tokens[*at]));
        let mut parts = Vec::new();
        let mut begin = from;
        for end in ends.chain([to]) {
            parts.extend(self.text(begin, end));
            begin = end + 1;
        }
        parts
    }

    fn text(&self, from: usize, to: usize) -> Option<&'a str> {
        let (first, last) = (
            self.tokens[from..to].first()?,
            self.tokens[from..to].last()?,
        );
        Some(&self.sql[first.start..last.start + last.text.len()])
    }

    /// The statement with one condition more.
    pub(super) fn also(&self, condition: &str) -> String {
        let until = |at: usize| {
            self.tokens
                .get(at)
                .map_or(self.sql.len(), |token| token.start)
        };
        let (before, behind) = match self.filter {
            Some(from) => (until(from), until(self.end)),
            None => (until(self.end), until(self.end)),
        };
        let rest = self.sql[behind..].trim_end_matches(';');
        match self.filter.and_then(|from| self.text(from, self.end)) {
            Some(asked) => format!("{}{condition} AND ({asked}) {rest}", &self.sql[..before]),
            None => {
                let head = self.sql[..before].trim_end().trim_end_matches(';');
                format!("{head} WHERE {condition} {rest}")
            }
        }
    }
}

/// In how many parentheses each token stands; a parenthesis itself stands outside.
fn depths(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut depth = 0_usize;
    let level = |token: &Token<'_>| match token.text {
        "(" => {
            depth += 1;
            depth - 1
        }
        ")" => {
            depth = depth.saturating_sub(1);
            depth
        }
        _ => depth,
    };
    tokens.iter().map(level).collect()
}

/// A statement with one of these is more than what is looked for here.
const UNFIT: [&str; 8] = [
    "JOIN",
    "GROUP",
    "HAVING",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "RETURNING",
    "WINDOW",
];

/// A condition with one of these is no list of parts that all have to be true.
const MIXED: [&str; 3] = ["OR", "BETWEEN", "CASE"];

/// Names in a statement, without their colons, and the variables behind them, in the order of the parameters.
pub(super) fn named(sql: &Sql) -> Vec<(String, Var)> {
    let names = names(&sql.text);
    names.into_iter().zip(sql.params.iter().copied()).collect()
}

/// Each name once, in the order in which the engine numbers them.
pub(super) fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let all = tokens(text).into_iter();
    for token in all.filter(|token| token.kind == Kind::Parameter) {
        let name = token.text.trim_start_matches(':');
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{Statement, names};

    fn of(sql: &str) -> Statement<'_> {
        Statement::of(sql).unwrap_or_else(|| panic!("{sql}"))
    }

    #[test]
    fn what_a_statement_asks() {
        let update = of("UPDATE t SET a = :a, b = iif(c, 1, 2) WHERE id = :id AND a IN ('x', 'y')");
        assert_eq!(update.table, "t");
        assert_eq!(update.conjuncts(), ["id = :id", "a IN ('x', 'y')"]);
        assert_eq!(update.written(&[]), [("a", ":a"), ("b", "iif(c, 1, 2)")]);
        assert!(of("DELETE FROM t").conjuncts().is_empty());
        assert!(
            of("SELECT a FROM t WHERE a OR b AND c")
                .conjuncts()
                .is_empty()
        );
        let columns = ["id".to_owned(), "state".to_owned()];
        let insert = of("INSERT INTO t VALUES (:id, 'new')");
        assert_eq!(
            insert.written(&columns),
            [("id", ":id"), ("state", "'new'")]
        );
        let insert = of("INSERT OR IGNORE INTO t (state) VALUES (f(1, 2))");
        assert_eq!(insert.written(&columns), [("state", "f(1, 2)")]);
        for other in [
            "SELECT a FROM t JOIN u",
            "SELECT a FROM t, u",
            "SELECT a FROM t x WHERE a",
            "SELECT a FROM t GROUP BY a",
            "UPDATE t SET a = 1 FROM u",
            "CREATE TABLE t (a)",
        ] {
            assert!(Statement::of(other).is_none(), "{other}");
        }
    }

    #[test]
    fn one_condition_more() {
        for (sql, more) in [
            ("DELETE FROM t;", "DELETE FROM t WHERE c = 1"),
            (
                "UPDATE t SET a = 1 WHERE x OR y",
                "UPDATE t SET a = 1 WHERE c = 1 AND (x OR y)",
            ),
            (
                "SELECT (SELECT 1 WHERE 0) FROM t ORDER BY n LIMIT 1",
                "SELECT (SELECT 1 WHERE 0) FROM t WHERE c = 1 ORDER BY n LIMIT 1",
            ),
            (
                "SELECT a FROM t WHERE b = :b LIMIT 1",
                "SELECT a FROM t WHERE c = 1 AND (b = :b) LIMIT 1",
            ),
        ] {
            assert_eq!(of(sql).also("c = 1").trim_end(), more, "{sql}");
        }
        assert_eq!(names("SELECT :b, :a, ':c', :b"), ["b", "a"]);
    }
}
