//! What a run has come to: by it one sees that a repair does not repair by doing less than the program did where it was right.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value;

use super::apply::HANDLED;
use super::steps::{sql_of, visit};
use crate::run::Ran;
use crate::scenario::Program;
use crate::scenario::token::{Kind, tokens};
use crate::trace::{self, Arg, plain};

/// Rows at the end and effects, each with how often it is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outcome {
    /// Table and row.
    rows: BTreeMap<(String, String), usize>,
    /// Name; repetitions of an intent do not count.
    effects: BTreeMap<String, usize>,
}

impl Outcome {
    /// `words`: only these texts count in a row, see [`words`]; none is all of it.
    pub(super) fn of(ran: &Ran, words: Option<&BTreeSet<String>>) -> Self {
        let mut outcome = Self::default();
        let changes = ran.trace.changes.iter().map(|committed| &committed.change);
        for change in changes.filter(|change| &*change.table != HANDLED) {
            let row = |row: &[Value]| (change.table.to_string(), shown(row, words));
            if let Some(old) = &change.old {
                let count = outcome.rows.entry(row(old)).or_insert(0);
                *count = count.saturating_sub(1);
            }
            if let Some(new) = &change.new {
                *outcome.rows.entry(row(new)).or_insert(0) += 1;
            }
        }
        outcome.rows.retain(|_, count| *count > 0);
        let deeds = ran.ledger.effects.iter().map(|effect| &effect.deed);
        let deeds = deeds.map(|deed| (&*deed.name, deed.intent.as_ref().map(plain)));
        for (name, _) in deeds.collect::<BTreeSet<_>>() {
            *outcome.effects.entry(name.to_owned()).or_insert(0) += 1;
        }
        outcome
    }

    /// The same rows, and no effect less.
    pub(super) fn comes_to(&self, other: &Self) -> bool {
        self.rows == other.rows && has_all(&self.effects, &other.effects)
    }

    /// No table with fewer rows, and no effect less.
    pub(super) fn is_no_less_than(&self, other: &Self) -> bool {
        has_all(&self.tables(), &other.tables()) && has_all(&self.effects, &other.effects)
    }

    fn tables(&self) -> BTreeMap<String, usize> {
        let mut tables = BTreeMap::new();
        for ((table, _), count) in &self.rows {
            *tables.entry(table.clone()).or_insert(0) += count;
        }
        tables
    }
}

/// Notes the sites whose statements have found or changed a row.
pub(super) fn note_working(ran: &Ran, sites: &mut BTreeSet<String>) {
    for event in &ran.trace.events {
        let works = match event.outcome {
            trace::Outcome::Row(Some(_)) => true,
            trace::Outcome::Count(rows) => rows > 0,
            _ => false,
        };
        if let (Arg::Bound(site, _), true) = (&event.arg, works) {
            sites.insert(site.as_str().to_owned());
        }
    }
}

fn has_all(now: &BTreeMap<String, usize>, before: &BTreeMap<String, usize>) -> bool {
    let as_often = |(name, count): (_, &usize)| now.get(name).is_some_and(|now| now >= count);
    before.iter().all(as_often)
}

fn shown(row: &[Value], words: Option<&BTreeSet<String>>) -> String {
    let counts = |value: &&Value| match (words, value) {
        (None, _) => true,
        (Some(words), Value::Text(text)) => words.contains(text),
        (Some(_), _) => false,
    };
    let all: Vec<String> = row.iter().filter(counts).map(plain).collect();
    all.join(", ")
}

/// Texts that the program itself writes, such as names of states: ids, counts and times differ from run to run.
pub(super) fn words(program: &Program) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for flow in program.versions.iter().flat_map(|version| &version.flows) {
        visit(&flow.steps, &mut |step| {
            let texts = sql_of(step).map_or(Vec::new(), |sql| tokens(&sql.text));
            let texts = texts.into_iter().filter(|token| token.kind == Kind::Text);
            words.extend(texts.map(|token| token.text.trim_matches('\'').to_owned()));
        });
    }
    words
}
