//! A backup, and what happens when it is put back under a running system.

use std::rc::Rc;

use super::Kernel;
use super::actor::Actor;
use super::ctx::Ctx;
use super::handle::take_last;
use super::process::Process;
use crate::disk::DatabaseCopy;
use crate::disk::capture::{Change, ChangeKind};
use crate::label::Label;
use crate::trace::{Arg, Kind, Outcome};

/// One file of the database at one moment, and what had been committed until then.
#[derive(Clone)]
pub struct Backup {
    /// 0 is the main one, then those of [`super::World::databases`].
    file: usize,
    copy: DatabaseCopy,
    /// Row changes in the trace.
    changes: usize,
    /// Position in the trace.
    n: u64,
}

impl Ctx {
    /// Takes a backup of what is committed in a file. `None` while somebody is inside a write transaction: try again later.
    pub fn backup(&self, file: usize) -> Option<Backup> {
        self.gate(&BACKUP);
        self.touches_anything();
        self.kernel.loses_track();
        // Whoever reads recovers the WAL's index if he must. If that fails, there is no backup.
        self.with_file(file, |handle| {
            let read = handle
                .connection()
                .execute_batch("SELECT 1 FROM sqlite_schema");
            read.ok()
        })?;
        let copy = self.kernel.disk.copy_database(&self.kernel.files[file])?;
        let arg = match self.kernel.further(file) {
            None => Arg::Word("backup"),
            Some(name) => Arg::Text(format!("backup of {name}").into()),
        };
        let event = self.event(Kind::Backup, arg, Outcome::Done);
        let trace = self.kernel.trace.borrow();
        Some(Backup {
            file,
            copy,
            changes: trace.changes.len(),
            n: trace.events[event].n,
        })
    }

    /// Puts a backup back. Every other process that has a connection to its file is stopped before and starts again afterwards;
    /// what was committed since is undone in the trace's row changes, under the cause `restore`. Not counted as a crash.
    ///
    /// `stops`: only processes of these kinds are stopped, whether they have a connection or not. The connections of the others
    /// break: see [`Ctx::connection_broke`].
    ///
    /// False, and nothing done, while somebody whom this does not stop is inside the database.
    pub fn restore(&self, backup: &Backup, stops: Option<&[usize]>) -> bool {
        self.gate(&RESTORE);
        self.touches_anything();
        let restore = Restore {
            backup: backup.clone(),
            stops: stops.map(<[usize]>::to_vec),
        };
        if self.kernel.is_anybody_inside(&self.actor, &restore) {
            return false;
        }
        *self.kernel.restoring.borrow_mut() = Some(restore);
        self.alive(self.kernel.suspend(&self.actor));
        true
    }

    /// Whether the connection that this actor had to a file has broken under it. Told once, and inside a transaction until
    /// [`Ctx::forget_connection`].
    pub fn connection_broke(&self, file: usize) -> bool {
        let mut broken = self.actor.broken.borrow_mut();
        let found = broken.iter().position(|(of, _)| *of == file);
        if let Some(at) = found
            && !broken[at].1
        {
            broken.swap_remove(at);
        }
        found.is_some()
    }

    /// A transaction on a connection that may have broken is given up.
    pub fn forget_connection(&self, file: usize) {
        self.actor.broken.borrow_mut().retain(|(of, _)| *of != file);
    }
}

/// A restore that somebody has asked for.
pub(super) struct Restore {
    backup: Backup,
    stops: Option<Vec<usize>>,
}

impl Restore {
    /// Whether it stops this process, when `by` asks for it.
    fn stops(&self, process: &Rc<Process>, by: &Actor) -> bool {
        let own = by.process.as_ref();
        own.is_none_or(|own| !Rc::ptr_eq(own, process))
            && self
                .stops
                .as_ref()
                .is_none_or(|stops| stops.contains(&process.kind_index))
    }
}

impl Kernel {
    /// The name of a file that is not the main one.
    fn further(&self, file: usize) -> Option<&str> {
        let at = file.checked_sub(1)?;
        self.world.databases().get(at).map(String::as_str)
    }

