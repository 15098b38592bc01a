//! Prepares every SQL text of a scenario on an empty in-memory SQLite with the variant's schema, so that a run cannot
//! meet a misspelt column. What SQLite refuses comes back with the byte at which it stopped.

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Error, Statement};

use super::names;
use super::node::Node;
use super::problem::Report;
use super::store;
use super::token::{self, Kind};

/// Tables of fixed shape that *history*, *finally* and goals read besides the database.
///
/// `event`: what happened, in order `n`; `end_n` is where it ended. `effect`: what happened outside, with the
/// provider's key. `change`: rows that commits wrote and the cause that did; `key` is the first column, `old` and `new`
/// are the row as JSON, NULL when there was none.
pub const RECORDED_TABLES: &str = "\
CREATE TEMP TABLE event (n INTEGER NOT NULL, end_n INTEGER, actor TEXT, cause TEXT, kind TEXT, arg, outcome TEXT);
CREATE TEMP TABLE effect (n INTEGER NOT NULL, cause TEXT, name TEXT, intent, key, value);
CREATE TEMP TABLE change (n INTEGER NOT NULL, cause TEXT, tab TEXT, key, old TEXT, new TEXT);
";

/// Steps of SQLite's machine for all the statements of one variant. The reference store's migration takes some
/// thousand; a schema that computes for ever is stopped.
const BUDGET: u64 = 20_000_000;
const BUDGET_STEP: i32 = 1_000;

/// Functions that would make a run depend on more than its case, or reach outside of it.
const FORBIDDEN: [&str; 7] = [
    "random",
    "randomblob",
    "load_extension",
    "readfile",
    "writefile",
    "edit",
    "fts3_tokenizer",
];

/// What SQLite says about one statement.
pub(super) struct Prepared {
    pub(super) columns: Vec<String>,
    pub(super) parameters: usize,
    pub(super) readonly: bool,
}

/// What SQLite refuses.
pub(super) struct Refusal {
    pub(super) message: String,
    /// Byte of the text where it stopped.
    pub(super) offset: usize,
}

/// A scratch database with one variant's schema.
pub(super) struct Checker {
    conn: Connection,
}

impl Checker {
    /// An empty database, or one with the reference store's tables.
    pub(super) fn open(with_store: bool) -> Result<Self, String> {
        let words = |error: Error| error.to_string();
        let mut conn = Connection::open_in_memory().map_err(words)?;
        if with_store {
            store::migrate(&mut conn).map_err(|error| error.to_string())?;
        }
        Self::guard(&mut conn).map_err(words)?;
        Ok(Self { conn })
    }

    /// From here on the texts are a stranger's.
    fn guard(conn: &mut Connection) -> Result<(), Error> {
        // A misspelt column in double quotes would silently be a text.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        conn.authorizer(Some(authorize))?;
        let mut spent: u64 = 0;
        let watch = move || {
            spent += u64::from(BUDGET_STEP.unsigned_abs());
            spent > BUDGET
        };
        conn.progress_handler(BUDGET_STEP, Some(watch))
    }

    /// Executes DDL from the file.
    pub(super) fn schema(&self, report: &Report<'_>, node: &Node) {
        let Some(text) = report.text(node, "`schema`") else {
            return;
        };
        if let Err(error) = self.conn.execute_batch(text) {
            // SQLite counts from the statement that it was given, which is the rest of the text.
            let skipped = match &error {
                Error::SqlInputError { sql, .. } => text.len().saturating_sub(sql.len()),
                _ => 0,
            };
            let mut refusal = refusal(&error);
            refusal.offset += skipped;
            let help = self.help(&refusal.message, &[]);
            report.in_scalar(
                node,
                refusal.offset,
                1,
                format!("SQLite refuses this schema: {}", refusal.message),
                help,
            );
        }
    }

    /// Adds the recorded tables. What was prepared before does not see them.
    pub(super) fn record(&self) -> Result<(), String> {
        self.conn
            .execute_batch(RECORDED_TABLES)
            .map_err(|error| error.to_string())
    }

