//! Messages to be sent: in order, and never twice without saying so.

use super::super::bench::{Bench, LEASE_MS, done};
use super::super::{Failure, Kept, refused, same};
use super::Alone;
use crate::op::{Complete, NotSent, Op, Resolve, Send};
use crate::reply::Sending;
use crate::{Error, SessionId};

pub(super) const CASES: [Alone; 7] = [
    ("a session's messages go out one after the other", in_order),
    ("a sender takes its own route", routes),
    ("what was not sent goes out again, after a rest", again),
    (
        "who lost a message to a later attempt is fenced",
        later_attempt,
    ),
    (
        "what may have been sent holds back the rest until it is resolved",
        unknown,
    ),
    (
        "a silent sender's message is unknown, and a late report still counts",
        silent,
    ),
    ("only what is unknown is resolved", resolved),
];

fn take(bench: &mut Bench<'_>) -> Result<Vec<Sending>, Error> {
    let op = bench.op();
    bench.store.claim_send(op, "sender", "", 10, LEASE_MS)
}

/// The one message that may go out now.
fn must_take(bench: &mut Bench<'_>, body: &str) -> Result<Sending, Failure> {
    let mut taken = take(bench)?;
    let bodies: Vec<&str> = taken.iter().map(|sending| sending.body.as_str()).collect();
    same("what goes out", bodies, vec![body])?;
    Ok(taken.remove(0))
}

fn nothing_goes(bench: &mut Bench<'_>) -> Kept {
    same("what goes out", take(bench)?, Vec::new())
}

fn report(bench: &mut Bench<'_>, sending: &Sending, how: How) -> Result<(), Error> {
    let (session, n, send_no) = (sending.session.clone(), sending.n, sending.send_no);
    let call = bench.call(match how {
        How::Sent => Op::Sent {
            session,
            n,
            send_no,
            provider_id: "id".to_owned(),
        },
        How::Not(then) => Op::NotSent {
            session,
            n,
            send_no,
            error: "limit".to_owned(),
            then,
        },
        How::Unknown => Op::Unknown {
            session,
            n,
            send_no,
            error: "timeout".to_owned(),
        },
    });
    bench.store.apply(&call).map(|_| ())
}

enum How {
    Sent,
    Not(NotSent),
    Unknown,
}

/// A session with the messages one and two.
fn replied(bench: &mut Bench<'_>) -> Result<SessionId, Failure> {
    for (event, text) in [("e1", "one"), ("e2", "two")] {
        let held = bench.running("chat", event)?;
        bench.reply(&held, text)?;
    }
    bench.session("chat", "e3")
}

fn resolve(bench: &mut Bench<'_>, sending: &Sending, how: Resolve) -> Result<(), Error> {
    let op = bench.op();
    bench
        .store
        .resolve(op, sending.session.clone(), sending.n, how)
}

fn in_order(bench: &mut Bench<'_>) -> Kept {
    replied(bench)?;
    let one = must_take(bench, "one")?;
    same("whether it may be a repeat", one.repeat, false)?;
    nothing_goes(bench)?;
    report(bench, &one, How::Sent)?;
    let two = must_take(bench, "two")?;
    report(bench, &two, How::Sent)?;
    nothing_goes(bench)?;
    let held = bench.must_claim("w1")?;
    bench.reply(&held, "three")?;
    must_take(bench, "three")?;
    Ok(())
}

fn routes(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let op = bench.op();
    let sends = vec![Send {
        dedup_key: "k".to_owned(),
        body: "by mail".to_owned(),
        route: "mail".to_owned(),
    }];
    bench.store.complete(
        op,
        Complete {
            sends,
            ..done(&held)
        },
    )?;
    nothing_goes(bench)?;
    let op = bench.op();
    let taken = bench.store.claim_send(op, "sender", "mail", 10, LEASE_MS)?;
    same("how many go by mail", taken.len(), 1)
}

fn again(bench: &mut Bench<'_>) -> Kept {
    replied(bench)?;
    let one = must_take(bench, "one")?;
    let rest = NotSent::Again { delay_ms: 500 };
    report(bench, &one, How::Not(rest))?;
    nothing_goes(bench)?;
    bench.advance(500);
    let one = must_take(bench, "one")?;
    same("whether it may be a repeat", one.repeat, false)?;
    report(bench, &one, How::Not(NotSent::Drop))?;
    must_take(bench, "two")?;
    Ok(())
}

fn later_attempt(bench: &mut Bench<'_>) -> Kept {
    replied(bench)?;
    let first = must_take(bench, "one")?;
    report(bench, &first, How::Not(NotSent::Again { delay_ms: 0 }))?;
    let second = must_take(bench, "one")?;
    refused(
        "the first one's report",
        report(bench, &first, How::Sent),
        "fenced",
    )?;
    report(bench, &second, How::Sent)?;
    refused(
        "a report on what is sent",
        report(bench, &second, How::Unknown),
        "closed",
    )
}

fn unknown(bench: &mut Bench<'_>) -> Kept {
    replied(bench)?;
    let one = must_take(bench, "one")?;
    report(bench, &one, How::Unknown)?;
    bench.advance(100 * LEASE_MS);
    bench.store.sweep(10)?;
    nothing_goes(bench)?;
    resolve(bench, &one, Resolve::Resend)?;
    let one = must_take(bench, "one")?;
    same("whether it may be a repeat", one.repeat, true)?;
    report(bench, &one, How::Unknown)?;
    resolve(bench, &one, Resolve::Drop)?;
    must_take(bench, "two")?;
    Ok(())
}

fn silent(bench: &mut Bench<'_>) -> Kept {
    let session = replied(bench)?;
    let one = must_take(bench, "one")?;
    bench.advance(LEASE_MS);
    let swept = bench.store.sweep(10)?;
    same("what is unknown", swept.unknown, vec![(session, one.n)])?;
    nothing_goes(bench)?;
    report(bench, &one, How::Sent)?;
    must_take(bench, "two")?;
    Ok(())
}

fn resolved(bench: &mut Bench<'_>) -> Kept {
    replied(bench)?;
    let one = must_take(bench, "one")?;
    refused(
        "what is being sent",
        resolve(bench, &one, Resolve::Drop),
        "closed",
    )?;
    report(bench, &one, How::Unknown)?;
    let provider_id = "id".to_owned();
    resolve(bench, &one, Resolve::Sent { provider_id })?;
    refused(
        "what is settled",
        resolve(bench, &one, Resolve::Resend),
        "closed",
    )?;
    must_take(bench, "two")?;
    Ok(())
}
