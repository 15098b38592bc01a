//! What is owed, as far as the trace has been read: open tasks, and messages that are not settled.

use std::collections::{BTreeMap, BTreeSet};

use super::row::{self, outbox, task};
use crate::run::Kernel;

/// Open tasks and unsettled messages.
#[derive(Default)]
pub(super) struct Progress {
    read: usize,
    tasks: BTreeSet<String>,
    messages: BTreeSet<(String, i64)>,
    /// Tasks that failed for good or are dead, with their session.
    failed: BTreeMap<String, String>,
}

impl Progress {
    /// Reads what was committed since the last time.
    pub(super) fn read_on(&mut self, kernel: &Kernel) {
        let trace = kernel.trace.borrow();
        for committed in &trace.changes[self.read..] {
            let change = &committed.change;
            let Some(image) = change.new.as_ref().or(change.old.as_ref()) else {
                continue;
            };
            let is_there = change.new.is_some();
            match &*change.table {
                task::TABLE => {
                    let id = row::text(image, task::ID);
                    mark(&mut self.tasks, id, is_there && task::is_open(image));
                    if is_there && matches!(row::text(image, task::STATE), "failed" | "dead") {
                        let session = row::text(image, task::SESSION).to_owned();
                        self.failed.insert(id.to_owned(), session);
                    }
                }
                outbox::TABLE => {
                    let key = outbox::key(image);
                    if is_there && outbox::is_unsettled(image) {
                        self.messages.insert(key);
                    } else {
                        self.messages.remove(&key);
                    }
                }
                _ => {}
            }
        }
        self.read = trace.changes.len();
    }

    pub(super) fn has_open_task(&self, task: &str) -> bool {
        self.tasks.contains(task)
    }

    /// The session of some task that failed.
    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.values().next().map(String::as_str)
    }

    pub(super) fn owes_mail(&self) -> bool {
        !self.messages.is_empty()
    }

    pub(super) fn owes(&self) -> bool {
        !self.tasks.is_empty() || !self.messages.is_empty()
    }
}

fn mark(set: &mut BTreeSet<String>, id: &str, present: bool) {
    if !present {
        set.remove(id);
    } else if !set.contains(id) {
        set.insert(id.to_owned());
    }
}
