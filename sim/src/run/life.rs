//! Processes start, start again, and are healed; what never ends is named.

use std::rc::Rc;

use super::actor::{Actor, NEVER};
use super::process::Process;
use super::{CLOCK, Kernel, NOBODY, Phase};
use crate::case::Deviation;
use crate::decide::Act;
use crate::fault::Fault;
use crate::label::Label;
use crate::trace::{Arg, Kind, Outcome};

impl Kernel {
    /// Faults stop: whoever is down starts again, whoever stands still goes on, every way is open, the disk has room.
    pub(super) fn heal(&self) {
        self.phase.set(Phase::Heal);
        self.note(Kind::Heal, Arg::Word("faults end"), Outcome::Done);
        self.partitions.borrow_mut().clear();
        self.full_until.set(0);
        // A grace that ends later would break messages when nothing may be lost any more.
        self.stop_due(NEVER - 1);
        let now = self.now_us();
        for process in self.processes() {
            process.paused_until.set(0);
            process.crashes_in.set(0);
            process.restart_at.set(process.restart_at.get().min(now));
        }
        self.restart_due();
    }

    /// Actors that should have ended, with what they wait for. A loop that would go on is none.
    pub(super) fn name_the_stuck(&self) {
        let stuck: Vec<Rc<Actor>> = self
            .live
            .borrow()
            .iter()
            .filter(|actor| !actor.daemon.get())
            .filter(|actor| !actor.looped.get() || actor.until.get() == NEVER)
            .cloned()
            .collect();
        for actor in stuck {
            let waits = format!("waits at {}", actor.waits_at.borrow());
            self.note_as(
                actor.cause.clone(),
                actor.identity(),
                Kind::Stuck,
                Arg::Text(waits.into()),
                Outcome::Done,
            );
        }
    }

    pub(super) fn start_processes(&self) {
        for process in self.processes() {
            self.set_clock(&process);
            self.start_up(&process);
        }
    }

    pub(super) fn start_up(&self, process: &Rc<Process>) {
        let work = process.start_up.borrow().clone();
        if let Some(work) = work {
            let cause = Label::new(&format!(
                "start {}#{}",
                process.name,
                process.incarnation.get()
            ));
            self.spawn(
                cause,
                Some(process),
                process.start_is_daemon.get(),
                move |ctx| work(ctx),
            );
        }
    }

    pub(super) fn restart_due(&self) {
        let now = self.now_us();
        for process in self.processes() {
            if !process.up.get() && process.restart_at.get() <= now {
                process.up.set(true);
                process.incarnation.set(process.incarnation.get() + 1);
                if let Some(code) = process.next_code.take() {
                    process.code.set(code);
                }
                let identity = Some((process.name.clone(), process.incarnation.get()));
                let version = self.world.version(process.code.get());
                let version = version.map(|name| format!("version {name}").into());
                self.note_as(
                    NOBODY,
                    identity,
                    Kind::Restart,
                    Arg::Text(process.name.as_str().into()),
                    version.map_or(Outcome::Done, Outcome::Text),
                );
                self.plan_crash_again(&process);
                self.start_up(&process);
            }
        }
    }

    /// A process's clock starts, wrong if a decision says so.
    pub(super) fn set_clock(&self, process: &Rc<Process>) {
        let actor = Actor::new(process.name.clone(), Some(Rc::clone(process)), true);
        // Occurrences count the incarnations of this process.
        (1..process.incarnation.get()).for_each(|_| {
            actor.count(&CLOCK);
        });
        let Some((key, occurrence, act)) = self.ask(&actor, &CLOCK, crate::decide::Kind::Clock)
        else {
            return;
        };
        let clock = &process.clock;
        let told = match &act {
            Act::Do(Deviation::Offset(ms)) => {
                clock.add(*ms);
                Some((Fault::ClockOffset, format!("clock is off by {ms} ms")))
            }
            Act::Do(Deviation::Drift(ppm)) if ppm.abs() <= FASTEST_PPM => {
                clock.drift_ppm.set(*ppm);
                Some((Fault::ClockDrift, format!("clock runs fast by {ppm} ppm")))
            }
            Act::Do(Deviation::Zone(hours)) if ZONES.contains(hours) => {
                clock.add(hours * HOUR_MS);
                Some((Fault::ClockZone, format!("clock is {hours} h ahead of UTC")))
            }
            _ => None,
        };
        self.strategy.borrow_mut().carried_out(key, told.is_some());
        if let (Some((fault, words)), Act::Do(deviation)) = (told, act) {
            self.deviated(&actor, &CLOCK, occurrence, deviation);
            self.struck(fault, &CLOCK);
            self.fault_event(&actor, words);
        }
    }
}

const HOUR_MS: i64 = 3_600_000;
/// The zones of the world, whole hours.
const ZONES: std::ops::RangeInclusive<i64> = -12..=14;
/// Half as fast again, or half as fast: no clock that ships is as wrong.
const FASTEST_PPM: i64 = 500_000;
