//! Steps that speak to the database: read, write, transaction, and expressions.

use std::cell::Cell;

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode};

use super::Var;
use super::exec::{Done, Exec, Failure, Frame, Next};
use crate::access::Access;
use crate::run::Handle;
use crate::scenario::{ErrorClass, Sql, Step, StepKind, Target, bound_memory};
use crate::trace::{Arg, Kind, Outcome};

/// `read`: the first row binds its columns. No row, NULL and an error are three different things.
pub(super) fn read(
    exec: &Exec<'_>,
    frame: &mut Frame,
    step: &Step,
    sql: &Sql,
    into: &[Var],
    none: Option<&[Step]>,
) -> Done {
    exec.ctx.gate(&step.site);
    let bound = bind(exec, frame, sql);
    let event = exec.ctx.event(
        Kind::Read,
        Arg::Bound(step.site.clone(), bound.clone()),
        Outcome::Open,
    );
    touches(exec, sql, &bound);
    let row = on(exec, sql.db, |handle| {
        first_row(handle.connection(), sql, &bound)
    });
    match row {
        Err(error) => fail(exec, event, &error),
        Ok(row) => {
            exec.ctx.close(event, Outcome::Row(row.clone()));
            let found = row.is_some();
            let values = row
                .unwrap_or_default()
                .into_iter()
                .chain(std::iter::repeat(Value::Null));
            into.iter()
                .zip(values)
                .for_each(|(var, value)| exec.assign(frame, *var, value));
            match none {
                Some(steps) if !found => exec.steps(frame, steps),
                _ => Ok(Next::Step),
            }
        }
    }
}

/// `each`: all rows are fetched, then the steps run once for each.
pub(super) fn each(
    exec: &Exec<'_>,
    frame: &mut Frame,
    step: &Step,
    sql: &Sql,
    into: &[Var],
    steps: &[Step],
) -> Done {
    exec.ctx.gate(&step.site);
    let bound = bind(exec, frame, sql);
    let arg = Arg::Bound(step.site.clone(), bound.clone());
    let event = exec.ctx.event(Kind::Read, arg, Outcome::Open);
    touches(exec, sql, &bound);
    let rows = on(exec, sql.db, |handle| {
        all_rows(handle.connection(), sql, &bound)
    });
    let rows = match rows {
        Err(error) => return fail(exec, event, &error),
        Ok(rows) => rows,
    };
    exec.ctx.close(event, Outcome::Count(rows.len() as u64));
    rows.iter().flatten().for_each(|value| exec.learns(value));
    for row in rows {
        into.iter()
            .zip(row)
            .for_each(|(var, value)| exec.assign(frame, *var, value));
        if exec.steps(frame, steps)? == Next::Return {
            return Ok(Next::Return);
        }
    }
    Ok(Next::Step)
}

/// `sql`: a write; with `rows`, another count of changed rows runs `otherwise`.
pub(super) fn write(
    exec: &Exec<'_>,
    frame: &mut Frame,
    step: &Step,
    sql: &Sql,
    rows: Option<u64>,
    otherwise: &[Step],
) -> Done {
    exec.ctx.gate(&step.site);
    let bound = bind(exec, frame, sql);
    let event = exec.ctx.event(
        Kind::Sql,
        Arg::Bound(step.site.clone(), bound.clone()),
        Outcome::Open,
    );
    touches(exec, sql, &bound);
    let done = on(exec, sql.db, |handle| {
        execute(handle.connection(), &sql.text, &bound)
    });
    match done {
        Err(error) => fail(exec, event, &error),
        Ok(changed) => {
            exec.ctx.close(event, Outcome::Count(changed));
            if rows.is_some_and(|rows| rows != changed) {
                exec.steps(frame, otherwise)
            } else {
                Ok(Next::Step)
            }
        }
    }
}

/// `transaction`: commits at its end. An error, and `return`, roll back. One inside another is part of it.
pub(super) fn transaction(exec: &Exec<'_>, frame: &mut Frame, step: &Step) -> Done {
    let StepKind::Transaction {
        immediate,
        db,
        steps,
    } = &step.kind
    else {
        return Ok(Next::Step);
    };
    let db = *db;
    if is_within(exec, db) {
        return exec.steps(frame, steps);
    }
    exec.ctx.gate(&step.site);
    exec.ctx.touches_anything();
    let begin = if *immediate {
        "BEGIN IMMEDIATE"
    } else {
        "BEGIN"
    };
    run(exec, db, begin)?;
    match exec.steps(frame, steps) {
        Ok(Next::Step) => match run(exec, db, "COMMIT") {
            Ok(()) => Ok(Next::Step),
            Err(failure) => roll_back(exec, db, Err(failure)),
        },
        other => roll_back(exec, db, other),
    }
}

/// What a statement touches: the rows that it finds, unless it is part of a transaction. That holds up others, and is held up by
/// whatever they write.
fn touches(exec: &Exec<'_>, sql: &Sql, bound: &[Value]) {
    if !exec.ctx.kernel().keeps_state() {
        return;
    }
    let known = file_of(exec, sql.db) == 0 && !is_within(exec, sql.db);
    exec.ctx.touches(|| match known {
        true => Access::statement(&sql.text, bound),
        false => Access::ANYTHING,
    });
}

fn roll_back(exec: &Exec<'_>, db: Option<usize>, after: Done) -> Done {
    exec.ctx.forget_connection(file_of(exec, db));
    if is_within(exec, db) {
        run(exec, db, "ROLLBACK")?;
    }
    after
}

