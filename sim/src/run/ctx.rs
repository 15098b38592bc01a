//! What an actor's code can do: pass gates, wait, talk, keep effects, use its database.

use std::rc::Rc;

use lockstep_store::{Call, Error as StoreError, Reply, Store};

use super::actor::{Actor, Condition, NEVER, State};
use super::clock::ProcessClock;
use super::death::unwind;
use super::handle::{Db, Handle, take_last};
use super::process::Process;
use super::{Kernel, Phase};
use crate::decide::Kind;
use crate::disk::Dead;
use crate::fault::Fault;
use crate::label::Label;
use crate::ledger::{Deed, Effect};
use crate::trace::{self, Arg, Kind as EventKind, Outcome};

/// The simulated world as one actor sees it.
///
/// Every method that passes a gate unwinds when the actor's process has died: code after it never runs.
pub struct Ctx {
    pub(super) kernel: Rc<Kernel>,
    pub(super) actor: Rc<Actor>,
}

/// Who asks for something: the delivery that is being handled, and the process instance and incarnation that handles it.
#[derive(Debug, Clone)]
pub struct Author {
    cause: Label,
    process: Option<(Label, u32)>,
}

impl Ctx {
    /// The run that this actor belongs to.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The same, for conditions that outlive this borrow.
    pub fn shared_kernel(&self) -> Rc<Kernel> {
        Rc::clone(&self.kernel)
    }

    /// The delivery being handled.
    pub fn cause(&self) -> &Label {
        &self.actor.cause
    }

    /// The process that this actor runs in.
    ///
    /// # Panics
    /// If the actor is outside the system.
    pub fn process(&self) -> &Rc<Process> {
        self.actor
            .process
            .as_ref()
            .expect("this actor runs in a process")
    }

    /// Passes a gate: others may go on before this returns, or the process may die here.
    pub fn gate(&self, site: &Label) {
        self.alive(self.kernel.gate(site, Kind::Step).map_err(|_| Dead));
    }

    /// The process's wall clock, Unix milliseconds. Outside the system: true time.
    pub fn clock_ms(&self) -> i64 {
        let (start_ms, now_us) = (self.kernel.start_ms, self.kernel.now_us());
        match &self.actor.process {
            Some(process) => process.clock.read(start_ms, now_us),
            None => ProcessClock::default().read(start_ms, now_us),
        }
    }

