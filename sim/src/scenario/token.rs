//! The little of SQL's spelling that this room needs: where words, texts, parameters and comments begin and end.

/// Kinds of tokens that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bare word: keyword, table, column, number.
    Word,
    /// `'…'`
    Text,
    /// `"…"`, `` `…` `` or `[…]`: a quoted name.
    Quoted,
    /// `:name` or `:memory.name`.
    Parameter,
    /// `?`, `?1`, `@x`, `$x`: parameters of other dialects.
    Foreign,
    /// `;`
    End,
    /// Any other single character.
    Mark,
}

/// One token and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    /// Compares a word without regard to case, as SQL does.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// All tokens of a text, without blanks and comments.
pub(crate) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (kind, length) = next(rest, first);
        if let Some(kind) = kind {
            let text = &rest[..length];
            found.push(Token {
                kind,
                start: at,
                text,
            });
        }
        at += length;
    }
    found
}

/// Kind and length of the token at the start; blanks and comments have no kind.
fn next(rest: &str, first: char) -> (Option<Kind>, usize) {
    let one = first.len_utf8();
    match first {
        c if c.is_whitespace() => (None, one),
        '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
        '\'' => (Some(Kind::Text), quoted(rest, '\'')),
        '"' | '`' => (Some(Kind::Quoted), quoted(rest, first)),
        '[' => (
            Some(Kind::Quoted),
            rest.find(']').map_or(rest.len(), |end| end + 1),
        ),
        ';' => (Some(Kind::End), one),
        ':' | '@' | '$' | '?' => parameter(rest, first),
        c if is_word(c) => (Some(Kind::Word), word(rest)),
        _ => (Some(Kind::Mark), one),
    }
}

fn parameter(rest: &str, first: char) -> (Option<Kind>, usize) {
    let name = word(&rest[1..]);
    match first {
        ':' if name == 0 => (Some(Kind::Mark), 1),
        ':' => {
            let memory = rest.starts_with(":memory.");
            let length = if memory {
                8 + word(&rest[8..])
            } else {
                1 + name
            };
            (Some(Kind::Parameter), length)
        }
        '?' => (Some(Kind::Foreign), 1 + name),
        _ if name == 0 => (Some(Kind::Mark), 1),
        _ => (Some(Kind::Foreign), 1 + name),
    }
}

/// Length of a quoted token; the quote is doubled inside.
fn quoted(rest: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(end) = rest[at..].find(quote) {
        at += end + 1;
        if !rest[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    rest.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || !c.is_ascii()
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())
}

/// The table that a statement is about: the word after FROM, INTO or UPDATE.
pub(crate) fn table(sql: &str) -> Option<String> {
    let tokens = tokens(sql);
    let before = |token: &Token<'_>| token.is("FROM") || token.is("INTO") || token.is("UPDATE");
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1);
        // UPDATE OR IGNORE t: two words more. `DO UPDATE SET` of an upsert comes after INTO.
        let next = match next {
            Some(word) if word.is("OR") => tokens.get(index + 3),
            other => other,
        };
        if let Some(name) = next.filter(|_| before(token)) {
            let named = matches!(name.kind, Kind::Word | Kind::Quoted);
            return named.then(|| plain(name));
        }
    }
    None
}

/// Whether a statement changes the schema.
pub(crate) fn changes_schema(sql: &str) -> bool {
    let tokens = tokens(sql);
    let first = tokens.first();
    first.is_some_and(|first| DDL.iter().any(|word| first.is(word)))
}

/// What a statement that changes the schema makes, alters or drops: the name after TABLE, INDEX, VIEW or TRIGGER.
pub(crate) fn made(sql: &str) -> Option<String> {
    let tokens = tokens(sql);
    let is_thing = |token: &Token<'_>| THINGS.iter().any(|word| token.is(word));
    let at = tokens.iter().position(is_thing)?;
    let between = |token: &&Token<'_>| EXISTENCE.iter().any(|word| token.is(word));
    let name = tokens[at + 1..].iter().find(|token| !between(token))?;
    Some(plain(name))
}

const DDL: [&str; 3] = ["CREATE", "ALTER", "DROP"];
const THINGS: [&str; 4] = ["TABLE", "INDEX", "VIEW", "TRIGGER"];
const EXISTENCE: [&str; 3] = ["IF", "NOT", "EXISTS"];

/// A name without its quotes.
fn plain(name: &Token<'_>) -> String {
    name.text.trim_matches(['"', '`', '[', ']']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Kind, changes_schema, made, table, tokens};

    fn of(kind: Kind, sql: &str) -> Vec<&str> {
        let all = tokens(sql).into_iter().filter(|token| token.kind == kind);
        all.map(|token| token.text).collect()
    }

    #[test]
    fn parameters_are_found_outside_of_texts_and_comments() {
        let sql = "SELECT ':no', \":no\", :yes /* :no */ + :memory.a, x::y -- :no\n , :last";
        assert_eq!(
            of(Kind::Parameter, sql),
            [":yes", ":memory.a", ":y", ":last"]
        );
        assert_eq!(of(Kind::Foreign, "?1 ? @a $b"), ["?1", "?", "@a", "$b"]);
        assert_eq!(of(Kind::Text, "'it''s' 'open"), ["'it''s'", "'open"]);
    }

    #[test]
    fn the_table_of_a_statement() {
        assert_eq!(
            table("SELECT a FROM \"t u\" WHERE 1").as_deref(),
            Some("t u")
        );
        assert_eq!(
            table("INSERT OR IGNORE INTO t VALUES (1)").as_deref(),
            Some("t")
        );
        assert_eq!(table("update or replace t set a = 1").as_deref(), Some("t"));
        assert_eq!(table("SELECT 1").as_deref(), None);
        assert_eq!(
            table("SELECT count(*) FROM (SELECT 1 FROM u)").as_deref(),
            None
        );
    }

    #[test]
    fn what_a_change_of_the_schema_is_about() {
        for (sql, name) in [
            ("CREATE UNIQUE INDEX IF NOT EXISTS one ON t (a)", "one"),
            ("alter table [t u] ADD COLUMN b", "t u"),
            ("DROP INDEX IF EXISTS \"one\"", "one"),
            (
                "CREATE TRIGGER after_t AFTER INSERT ON t BEGIN UPDATE u SET a = 1; END",
                "after_t",
            ),
        ] {
            assert!(changes_schema(sql), "{sql}");
            assert_eq!(made(sql).as_deref(), Some(name), "{sql}");
        }
        assert!(!changes_schema("INSERT INTO t VALUES ('create')") && !changes_schema(""));
    }
}
