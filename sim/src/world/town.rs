//! What the roles share outside the store: who listens where, what the provider and the platform keep, what people remember.
//!
//! Nothing here is lost in a crash: it belongs to the provider, to the platform and to people, or it is a wake-up, which
//! may be lost because nobody's correctness depends on it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::defect::{Defect, Quirk};
use super::letter::Question;
use super::native::Provider;
use super::people::{Known, Saved, Shown};
use super::progress::Progress;
use crate::label::Label;
use crate::role::operator::Notebook;
use crate::run::{Ctx, Kernel, Process};
use lockstep_store::Reaped;

/// Where a worker process runs, and what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Post {
    /// Index into [`super::release::RUNTIMES`].
    pub(crate) runtime: usize,
    /// The machine: native sessions made here cannot be resumed elsewhere.
    pub(crate) home: &'static str,
}

/// Wake-ups, counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bell(Rc<Cell<u64>>);

impl Bell {
    /// Wakes whoever listens. The wake-up may be lost.
    pub(crate) fn ring(&self, ctx: &Ctx) {
        if ctx.wake(&WAKE) {
            self.0.set(self.rings() + 1);
        }
    }

    /// How often it rang.
    pub(crate) fn rings(&self) -> u64 {
        self.0.get()
    }
}

/// Everything that the roles of one run share.
pub(crate) struct Town {
    quirks: &'static [Quirk],
    pub(crate) apis: [Rc<Process>; 2],
    pub(crate) provider: Rc<Process>,
    /// The platform's side that shows messages.
    pub(crate) chat: Rc<Process>,
    /// For the workers of each runtime.
    pub(crate) work: [Bell; 2],
    /// For the sender.
    pub(crate) mail: Bell,
    pub(crate) kept: RefCell<Provider>,
    /// What stands in each user's chat.
    pub(crate) chats: [RefCell<Vec<Shown>>; 2],
    /// Questions that each user was asked, in the order in which they appeared.
    asked: [RefCell<Vec<Question>>; 2],
    /// Presses of each user, counted.
    presses: [Cell<u64>; 2],
    /// Events that only keep a connection open.
    pub(crate) pings: RefCell<BTreeSet<String>>,
    /// The button that each press was meant for, by event.
    pub(crate) pressed: RefCell<BTreeMap<String, Rc<str>>>,
    /// Edits that tabs were told are saved.
    pub(crate) saved: RefCell<Vec<Saved>>,
    /// What the platform answered to each request to show a message: the network repeats some.
    pub(crate) parcels: RefCell<BTreeMap<String, String>>,
    /// Buttons that a user pressed once more because nothing happened.
    again: RefCell<BTreeSet<(usize, Rc<str>)>>,
    /// The build that workers of each runtime are started with: an index into its builds.
    pub(crate) deployed: [Cell<usize>; 2],
    /// Tasks whose lease was taken from a worker.
    pub(crate) taken: RefCell<BTreeSet<String>>,
    /// The last that a worker heard from the provider, by task and fence.
    pub(crate) heard: RefCell<BTreeMap<(String, i64), String>>,
    /// Sessions that the operator moved to another runtime.
    pub(crate) moved: RefCell<BTreeSet<String>>,
    /// What the operator means to do.
    pub(crate) notebook: RefCell<Option<Notebook>>,
    /// How many of the operator's plans have been carried out.
    pub(crate) plans_done: Cell<usize>,
    /// Where the spare worker runs, once that is drawn.
    pub(crate) spare: Cell<Option<Option<Post>>>,
    /// Whether the spare sender is used, once that is drawn.
    pub(crate) second_sender: Cell<Option<bool>>,
    /// Until when the platform shows no messages, once that is drawn.
    pub(crate) chat_down_until_ms: Cell<Option<u64>>,
    /// The runtime that each user's sessions begin in.
    pub(crate) prefers: [Cell<usize>; 2],
    /// The schema is not what the store expects.
    pub(crate) drifted: Cell<bool>,
    /// The operator answers a complaint.
    pub(crate) at_desk: Cell<bool>,
    /// Somebody has altered the schema in this run.
    pub(crate) altered: Cell<bool>,
    /// A backup is being put back: nobody may work yet.
    pub(crate) closed: Cell<bool>,
    /// What the store is to be told after a restore; 0 when there was none.
    pub(crate) incarnation: Cell<i64>,
    /// Restores so far: who was shown something before may see less now.
    pub(crate) restores: Cell<u32>,
    /// Who has written anything.
    pub(crate) writes: [Cell<bool>; 2],
    known: [RefCell<Option<Known>>; 2],
    /// Workers in the middle of a turn.
    pub(crate) busy: [Cell<bool>; 3],
    /// Events that the platform stopped delivering, unacknowledged.
    pub(crate) given_up: RefCell<Vec<Label>>,
    progress: RefCell<Progress>,
}

