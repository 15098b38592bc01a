//! Prepares every SQL text of a scenario on an empty in-memory SQLite with the variant's schema, so that a run cannot
//! meet a misspelt column. What SQLite refuses comes back with the byte at which it stopped.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, Error, Statement};

use super::node::Node;
use super::problem::Report;
use super::store;
use super::token::{self, Kind, Token};

/// Tables of fixed shape that *history*, *finally* and goals read besides the database.
///
/// `event`: what happened, in order `n`; `end_n` is where it ended. `effect`: what happened outside, with the
/// provider's key. `change`: rows that commits wrote and the cause that did; `key` is the first column, `old` and `new`
/// are the row as JSON, NULL when there was none. `inherited`: what the variant before this one had violated when it ended.
pub const RECORDED_TABLES: &str = "\
CREATE TEMP TABLE event (n INTEGER NOT NULL, end_n INTEGER, actor TEXT, cause TEXT, kind TEXT, arg, outcome TEXT, at_ms INTEGER, end_ms INTEGER);
CREATE TEMP TABLE effect (n INTEGER NOT NULL, cause TEXT, name TEXT, intent, key, value, author TEXT, destination, at_ms INTEGER);
CREATE TEMP TABLE change (n INTEGER NOT NULL, cause TEXT, tab TEXT, key, old TEXT, new TEXT, at_ms INTEGER);
CREATE TEMP TABLE inherited (invariant TEXT NOT NULL, key TEXT NOT NULL);
";

/// Steps of SQLite's machine for all the statements of one variant. The reference store's migration takes some
/// thousand; a schema that computes for ever is stopped.
const BUDGET: u64 = 500_000;
const BUDGET_STEP: i32 = 1_000;
/// Bytes of the longest value or row: what is executed here is a schema with a few rows.
const LONGEST_VALUE: i32 = 1 << 15;
/// Pages of a scratch database, of 4 KiB each.
const PAGES: u32 = 4_096;

/// Functions that would make a run depend on more than its case, or reach outside of it.
const FORBIDDEN: [&str; 10] = [
    "changes",
    "total_changes",
    "last_insert_rowid",
    "random",
    "randomblob",
    "load_extension",
    "readfile",
    "writefile",
    "edit",
    "fts3_tokenizer",
];

/// Words that ask SQLite's own clock, which stands still in a simulation, and functions that do when told `'now'`.
const CLOCKS: [&str; 3] = ["CURRENT_TIMESTAMP", "CURRENT_TIME", "CURRENT_DATE"];
const DATES: [&str; 7] = [
    "date",
    "time",
    "datetime",
    "julianday",
    "unixepoch",
    "strftime",
    "timediff",
];

/// What SQLite says about one statement.
pub(super) struct Prepared {
    pub(super) columns: Vec<String>,
    /// Flows change the schema so that it returns other columns then.
    pub(super) varies: bool,
    pub(super) parameters: usize,
    pub(super) readonly: bool,
}

/// What SQLite refuses.
pub(super) struct Refusal {
    pub(super) message: String,
    /// Byte of the text where it stopped.
    pub(super) offset: usize,
    /// Bytes of the word that stands there.
    pub(super) length: usize,
}

/// A scratch database with one variant's schema.
pub(super) struct Checker {
    conn: Connection,
    /// One for each further file.
    further: Vec<Connection>,
    /// The same as `conn` after each change of the schema by a flow.
    pub(super) stages: RefCell<Vec<Connection>>,
    /// The schema is wrong: what is missing because of it is no news.
    broken: Cell<bool>,
    with_store: bool,
    /// The DDL of the file.
    pub(super) schemas: RefCell<Vec<String>>,
    watch: Watch,
}

/// What all scratch databases of a variant share: the work that they have done, and whether they may make temporary tables
/// and attach others.
#[derive(Clone, Default)]
struct Watch {
    spent: Arc<AtomicU64>,
    records: Arc<AtomicBool>,
}

