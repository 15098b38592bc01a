//! Gates: where a decision may deviate, and the single place where harm is done.

use std::rc::Rc;

use super::actor::{Actor, Resume};
use super::footprint::life;
use super::{Kernel, Phase};
use crate::access::Access;
use crate::case::{Deviation, Point, key};
use crate::decide::{Act, At, Kind, Profile};
use crate::disk::{Conn, Dead, FileKind, Gatekeeper, LogEnd, Method, Refusal};
use crate::label::{Label, mix};
use crate::trace::{Arg, Kind as EventKind, Outcome};

/// No decision lasts longer than a century: a case is text that anybody may edit.
const LONGEST_MS: u64 = 100 * 366 * 24 * 3_600_000;

fn is_beyond_measure(act: &Act) -> bool {
    let Act::Do(deviation) = act else {
        return false;
    };
    deviation
        .amount()
        .is_none_or(|amount| amount.unsigned_abs() > LONGEST_MS)
        && deviation.has_amount()
}

impl Kernel {
    /// A passage of a gate by the running actor. Free when nothing deviates; else it may suspend.
    /// `Err` means that the actor's process has died meanwhile, or that the file operation behind the gate fails.
    pub(super) fn gate(&self, site: &Label, kind: Kind) -> Result<(), Refusal> {
        let Some(actor) = self.runner() else {
            return Ok(());
        };
        // An actor that never waits is stopped here: the loop does not see it.
        if actor.is_dead() || self.runs_away() {
            return Err(Refusal::Dead);
        }
        actor.passed.set(actor.passed.get() + 1);
        if kind == Kind::Step {
            self.learns(&actor, mix(site.hash(), self.now_us()));
            self.keep_place(&actor, site);
        }
        if self.crashes_again(&actor, site) {
            return Ok(self.suspend(&actor)?);
        }
        let Some((at_key, occurrence, act)) = self.ask(&actor, site, kind) else {
            if kind == Kind::Step {
                self.goes_on(&actor);
            }
            return Ok(());
        };
        let done = self.is_possible(kind, &act) && self.act_at_gate(&actor, site, occurrence, &act);
        self.strategy.borrow_mut().carried_out(at_key, done);
        match act {
            Act::Do(Deviation::StoreError) if done => Err(Refusal::Failed),
            Act::Do(Deviation::Jump(_) | Deviation::Stop | Deviation::DiskFull(_)) => Ok(()),
            Act::Do(Deviation::Take(ms)) if done => {
                Ok(self.block(&actor, site, self.later(ms), None)?)
            }
            _ if done => {
                *actor.waits_at.borrow_mut() = site.clone();
                Ok(self.suspend(&actor)?)
            }
            _ => Ok(()),
        }
    }

    /// Whether what happens to files only is decided at a file operation, and what happens between steps only there.
    fn is_possible(&self, kind: Kind, act: &Act) -> bool {
        match act {
            Act::Do(Deviation::StoreError | Deviation::DiskFull(_)) => {
                matches!(kind, Kind::DiskData | Kind::DiskSync)
            }
            Act::Do(Deviation::Stop | Deviation::Take(_)) => kind == Kind::Step,
            Act::Do(Deviation::Pause(_)) => self.pauses(kind),
            _ => true,
        }
    }

    /// Where another engine is meant, nobody stands still inside SQLite for long: that would hold up others as that engine does not.
    pub(super) fn pauses(&self, kind: Kind) -> bool {
        kind == Kind::Step || self.limits.pauses_inside_sqlite
    }

    /// Suspends the running actor and makes it the running one again afterwards.
    pub(super) fn suspend(&self, actor: &Rc<Actor>) -> Result<(), Dead> {
        match actor.suspend() {
            Resume::Go if !actor.is_dead() => Ok(()),
            _ => Err(Dead),
        }
    }

    /// The running actor, unless decisions are muted (set-up, the checker).
    pub(super) fn runner(&self) -> Option<Rc<Actor>> {
        if self.muted.get() {
            None
        } else {
            self.current.borrow().clone()
        }
    }

    /// Asks the strategy at a point; counts the point in the profile.
    pub(super) fn ask(&self, actor: &Actor, site: &Label, kind: Kind) -> Option<(u64, u32, Act)> {
        let occurrence = actor.count(site);
        if self.phase.get() == Phase::Heal {
            return None;
        }
        self.profile.borrow_mut().points[Profile::slot(kind)] += 1;
        if let Some(steps) = self
            .steps
            .borrow_mut()
            .as_mut()
            .filter(|_| kind == Kind::Step)
        {
            let (cause, site) = (actor.cause.as_str().into(), site.as_str().into());
            steps.push(Point {
                cause,
                site,
                occurrence,
            });
        }
        let at_key = key(&actor.cause, site, occurrence);
        let at = At {
            key: at_key,
            cause: actor.cause.hash(),
            site: site.hash(),
            kind,
        };
        let act = self.strategy.borrow_mut().decide(&at, self)?;
        if is_beyond_measure(&act) {
            self.strategy.borrow_mut().carried_out(at_key, false);
            return None;
        }
        Some((at_key, occurrence, act))
    }

