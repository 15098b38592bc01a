//! Rows that the bug has left: whether a repair can live with them, and a statement that cures them.
//!
//! A repaired program is deployed on what the program as it is has left behind, as `start: after(…)` does it. What cures is a
//! statement after which that passes.

use std::rc::Rc;

use super::index::unique_index;
use super::repair::Repair;
use super::schema::{columns, key_of};
use super::statement::{Statement, Verb};
use super::steps::{sql_of, visit};
use super::trial::searched;
use crate::case::Decisions;
use crate::decide::Replay;
use crate::flow::FlowWorld;
use crate::run::Stage;
use crate::scenario::program::{Flow, Sql};
use crate::scenario::{Expect, Invariant, Program, RuleKind, Step, StepKind, Target};
use crate::search::First;

/// What becomes of rows that the bug has left when a repair is deployed on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// The bug leaves none, or they do no harm.
    Harmless,
    /// These statements cure them, one after the other; `:now` is the time in milliseconds.
    Cured(Vec<String>),
    /// None of the statements that were tried cures them.
    Harmful,
}

/// What the program as it is leaves behind.
pub(super) struct Left<'a> {
    program: &'a Program,
    /// Runs that leave rows behind which violate a rule over tables.
    runs: Vec<&'a Decisions>,
    /// The rules.
    rules: Vec<&'a Invariant>,
}

impl<'a> Left<'a> {
    /// Of the first violations, those that stand in tables.
    pub(super) fn of(program: &'a Program, stage: &Stage, firsts: &'a [First]) -> Self {
        let reads = stage.reads();
        let stands = |rule: &&Invariant| {
            let over_tables = matches!(rule.kind, RuleKind::Never | RuleKind::Finally);
            let looks = reads.iter().find(|reads| reads.invariant == rule.name);
            over_tables && looks.is_some_and(|looks| !looks.recorded)
        };
        // A variant that starts after another one has rows of its own to begin with.
        let clean = program.before.is_none();
        let rules = program
            .invariants
            .iter()
            .filter(|rule| clean && stands(rule));
        let rules: Vec<&Invariant> = rules.collect();
        let of_rule = |first: &&First| rules.iter().any(|rule| rule.name == first.invariant);
        Self {
            runs: firsts
                .iter()
                .filter(of_rule)
                .map(|first| &first.decisions)
                .collect(),
            program,
            rules,
        }
    }

