//! The sender: takes messages out of the outbox and hands them to the platform, which cannot tell a repeat from a new one.
//!
//! What certainly was not sent is sent again. What may have been sent is not, before somebody has looked or decided.

use std::rc::Rc;

use lockstep_store::{NotSent, Op, Reply, Resolve, Sending};

use super::chat::{self, Parcel};
use super::insist;
use crate::label::Label;
use crate::run::{Answer, Ctx, Request};
use crate::world::{Quirk, Town, USERS, goal};

/// Sends when it is called; a call may be lost, so it also looks by itself, ever more rarely while there is nothing. The second
/// sender works in some runs only: with one alone, nobody reports an attempt while another is under way.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>, instance: u32) {
    town.wait_until_open(ctx);
    if instance > 1 && !is_used(ctx, town) {
        return;
    }
    let mut sender = Sender {
        ctx,
        town,
        name: format!("{}#{}", ctx.process().name, ctx.process().incarnation.get()),
        claims: 0,
        stalls_from: [7, 6, 4, 1][ctx.pick(&SLOW, 4) as usize],
    };
    let mut heard = 0;
    let mut rest = SHORTEST_REST_MS;
    loop {
        let (bell, known) = (town.mail.clone(), heard);
        let woken = ctx.wait_or_stop(&MAIL, Some(ctx.now_ms() + rest), move || {
            bell.rings() > known
        });
        if ctx.stopping() {
            ctx.exit();
        }
        heard = town.mail.rings();
        rest = if sender.send_all() || woken {
            SHORTEST_REST_MS
        } else {
            (rest * 2).min(LONGEST_REST_MS)
        };
    }
}

fn is_used(ctx: &Ctx, town: &Town) -> bool {
    let drawn = town.second_sender.get();
    let used = drawn.unwrap_or_else(|| ctx.pick(&SECOND, 4) > 0);
    town.second_sender.set(Some(used));
    used
}

struct Sender<'a> {
    ctx: &'a Ctx,
    town: &'a Rc<Town>,
    name: String,
    claims: u64,
    /// Of eight sends, those from this one on are begun late. Where all senders are slow, several attempts of one message are
    /// under way at once.
    stalls_from: u64,
}

impl Sender<'_> {
    /// One route for each bot, until there is nothing left to send. True if there was something.
    fn send_all(&mut self) -> bool {
        let mut found = false;
        // A route that nobody uses costs nothing to ask, but makes the quiet run longer.
        let used = |index: &usize| self.town.writes[*index].get();
        let routes: Vec<usize> = (0..USERS.len()).filter(used).collect();
        for route in routes {
            while !self.ctx.stopping() && self.send_some(USERS[route].tenant) {
                found = true;
            }
        }
        found
    }

    fn send_some(&mut self, route: &str) -> bool {
        self.claims += 1;
        let op = Op::ClaimSend {
            sender: self.name.clone(),
            route: route.to_owned(),
            limit: LIMIT,
            lease_ms: LEASE_MS,
        };
        let op_id = format!("take {} {}", self.name, self.claims);
        let Ok(Reply::Sending(messages)) = insist(self.ctx, Some(op_id), op) else {
            return false;
        };
        messages.iter().for_each(|message| self.send(message));
        !messages.is_empty()
    }

    fn send(&self, message: &Sending) {
        if message.repeat {
            self.ctx.kernel().reached(goal::SENT_AGAIN_MARKED);
        }
        // The fence was checked when the message was taken; here a sender may stand still before it acts on that.
        if self.ctx.pick(&STALLS, 8) >= self.stalls_from {
            self.ctx.take(&STALLS, SHORTEST_STALL_MS, LONGEST_STALL_MS);
            self.ctx.kernel().reached(goal::STALLED_BEFORE_EFFECT);
        }
        let (session, n, send_no) = (message.session.clone(), message.n, message.send_no);
        let op = match &self.hand_over(message) {
            Some(Answer::Reply(text)) if text.starts_with("shown") => Op::Sent {
                session,
                n,
                send_no,
                provider_id: text.to_string(),
            },
            Some(Answer::Reply(text)) => Op::NotSent {
                session,
                n,
                send_no,
                error: text.to_string(),
                then: if &**text == "later" {
                    NotSent::Again {
                        delay_ms: again_ms(send_no),
                    }
                } else {
                    NotSent::Drop
                },
            },
            _ if self.town.has(Quirk::SilenceMeansSent) => Op::Sent {
                session,
                n,
                send_no,
                provider_id: String::new(),
            },
            _ if self.town.has(Quirk::UnknownIsNotSent) => Op::NotSent {
                session,
                n,
                send_no,
                error: "no answer".to_owned(),
                then: NotSent::Again {
                    delay_ms: again_ms(send_no),
                },
            },
            _ => Op::Unknown {
                session,
                n,
                send_no,
                error: "no answer".to_owned(),
            },
        };
        let unknown = matches!(op, Op::Unknown { .. });
        let op_id = format!("report {} {n} {send_no}", message.session);
        // Somebody may have settled it meanwhile: then it is not this sender's business any more.
        if insist(self.ctx, Some(op_id), op).is_ok() && unknown {
            self.ctx.kernel().reached(goal::SEND_UNKNOWN);
            resolve(self.ctx, self.town, message.session.as_str(), n, send_no);
        }
    }

    fn hand_over(&self, message: &Sending) -> Option<Answer> {
        let request = self.request(message, 1);
        if self.town.has(Quirk::SendsLater) {
            self.send_later(message);
            return Some(Answer::Reply("shown".into()));
        }
        let answer = self.ctx.request(request, TIMEOUT_MS);
        match answer {
            Some(Answer::Reply(_)) => answer,
            _ if self.town.has(Quirk::ResendsUnmarked) => {
                self.ctx.request(self.request(message, 2), TIMEOUT_MS)
            }
            _ => answer,
        }
    }

    /// The bad habit of leaving it to somebody who works through a heap in no order. Nothing of it is lost.
    fn send_later(&self, message: &Sending) {
        let (town, parcel) = (Rc::clone(self.town), self.parcel(message, 1));
        let late = self.ctx.amount(&LATER, 1, TIMEOUT_MS);
        let name = Label::new(&format!("{} later", parcel.request));
        self.ctx.kernel().spawn(name, None, false, move |ctx| {
            for attempt in 1.. {
                ctx.sleep(&LATER, late);
                let cause = format!("{} later {attempt}", parcel.request);
                let request = to_the_platform(&town, parcel.clone(), &cause);
                if let Some(Answer::Reply(_)) = ctx.request(request, TIMEOUT_MS) {
                    return;
                }
            }
        });
    }

    fn request(&self, message: &Sending, attempt: u32) -> Request {
        let parcel = self.parcel(message, attempt);
        let cause = parcel.request.clone();
        to_the_platform(self.town, parcel, &cause)
    }

    fn parcel(&self, message: &Sending, attempt: u32) -> Parcel {
        Parcel {
            request: format!(
                "send {} {}.{} by {}/{attempt}",
                message.session, message.n, message.send_no, self.name
            ),
            welcome: self.town.has(Quirk::SendsLater),
            of: (message.session.as_str().to_owned(), message.n),
            given: self.ctx.kernel().position(),
            repeat: message.repeat,
            body: message.body.clone(),
        }
    }
}

