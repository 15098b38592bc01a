//! Messages between actors: a request that may be lost, late or doubled, and its answer that may be lost.

use std::cell::RefCell;
use std::rc::Rc;

use super::Kernel;
use super::actor::Actor;
use super::ctx::Ctx;
use super::footprint::life;
use super::process::Process;
use crate::access::Access;
use crate::case::Deviation;
use crate::decide::{Act, Kind};
use crate::fault::Fault;
use crate::fold::Fold;
use crate::label::{Label, mix};
use crate::trace::{Arg, Kind as EventKind, Outcome};

/// What a sender learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The handler replied.
    Reply(Rc<str>),
    /// The connection broke: the process is down or stopping, died, or ended without a reply. It may have happened.
    Broken,
}

/// Where the answer to a request arrives.
#[derive(Debug)]
pub struct Mail {
    answer: RefCell<Option<Answer>>,
    /// The hash of the cause of the request.
    of: u64,
    /// Who waits for it: the name of a process, or [`OUTSIDE`].
    asker: Label,
    /// No fault strikes the request or its answer.
    reliable: bool,
}

impl Mail {
    /// Whether there is an answer, and which.
    pub(super) fn fold(&self, fold: &mut Fold) {
        match &*self.answer.borrow() {
            None => fold.number(0),
            Some(Answer::Broken) => fold.number(1),
            Some(Answer::Reply(text)) => fold.text(text),
        }
    }

    fn to(asker: Label, cause: &Label) -> Rc<Self> {
        Rc::new(Self {
            answer: RefCell::default(),
            of: cause.hash(),
            asker,
            reliable: false,
        })
    }

    /// Who no longer waits for an answer and who gives it meet here.
    fn access(&self, given: bool) -> Access {
        Access::answer(self.of, given)
    }

    /// The answer, if it has arrived.
    pub fn get(&self) -> Option<Answer> {
        self.answer.borrow().clone()
    }

    /// Whether an answer has arrived.
    pub fn arrived(&self) -> bool {
        self.answer.borrow().is_some()
    }

    /// The first answer wins.
    fn post(&self, answer: Answer) {
        self.answer.borrow_mut().get_or_insert(answer);
    }
}

/// A request to a process.
pub struct Request {
    /// Cause of the delivery: unique in the run.
    pub cause: Label,
    /// Who handles it.
    pub to: Rc<Process>,
    /// What the handler does. It may run twice: each time as a delivery of its own.
    pub handler: Rc<dyn Fn(&Ctx)>,
}

/// How a call to somebody outside goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is heard at once, and so is its answer.
    Straight,
    /// Nobody hears it.
    Lost,
    /// It is heard, its answer is not.
    Unheard,
    /// It is heard so many milliseconds later.
    Late(u64),
}

impl Ctx {
    /// A call to somebody outside: decided as for a request to a process, except that nothing on the way doubles a call.
    /// `message` names it and is unique in the run. Not a gate, and nothing is done here but told.
    pub fn call_outside(&self, message: &Label) -> Way {
        let site = || Label::new("send outside");
        let struck = |fault| self.message_struck(fault, &site(), message);
        match self.message_fault(message, Kind::Call) {
            Some(Deviation::LostRequest) => {
                struck(Fault::LostRequest);
                return Way::Lost;
            }
            Some(Deviation::HalfOpen) => {
                struck(Fault::HalfOpen);
                return Way::Lost;
            }
            Some(Deviation::Partition(ms)) => {
                self.part(&self.actor.place(), &OUTSIDE, &site(), ms);
            }
            Some(Deviation::Late(ms)) => {
                struck(Fault::Late);
                return Way::Late(ms);
            }
            _ => {}
        }
        if self
            .kernel
            .is_swallowed(&self.actor.place(), &OUTSIDE, message)
        {
            return Way::Lost;
        }
        match self.message_fault(message, Kind::Reply) {
            Some(Deviation::LostReply) => struck(Fault::LostReply),
            Some(Deviation::HalfOpen) => struck(Fault::HalfOpen),
            Some(Deviation::Partition(ms)) => self.part(&OUTSIDE, &self.actor.place(), &site(), ms),
            _ => return Way::Straight,
        }
        Way::Unheard
    }