    /// Virtual time since the start of the run, milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.kernel.now_us() / 1000
    }

    /// Faults have stopped.
    pub fn healing(&self) -> bool {
        self.kernel.phase.get() == Phase::Heal
    }

    /// Sleeps for so many milliseconds of virtual time. Not an event.
    pub fn sleep(&self, site: &Label, ms: u64) {
        let until = self.kernel.later(ms);
        self.alive(self.kernel.block(&self.actor, site, until, None));
    }

    /// Sleeps until the virtual time `ms` since the start.
    pub fn sleep_until(&self, site: &Label, ms: u64) {
        self.alive(
            self.kernel
                .block(&self.actor, site, ms.saturating_mul(1000), None),
        );
    }

    /// Waits until the condition holds, at most until the virtual time `until_ms` since the start. True if it holds.
    /// The condition is asked again whenever somebody else has run; it must only look.
    pub fn wait(
        &self,
        site: &Label,
        until_ms: Option<u64>,
        condition: impl Fn() -> bool + 'static,
    ) -> bool {
        if condition() {
            return true;
        }
        let condition = Rc::new(condition);
        let asked = Rc::clone(&condition);
        let until = until_ms.map_or(NEVER, |ms| ms.saturating_mul(1000));
        self.alive(
            self.kernel
                .block(&self.actor, site, until, Some(Box::new(move || asked()))),
        );
        condition()
    }

    /// The process was asked to stop. Handlers in flight should finish, everybody else should end; [`Ctx::exit`] ends the
    /// process when they have. Never true outside the system.
    pub fn stopping(&self) -> bool {
        let process = self.actor.process.as_ref();
        process.is_some_and(|process| process.is_stopping())
    }

    /// The same as [`Ctx::wait`], but ends as well when the process is asked to stop, at once if it has been.
    /// Ask [`Ctx::stopping`] afterwards: a loop that only waits again would not let time pass.
    pub fn wait_or_stop(
        &self,
        site: &Label,
        until_ms: Option<u64>,
        condition: impl Fn() -> bool + 'static,
    ) -> bool {
        let condition = Rc::new(condition);
        let (asked, process) = (Rc::clone(&condition), self.actor.process.clone());
        let stops = move || {
            process
                .as_ref()
                .is_some_and(|process| process.is_stopping())
        };
        self.wait(site, until_ms, move || asked() || stops());
        condition()
    }

    /// Sleeps until the virtual time `until_ms` since the start. False when the process was asked to stop before.
    pub fn sleep_or_stop(&self, site: &Label, until_ms: u64) -> bool {
        self.wait_or_stop(site, Some(until_ms), || false);
        self.now_ms() >= until_ms
    }

    /// From now on no other actor of this process goes on, until [`Ctx::release_process`]. False when this one holds it already.
    pub fn hold_process(&self) -> bool {
        let own = Some(self.actor.cause.hash());
        self.process().held_by.replace(own) != own
    }

    /// The other actors of this process may go on again.
    pub fn release_process(&self) {
        self.process().held_by.set(None);
    }

    /// Ends this actor's process: it loses its memory and open transactions as in a crash, and starts again after a while as
    /// its next incarnation. Not counted as a crash.
    ///
    /// # Panics
    /// If the actor is outside the system.
    pub fn exit(&self) -> ! {
        self.kernel.leave(&self.actor, self.process());
        // The process is dead before this returns, so that it cannot be told to go on.
        let _ = self.kernel.suspend(&self.actor);
        unwind()
    }

    /// This actor has learned something that is neither the outcome of an event nor a decision: see [`crate::decide::View::state`].
    pub fn learns(&self, bits: u64) {
        self.kernel.learns(&self.actor, bits);
    }

    /// Whether this role should strike a fault of its own now. A decision: no in the quiet run, without budget, and once faults
    /// have stopped; a swarm has the kind on or off for the whole run. Not a gate.
    pub fn may(&self, fault: Fault) -> bool {
        self.kernel.may(&self.actor, fault)
    }

    /// Records that this role strikes a fault of its own: an event of the trace, and one strike less.
    pub fn strike(&self, fault: Fault, words: &str) {
        self.kernel.struck(fault, &Label::new(fault.name()));
        self.kernel
            .fault_event(&self.actor, format!("{fault} {words}"));
    }

    /// Whether somebody hears a wake-up: yes, unless a decision says otherwise. Not a gate.
    pub fn wake(&self, site: &Label) -> bool {
        !self.kernel.loses_wakeup(&self.actor, site)
    }

    /// A duration in milliseconds out of a range: the shortest, unless a decision says longer.
    pub fn amount(&self, site: &Label, shortest: u64, longest: u64) -> u64 {
        if shortest >= longest {
            shortest
        } else {
            self.kernel.amount(&self.actor, site, shortest, longest)
        }
    }

    /// Lets time pass, as an event.
    pub fn take(&self, site: &Label, shortest: u64, longest: u64) {
        let ms = self.amount(site, shortest, longest);
        let event = self.event(
            EventKind::Take,
            Arg::Text(format!("{ms} ms").into()),
            Outcome::Open,
        );
        self.sleep(site, ms);
        self.close(event, Outcome::Done);
    }

    /// A choice out of `0..n`: 0, unless a decision says otherwise. `n` of 0 or 1 always gives 0.
    pub fn pick(&self, site: &Label, n: u64) -> u64 {
        if n <= 1 {
            0
        } else {
            self.kernel.pick(&self.actor, site, n)
        }
    }

    /// Which passage of this label by this cause it is, from 1: for ids that name where they come from.
    pub fn nth(&self, label: &Label) -> u32 {
        self.actor.count(label)
    }

    /// The handler failed: the delivery ends without a reply.
    pub fn failed(&self, words: &str) {
        if let Some(event) = self.actor.delivery.take() {
            self.close(event, Outcome::Error(words.into()));
        }
    }

    /// Records an event of this actor; returns its index for [`Ctx::close`].
    pub fn event(&self, kind: EventKind, arg: Arg, outcome: Outcome) -> usize {
        self.kernel.note_as(
            self.actor.cause.clone(),
            self.actor.identity(),
            kind,
            arg,
            outcome,
        )
    }

    /// An event has returned.
    pub fn close(&self, event: usize, outcome: Outcome) {
        let now = self.kernel.now_us();
        self.kernel
            .learns(&self.actor, trace::hash::of_outcome(&outcome));
        self.kernel.trace.borrow_mut().close(event, now, outcome);
        self.kernel
            .keep_event(&self.kernel.trace.borrow().events[event]);
    }

    /// Something outside happens now, whatever the store thinks of it.
    pub fn effect(&self, deed: Deed) {
        self.gate(&EFFECT);
        self.happen(deed);
    }

    /// The same, behind a gate of the caller's.
    pub fn happen(&self, deed: Deed) {
        self.happen_for(&self.author(), deed);
    }

    /// The same, in the name of somebody else.
    pub fn happen_for(&self, author: &Author, deed: Deed) {
        let event = self.effect_event(author, &deed, Outcome::Done);
        let n = self.kernel.trace.borrow().events[event].n;
        self.actor.looks.set(false);
        let effect = Effect {
            n,
            cause: author.cause.clone(),
            at_us: self.kernel.now_us(),
            author: author.process.as_ref().map(|(name, _)| name.clone()),
            deed,
        };
        self.kernel.keep_effect(&effect);
        self.kernel.ledger.borrow_mut().effects.push(effect);
    }

    /// Whoever is outside does not do it, for this reason. Not counted as an effect.
    pub fn refuse_effect(&self, author: &Author, deed: &Deed, why: &str) {
        self.effect_event(author, deed, Outcome::Text(why.into()));
    }

    fn effect_event(&self, author: &Author, deed: &Deed, outcome: Outcome) -> usize {
        let words = [&deed.to, &deed.intent, &deed.key, &deed.value].map(|value| {
            value.as_ref().map_or(String::new(), |value| {
                format!(" {}", crate::trace::value_json(value))
            })
        });
        self.kernel.note_as(
            author.cause.clone(),
            author.process.clone(),
            EventKind::Effect,
            Arg::Text(format!("{}{}", deed.name, words.concat()).into()),
            outcome,
        )
    }

    /// This actor, as the one who asks for something.
    pub fn author(&self) -> Author {
        Author {
            cause: self.actor.cause.clone(),
            process: self.actor.identity(),
        }
    }

    /// From now on the run waits for this actor to end, or does not.
    pub fn set_daemon(&self, daemon: bool) {
        self.actor.daemon.set(daemon);
    }

    /// This actor goes on for ever, with whatever it sets going: the run does not wait for its timers. Others of its kind do not
    /// either, until it has changed something.
    pub fn loops(&self) {
        self.actor.looped.set(true);
        self.actor.looks.set(true);
    }

    /// Starts an actor outside the system, whom no crash concerns.
    pub fn spawn_outside(&self, cause: Label, body: impl FnOnce(&Ctx) + 'static) {
        self.kernel.spawn(cause, None, false, body);
    }

    /// Starts an actor beside this one, in the same process (outside, if this one is).
    pub fn spawn(&self, cause: Label, daemon: bool, body: impl FnOnce(&Ctx) + 'static) {
        self.kernel
            .spawn(cause, self.actor.process.as_ref(), daemon, body);
    }

    /// Runs an operation of the reference store on this actor's handle; the process may die inside it.
    ///
    /// # Errors
    /// Those of the store.
    ///
    /// # Panics
    /// If the world has no reference store.
    pub fn store(&self, call: Call) -> Result<Reply, StoreError> {
        self.store_at(&Label::new(&format!("op {}", call.op.name())), call)
    }

    /// The same, behind a gate with this label.
    ///
    /// # Errors
    /// Those of the store.
    pub fn store_at(&self, site: &Label, call: Call) -> Result<Reply, StoreError> {
        self.gate(site);
        let call = Rc::new(call);
        let event = self.event(EventKind::Op, Arg::Op(Rc::clone(&call)), Outcome::Open);
        let result = self.with_db(|handle| match &mut handle.db {
            Db::Store(store) => {
                handle.clock.listen();
                let result = store.apply(&call);
                let mut trace = self.kernel.trace.borrow_mut();
                trace.read_clock(event, handle.clock.heard());
                result
            }
            Db::Raw(_) => unreachable!("a world without the reference store runs no operations"),
        });
        let result = Rc::new(result);
        self.close(event, Outcome::Op(Rc::clone(&result)));
        Rc::try_unwrap(result).unwrap_or_else(|shared| (*shared).clone())
    }

    /// Uses this actor's database handle. Every return from SQLite goes through here, so that an actor that has died
    /// inside never sees the result. Whoever changes a setting of the connection sets it back in the same call: others of this
    /// process get the connection next.
    pub fn with_db<T>(&self, work: impl FnOnce(&mut Handle) -> T) -> T {
        self.with_file(0, work)
    }

    /// The same for its connection to any file of the world: 0 is the main one, then those of [`super::World::databases`].
    pub fn with_file<T>(&self, file: usize, work: impl FnOnce(&mut Handle) -> T) -> T {
        let mut handle = self.take_handle(file);
        self.kernel.disk.enter(handle.conn);
        let result = work(&mut handle);
        if self.actor.is_dead() || self.kernel.over.get() {
            self.kernel.graveyard.borrow_mut().push(handle);
            unwind();
        }
        if handle.connection().is_autocommit() {
            handle.capture.forget();
        }
        self.actor.keep_handle(handle);
        result
    }

    fn take_handle(&self, file: usize) -> Handle {
        if let Some(handle) = self.actor.take_handle(file) {
            return handle;
        }
        let process = self.actor.process.as_ref();
        let idle = process.and_then(|process| take_last(&mut process.idle.borrow_mut(), file));
        let pooled = || take_last(&mut self.kernel.pool.borrow_mut(), file);
        let Some(handle) = idle.or_else(pooled) else {
            self.kernel.short.set(true);
            unwind();
        };
        if let Some(process) = &self.actor.process {
            handle.clock.follow(&process.clock);
        }
        self.actor.conns.borrow_mut().push((file, handle.conn));
        handle
    }

    pub(super) fn alive(&self, result: Result<(), Dead>) {
        if result.is_err() || self.kernel.over.get() {
            unwind();
        }
    }
}

impl Kernel {
    /// Blocks the running actor until a time or a condition.
    pub(super) fn block(
        &self,
        actor: &Rc<Actor>,
        site: &Label,
        until_us: u64,
        condition: Option<Condition>,
    ) -> Result<(), Dead> {
        actor.until.set(until_us);
        *actor.condition.borrow_mut() = condition;
        *actor.waits_at.borrow_mut() = site.clone();
        actor.state.set(State::Blocked);
        let result = self.suspend(actor);
        self.learns(actor, self.now_us());
        *actor.condition.borrow_mut() = None;
        actor.until.set(NEVER);
        result
    }
}

const EFFECT: Label = Label::fixed("effect");