    /// What becomes of these rows under a changed program.
    pub(super) fn under(
        &self,
        changed: &Program,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Rows, String> {
        if self.runs.is_empty() || self.passes(changed, &[], stop)? {
            return Ok(Rows::Harmless);
        }
        for cure in self.cures() {
            if self.passes(changed, &cure, stop)? {
                return Ok(Rows::Cured(cure));
            }
        }
        Ok(Rows::Harmful)
    }

    /// Whether the changed program passes on what these runs have left, and on what others leave: what the first of them has left
    /// may heal by itself, and the rest not.
    fn passes(
        &self,
        changed: &Program,
        cure: &[String],
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<bool, String> {
        let program = self.after(changed, cure);
        let world = FlowWorld::new(Rc::new(program.clone()));
        let Ok(mut stage) = Stage::new(world) else {
            return Ok(false);
        };
        for decisions in &self.runs {
            let ran = stage.run(&mut || Box::new(Replay::new(decisions)))?;
            if ran.internal.is_some() || !ran.violations.is_empty() {
                return Ok(false);
            }
        }
        let found = searched(&mut stage, &program, 0, Some(&Expect::Holds), stop)?;
        Ok(found.firsts.is_empty() && !found.cut)
    }

    /// The changed program, deployed where the program as it is has lived.
    fn after(&self, changed: &Program, cure: &[String]) -> Program {
        let mut program = changed.clone();
        program.before = Some(Rc::new(self.program.clone()));
        program.schema = changed.schema[self.program.schema.len()..].to_owned();
        program.setup.steps.clear();
        program.repair.steps = cure.iter().map(|sql| self.step(sql)).collect();
        program
    }

    fn step(&self, sql: &str) -> Step {
        let sql = Sql {
            text: sql.replace(":now", &self.program.start_ms.to_string()),
            params: Vec::new(),
            db: None,
        };
        let kind = StepKind::Sql {
            sql,
            rows: None,
            otherwise: Vec::new(),
        };
        Step::unwritten("cure", kind)
    }

    /// Statements that could cure: what the program itself does to rows of the table, else to delete them. What refers to a row
    /// that goes is handed to the one that stays.
    fn cures(&self) -> Vec<Vec<String>> {
        let mut cures = Vec::new();
        for rule in &self.rules {
            let Some(hit) = self.hit(rule) else {
                continue;
            };
            let Hit {
                table,
                which,
                before,
            } = &hit;
            let updates = self.changes(table).into_iter();
            let updates = updates.map(|set| format!("UPDATE {table} SET {set} WHERE {which}"));
            let delete = format!("DELETE FROM {table} WHERE {which}");
            for last in updates.chain([delete]) {
                cures.push(before.iter().cloned().chain([last]).collect());
            }
        }
        cures
    }

    /// The rows that offend against a rule. Of several that should be one the first stays.
    fn hit(&self, rule: &Invariant) -> Option<Hit> {
        if let Some(Repair::UniqueIndex {
            table,
            columns,
            condition,
        }) = unique_index(&rule.sql)
        {
            return self.surplus(table, &columns.join(", "), condition.as_deref());
        }
        let statement = Statement::of(&rule.sql)?;
        let key = self.key(statement.table)?;
        let shown = statement.verb == Verb::Select && statement.selects(&key);
        shown.then(|| Hit {
            table: statement.table.to_owned(),
            which: format!("{key} IN (SELECT {key} FROM ({}) AS hit)", rule.sql),
            before: Vec::new(),
        })
    }

    /// The column that names a row of the table.
    fn key(&self, table: &str) -> Option<String> {
        let rowid = self.program.target == Target::Sqlite;
        let known = columns(&self.program.schema).contains_key(table);
        key_of(&self.program.schema, table).or_else(|| (rowid && known).then(|| "rowid".to_owned()))
    }

    /// All rows but the first of each group.
    fn surplus(&self, table: String, group: &str, condition: Option<&str>) -> Option<Hit> {
        let key = self.key(&table)?;
        let (with, filter) = match condition {
            Some(sql) => (format!("{sql} AND "), format!(" WHERE {sql}")),
            None => (String::new(), String::new()),
        };
        let first = format!("SELECT min({key}) FROM {table}{filter} GROUP BY {group}");
        let which = format!("{with}{key} NOT IN ({first})");
        let mut before = Vec::new();
        for (other, columns) in columns(&self.program.schema) {
            let refers =
                |column: &&String| **column == table || **column == format!("{table}_{key}");
            for column in columns.iter().filter(refers).filter(|_| other != table) {
                let same = format!(
                    "({group}) = (SELECT {group} FROM {table} WHERE {key} = {other}.{column})"
                );
                before.push(format!(
                    "UPDATE {other} SET {column} = (SELECT min({key}) FROM {table} WHERE {with}{same}) \
                     WHERE {column} IN (SELECT {key} FROM {table} WHERE {which})"
                ));
            }
        }
        Some(Hit {
            table,
            which,
            before,
        })
    }

    /// What flows set columns of the table to, as far as it can be done without them.
    fn changes(&self, table: &str) -> Vec<String> {
        let known = columns(&self.program.schema);
        let mut changes: Vec<String> = Vec::new();
        let flows: Vec<&Flow> = self
            .program
            .versions
            .iter()
            .flat_map(|version| &version.flows)
            .collect();
        for flow in flows {
            visit(&flow.steps, &mut |step| {
                let sql = sql_of(step).map_or("", |sql| sql.text.as_str());
                let Some(statement) =
                    Statement::of(sql).filter(|statement| statement.table == table)
                else {
                    return;
                };
                if statement.verb != Verb::Update || !known.contains_key(table) {
                    return;
                }
                let fixed = |(_, value): &(&str, &str)| !value.replace(":now", "").contains(':');
                let set = statement.written(&[]).into_iter().filter(fixed);
                let set: Vec<String> = set
                    .map(|(column, value)| format!("{column} = {value}"))
                    .collect();
                let set = set.join(", ");
                if !set.is_empty() && !changes.contains(&set) {
                    changes.push(set);
                }
            });
        }
        changes
    }
}

/// Rows that have to go.
struct Hit {
    table: String,
    /// The condition for them.
    which: String,
    /// What comes first.
    before: Vec<String>,
}
