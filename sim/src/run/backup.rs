//! A backup, and what happens when it is put back under a running system.

use std::rc::Rc;

use super::actor::Actor;
use super::ctx::Ctx;
use super::handle::take_last;
use super::process::Process;
use super::{Kernel, MAIN};
use crate::disk::DatabaseCopy;
use crate::disk::capture::{Change, ChangeKind};
use crate::label::Label;
use crate::trace::{Arg, Kind, Outcome};

/// The database at one moment, and what had been committed until then.
#[derive(Clone)]
pub struct Backup {
    copy: DatabaseCopy,
    /// Row changes in the trace.
    changes: usize,
    /// Position in the trace.
    n: u64,
}

impl Ctx {
    /// Takes a backup of what is committed in the main file. `None` while somebody is inside a write transaction: try again later.
    pub fn backup(&self) -> Option<Backup> {
        self.gate(&BACKUP);
        // Whoever reads recovers the WAL's index if he must. If that fails, there is no backup.
        self.with_db(|handle| {
            let read = handle
                .connection()
                .execute_batch("SELECT 1 FROM sqlite_schema");
            read.ok()
        })?;
        let copy = self.kernel.disk.copy_database(MAIN)?;
        let event = self.event(Kind::Backup, Arg::Word("backup"), Outcome::Done);
        let trace = self.kernel.trace.borrow();
        Some(Backup {
            copy,
            changes: trace.changes.len(),
            n: trace.events[event].n,
        })
    }

    /// Puts a backup back. Every other process that has a connection is stopped before and starts again afterwards; what was
    /// committed since is undone in the trace's row changes, under the cause `restore`. Not counted as a crash.
    ///
    /// False, and nothing done, while somebody whom this cannot stop is inside the database: an actor outside the system, or
    /// another one of this process.
    pub fn restore(&self, backup: &Backup) -> bool {
        self.gate(&RESTORE);
        if self.kernel.is_anybody_inside(&self.actor) {
            return false;
        }
        *self.kernel.restoring.borrow_mut() = Some(backup.clone());
        self.alive(self.kernel.suspend(&self.actor));
        true
    }
}

impl Kernel {
    /// Whether an actor that survives a restore is in the middle of a call.
    fn is_anybody_inside(&self, by: &Rc<Actor>) -> bool {
        let inside = |actor: &Rc<Actor>| actor.conn(0) != 0 && !actor.has_handle(0);
        self.live
            .borrow()
            .iter()
            .any(|actor| !Rc::ptr_eq(actor, by) && !is_stopped(actor, by) && inside(actor))
    }

    /// Carries out a restore that this actor has asked for. No coroutine runs meanwhile.
    pub(super) fn put_back(&self, by: &Rc<Actor>, backup: &Backup) {
        self.note_as(
            by.cause.clone(),
            by.identity(),
            Kind::Restore,
            Arg::Text(format!("the database is put back to {}", backup.n).into()),
            Outcome::Done,
        );
        for process in self.connected_beside(by) {
            self.stop_now(&process, "is stopped for a restore");
        }
        self.retire_handles();
        self.forget_doubts(0);
        self.disk.put_database_back(&backup.copy);
        self.undo_changes_since(backup.changes);
        self.undone.borrow_mut().push(backup.n..self.position() + 1);
        if let Some(judge) = self.judge.borrow().clone() {
            self.muted(|| judge.crashed(self));
        }
        *self.next.borrow_mut() = Some(Rc::clone(by));
    }

    fn connected_beside(&self, by: &Rc<Actor>) -> Vec<Rc<Process>> {
        let live = self.live.borrow();
        let connected = |process: &&Rc<Process>| {
            let mine = |actor: &&Rc<Actor>| {
                let own = actor.process.as_ref();
                own.is_some_and(|own| Rc::ptr_eq(own, process)) && actor.conn(0) != 0
            };
            process.has_idle(0) || live.iter().any(|actor| mine(&actor))
        };
        let other = |process: &&Rc<Process>| {
            let own = by.process.as_ref();
            own.is_none_or(|own| !Rc::ptr_eq(own, process))
        };
        let processes = self.processes.borrow();
        let found = processes.iter().filter(other).filter(connected);
        found.cloned().collect()
    }

    /// Whoever is left takes a fresh connection next time.
    fn retire_handles(&self) {
        let mut graveyard = self.graveyard.borrow_mut();
        let before = graveyard.len();
        for actor in self.live.borrow().iter() {
            graveyard.extend(actor.take_handle(0));
            actor.conns.borrow_mut().retain(|(file, _)| *file != 0);
        }
        for process in self.processes.borrow().iter() {
            let mut idle = process.idle.borrow_mut();
            graveyard.extend(std::iter::from_fn(|| take_last(&mut idle, 0)));
        }
        graveyard[before..]
            .iter()
            .for_each(|handle| self.disk.kill(handle.conn));
    }

    fn is_of_a_further_file(&self, change: &Change) -> bool {
        let place = change.table.split_once('.');
        place.is_some_and(|(name, _)| self.world.databases().iter().any(|known| known == name))
    }

    fn undo_changes_since(&self, kept: usize) {
        let undone: Vec<Change> = {
            let trace = self.trace.borrow();
            let since = trace.changes[kept..].iter().rev();
            let of_main = since.filter(|committed| !self.is_of_a_further_file(&committed.change));
            of_main
                .map(|committed| inverse(&committed.change))
                .collect()
        };
        if !undone.is_empty() {
            self.keep_changes(&RESTORE, undone);
        }
    }
}

/// Whether a restore that `by` asks for stops this actor.
fn is_stopped(actor: &Actor, by: &Actor) -> bool {
    match (&actor.process, &by.process) {
        (Some(its), Some(own)) => !Rc::ptr_eq(its, own),
        (its, None) => its.is_some(),
        (None, _) => false,
    }
}

fn inverse(change: &Change) -> Change {
    Change {
        table: change.table.clone(),
        kind: match change.kind {
            ChangeKind::Insert => ChangeKind::Delete,
            ChangeKind::Update => ChangeKind::Update,
            ChangeKind::Delete => ChangeKind::Insert,
        },
        old: change.new.clone(),
        new: change.old.clone(),
    }
}

const BACKUP: Label = Label::fixed("backup");
const RESTORE: Label = Label::fixed("restore");
