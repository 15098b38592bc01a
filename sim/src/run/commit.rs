//! Commits: judged while their writer still holds the lock, kept in the trace, and settled when a death left them in doubt.

use super::{Kernel, NOBODY};
use crate::disk::Conn;
use crate::disk::capture::Change;
use crate::label::Label;
use crate::trace::Committed;

impl Kernel {
    /// A commit of this connection has become visible, and its write lock is still held.
    pub(super) fn committed(&self, conn: Conn) {
        let capture = self.captures.get(conn as usize).cloned().flatten();
        let Some(capture) = capture else { return };
        let changes = capture.take();
        self.resolve_doubts(&changes);
        if changes.is_empty() {
            return;
        }
        let judge = self.judge.borrow().clone();
        if let Some(judge) = judge {
            self.muted(|| judge.committed(self, &changes));
        }
        let cause = self
            .current
            .borrow()
            .as_ref()
            .map_or(NOBODY, |actor| actor.cause.clone());
        self.keep_changes(&cause, changes);
    }

    pub(super) fn keep_changes(&self, cause: &Label, changes: Vec<Change>) {
        let mut trace = self.trace.borrow_mut();
        let n = trace.tick();
        let committed = |change| Committed {
            n,
            cause: cause.clone(),
            change,
        };
        trace.changes.extend(changes.into_iter().map(committed));
    }

    /// A process that dies inside a commit may have made it durable without having told anybody: the next reader recovers
    /// it from the WAL. At the next commit (`now`: its changes) and at the end it is settled which of them took place.
    pub(super) fn resolve_doubts(&self, now: &[Change]) {
        let in_doubt = self.in_doubt.take();
        let Some(judge) = self.judge.borrow().clone() else {
            return;
        };
        for (cause, changes) in in_doubt {
            let theirs = |change: &&Change| change.new.is_some() && !now.contains(change);
            let rows: Vec<&Change> = changes.iter().filter(theirs).collect();
            if self.muted(|| judge.is_visible(self, &rows)) {
                self.keep_changes(&cause, changes);
            }
        }
    }
}
