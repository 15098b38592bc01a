//! Messages between actors: a request that may be lost, late or doubled, and its answer that may be lost.

use std::cell::RefCell;
use std::rc::Rc;

use super::Kernel;
use super::ctx::Ctx;
use super::process::Process;
use crate::case::Deviation;
use crate::decide::{Act, Kind};
use crate::fault::Fault;
use crate::label::Label;
use crate::trace::{Arg, Kind as EventKind, Outcome};

/// What a sender learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The handler replied.
    Reply(Rc<str>),
    /// The connection broke: the process is down, died, or ended without a reply. It may have happened.
    Broken,
}

/// Where the answer to a request arrives.
#[derive(Debug, Default)]
pub struct Mail {
    answer: RefCell<Option<Answer>>,
}

impl Mail {
    /// The answer, if it has arrived.
    pub fn get(&self) -> Option<Answer> {
        self.answer.borrow().clone()
    }

    /// Whether an answer has arrived.
    pub fn arrived(&self) -> bool {
        self.answer.borrow().is_some()
    }

    /// The first answer wins.
    pub(super) fn post(&self, answer: Answer) {
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

impl Ctx {
    /// Sends a request, which may be lost, late or doubled, and returns where its answer will arrive.
    pub fn send(&self, request: Request) -> Rc<Mail> {
        let mail = Rc::new(Mail::default());
        let act = self.message_fault(&request.cause, Kind::Send);
        match act {
            Some(Deviation::LostRequest) => {
                self.strike(Fault::LostRequest, &request.cause, "send to", &request.to);
                mail.post(Answer::Broken);
            }
            Some(Deviation::Duplicate(ms)) => {
                self.strike(Fault::Duplicate, &request.cause, "send to", &request.to);
                let again = Label::new(&format!("{}/duplicate", request.cause));
                self.deliver(&request, again, Rc::new(Mail::default()), ms);
                self.deliver(&request, request.cause.clone(), Rc::clone(&mail), 0);
            }
            Some(Deviation::Late(ms)) => {
                self.strike(Fault::Late, &request.cause, "send to", &request.to);
                self.deliver(&request, request.cause.clone(), Rc::clone(&mail), ms);
            }
            _ => self.deliver(&request, request.cause.clone(), Rc::clone(&mail), 0),
        }
        mail
    }

    /// Sends a request and waits for its answer, at most `timeout_ms`. `None`: no answer in time.
    pub fn request(&self, request: Request, timeout_ms: u64) -> Option<Answer> {
        let until = self.now_ms() + timeout_ms;
        let mail = self.send(request);
        let arrived = Rc::clone(&mail);
        self.wait(&ANSWER, Some(until), move || arrived.arrived());
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
        match self.message_fault(&self.actor.cause.clone(), Kind::Reply) {
            Some(Deviation::LostReply) => {
                self.strike(
                    Fault::LostReply,
                    &self.actor.cause,
                    "reply of",
                    self.process(),
                );
                mail.post(Answer::Broken);
            }
            _ => mail.post(Answer::Reply(text.into())),
        }
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
        let site = if kind == Kind::Send {
            Label::new(&format!("send {cause}"))
        } else {
            REPLY_SENT
        };
        let (key, occurrence, act) = self.kernel.ask(&self.actor, &site, kind)?;
        let fits = match &act {
            Act::Do(Deviation::LostRequest | Deviation::Duplicate(_) | Deviation::Late(_)) => {
                kind == Kind::Send
            }
            Act::Do(Deviation::LostReply) => kind == Kind::Reply,
            _ => false,
        };
        self.kernel.strategy.borrow_mut().carried_out(key, fits);
        match act {
            Act::Do(deviation) if fits => {
                self.kernel
                    .deviated(&self.actor, &site, occurrence, deviation.clone());
                Some(deviation)
            }
            _ => None,
        }
    }

    fn strike(&self, fault: Fault, cause: &Label, way: &str, peer: &Process) {
        let site = Label::new(&format!("{way} {}", peer.kind));
        self.kernel.struck(fault, &site);
        self.kernel
            .fault_event(&self.actor, format!("{fault} {cause}"));
    }
}

impl Kernel {
    /// A request arrives: its handler runs as an actor, unless the process is down.
    fn arrive(&self, cause: Label, to: &Rc<Process>, handler: Rc<dyn Fn(&Ctx)>, mail: Rc<Mail>) {
        if !to.up.get() {
            mail.post(Answer::Broken);
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

const REPLY: Label = Label::fixed("reply");
const REPLY_SENT: Label = Label::fixed("reply sent");
const ANSWER: Label = Label::fixed("answer");
const ON_THE_WAY: Label = Label::fixed("on the way");
