//! Invariants and goals: what must never be seen, what must be true at the end, what must have been tried.
//!
//! Each is a named query. *Never* queries are evaluated after each commit for the keys that the rows it wrote may concern
//! (`keys` proves which; what cannot be proved is evaluated whole), on the snapshot of that commit; all of them whole at
//! the end, after each crash and on one commit in a hundred, where a disagreement between the two is a bug in lockstep.

mod bound;
mod evaluate;
mod fit;
mod keys;
pub mod linearizable;
mod rule;
mod tables;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, ffi};

use self::fit::{Fit, Fits};
use self::rule::{Compiled, Listener};
pub(crate) use self::tables::NAMES as RECORDED;
use crate::access::{self, Access};
use crate::disk::capture::Change;
use crate::disk::{LogEnd, externs};
use crate::fold::bits_of;
use crate::label::{Label, mix};
use crate::run::{Judge, Kernel};
use crate::scenario::RuleKind;

/// A named query that returns offending rows.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Name, the same word in YAML, report and case.
    pub name: String,
    /// Column of the query that is the key.
    pub per: Option<String>,
    /// When it is judged.
    pub kind: RuleKind,
    /// The query.
    pub sql: String,
    /// File and line where it stands; empty where there is none.
    pub place: String,
}

/// What a world must satisfy and reach.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Invariants.
    pub invariants: Vec<Rule>,
    /// Goals: each a query that returns a row when it is reached, at the end of a run.
    pub goals: Vec<Rule>,
    /// The schema changes in a run: a rule that does not fit it at the moment says nothing.
    pub changes_schema: bool,
}

/// What an invariant looks at.
#[derive(Debug, Clone)]
pub struct Reads {
    /// Name of the invariant.
    pub invariant: String,
    /// Tables of the database, each with its columns; one of a further file as `file.table`.
    pub tables: BTreeMap<String, Vec<String>>,
    /// It also looks at what a run has recorded: events, effects, changes.
    pub recorded: bool,
}

/// How much of a run is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Judging {
    /// Every commit for the keys that it may concern, one in a hundred also whole.
    #[default]
    Keyed,
    /// Every commit both for its keys and whole; when the two disagree, the run ends with a bug in lockstep.
    Twice,
    /// Nothing: only to measure what judging costs.
    Off,
}

/// Offences: rule and key.
type Offences = BTreeSet<(String, String)>;

/// Judges a run on a connection of its own.
pub struct Checker {
    connection: Connection,
    listener: Listener,
    rules: Rules,
    /// Names of the further files that the connection sees.
    databases: Vec<String>,
    /// The rules as they fit the template of the database.
    first: Rc<Fit>,
    /// Those of later schemas of this run.
    fits: RefCell<Fits>,
    reached: RefCell<BTreeSet<String>>,
    now_reached: RefCell<BTreeSet<String>>,
    commits: Cell<u64>,
    /// Something may have become visible that was not looked at: the next commit is judged whole.
    missed: Cell<bool>,
    judged_rows: Cell<bool>,
    judging: Cell<Judging>,
}

impl Checker {
    /// Prepares the rules on this connection, to which these further files are attached.
    ///
    /// # Errors
    /// In words, when a query does not prepare.
    pub fn new(
        mut connection: Connection,
        rules: Rules,
        databases: &[String],
    ) -> Result<Self, String> {
        connection.set_prepared_statement_cache_capacity(256);
        // Without it, binding a key to a cached query prepares the query again.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(|error| error.to_string())?;
        bound::bound(&mut connection).map_err(|error| error.to_string())?;
        tables::create(&connection).map_err(|error| error.to_string())?;
        let listener = Listener::on(&mut connection).map_err(|error| error.to_string())?;
        let first = Rc::new(Fit::of(&connection, &listener, &rules, databases)?);
        Ok(Self {
            listener,
            rules,
            databases: databases.to_vec(),
            first,
            fits: RefCell::default(),
            reached: RefCell::default(),
            now_reached: RefCell::default(),
            commits: Cell::new(0),
            missed: Cell::new(false),
            judged_rows: Cell::new(false),
            judging: Cell::default(),
            connection,
        })
    }

    /// What each invariant looks at, as far as it fits the database that runs begin with.
    pub fn reads(&self) -> Vec<Reads> {
        let columns = &self.first.columns;
        let rules = self.first.invariants.iter();
        let reads = rules.map(|rule| Reads {
            invariant: rule.rule.name.clone(),
            tables: columns
                .iter()
                .filter(|(table, _)| rule.reads.contains(*table))
                .map(|(table, columns)| (table.clone(), columns.clone()))
                .collect(),
            recorded: rule.reads_tables(),
        });
        reads.collect()
    }

    /// From now on so much is judged.
    pub fn judge(&self, judging: Judging) {
        self.judging.set(judging);
    }

    /// Before a run.
    pub fn reset(&self) {
        externs::drop_cache(&self.connection);
        self.commits.set(0);
        self.now_reached.borrow_mut().clear();
        self.missed.set(false);
        self.judged_rows.set(false);
    }

