//! How what processes were asked to do has ended: what nobody caught says more about a scenario than about the system.

use std::collections::BTreeSet;

use super::Kernel;

/// How the flows of one run have ended.
#[derive(Debug, Clone, Default)]
pub struct Endings {
    /// Flows that ended well at least once.
    pub well: BTreeSet<String>,
    /// Errors that ended a flow because nobody caught them, each once.
    pub errors: Vec<Uncaught>,
}

/// An error that ended a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncaught {
    /// The flow that was asked for.
    pub flow: String,
    /// File and line of the step; empty where none is known.
    pub place: String,
    /// The error.
    pub words: String,
}

/// Different errors of a run that are kept apart.
const KEPT: usize = 64;

impl Kernel {
    /// A flow that was asked for has come to its end.
    pub fn ended_well(&self, flow: &str) {
        if self.counts() && !self.endings.borrow().well.contains(flow) {
            self.endings.borrow_mut().well.insert(flow.to_owned());
        }
    }

    /// A flow that was asked for has ended by an error that nobody caught.
    pub fn ended_badly(&self, flow: &str, place: &str, words: &str) {
        let (flow, place, words) = (flow.to_owned(), place.to_owned(), words.to_owned());
        let error = Uncaught { flow, place, words };
        let mut endings = self.endings.borrow_mut();
        let new = !endings.errors.contains(&error) && endings.errors.len() < KEPT;
        if self.counts() && new {
            endings.errors.push(error);
        }
    }
}
