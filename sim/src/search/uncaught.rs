//! What nobody caught, over the runs of a search.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::run::Endings;

/// Errors that ended flows. Plain data: it crosses from one process to another.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Uncaught {
    /// Runs in which a flow ended by an error.
    pub runs: u64,
    /// The errors, as they were met.
    errors: Vec<Error>,
    /// Flows that ended well in some run.
    well: BTreeSet<String>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// The flow that ended.
    pub flow: String,
    /// File and line of the step; empty where none is known.
    pub place: String,
    /// The error.
    pub words: String,
    /// Runs in which it ended the flow.
    pub runs: u64,
}

/// Different errors that are kept apart; a text may hold ids.
const KEPT: usize = 256;

impl Uncaught {
    /// Adds a run.
    pub(super) fn take(&mut self, endings: Endings) {
        self.runs += u64::from(!endings.errors.is_empty());
        self.well.extend(endings.well);
        for error in endings.errors {
            let (flow, place, words) = (error.flow, error.place, error.words);
            self.count(Error {
                flow,
                place,
                words,
                runs: 1,
            });
        }
    }

    /// Adds another search.
    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.well.extend(other.well);
        other.errors.into_iter().for_each(|error| self.count(error));
    }

    fn count(&mut self, error: Error) {
        let same = |known: &&mut Error| {
            known.flow == error.flow && known.place == error.place && known.words == error.words
        };
        if let Some(known) = self.errors.iter_mut().find(same) {
            known.runs += error.runs;
        } else if self.errors.len() < KEPT {
            self.errors.push(error);
        }
    }

    /// The errors, the one that was met in the most runs first.
    pub fn errors(&self) -> Vec<&Error> {
        let mut errors: Vec<&Error> = self.errors.iter().collect();
        errors.sort_by(|a, b| {
            let by_text = (&a.place, &a.words, &a.flow).cmp(&(&b.place, &b.words, &b.flow));
            b.runs.cmp(&a.runs).then(by_text)
        });
        errors
    }

    /// Flows that never ended but by an error, each with the one that was met most.
    pub fn hopeless(&self) -> BTreeMap<&str, &Error> {
        let mut found: BTreeMap<&str, &Error> = BTreeMap::new();
        for error in self.errors() {
            if !self.well.contains(&error.flow) {
                found.entry(&error.flow).or_insert(error);
            }
        }
        found
    }
}