    /// Prepares one statement.
    pub(super) fn prepare(&self, sql: &str) -> Result<Prepared, Refusal> {
        let tokens = token::tokens(sql);
        let Some(first) = tokens.first() else {
            return Err(Refusal {
                message: "the text is empty".to_owned(),
                offset: 0,
            });
        };
        let end = tokens.iter().position(|token| token.kind == Kind::End);
        if let Some(extra) = end.and_then(|end| tokens.get(end + 1)) {
            let message = "more than one statement in one step".to_owned();
            return Err(Refusal {
                message,
                offset: extra.start,
            });
        }
        let transaction = ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"];
        if transaction.iter().any(|word| first.is(word)) {
            let message = format!("`{}` by hand", first.text);
            return Err(Refusal {
                message,
                offset: first.start,
            });
        }
        self.conn
            .prepare(sql)
            .map(|statement| describe(&statement))
            .map_err(|error| refusal(&error))
    }

    /// What to do about a refusal of SQLite.
    pub(super) fn help(&self, message: &str, variables: &[&str]) -> String {
        let about = |prefix: &str| message.strip_prefix(prefix).map(str::trim);
        if let Some(table) = about("no such table:") {
            let tables = self.names(
                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name",
            );
            return names::help(table, "table", &refs(&tables));
        }
        if let Some(column) = about("no such column:") {
            let bare = column
                .trim_matches('"')
                .split(" - ")
                .next()
                .unwrap_or(column)
                .trim_matches('"');
            if variables.contains(&bare) {
                return format!("a variable is written with a colon: `:{bare}`");
            }
            return self.column_help(bare);
        }
        if message.ends_with("by hand") {
            return "write the steps under `transaction:`; it commits at its end".to_owned();
        }
        if message.starts_with("more than one statement") {
            return "give each statement a step of its own".to_owned();
        }
        if message.starts_with("not authorized") {
            return "scenario SQL may not attach files, set pragmas or draw random numbers; \
                    `new_id` makes ids and `:now` is the time"
                .to_owned();
        }
        if message.contains("interrupted") {
            return "the statements of this variant take too much work to be prepared".to_owned();
        }
        "the text must be one SQLite statement; `: `, ` #` and, inside { }, a comma end an unquoted YAML text".to_owned()
    }

    fn column_help(&self, column: &str) -> String {
        let columns = self.names(
            "SELECT DISTINCT c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c WHERE s.type = 'table' ORDER BY c.name",
        );
        let bare = column.rsplit('.').next().unwrap_or(column);
        let near = names::nearest(bare, &refs(&columns))
            .map_or(String::new(), |near| format!("did you mean `{near}`? "));
        format!(
            "{near}a text is written in single quotes, inside the YAML quotes: \"'{bare}'\"; a variable with a colon: `:{bare}`"
        )
    }

    /// First column of a query of ours; nothing when it fails, since it only serves a help text.
    fn names(&self, sql: &str) -> Vec<String> {
        let read = || -> Result<Vec<String>, Error> {
            let mut statement = self.conn.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        };
        read().unwrap_or_default()
    }
}

fn refs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn describe(statement: &Statement<'_>) -> Prepared {
    Prepared {
        columns: statement
            .column_names()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        parameters: statement.parameter_count(),
        readonly: statement.readonly(),
    }
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::SqlInputError { msg, offset, .. } => Refusal {
            message: msg.clone(),
            offset: usize::try_from(*offset).unwrap_or(0),
        },
        Error::SqliteFailure(_, Some(message)) => Refusal {
            message: message.clone(),
            offset: 0,
        },
        Error::MultipleStatement => Refusal {
            message: "more than one statement in one step".to_owned(),
            offset: 0,
        },
        other => Refusal {
            message: other.to_string(),
            offset: 0,
        },
    }
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    let allowed = match context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => false,
        AuthAction::Pragma { pragma_name, .. } => pragma_name == "table_info",
        AuthAction::Function { function_name } => !FORBIDDEN
            .iter()
            .any(|name| function_name.eq_ignore_ascii_case(name)),
        _ => true,
    };
    if allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

impl Report<'_> {
    /// Adds a problem about `length` bytes at `offset` of the value of a scalar.
    pub(super) fn in_scalar(
        &self,
        node: &Node,
        offset: usize,
        length: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let value = node.scalar().unwrap_or("");
        let byte = |offset| {
            self.source()
                .byte_of(node.start, node.end, node.style(), value, offset)
        };
        let start = byte(offset.min(value.len()));
        let end = start.saturating_add(length).min(node.end.max(start));
        self.add(start, end, message, help);
    }
}
