//! Commits: judged while their writer still holds the lock, kept in the trace, and settled when a death or an error left them in doubt.

use std::rc::Rc;

use super::{Kernel, NOBODY};
use crate::disk::capture::{Capture, Change};
use crate::disk::{Conn, LogEnd};
use crate::label::Label;
use crate::trace::Committed;

impl Kernel {
    /// A commit of this connection has become visible, and its write lock is still held. `before`: where the log ended when
    /// that was taken.
    pub(super) fn committed(&self, conn: Conn, before: LogEnd) {
        let Some((file, capture)) = self.watched(conn) else {
            return;
        };
        let changes = capture.take();
        self.resolve_doubts(file, before, &changes);
        if changes.is_empty() && !self.disk.schema_changed() {
            return;
        }
        let judge = self.judge.borrow().clone();
        if let Some(judge) = judge {
            self.muted(|| judge.committed(self, &changes));
        }
        if changes.is_empty() {
            return;
        }
        let cause = self.current.borrow().as_ref().map_or(NOBODY, |actor| {
            actor.looks.set(false);
            actor.cause.clone()
        });
        self.keep_changes(&cause, changes);
    }

    /// The file of a connection of the pool, and what watches it.
    fn watched(&self, conn: Conn) -> Option<(usize, Rc<Capture>)> {
        self.captures.get(conn as usize).cloned().flatten()
    }

    pub(super) fn keep_changes(&self, cause: &Label, changes: Vec<Change>) {
        self.keep_rows(cause, &changes);
        let mut trace = self.trace.borrow_mut();
        let n = trace.tick();
        let turn = self.turns.get();
        let at_us = self.now_us();
        let committed = |change| Committed {
            n,
            turn,
            at_us,
            cause: cause.clone(),
            change,
        };
        trace.changes.extend(changes.into_iter().map(committed));
    }

    /// What this connection has written and not yet seen committed may be in the log, although nobody was told.
    pub(super) fn leave_in_doubt(&self, conn: Conn, cause: &Label) {
        let Some((file, capture)) = self.watched(conn) else {
            return;
        };
        let changes = capture.take();
        // A change of the schema writes frames and no rows.
        if !self.disk.has_logged(conn) {
            return;
        }
        let log = self.disk.log_end(&self.files[file]);
        self.settle(file, log, &changes);
        self.in_doubt.borrow_mut().push(Doubt {
            file,
            cause: cause.clone(),
            changes,
            log,
        });
    }

    /// A commit that failed, or in which its process died, may stand in the log without anybody having been told: whoever
    /// recovers the log finds it; whoever writes first writes over it. At the next commit (`now`: its changes) it is settled
    /// which: the log had grown since the doubt, or not.
    fn resolve_doubts(&self, file: usize, before: LogEnd, now: &[Change]) {
        self.settle(file, before, now);
        self.forget_doubts(file);
    }

    pub(super) fn forget_doubts(&self, file: usize) {
        let mut doubts = self.in_doubt.borrow_mut();
        doubts.retain(|doubt| doubt.file != file);
    }

    /// Takes out the doubts since which the log has grown: one of them has made it grow.
    fn settle(&self, file: usize, before: LogEnd, now: &[Change]) {
        let doubts = self.in_doubt.take();
        let (mut found, left): (Vec<_>, Vec<_>) = doubts
            .into_iter()
            .partition(|doubt| doubt.file == file && before.continues(&doubt.log));
        *self.in_doubt.borrow_mut() = left;
        // Each has written over the one before it, unless both began with the same bytes.
        let last = match found.len() {
            0 | 1 => found.pop(),
            _ => found
                .iter()
                .rposition(|doubt| doubt.changes.is_empty() || self.stands(doubt, now))
                .map(|at| found.swap_remove(at)),
        };
        if let Some(doubt) = last.filter(|doubt| !doubt.changes.is_empty()) {
            self.keep_changes(&doubt.cause, doubt.changes);
        }
    }

    /// The same at the end of the run.
    pub(super) fn resolve_last_doubts(&self) {
        for file in 0..self.files.len() {
            let of_file = |doubt: &Doubt| doubt.file == file;
            let any = self.in_doubt.borrow().iter().any(of_file);
            if any && let Some(judge) = self.judge.borrow().clone() {
                let end = self.muted(|| judge.log_end(self, file));
                self.resolve_doubts(file, end, &[]);
            }
        }
    }

    fn stands(&self, doubt: &Doubt, now: &[Change]) -> bool {
        let theirs = |change: &&Change| change.new.is_some() && !now.contains(change);
        let rows: Vec<&Change> = doubt.changes.iter().filter(theirs).collect();
        let judge = self.judge.borrow().clone();
        judge.is_some_and(|judge| self.muted(|| judge.is_visible(self, &rows)))
    }
}

/// A transaction of which nobody knows whether it was committed.
pub(super) struct Doubt {
    file: usize,
    cause: Label,
    changes: Vec<Change>,
    /// Where the log ended without it.
    log: LogEnd,
}