    /// Sends a request, which may be lost, late or doubled, and returns where its answer will arrive. An answer may never
    /// arrive, without anybody being told: whoever waits for one needs a timeout.
    pub fn send(&self, request: Request) -> Rc<Mail> {
        let mail = Mail::to(self.actor.place(), &request.cause);
        self.kernel.keep_mail(&request.cause, &mail);
        self.touches(|| Access::thing(life(&request.to), false));
        let act = self.message_fault(&request.cause, Kind::Send);
        let site = || Label::new(&format!("send to {}", request.to.kind));
        let struck = |fault| self.message_struck(fault, &site(), &request.cause);
        match act {
            Some(Deviation::LostRequest) => {
                struck(Fault::LostRequest);
                mail.post(Answer::Broken);
            }
            Some(Deviation::HalfOpen) => struck(Fault::HalfOpen),
            Some(Deviation::Partition(ms)) => {
                self.part(&mail.asker, &request.to.name, &site(), ms);
                self.deliver(&request, request.cause.clone(), Rc::clone(&mail), 0);
            }
            Some(Deviation::Duplicate(ms)) => {
                struck(Fault::Duplicate);
                let again = Label::new(&format!("{}/duplicate", request.cause));
                let nobody = Mail::to(mail.asker.clone(), &again);
                self.deliver(&request, again, nobody, ms);
                self.deliver(&request, request.cause.clone(), Rc::clone(&mail), 0);
            }
            Some(Deviation::Late(ms)) => {
                struck(Fault::Late);
                self.deliver(&request, request.cause.clone(), Rc::clone(&mail), ms);
            }
            _ => self.deliver(&request, request.cause.clone(), Rc::clone(&mail), 0),
        }
        mail
    }

    /// The same over a way that no fault strikes: a hand on the same machine, rather than a network.
    pub fn hand_over(&self, request: Request) -> Rc<Mail> {
        let mail = Rc::new(Mail {
            answer: RefCell::default(),
            of: request.cause.hash(),
            asker: self.actor.place(),
            reliable: true,
        });
        self.kernel.keep_mail(&request.cause, &mail);
        self.touches(|| Access::thing(life(&request.to), false));
        self.deliver(&request, request.cause.clone(), Rc::clone(&mail), 0);
        mail
    }

    /// Sends a request and waits for its answer, at most `timeout_ms`. `None`: no answer in time.
    pub fn request(&self, request: Request, timeout_ms: u64) -> Option<Answer> {
        let until = self.now_ms() + timeout_ms;
        let mail = self.send(request);
        self.await_answer(&ANSWER, Some(until), &mail)
    }

    /// Waits for an answer, at most until then. `None`: no answer in time.
    pub fn await_answer(
        &self,
        site: &Label,
        until_ms: Option<u64>,
        mail: &Rc<Mail>,
    ) -> Option<Answer> {
        let arrived = Rc::clone(mail);
        self.actor.awaits_answer.set(true);
        self.wait(site, until_ms, move || arrived.arrived());
        self.actor.awaits_answer.set(false);
        self.touches(|| mail.access(false));
        mail.get()
    }

    /// Answers the request being handled. The answer may be lost; a second answer is ignored.
    pub fn reply(&self, text: &str) {
        self.gate(&REPLY);
        self.answer(text);
    }

    /// The same, behind a gate of the caller's.
    pub fn answer(&self, text: &str) {
        let Some(mail) = self.actor.answer.borrow_mut().take() else {
            return;
        };
        if let Some(event) = self.actor.delivery.take() {
            self.close(event, Outcome::Text(text.into()));
        }
        let (cause, here) = (self.actor.cause.clone(), self.actor.place());
        let process = self.actor.process.as_ref();
        let kind = process.map_or(OUTSIDE, |process| process.kind.clone());
        let site = || Label::new(&format!("reply of {kind}"));
        let struck = |fault| self.message_struck(fault, &site(), &cause);
        if mail.reliable {
            self.touches(|| mail.access(true));
            mail.post(Answer::Reply(text.into()));
            return;
        }
        match self.message_fault(&cause, Kind::Reply) {
            Some(Deviation::LostReply) => {
                struck(Fault::LostReply);
                self.touches(|| mail.access(true));
                mail.post(Answer::Broken);
                return;
            }
            Some(Deviation::HalfOpen) => return struck(Fault::HalfOpen),
            Some(Deviation::Partition(ms)) => self.part(&here, &mail.asker, &site(), ms),
            _ => {}
        }
        self.kernel
            .tell(&here, &mail, Answer::Reply(text.into()), &cause);
    }

    fn deliver(&self, request: &Request, cause: Label, mail: Rc<Mail>, after_ms: u64) {
        if after_ms > 0 {
            let (to, handler) = (Rc::clone(&request.to), Rc::clone(&request.handler));
            let carrier = Label::new(&format!("{cause}/on the way"));
            self.kernel.spawn(carrier, None, false, move |ctx| {
                ctx.sleep(&ON_THE_WAY, after_ms);
                ctx.kernel.arrive(cause, &to, handler, mail);
            });
        } else {
            self.kernel
                .arrive(cause, &request.to, Rc::clone(&request.handler), mail);
        }
    }