fn to_the_platform(town: &Rc<Town>, parcel: Parcel, cause: &str) -> Request {
    let shared = Rc::clone(town);
    Request {
        cause: Label::new(cause),
        to: Rc::clone(&town.chat),
        handler: Rc::new(move |ctx: &Ctx| chat::show(ctx, &shared, &parcel)),
    }
}

/// Settles a message that may have been sent: by a look into the chat, or by a policy. Where looking does not help, it stays
/// as it is until somebody looks again.
pub(super) fn resolve(ctx: &Ctx, town: &Rc<Town>, session: &str, n: i64, try_no: i64) {
    if town.has(Quirk::ForgetsUnknown) {
        return;
    }
    let how = match ctx.pick(&POLICY, 3) {
        0 => match look(ctx, town, session, n, try_no) {
            Some(how) => how,
            None => return,
        },
        1 => Resolve::Resend,
        _ => Resolve::Drop,
    };
    let op = Op::Resolve {
        session: session.into(),
        n,
        how,
    };
    let op_id = format!("resolve {session} {n} {try_no} by {}", ctx.cause());
    if insist(ctx, Some(op_id), op).is_ok() {
        ctx.kernel().reached(goal::SEND_RESOLVED);
        town.mail.ring(ctx);
    }
}

fn look(ctx: &Ctx, town: &Rc<Town>, session: &str, n: i64, try_no: i64) -> Option<Resolve> {
    let (shared, of) = (Rc::clone(town), (session.to_owned(), n));
    let request = Request {
        cause: Label::new(&format!(
            "look for {session} {n}.{try_no} by {}",
            ctx.cause()
        )),
        to: Rc::clone(&town.chat),
        handler: Rc::new(move |ctx: &Ctx| chat::look_up(ctx, &shared, &of)),
    };
    match ctx.request(request, TIMEOUT_MS) {
        Some(Answer::Reply(text)) if &*text == "shown" => Some(Resolve::Sent {
            provider_id: "found".to_owned(),
        }),
        Some(Answer::Reply(_)) => Some(Resolve::Resend),
        _ => None,
    }
}

/// Twice as long after each attempt: the platform may take nothing for hours.
fn again_ms(send_no: i64) -> i64 {
    (AGAIN_MS << (send_no - 1).clamp(0, 20)).min(LONGEST_AGAIN_MS)
}

const SECOND: Label = Label::fixed("second sender");
const MAIL: Label = Label::fixed("for mail");
const SLOW: Label = Label::fixed("how slow the sender is");
const STALLS: Label = Label::fixed("stands still before it sends");
const LATER: Label = Label::fixed("sends it later");
const POLICY: Label = Label::fixed("what is done about the unknown");
const LIMIT: u32 = 2;
const LEASE_MS: i64 = 15_000;
const TIMEOUT_MS: u64 = 5_000;
const AGAIN_MS: i64 = 3_000;
const LONGEST_AGAIN_MS: i64 = 1_800_000;
const SHORTEST_STALL_MS: u64 = 60_000;
const LONGEST_STALL_MS: u64 = 600_000;
const SHORTEST_REST_MS: u64 = 60_000;
const LONGEST_REST_MS: u64 = 3_600_000;