    /// A new search begins: every goal has to be reached again.
    pub fn forget_goals(&self) {
        self.reached.borrow_mut().clear();
    }

    /// Goals that the last run reached for the first time since this checker was made.
    pub fn goals_reached(&self) -> Vec<String> {
        self.now_reached.borrow().iter().cloned().collect()
    }

    /// Whether an invariant's tables held anything in the last run, so that it was judged on something.
    pub fn judged_rows(&self) -> bool {
        self.judged_rows.get()
    }

    /// Judges the whole run at its end, or a leg of it at the end of that.
    pub fn finish(&self, kernel: &Kernel) {
        if self.judging.get() == Judging::Off {
            return;
        }
        let outcome = self.in_snapshot(|| {
            self.refit(kernel)?;
            let fit = self.fit();
            let pending = |goal: &&Compiled| !self.reached.borrow().contains(&goal.rule.name);
            let late: Vec<&Compiled> = fit
                .invariants
                .iter()
                .filter(|rule| rule.rule.kind != RuleKind::Never)
                .filter(|rule| rule.rule.kind != RuleKind::Finally || !kernel.is_cut())
                .collect();
            let goals = fit.goals.iter().filter(|_| kernel.counts());
            let goals: Vec<&Compiled> = goals.filter(pending).collect();
            let filled = late.iter().chain(&goals).any(|rule| rule.reads_tables());
            if filled {
                tables::fill(&self.connection, kernel, &self.columns())?;
            }
            let mut found = Offences::new();
            self.full(kernel, &mut found)?;
            for rule in self.fit().snapshot_rules() {
                self.look(|| Ok(kernel.counts() && self.has_rows(rule)?))?;
            }
            for rule in late {
                self.look(|| Ok(kernel.counts() && self.has_rows(rule)?))?;
                self.evaluate(kernel, rule, None, &mut found)?;
            }
            for goal in goals {
                let found = self.rows(&goal.rule.sql, &[]).map(|row| row.is_some());
                if self.ended(kernel, &goal.rule, found)? {
                    self.reached.borrow_mut().insert(goal.rule.name.clone());
                    self.now_reached.borrow_mut().insert(goal.rule.name.clone());
                }
            }
            if filled {
                tables::empty(&self.connection)
            } else {
                Ok(())
            }
        });
        if let Err(error) = outcome {
            kernel.internal(format!("the checker failed: {error}"));
        }
    }

    /// Remembers whether an invariant had something to look at.
    fn look(&self, rows: impl FnOnce() -> rusqlite::Result<bool>) -> rusqlite::Result<()> {
        self.judged_rows.set(self.judged_rows.get() || rows()?);
        Ok(())
    }

    fn in_snapshot(&self, work: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        let result = work();
        if !self.connection.is_autocommit() {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        result
    }

    fn full(&self, kernel: &Kernel, found: &mut Offences) -> rusqlite::Result<()> {
        self.fit()
            .snapshot_rules()
            .try_for_each(|rule| self.evaluate(kernel, rule, None, found))
    }

    /// Whether any table that the rule reads holds anything.
    fn judge_commit(&self, kernel: &Kernel, changes: &[Change]) -> rusqlite::Result<()> {
        // What a change of the schema does to rows is in no change of a row.
        if self.refit(kernel)? || self.missed.get() {
            self.full(kernel, &mut Offences::new())?;
            self.missed.set(false);
        }
        let mut keyed = Offences::new();
        let fit = self.fit();
        for rule in fit.snapshot_rules().filter(|rule| rule.reads_any(changes)) {
            self.judged_rows.set(true);
            let keys = rule.keys(changes);
            touched(kernel, rule, keys.as_deref());
            match keys {
                Some(keys) => keys
                    .into_iter()
                    .try_for_each(|key| self.evaluate(kernel, rule, Some(key), &mut keyed))?,
                None => self.evaluate(kernel, rule, None, &mut keyed)?,
            }
        }
        let sampled = mix(0x5eed, self.commits.get()).is_multiple_of(100);
        if sampled || self.judging.get() == Judging::Twice {
            let (before, mut whole) = (kernel.violation_count(), Offences::new());
            self.full(kernel, &mut whole)?;
            if kernel.violation_count() != before || !keyed.is_subset(&whole) {
                kernel.internal(
                    "the keyed and the full evaluation of an invariant disagree".to_owned(),
                );
            }
        }
        Ok(())
    }
}

impl Judge for Checker {
    fn committed(&self, kernel: &Kernel, changes: &[Change]) {
        self.commits.set(self.commits.get() + 1);
        let due = match self.judging.get() {
            _ if !kernel.counts() => false,
            Judging::Off => false,
            Judging::Twice => true,
            Judging::Keyed => {
                let altered = self.rules.changes_schema && kernel.disk().schema_changed();
                let mut rules = self.first.snapshot_rules();
                altered || rules.any(|rule| rule.reads_any(changes))
            }
        };
        if !due {
            return;
        }
        let shm = kernel.disk().shm_header_copy();
        let outcome = self.in_snapshot(|| self.judge_commit(kernel, changes));
        kernel.disk().shm_header_restore(&shm);
        match outcome {
            // Suspended connections can hold every lock that a reader needs, such as all read marks of the WAL's index; and
            // while the schema is another one, the rules do not fit it.
            Err(error) if is_locked(&error) || is_of_schema(&error) => self.missed.set(true),
            Err(error) => kernel.internal(format!("the checker failed: {error}")),
            Ok(()) => {}
        }
    }