fn run(exec: &Exec<'_>, db: Option<usize>, text: &str) -> Result<(), Failure> {
    let done = on(exec, db, |handle| execute(handle.connection(), text, &[]));
    done.map(|_| ()).map_err(|error| failure(exec, &error))
}

/// An expression: first column of the only row.
pub(super) fn expression(exec: &Exec<'_>, frame: &Frame, sql: &Sql) -> Result<Value, Failure> {
    let bound = bind(exec, frame, sql);
    if sql.text.to_ascii_lowercase().contains("select") {
        touches(exec, sql, &bound);
    }
    let row = on(exec, sql.db, |handle| {
        first_row(handle.connection(), sql, &bound)
    });
    let row = row.map_err(|error| failure(exec, &error))?;
    Ok(row
        .and_then(|row| row.into_iter().next())
        .unwrap_or(Value::Null))
}

/// Runs a statement on the connection to a file, unless that has broken.
fn on<T>(
    exec: &Exec<'_>,
    db: Option<usize>,
    work: impl FnOnce(&mut Handle) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let file = file_of(exec, db);
    if exec.ctx.connection_broke(file) {
        let words = "the connection to the database broke".to_owned();
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR);
        return Err(rusqlite::Error::SqliteFailure(code, Some(words)));
    }
    exec.ctx.with_file(file, work)
}

fn is_within(exec: &Exec<'_>, db: Option<usize>) -> bool {
    let autocommit = |handle: &mut Handle| handle.connection().is_autocommit();
    !exec.ctx.with_file(file_of(exec, db), autocommit)
}

/// The file that is named, else that of the process.
fn file_of(exec: &Exec<'_>, db: Option<usize>) -> usize {
    db.unwrap_or_else(|| exec.shared.program.processes[exec.ctx.process().kind_index].database)
}

fn bind(exec: &Exec<'_>, frame: &Frame, sql: &Sql) -> Vec<Value> {
    sql.params.iter().map(|var| exec.get(frame, *var)).collect()
}

fn first_row(
    connection: &Connection,
    sql: &Sql,
    bound: &[Value],
) -> rusqlite::Result<Option<Vec<Value>>> {
    begin();
    let mut statement = connection.prepare_cached(&sql.text)?;
    let columns = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
    match rows.next()? {
        Some(row) => (0..columns)
            .map(|i| row.get(i))
            .collect::<Result<_, _>>()
            .map(Some),
        None => Ok(None),
    }
}

fn all_rows(
    connection: &Connection,
    sql: &Sql,
    bound: &[Value],
) -> rusqlite::Result<Vec<Vec<Value>>> {
    begin();
    let mut statement = connection.prepare_cached(&sql.text)?;
    let columns = statement.column_count();
    let rows = statement.query_map(rusqlite::params_from_iter(bound), |row| {
        (0..columns).map(|i| row.get(i)).collect()
    })?;
    rows.collect()
}

fn execute(connection: &Connection, text: &str, bound: &[Value]) -> rusqlite::Result<u64> {
    begin();
    let mut statement = connection.prepare_cached(text)?;
    if statement.column_count() == 0 {
        let before = connection.total_changes();
        statement.execute(rusqlite::params_from_iter(bound))?;
        // A change of the schema leaves SQLite's count at what an earlier statement of this connection has set.
        let changed = connection.total_changes() != before;
        return Ok(if changed { connection.changes() } else { 0 });
    }
    // `RETURNING`: each returned row is a changed one.
    let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
    let mut changed = 0;
    while rows.next()?.is_some() {
        changed += 1;
    }
    Ok(changed)
}

fn fail(exec: &Exec<'_>, event: usize, error: &rusqlite::Error) -> Done {
    let failure = failure(exec, error);
    exec.ctx
        .close(event, Outcome::Error(failure.words.as_str().into()));
    Err(failure)
}

fn failure(exec: &Exec<'_>, error: &rusqlite::Error) -> Failure {
    let class = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorClass::Busy,
        Some(ErrorCode::ConstraintViolation) => ErrorClass::Constraint,
        _ => ErrorClass::Error,
    };
    let words = match (&class, exec.shared.program.target) {
        // PostgreSQL waits for a row, not for a database: nobody shall look there for these words.
        (ErrorClass::Busy, Target::Postgres) => format!("SQLite, not PostgreSQL: {error}"),
        _ => error.to_string(),
    };
    Failure::new(class, words)
}

thread_local! {
    /// Thousands of steps of SQLite's machine that the running statement has taken.
    static SPENT: Cell<u32> = const { Cell::new(0) };
}

/// Steps of SQLite's machine that one statement may take, in thousands. A real one takes some hundred; a recursion without an end
/// would never come back.
const MOST: u32 = 20_000;
const THOUSAND: i32 = 1_000;
/// The largest value, bytes.
const LARGEST: i32 = 1 << 24;
/// The largest database, pages.
const PAGES: u32 = 1 << 16;

/// Keeps the statements of a scenario from running for ever and from filling the memory. They fail instead.
pub(super) fn bound(connection: &mut Connection) -> rusqlite::Result<()> {
    bound_memory(connection, LARGEST, PAGES)?;
    let over = || SPENT.replace(SPENT.get() + 1) >= MOST;
    connection.progress_handler(THOUSAND, Some(over))
}

/// A statement begins.
fn begin() {
    SPENT.set(0);
}