    /// Remembers a decision that was carried out.
    pub(super) fn deviated(
        &self,
        actor: &Actor,
        site: &Label,
        occurrence: u32,
        deviation: Deviation,
    ) {
        let point = Point {
            cause: actor.cause.as_str().into(),
            site: site.as_str().into(),
            occurrence,
        };
        self.deviations.borrow_mut().push((point, deviation));
    }

    fn act_at_gate(&self, actor: &Rc<Actor>, site: &Label, occurrence: u32, act: &Act) -> bool {
        match act {
            Act::Switch(to) => self.switch(actor, site, occurrence, *to),
            Act::Do(deviation) => {
                let done = match deviation {
                    Deviation::Crash => self.crash(actor, site),
                    Deviation::Stop => self.stop(actor, site),
                    Deviation::StoreError => self.store_error(actor, site),
                    Deviation::DiskFull(ms) => self.fill_disk(actor, site, *ms),
                    Deviation::Pause(ms) => self.pause(actor, site, *ms),
                    Deviation::Jump(ms) => self.jump(actor, site, *ms),
                    Deviation::Take(ms) => self.dawdles(actor, site, *ms),
                    _ => false,
                };
                if done {
                    self.touched_by(actor, deviation);
                    self.deviated(actor, site, occurrence, deviation.clone());
                }
                done
            }
        }
    }

    /// An actor that goes on finds its process alive.
    pub(super) fn goes_on(&self, actor: &Actor) {
        if let Some(process) = &actor.process {
            self.touches(actor, || Access::thing(life(process), false));
        }
    }

    /// What harm touches beside what the step does.
    fn touched_by(&self, actor: &Rc<Actor>, deviation: &Deviation) {
        self.touches(actor, || match (deviation, &actor.process) {
            (Deviation::DiskFull(_), _) | (_, None) => Access::ANYTHING,
            (_, Some(process)) => Access::thing(life(process), true),
        });
    }

    pub(super) fn switch(&self, from: &Rc<Actor>, site: &Label, occurrence: u32, to: u64) -> bool {
        let now = self.now_us();
        let target = self
            .live
            .borrow()
            .iter()
            .find(|other| {
                other.cause.hash() == to && !Rc::ptr_eq(other, from) && other.is_ready(now)
            })
            .cloned();
        let Some(target) = target else { return false };
        self.deviated(
            from,
            site,
            occurrence,
            Deviation::Switch(target.cause.as_str().into()),
        );
        let arg = Arg::Text(format!("{site}: switch to {}", target.cause).into());
        self.note_as(
            from.cause.clone(),
            from.identity(),
            EventKind::Switch,
            arg,
            Outcome::Done,
        );
        *self.next.borrow_mut() = Some(target);
        true
    }

    /// The step takes its time, as far as this world lets it.
    fn dawdles(&self, actor: &Actor, site: &Label, ms: u64) -> bool {
        let may = ms <= self.limits.slowest_step_ms;
        if may {
            let words = Arg::Text(format!("{site}: takes {ms} ms").into());
            let (cause, identity) = (actor.cause.clone(), actor.identity());
            self.note_as(cause, identity, EventKind::Switch, words, Outcome::Done);
        }
        may
    }

    /// A duration in milliseconds: the shortest, unless a decision says longer.
    pub(super) fn amount(&self, actor: &Actor, site: &Label, shortest: u64, longest: u64) -> u64 {
        let Some((at_key, occurrence, act)) =
            self.ask(actor, site, Kind::Amount(shortest, longest))
        else {
            return shortest;
        };
        let chosen = match act {
            Act::Do(Deviation::Take(ms)) if (shortest..=longest).contains(&ms) => Some(ms),
            _ => None,
        };
        self.strategy
            .borrow_mut()
            .carried_out(at_key, chosen.is_some());
        if let Some(ms) = chosen {
            self.deviated(actor, site, occurrence, Deviation::Take(ms));
        }
        let chosen = chosen.unwrap_or(shortest);
        self.learns(actor, chosen);
        chosen
    }