    fn is_visible(&self, kernel: &Kernel, changes: &[&Change]) -> bool {
        let shm = kernel.disk().shm_header_copy();
        let mut visible = false;
        let outcome = self.in_snapshot(|| {
            for change in changes {
                visible = visible || self.stands(change)?;
            }
            Ok(())
        });
        kernel.disk().shm_header_restore(&shm);
        match outcome {
            Err(error) if !is_of_schema(&error) => {
                kernel.internal(format!("the checker failed at a row in doubt: {error}"));
            }
            _ => {}
        }
        visible
    }

    fn log_end(&self, kernel: &Kernel, file: usize) -> LogEnd {
        let shm = kernel.disk().shm_header_copy();
        let mut end = LogEnd::default();
        let outcome = self.in_snapshot(|| {
            let further = file.checked_sub(1).map(|at| self.databases[at].as_str());
            let name = further.unwrap_or("main");
            self.rows(&format!("SELECT 1 FROM \"{name}\".sqlite_schema"), &[])?;
            end = kernel.disk().log_end(&format!("{name}.db"));
            Ok(())
        });
        kernel.disk().shm_header_restore(&shm);
        if let Err(error) = outcome {
            kernel.internal(format!(
                "the checker cannot see where the log ends: {error}"
            ));
        }
        end
    }

    fn leg_ended(&self, kernel: &Kernel) {
        let shm = kernel.disk().shm_header_copy();
        self.finish(kernel);
        kernel.disk().shm_header_restore(&shm);
    }

    fn crashed(&self, kernel: &Kernel) {
        if self.judging.get() == Judging::Off || !kernel.counts() {
            return;
        }
        // What the dead had committed without knowing may become visible with the next commit, under keys of its own.
        self.missed.set(true);
        let shm = kernel.disk().shm_header_copy();
        let outcome = self.in_snapshot(|| {
            self.refit(kernel)?;
            self.full(kernel, &mut Offences::new())
        });
        kernel.disk().shm_header_restore(&shm);
        match outcome {
            // The WAL's index is torn and a survivor is in the middle of recovering it: nobody can look before it is
            // done, and the next commit and the end of the run are judged anyway.
            Err(error) if is_locked(&error) || is_of_schema(&error) => self.missed.set(true),
            Err(error) => kernel.internal(format!("the checker failed after a crash: {error}")),
            Ok(()) => {}
        }
    }
}

impl Checker {
    /// The further file, if it is one, and the table there.
    fn place<'t>(&self, table: &'t str) -> (Option<&'t str>, &'t str) {
        let parts = table.split_once('.');
        match parts.filter(|(name, _)| self.databases.iter().any(|known| known == name)) {
            Some((name, table)) => (Some(name), table),
            None => (None, table),
        }
    }

    fn stands(&self, change: &Change) -> rusqlite::Result<bool> {
        let fit = self.fit();
        let (Some(columns), Some(row)) = (fit.columns.get(&*change.table), &change.new) else {
            return Ok(false);
        };
        // The table has been altered since.
        if columns.len() != row.len() {
            return Ok(false);
        }
        let same = |column: &String| format!("\"{column}\" IS ?");
        let terms: Vec<String> = columns.iter().map(same).collect();
        let (file, table) = self.place(&change.table);
        let sql = format!(
            "SELECT 1 FROM \"{}\".\"{table}\" WHERE {}",
            file.unwrap_or("main"),
            terms.join(" AND ")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.exists(rusqlite::params_from_iter(row))
    }
}

/// Two commits that a rule judges meet in it if they concern the same key: between them may stand what it forbids.
fn touched(kernel: &Kernel, rule: &Compiled, keys: Option<&[&Value]>) {
    if !kernel.keeps_state() {
        return;
    }
    let rule = Label::new(&rule.rule.name).hash();
    let whole = |changes| Access::thing(access::name("rule", &[rule]), changes);
    kernel.touched(|| whole(keys.is_none()));
    for key in keys.into_iter().flatten() {
        kernel.touched(|| Access::thing(access::name("key", &[rule, bits_of(key)]), true));
    }
}

fn is_locked(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::FileLockingProtocolFailed)
    )
}

/// SQLite does not understand a query that it understood when the rules were prepared.
fn is_of_schema(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_ERROR | ffi::SQLITE_SCHEMA))
}