impl Checker {
    /// An empty database, or one with the reference store's tables, and so many further files.
    pub(super) fn open(with_store: bool, further: usize) -> Result<Self, String> {
        let watch = Watch::default();
        Ok(Self {
            conn: scratch(with_store, &watch)?,
            further: (0..further)
                .map(|_| scratch(false, &watch))
                .collect::<Result<_, _>>()?,
            stages: RefCell::default(),
            broken: Cell::new(false),
            with_store,
            schemas: RefCell::default(),
            watch,
        })
    }

    /// Another such database, without the schema of the file.
    pub(super) fn scratch(&self) -> Result<Connection, String> {
        scratch(self.with_store, &self.watch)
    }

    /// Executes the DDL of a database file; 0 is the main one.
    pub(super) fn schema(&self, report: &Report<'_>, file: usize, node: &Node) {
        let Some(text) = report.text(node, "`schema`") else {
            return;
        };
        if file == 0 {
            return self.execute(report, node, 0, text);
        }
        self.executed(report, file, node, 0, text);
    }

    /// Executes DDL for the main file that stands at the byte `from` of a scalar.
    pub(super) fn execute(&self, report: &Report<'_>, node: &Node, from: usize, text: &str) {
        self.schemas.borrow_mut().push(text.to_owned());
        self.executed(report, 0, node, from, text);
    }

    fn executed(&self, report: &Report<'_>, file: usize, node: &Node, from: usize, text: &str) {
        if let Err(error) = self.of(file).execute_batch(text) {
            self.broken.set(true);
            let refusal = refusal(&error, text);
            let help = self.help(file, &refusal.message, &[]);
            let message = format!("SQLite refuses this schema: {}", refusal.message);
            report.in_scalar(node, from + refusal.offset, refusal.length, message, help);
        }
    }

    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Whether a refusal only follows from a wrong schema.
    pub(super) fn excuses(&self, refusal: &Refusal) -> bool {
        let follows = ["no such", "interrupted"]
            .iter()
            .any(|word| refusal.message.starts_with(word));
        self.broken.get() && follows
    }

    fn of(&self, file: usize) -> &Connection {
        let further = file.checked_sub(1).and_then(|at| self.further.get(at));
        further.unwrap_or(&self.conn)
    }

    /// The tables of a database file.
    pub(super) fn tables(&self, file: usize) -> Vec<String> {
        self.names(
            file,
            "SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view')",
        )
    }

    /// The first column of a query of ours on a database file, in its first schema and after all changes of it.
    pub(super) fn names(&self, file: usize, sql: &str) -> Vec<String> {
        let stages = self.stages.borrow();
        let last = stages.last().filter(|_| file == 0);
        let mut found: Vec<String> = Vec::new();
        for conn in [self.of(file)].into_iter().chain(last) {
            let read = || -> Result<Vec<String>, Error> {
                conn.prepare(sql)?
                    .query_map([], |row| row.get(0))?
                    .collect()
            };
            // Nothing when it fails, since it only serves a help text.
            let new = read().unwrap_or_default().into_iter();
            let new: Vec<String> = new.filter(|name| !found.contains(name)).collect();
            found.extend(new);
        }
        found
    }

    /// Adds the recorded tables. What was prepared before does not see them.
    pub(super) fn record(&self) -> Result<(), String> {
        self.watch.records.store(true, Ordering::Relaxed);
        let record = |conn: &Connection| conn.execute_batch(RECORDED_TABLES);
        let stages = self.stages.borrow();
        let done = [&self.conn]
            .into_iter()
            .chain(&*stages)
            .try_for_each(record);
        self.watch.records.store(false, Ordering::Relaxed);
        done.map_err(|error| error.to_string())
    }