    /// A choice out of `0..n`: 0, unless a decision says otherwise.
    pub(super) fn pick(&self, actor: &Actor, site: &Label, n: u64) -> u64 {
        let Some((at_key, occurrence, act)) = self.ask(actor, site, Kind::Pick(n)) else {
            return 0;
        };
        let chosen = match act {
            Act::Do(Deviation::Pick(i)) if i < n => Some(i),
            _ => None,
        };
        self.strategy
            .borrow_mut()
            .carried_out(at_key, chosen.is_some());
        if let Some(i) = chosen {
            self.deviated(actor, site, occurrence, Deviation::Pick(i));
        }
        let chosen = chosen.unwrap_or(0);
        self.learns(actor, chosen);
        chosen
    }

    /// Who goes on: whoever was switched to, else whoever ran last, else the oldest unless a decision says otherwise.
    pub(super) fn choose(&self) -> Option<Rc<Actor>> {
        let now = self.now_us();
        if let Some(next) = self.next.borrow_mut().take()
            && next.is_ready(now)
        {
            return Some(next);
        }
        let (oldest, several) = {
            let live = self.live.borrow();
            let mut ready = live.iter().filter(|actor| actor.is_ready(now));
            (ready.next().cloned()?, ready.next().is_some())
        };
        if several && let Some(other) = self.choose_other() {
            return Some(other);
        }
        Some(oldest)
    }

    fn choose_other(&self) -> Option<Rc<Actor>> {
        let stopped = self.stopped.borrow().clone()?;
        let site = stopped.waits_at.borrow().clone();
        let (at_key, occurrence, act) = self.ask(&stopped, &site, Kind::Wait)?;
        let done = match act {
            Act::Switch(to) => self.switch(&stopped, &site, occurrence, to),
            Act::Do(_) => false,
        };
        self.strategy.borrow_mut().carried_out(at_key, done);
        if done {
            self.next.borrow_mut().take()
        } else {
            None
        }
    }
}

/// The kernel as the disk sees it.
pub(super) struct Keeper(pub(super) std::rc::Weak<Kernel>);

impl Gatekeeper for Keeper {
    fn pass(&self, conn: Conn, method: Method, file: FileKind) -> Result<(), Refusal> {
        let Some(kernel) = self.0.upgrade() else {
            return Ok(());
        };
        if conn == super::stage::CHECKER {
            return Ok(());
        }
        let kind = match method {
            // No failure is injected into a recovery: SQLite then misleads those who read meanwhile, for which nobody above
            // it can do anything (`disk/tests/failure.rs` shows it, and notices when it is cured).
            Method::Recover => Kind::Disk,
            Method::Read | Method::Write | Method::Truncate | Method::Open => Kind::DiskData,
            Method::Sync => Kind::DiskSync,
            _ => Kind::Disk,
        };
        let passed = kernel.gate(&kernel.disk_sites[disk_site(method, file)], kind);
        // All frames of the commit have been written when the log is synced.
        if passed == Err(Refusal::Failed)
            && (method, file) == (Method::Sync, FileKind::Wal)
            && let Some(actor) = kernel.runner()
        {
            kernel.leave_in_doubt(conn, &actor.cause);
        }
        passed
    }

    fn is_full(&self, conn: Conn) -> bool {
        let kernel = self.0.upgrade();
        conn != super::stage::CHECKER && kernel.is_some_and(|kernel| kernel.is_full())
    }

    fn sleep(&self, _conn: Conn, micros: u64) -> Result<(), Dead> {
        let Some(kernel) = self.0.upgrade() else {
            return Ok(());
        };
        let Some(actor) = kernel.runner() else {
            return Ok(());
        };
        if actor.is_dead() {
            return Err(Dead);
        }
        kernel.block(&actor, &BUSY, kernel.now_us() + micros, None)
    }

    fn committed(&self, conn: Conn, before: LogEnd) {
        if let Some(kernel) = self.0.upgrade() {
            kernel.committed(conn, before);
        }
    }
}

const BUSY: Label = Label::fixed("database is locked");

/// Labels of the sites inside SQLite, such as `xSync wal`, in the order of [`disk_site`].
pub(super) fn disk_sites() -> Rc<[Label]> {
    let name = |method: &Method, file: &FileKind| {
        Label::new(&format!("{} {}", method.name(), file.name()))
    };
    METHODS
        .iter()
        .flat_map(|method| FILES.iter().map(move |file| name(method, file)))
        .collect()
}

const METHODS: [Method; 12] = [
    Method::Lock,
    Method::Unlock,
    Method::ShmLock,
    Method::ShmUnlock,
    Method::ShmBarrier,
    Method::Sync,
    Method::Delete,
    Method::Read,
    Method::Write,
    Method::Truncate,
    Method::Open,
    Method::Recover,
];

const FILES: [FileKind; 5] = [
    FileKind::Main,
    FileKind::Wal,
    FileKind::Journal,
    FileKind::Shm,
    FileKind::Temp,
];

fn disk_site(method: Method, file: FileKind) -> usize {
    method as usize * FILES.len() + file as usize
}