impl Town {
    pub(super) fn new(defect: Option<Defect>) -> Self {
        let one = |kind, instance| Process::new(&Label::fixed(kind), 0, instance, None);
        Self {
            quirks: defect.map_or(&[], |defect| defect.quirks),
            apis: [one("api", 1), one("api", 2)],
            provider: one("provider", 1),
            chat: one("chat", 1),
            work: Default::default(),
            mail: Bell::default(),
            kept: RefCell::default(),
            chats: Default::default(),
            asked: Default::default(),
            presses: Default::default(),
            pings: RefCell::default(),
            pressed: RefCell::default(),
            saved: RefCell::default(),
            parcels: RefCell::default(),
            again: RefCell::default(),
            deployed: Default::default(),
            taken: RefCell::default(),
            heard: RefCell::default(),
            moved: RefCell::default(),
            notebook: RefCell::new(None),
            plans_done: Cell::new(0),
            spare: Cell::new(None),
            second_sender: Cell::new(None),
            chat_down_until_ms: Cell::new(None),
            prefers: Default::default(),
            drifted: Cell::new(false),
            at_desk: Cell::new(false),
            altered: Cell::new(false),
            closed: Cell::new(false),
            incarnation: Cell::new(0),
            restores: Cell::new(0),
            writes: Default::default(),
            known: Default::default(),
            busy: Default::default(),
            given_up: RefCell::default(),
            progress: RefCell::default(),
        }
    }

    /// Wakes all workers.
    pub(crate) fn ring_all(&self, ctx: &Ctx) {
        self.work.iter().for_each(|bell| bell.ring(ctx));
    }

    /// How often workers were woken.
    pub(crate) fn rings(&self) -> u64 {
        self.work.iter().map(Bell::rings).sum()
    }

    /// The platform shows a user that a message was accepted.
    pub(crate) fn acknowledged(&self, user: usize, task: &str, session: &str) {
        *self.known[user].borrow_mut() = Some(Known {
            task: task.to_owned(),
            session: session.to_owned(),
        });
    }

    /// What is known of a user's last acknowledged message.
    pub(crate) fn known(&self, user: usize) -> Option<Known> {
        self.known[user].borrow().clone()
    }

    /// Leases were taken from their workers. True if there were any.
    pub(crate) fn took(&self, ctx: &Ctx, reaped: &Reaped) -> bool {
        let tasks = reaped.requeued.iter().chain(&reaped.ended);
        let names = tasks.map(|task| task.as_str().to_owned());
        self.taken.borrow_mut().extend(names);
        if !reaped.requeued.is_empty() {
            self.ring_all(ctx);
        }
        !(reaped.requeued.is_empty() && reaped.ended.is_empty())
    }

    /// A user sees a question. Answers its number, from 1; `None` when it was seen before.
    pub(crate) fn new_question(&self, user: usize, question: &Question) -> Option<u64> {
        let mut asked = self.asked[user].borrow_mut();
        if asked.contains(question) {
            return None;
        }
        asked.push(question.clone());
        Some(asked.len() as u64)
    }

    /// The question that a user saw before this one.
    pub(crate) fn older_question(&self, user: usize, question: &Question) -> Option<Question> {
        let asked = self.asked[user].borrow();
        let at = asked.iter().position(|other| other == question)?;
        Some(asked[at.checked_sub(1)?].clone())
    }

    /// The question that a user saw last.
    pub(crate) fn newest_question(&self, user: usize) -> Option<Question> {
        self.asked[user].borrow().last().cloned()
    }

    /// Number of a user's next press, from 1.
    pub(crate) fn count_press(&self, user: usize) -> u64 {
        self.presses[user].set(self.presses[user].get() + 1);
        self.presses[user].get()
    }

    /// Whether the user has already pressed this button once more; the next time, they have.
    pub(crate) fn pressed_again(&self, user: usize, token: &Rc<str>) -> bool {
        !self.again.borrow_mut().insert((user, Rc::clone(token)))
    }

    /// Whether a role has this bad habit here.
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// Whether a task is open, by what was committed so far.
    pub(crate) fn is_open(&self, kernel: &Kernel, task: &str) -> bool {
        let mut progress = self.progress.borrow_mut();
        progress.read_on(kernel);
        progress.has_open_task(task)
    }

    /// The session of some task that failed.
    pub(crate) fn failed(&self, kernel: &Kernel) -> Option<String> {
        let mut progress = self.progress.borrow_mut();
        progress.read_on(kernel);
        progress.failed().map(str::to_owned)
    }

    /// Whether anything is owed: an open task, a message that is not settled.
    pub(crate) fn owes(&self, kernel: &Kernel) -> bool {
        let mut progress = self.progress.borrow_mut();
        progress.read_on(kernel);
        progress.owes()
    }

    /// Whether all that was accepted has ended and nobody is in the middle of a turn.
    pub(super) fn settled(&self, kernel: &Kernel) -> bool {
        !self.anybody_is_busy()
            && !self.drifted.get()
            && !self.closed.get()
            && !self.at_desk.get()
            && !self.owes(kernel)
    }

    /// Waits until nobody puts a backup back.
    pub(crate) fn wait_until_open(self: &Rc<Self>, ctx: &Ctx) {
        let town = Rc::clone(self);
        ctx.wait_or_stop(&OPEN, None, move || !town.closed.get());
    }

    /// Waits until some message is not settled, for ten minutes at most.
    pub(crate) fn wait_for_mail(self: &Rc<Self>, ctx: &Ctx, site: &Label) {
        let (town, kernel) = (Rc::clone(self), ctx.shared_kernel());
        let patience = ctx.now_ms() + PATIENCE_MS;
        ctx.wait(site, Some(patience), move || {
            let mut progress = town.progress.borrow_mut();
            progress.read_on(&kernel);
            progress.owes_mail()
        });
    }

    /// Whether a worker is in the middle of a turn.
    pub(crate) fn anybody_is_busy(&self) -> bool {
        self.busy.iter().any(Cell::get)
    }
}

impl Default for Town {
    fn default() -> Self {
        Self::new(None)
    }
}

const OPEN: Label = Label::fixed("until the restore is over");
const PATIENCE_MS: u64 = 600_000;
const WAKE: Label = Label::fixed("wake-up");
