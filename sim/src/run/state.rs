//! The state of a run at a point, as one number: where it is the same, everything that can happen from there on is the same.
//!
//! An actor is a function of what it has learned: what statements, messages, clocks and decisions have answered it. So its state
//! is the hash of that, and nobody needs to look at its stack. To this come the rows of the database, what processes and the
//! world outside keep, timers, what faults are left, and the part of the history that rules look at. Two runs that did
//! independent things in another order come to the same number, without anybody saying what is independent of what.
//!
//! It is told only where it can be: not while somebody is inside a transaction or a statement, and not any more once the
//! schema has changed, a backup was taken, or a second leg has begun.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::actor::{Actor, State};
use super::message::Mail;
use super::process::Process;
use super::{Kernel, World};
use crate::access::{self, Access, Touched};
use crate::disk::capture::Change;
use crate::fault::Fault;
use crate::fold::Fold;
use crate::label::{Label, mix};
use crate::ledger::Effect;
use crate::trace::{Event, Kind, hash};

/// What of the history rules look at: of that the order is part of the state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Effects outside.
    pub effects: bool,
    /// Committed changes of rows.
    pub changes: bool,
    /// Everything that the trace tells.
    pub events: bool,
}

/// What is kept of a run in order to tell its state.
pub(super) struct Kept {
    remembers: Remembered,
    /// All rows of the database, as a sum of their hashes: their order is nobody's business.
    rows: Cell<u128>,
    /// What has happened, in its order, as far as rules look at it.
    history: Cell<u128>,
    /// Causes that were used: they number those that come.
    causes: Cell<u64>,
    mails: RefCell<Vec<(Label, Weak<Mail>)>>,
    /// What actors have touched since somebody has asked.
    pub(super) touched: RefCell<Touched>,
    /// Something has happened that the number would not tell.
    lost_track: Cell<bool>,
}

impl Kept {
    pub(super) fn new(world: &dyn World) -> Option<Self> {
        Some(Self {
            remembers: world.remembered()?,
            rows: Cell::new(0),
            history: Cell::new(0),
            causes: Cell::new(0),
            mails: RefCell::default(),
            touched: RefCell::default(),
            lost_track: Cell::new(world.legs() > 1),
        })
    }

    /// Rules look at what happens, and at the order in which it does.
    fn happened(&self, what: &Fold) {
        let mut fold = Fold::new();
        fold.sum(self.history.get());
        fold.sum(what.whole());
        self.history.set(fold.whole());
    }
}

impl Kernel {
    /// Whether somebody wants to know the state.
    pub fn keeps_state(&self) -> bool {
        self.kept.is_some()
    }

    /// Something happens that the state would not tell: from now on it is not told.
    pub(super) fn loses_track(&self) {
        if let Some(kept) = &self.kept {
            kept.lost_track.set(true);
        }
    }

    /// An actor has learned something: its state is what it has learned.
    pub(super) fn learns(&self, actor: &Actor, bits: u64) {
        if self.kept.is_some() {
            actor.knows.set(mix(actor.knows.get(), bits));
        }
    }

    /// An actor stands at a gate: it is in the same place whether it goes on from there, or waits while others do.
    pub(super) fn keep_place(&self, actor: &Actor, site: &Label) {
        if self.kept.is_some() {
            *actor.waits_at.borrow_mut() = site.clone();
        }
    }

    /// A cause is used.
    pub(super) fn keep_cause(&self, cause: &Label) {
        if let Some(kept) = &self.kept {
            let sum = kept.causes.get().wrapping_add(mix(cause.hash(), 1));
            kept.causes.set(sum);
        }
    }

    /// An answer may arrive here.
    pub(super) fn keep_mail(&self, cause: &Label, mail: &Rc<Mail>) {
        if let Some(kept) = &self.kept {
            let mut mails = kept.mails.borrow_mut();
            mails.retain(|(_, mail)| mail.strong_count() > 0);
            mails.push((cause.clone(), Rc::downgrade(mail)));
        }
    }

    /// Rows were committed.
    pub(super) fn keep_rows(&self, cause: &Label, changes: &[Change]) {
        let Some(kept) = &self.kept else { return };
        self.touched_rows(changes);
        if kept.remembers.changes {
            self.touched_history();
        }
        for change in changes {
            let (old, new) = (row_hash(change, false), row_hash(change, true));
            let rows = kept.rows.get().wrapping_sub(old).wrapping_add(new);
            kept.rows.set(rows);
            if kept.remembers.changes {
                let mut fold = Fold::new();
                fold.text("change");
                fold.number(cause.hash());
                fold.number(self.now_us());
                fold.sum(old);
                fold.sum(new);
                kept.happened(&fold);
            }
        }
    }