    /// A fault that a decision puts on the message of `cause`, if it may strike.
    fn message_fault(&self, cause: &Label, kind: Kind) -> Option<Deviation> {
        let site = match kind {
            Kind::Reply => REPLY_SENT,
            _ => Label::new(&format!("send {cause}")),
        };
        let (key, occurrence, act) = self.kernel.ask(&self.actor, &site, kind)?;
        let fits = match &act {
            Act::Do(Deviation::LostRequest | Deviation::Late(_)) => kind != Kind::Reply,
            Act::Do(Deviation::Duplicate(_)) => kind == Kind::Send,
            Act::Do(Deviation::LostReply) => kind == Kind::Reply,
            Act::Do(Deviation::HalfOpen | Deviation::Partition(_)) => true,
            _ => false,
        };
        self.kernel.strategy.borrow_mut().carried_out(key, fits);
        match act {
            Act::Do(deviation) if fits => {
                self.kernel
                    .deviated(&self.actor, &site, occurrence, deviation.clone());
                // Who carries a late message knows how late, and has not begun.
                let word = Label::new(deviation.word());
                let amount = deviation.amount().unwrap_or(0).cast_unsigned();
                self.learns(mix(word.hash(), amount));
                Some(deviation)
            }
            _ => None,
        }
    }

    fn message_struck(&self, fault: Fault, site: &Label, cause: &Label) {
        self.kernel.struck(fault, site);
        self.kernel
            .fault_event(&self.actor, format!("{fault} {cause}"));
    }

    /// From now on nothing gets from one place to another.
    fn part(&self, from: &Label, to: &Label, site: &Label, ms: u64) {
        let until_us = self.kernel.later(ms);
        self.touches_anything();
        self.kernel.struck(Fault::Partition, site);
        self.kernel.fault_event(
            &self.actor,
            format!("partition from {from} to {to} for {ms} ms"),
        );
        self.kernel.partitions.borrow_mut().push(Partition {
            from: from.clone(),
            to: to.clone(),
            until_us,
        });
    }
}

/// A broken way from one place to another.
pub(super) struct Partition {
    from: Label,
    to: Label,
    until_us: u64,
}

impl Partition {
    pub(super) fn fold(&self, fold: &mut Fold) {
        for number in [self.from.hash(), self.to.hash(), self.until_us] {
            fold.number(number);
        }
    }
}

impl Actor {
    /// Where it runs: the name of its process, or [`OUTSIDE`].
    fn place(&self) -> Label {
        self.process
            .as_ref()
            .map_or(OUTSIDE, |process| process.name.clone())
    }
}

impl Kernel {
    /// Whoever waits for an answer of this actor learns that there will be none.
    pub(super) fn break_off(&self, actor: &Actor) {
        if let Some(mail) = actor.answer.borrow_mut().take() {
            self.touches(actor, || mail.access(true));
            self.tell(&actor.place(), &mail, Answer::Broken, &actor.cause);
        }
    }

    /// An answer, or the news that the connection is broken, goes back to whoever asked.
    fn tell(&self, from: &Label, mail: &Mail, answer: Answer, cause: &Label) {
        let is_news = matches!(answer, Answer::Reply(_));
        self.touched(|| mail.access(true));
        if !self.is_parted(from, &mail.asker) {
            mail.post(answer);
        } else if is_news {
            self.note_swallowed(from, &mail.asker, cause);
        }
    }

    fn is_parted(&self, from: &Label, to: &Label) -> bool {
        let now = self.now_us();
        let mut partitions = self.partitions.borrow_mut();
        partitions.retain(|partition| partition.until_us > now);
        partitions
            .iter()
            .any(|partition| partition.from == *from && partition.to == *to)
    }

    fn is_swallowed(&self, from: &Label, to: &Label, cause: &Label) -> bool {
        let parted = self.is_parted(from, to);
        if parted {
            self.note_swallowed(from, to, cause);
        }
        parted
    }

    fn note_swallowed(&self, from: &Label, to: &Label, cause: &Label) {
        let words = format!("{cause} vanishes between {from} and {to}");
        self.note(EventKind::Fault, Arg::Text(words.into()), Outcome::Done);
    }

    /// A request arrives: its handler runs as an actor, unless the process is down.
    fn arrive(&self, cause: Label, to: &Rc<Process>, handler: Rc<dyn Fn(&Ctx)>, mail: Rc<Mail>) {
        if self.is_swallowed(&mail.asker, &to.name, &cause) {
            return;
        }
        if !to.up.get() || to.is_stopping() {
            self.tell(&to.name, &mail, Answer::Broken, &cause);
            return;
        }
        let mailed = Rc::clone(&mail);
        self.spawn_with(
            cause,
            Some(to),
            false,
            |actor| *actor.answer.borrow_mut() = Some(mailed),
            move |ctx| {
                let arg = Arg::Text(ctx.actor.cause.as_str().into());
                ctx.actor
                    .delivery
                    .set(Some(ctx.event(EventKind::Deliver, arg, Outcome::Open)));
                handler(ctx);
                if let Some(event) = ctx.actor.delivery.take() {
                    ctx.close(event, Outcome::Done);
                }
            },
        );
    }
}

const OUTSIDE: Label = Label::fixed("outside");
const REPLY: Label = Label::fixed("reply");
const REPLY_SENT: Label = Label::fixed("reply sent");
const ANSWER: Label = Label::fixed("answer");
const ON_THE_WAY: Label = Label::fixed("on the way");