    /// A table of which this rule reads all rows when it is asked for one key; none when an index leads to them.
    pub(super) fn scans(&self, rule: &str, per: &str) -> Option<String> {
        let rule = rule.trim().trim_end_matches(';');
        let plan = format!("EXPLAIN QUERY PLAN SELECT * FROM ({rule}\n) WHERE \"{per}\" = 1");
        let mut statement = self.conn.prepare(&plan).ok()?;
        let lines = statement
            .query_map([], |row| row.get::<_, String>(3))
            .ok()?;
        let lines: Vec<String> = lines.flatten().collect();
        let scanned = lines.iter().filter_map(|line| line.strip_prefix("SCAN "));
        let names = scanned.filter_map(|line| line.split(' ').next());
        let tables = self.names(0, "SELECT name FROM sqlite_schema WHERE type = 'table'");
        let known = |name: &str| tables.iter().find(|table| table.eq_ignore_ascii_case(name));
        let tokens: Vec<Token<'_>> = token::tokens(rule)
            .into_iter()
            .filter(|token| !token.is("AS"))
            .collect();
        // The plan says how the query calls a table; a subquery or a function is none.
        let called = |name: &str| {
            let pairs = tokens.windows(2);
            let mut pairs = pairs.filter(|pair| pair[1].is(name));
            pairs.find_map(|pair| known(pair[0].text))
        };
        let mut found = names.filter_map(|name| called(name).or_else(|| known(name)));
        found.next().cloned()
    }

    /// From here on, texts for the main file see the others under their names, as rules do. `names` are those of all files.
    pub(super) fn attach(&self, names: &[String]) -> Result<(), String> {
        self.watch.records.store(true, Ordering::Relaxed);
        let stages = self.stages.borrow();
        let files = self.further.iter().zip(names.iter().skip(1));
        let done = files.into_iter().try_for_each(|(further, name)| {
            let mut each = [&self.conn].into_iter().chain(&*stages);
            each.try_for_each(|conn| copy_tables(further, conn, name))
        });
        self.watch.records.store(false, Ordering::Relaxed);
        done.map_err(|error| error.to_string())
    }

    /// Prepares one statement for a database file.
    pub(super) fn prepare(&self, file: usize, sql: &str) -> Result<Prepared, Refusal> {
        let tokens = token::tokens(sql);
        let refused = |message: String| Refusal {
            message,
            offset: tokens.first().map_or(0, |first| first.start),
            length: tokens.first().map_or(1, |first| first.text.len()),
        };
        let Some(first) = tokens.first() else {
            return Err(refused("the text is empty".to_owned()));
        };
        let transaction = ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"];
        if transaction.iter().any(|word| first.is(word)) {
            return Err(refused(format!("`{}` by hand", first.text)));
        }
        if let Some(clock) = asks_a_clock(&tokens) {
            let (offset, length) = (clock.start, clock.text.len());
            return Err(Refusal {
                message: format!("`{}` asks a clock", clock.text),
                offset,
                length,
            });
        }
        if file > 0 {
            let statement = self.of(file).prepare(sql);
            return statement
                .map(|found| describe(&found))
                .map_err(|error| refusal(&error, sql));
        }
        self.prepare_somewhere(sql)
    }

    /// The schema of the file has the first word; of the refusals the one that came furthest is told.
    fn prepare_somewhere(&self, sql: &str) -> Result<Prepared, Refusal> {
        let (mut found, mut refused): (Option<Prepared>, Option<Refusal>) = (None, None);
        let stages = self.stages.borrow();
        for conn in [&self.conn].into_iter().chain(&*stages) {
            match (conn.prepare(sql), &mut found) {
                (Ok(statement), Some(found)) => {
                    found.varies |= !statement.column_names().eq(&found.columns);
                }
                (Ok(statement), None) => found = Some(describe(&statement)),
                (Err(error), _) => {
                    let next = refusal(&error, sql);
                    let further = |known: &Refusal| next.offset > known.offset;
                    if refused.as_ref().is_none_or(further) {
                        refused = Some(next);
                    }
                }
            }
        }
        found.ok_or_else(|| refused.unwrap_or_else(|| unknown(sql)))
    }
}

/// An empty database of a stranger's, or one with the reference store's tables.
fn scratch(with_store: bool, watch: &Watch) -> Result<Connection, String> {
    let words = |error: Error| error.to_string();
    let mut conn = Connection::open_in_memory().map_err(words)?;
    if with_store {
        store::migrate(&mut conn).map_err(|error| error.to_string())?;
    }
    bound_memory(&conn, LONGEST_VALUE, PAGES)
        .and_then(|()| guard(&mut conn, watch.clone()))
        .map_err(words)?;
    Ok(conn)
}