    /// Something has happened outside.
    pub(super) fn keep_effect(&self, effect: &Effect) {
        let Some(kept) = self.kept.as_ref().filter(|kept| kept.remembers.effects) else {
            return;
        };
        self.touched_history();
        let mut fold = Fold::new();
        fold.text("effect");
        fold.number(effect.cause.hash());
        fold.number(effect.at_us);
        fold.text(&effect.deed.name);
        fold.option(effect.author.as_ref(), |fold, author| {
            fold.number(author.hash())
        });
        let deed = &effect.deed;
        for value in [&deed.intent, &deed.key, &deed.value, &deed.to] {
            fold.option(value.as_ref(), Fold::value);
        }
        kept.happened(&fold);
    }

    /// An event of the trace has begun, or has ended. Who goes on is no event.
    pub(super) fn keep_event(&self, event: &Event) {
        let Some(kept) = self.kept.as_ref().filter(|kept| kept.remembers.events) else {
            return;
        };
        if event.kind == Kind::Switch {
            return;
        }
        self.touched_history();
        let mut fold = Fold::new();
        fold.text("event");
        fold.number(self.now_us());
        hash::event_but_its_place(event, fold.hash());
        kept.happened(&fold);
    }

    fn touched_history(&self) {
        self.touched(|| Access::thing(access::name("history", &[]), true));
    }

    /// The state here; `None` where it cannot be told.
    pub(super) fn tell_state(&self) -> Option<u128> {
        let kept = self.kept.as_ref()?;
        if kept.lost_track.get() || self.disk.schema_changed() || !self.in_doubt.borrow().is_empty()
        {
            return None;
        }
        let mut fold = Fold::new();
        self.fold_run(kept, &mut fold);
        for process in self.processes.borrow().iter() {
            fold_process(process, &mut fold);
        }
        for actor in self.live.borrow().iter() {
            if !is_between_statements(actor) {
                return None;
            }
            fold_actor(actor, &mut fold);
        }
        fold_mails(&kept.mails.borrow(), &mut fold);
        self.world.fold(&mut fold);
        Some(fold.whole())
    }

    fn fold_run(&self, kept: &Kept, fold: &mut Fold) {
        fold.sum(kept.rows.get());
        fold.sum(kept.history.get());
        for number in [
            self.now_us(),
            kept.causes.get(),
            self.changes() as u64,
            self.full_until.get(),
        ] {
            fold.number(number);
        }
        let budget = self.budget.borrow();
        for fault in Fault::ALL {
            fold.number(u64::from(budget.left(fault)));
        }
        for partition in self.partitions.borrow().iter() {
            partition.fold(fold);
        }
    }
}

/// A row as a number; 0 for none.
fn row_hash(change: &Change, new: bool) -> u128 {
    let (row, rowid) = match new {
        true => (&change.new, change.rowids.1),
        false => (&change.old, change.rowids.0),
    };
    let Some(row) = row else { return 0 };
    let mut fold = Fold::new();
    fold.text(&change.table);
    // Where nobody says an order, SQLite goes by it.
    fold.number(rowid.cast_unsigned());
    row.iter().for_each(|value| fold.value(value));
    fold.whole()
}

/// None of its connections is in a call or in a transaction.
fn is_between_statements(actor: &Actor) -> bool {
    actor.conns.borrow().len() == actor.handles_at_rest()
}

fn fold_process(process: &Process, fold: &mut Fold) {
    fold.number(process.name.hash());
    fold.flag(process.up.get());
    for number in [
        u64::from(process.incarnation.get()),
        process.restart_at.get(),
        process.stop_at.get(),
        process.paused_until.get(),
        process.crashes_in.get(),
        u64::from(process.crashes_left.get()),
        u64::from(process.died.get()),
        process.clock.offset_ms.get().cast_unsigned(),
        process.clock.drift_ppm.get().cast_unsigned(),
        process.code.get() as u64,
    ] {
        fold.number(number);
    }
    fold.option(process.held_by.get(), Fold::number);
    fold.option(process.next_code.get(), |fold, code| {
        fold.number(code as u64)
    });
    let deaths = process.deaths.borrow();
    fold.number(deaths.len() as u64);
    deaths.iter().for_each(|death| fold.number(*death));
}

fn fold_actor(actor: &Actor, fold: &mut Fold) {
    for number in [
        actor.cause.hash(),
        u64::from(actor.incarnation),
        actor.knows.get(),
        u64::from(actor.state.get() == State::Blocked),
        actor.until.get(),
        actor.waits_at.borrow().hash(),
    ] {
        fold.number(number);
    }
    fold.flag(actor.daemon.get());
    fold.flag(actor.looped.get());
    fold.flag(actor.looks.get());
}

fn fold_mails(mails: &[(Label, Weak<Mail>)], fold: &mut Fold) {
    for (cause, mail) in mails {
        if let Some(mail) = mail.upgrade() {
            fold.number(cause.hash());
            mail.fold(fold);
        }
    }
}