    /// Whether an actor that survives a restore is in the middle of a call.
    fn is_anybody_inside(&self, by: &Rc<Actor>, restore: &Restore) -> bool {
        let file = restore.backup.file;
        let survives = |actor: &Actor| {
            let process = actor.process.as_ref();
            process.is_none_or(|process| !restore.stops(process, by))
        };
        let inside = |actor: &Actor| actor.conn(file) != 0 && !actor.has_handle(file);
        self.live
            .borrow()
            .iter()
            .any(|actor| !Rc::ptr_eq(actor, by) && survives(actor) && inside(actor))
    }

    /// Carries out a restore that this actor has asked for. No coroutine runs meanwhile.
    pub(super) fn put_back(&self, by: &Rc<Actor>, restore: &Restore) {
        let backup = &restore.backup;
        let what = self.further(backup.file).unwrap_or("the database");
        self.note_as(
            by.cause.clone(),
            by.identity(),
            Kind::Restore,
            Arg::Text(format!("{what} is put back to {}", backup.n).into()),
            Outcome::Done,
        );
        for process in self.stopped_by(by, restore) {
            self.stop_now(&process, "is stopped for a restore");
        }
        self.retire_handles(by, backup.file);
        self.forget_doubts(backup.file);
        self.disk.put_database_back(&backup.copy);
        self.undo_changes_since(backup);
        self.undone.borrow_mut().push(backup.n..self.position() + 1);
        if let Some(judge) = self.judge.borrow().clone() {
            self.muted(|| judge.crashed(self));
        }
        *self.next.borrow_mut() = Some(Rc::clone(by));
    }

    /// Those of the kinds that it names, else all that are connected.
    fn stopped_by(&self, by: &Rc<Actor>, restore: &Restore) -> Vec<Rc<Process>> {
        let (live, file) = (self.live.borrow(), restore.backup.file);
        let connected = |process: &&Rc<Process>| {
            let mine = |actor: &&Rc<Actor>| {
                let own = actor.process.as_ref();
                own.is_some_and(|own| Rc::ptr_eq(own, process)) && actor.conn(file) != 0
            };
            process.has_idle(file) || live.iter().any(|actor| mine(&actor))
        };
        let processes = self.processes.borrow();
        let up = processes.iter().filter(|process| process.up.get());
        up.filter(|process| restore.stops(process, by))
            .filter(|process| restore.stops.is_some() || connected(process))
            .cloned()
            .collect()
    }

    /// Whoever is left takes a fresh connection next time, and whose connection breaks is told first.
    fn retire_handles(&self, by: &Rc<Actor>, file: usize) {
        let mut graveyard = self.graveyard.borrow_mut();
        let before = graveyard.len();
        for actor in self.live.borrow().iter() {
            let handle = actor.take_handle(file);
            if let Some(handle) = handle.as_ref().filter(|_| !Rc::ptr_eq(actor, by)) {
                let within = !handle.connection().is_autocommit();
                actor.broken.borrow_mut().push((file, within));
            }
            graveyard.extend(handle);
            actor.conns.borrow_mut().retain(|(of, _)| *of != file);
        }
        for process in self.processes.borrow().iter() {
            let mut idle = process.idle.borrow_mut();
            graveyard.extend(std::iter::from_fn(|| take_last(&mut idle, file)));
        }
        graveyard[before..]
            .iter()
            .for_each(|handle| self.disk.kill(handle.conn));
    }

    /// Whether a change is one of this file: the name of a further one stands before its tables.
    fn is_of(&self, file: usize, change: &Change) -> bool {
        let name = change.table.split_once('.').map(|(name, _)| name);
        let further = name.and_then(|name| {
            let mut names = self.world.databases().iter();
            names.position(|known| known == name)
        });
        file == further.map_or(0, |at| at + 1)
    }

    fn undo_changes_since(&self, backup: &Backup) {
        let undone: Vec<Change> = {
            let trace = self.trace.borrow();
            let since = trace.changes[backup.changes..].iter().rev();
            since
                .filter(|committed| self.is_of(backup.file, &committed.change))
                .map(|committed| inverse(&committed.change))
                .collect()
        };
        if !undone.is_empty() {
            self.keep_changes(&RESTORE, undone);
        }
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
        rowids: (change.rowids.1, change.rowids.0),
    }
}

const BACKUP: Label = Label::fixed("backup");
const RESTORE: Label = Label::fixed("restore");