/// Neither a value nor all of them can fill the memory, or what SQLite sorts on the disk: what would be longer, or more pages,
/// fails.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn bound_memory(conn: &Connection, longest: i32, pages: u32) -> Result<(), Error> {
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
    conn.pragma_update(None, "max_page_count", pages)
}

/// Attaches an empty database that has the tables and views of this one.
fn copy_tables(from: &Connection, to: &Connection, name: &str) -> Result<(), Error> {
    to.execute("ATTACH ':memory:' AS ?1", [name])?;
    let mut texts = from.prepare(
        "SELECT sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
    )?;
    let texts = texts.query_map([], |row| row.get::<_, String>(0))?;
    for text in texts {
        let text = text?;
        // SQLite keeps these texts in this form, with the bare name after the second word.
        for kind in ["CREATE TABLE ", "CREATE VIEW "] {
            if let Some(rest) = text.strip_prefix(kind) {
                to.execute_batch(&format!("{kind}\"{name}\".{rest}"))?;
            }
        }
    }
    Ok(())
}

/// From here on the texts are a stranger's.
fn guard(conn: &mut Connection, watch: Watch) -> Result<(), Error> {
    // A misspelt column in double quotes would silently be a text.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    let Watch { spent, records } = watch;
    conn.authorizer(Some(move |context: AuthContext<'_>| {
        authorize(&context, records.load(Ordering::Relaxed))
    }))?;
    let step = u64::from(BUDGET_STEP.unsigned_abs());
    let over = move || spent.fetch_add(step, Ordering::Relaxed) + step > BUDGET;
    conn.progress_handler(BUDGET_STEP, Some(over))
}

fn unknown(sql: &str) -> Refusal {
    Refusal {
        message: "it cannot be prepared".to_owned(),
        offset: 0,
        length: sql.len(),
    }
}

fn asks_a_clock<'t>(tokens: &'t [token::Token<'_>]) -> Option<&'t token::Token<'t>> {
    let dated = tokens
        .iter()
        .any(|token| DATES.iter().any(|word| token.is(word)));
    tokens.iter().find(|token| {
        let now = dated && token.text.eq_ignore_ascii_case("'now'");
        now || CLOCKS.iter().any(|word| token.is(word))
    })
}

fn describe(statement: &Statement<'_>) -> Prepared {
    Prepared {
        columns: statement.column_names().map(str::to_owned).collect(),
        varies: false,
        parameters: statement.parameter_count(),
        readonly: statement.readonly(),
    }
}

fn refusal(error: &Error, text: &str) -> Refusal {
    let tokens = token::tokens(text);
    let message = match error {
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::MultipleStatement => "more than one statement in one step".to_owned(),
        other => other.to_string(),
    };
    let told = match error {
        // SQLite counts from the statement that it was given, which may be the rest of the text.
        Error::SqlInputError { offset, sql, .. } => {
            let skipped = text.len().saturating_sub(sql.len());
            usize::try_from(*offset).ok().map(|offset| offset + skipped)
        }
        Error::MultipleStatement => {
            let end = tokens.iter().position(|token| token.kind == Kind::End);
            end.and_then(|end| tokens.get(end + 1))
                .map(|extra| extra.start)
        }
        _ => None,
    };
    let offset = told.or_else(|| named(&message, &tokens)).unwrap_or(0);
    let here = tokens.iter().find(|token| token.start == offset);
    Refusal {
        message,
        offset,
        length: here.map_or(1, |token| token.text.len()),
    }
}

/// SQLite often names what it misses without saying where: `no such table: x`.
fn named(message: &str, tokens: &[Token<'_>]) -> Option<usize> {
    let name = message.strip_prefix("no such ")?.split(": ").nth(1)?;
    let name = name.rsplit('.').next()?;
    tokens
        .iter()
        .find(|token| token.is(name))
        .map(|token| token.start)
}

fn authorize(context: &AuthContext<'_>, records: bool) -> Authorization {
    let allowed = match context.action {
        // They would belong to one of the connections that take turns.
        AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => records,
        AuthAction::Attach { .. } => records,
        AuthAction::Detach { .. } => false,
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
