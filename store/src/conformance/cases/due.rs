//! What time makes due, and a call that comes in between: either was first.

use super::super::bench::{Bench, LEASE_MS, PATIENCE_MS, event_of, key, new_session, press};
use super::super::race::{Answer, Race};
use super::super::{Failure, Kept, same};
use super::race::{Calls, broken};
use crate::Error;
use crate::op::{NewSession, NotSent, Op, OpenPolicy};
use crate::reply::{Reply, Sending, TaskState};

pub(super) const CASES: [(&str, Race); 6] = [
    (
        "a lease is renewed while it is reaped",
        Race {
            prepare: renewing,
            judge: held_or_reaped,
        },
    ),
    (
        "a session is used while it is swept",
        Race {
            prepare: idling,
            judge: work_is_done,
        },
    ),
    (
        "a session is closed while it is swept",
        Race {
            prepare: closing_idle,
            judge: closed_once,
        },
    ),
    (
        "a button is pressed while its question expires",
        Race {
            prepare: expiring,
            judge: one_outcome,
        },
    ),
    (
        "a message is reported while its sender's time runs out",
        Race {
            prepare: lapsing,
            judge: it_was_sent,
        },
    ),
    (
        "a message is reported as not sent while its sender's time runs out",
        Race {
            prepare: refused_late,
            judge: it_goes_out_again,
        },
    ),
];

fn renewing(bench: &mut Bench<'_>) -> Calls {
    let held = bench.running("chat", "e1")?;
    bench.accept("other chat", "e2")?;
    bench.must_claim("w2")?;
    bench.advance(LEASE_MS);
    let renew = bench.call(Op::Renew {
        session: held.session,
        fence: held.fence,
        lease_ms: LEASE_MS,
    });
    Ok((renew, bench.call(Op::Reap { limit: 10 })))
}

fn held_or_reaped(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    let requeued = match &two {
        Ok(Reply::Reaped(reaped)) => reaped.requeued.clone(),
        _ => return broken("the reaper stopped", one, two),
    };
    same(
        "whether the other is reaped",
        requeued.contains(&"t-e2".into()),
        true,
    )?;
    let state = bench.state(&"s-e1".into(), &"t-e1".into())?;
    match (&one, requeued.contains(&"t-e1".into())) {
        (Ok(_), false) => same("its state", state, Some(TaskState::Running)),
        (Err(Error::Fenced { .. }), true) => same("its state", state, Some(TaskState::Queued)),
        _ => broken("both or none had their way", one, two),
    }
}

/// A session without work whose time is over.
fn idle(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let new = NewSession {
        idle_ms: Some(1_000),
        ..new_session("e0")
    };
    let op = bench.op();
    bench
        .store
        .open_or_get(op, key("chat"), OpenPolicy::Adopt, new)?;
    bench.advance(1_000);
    Ok(())
}

fn idling(bench: &mut Bench<'_>) -> Calls {
    idle(bench)?;
    let accept = bench.call(Op::Accept(event_of("chat", "e1")));
    Ok((accept, bench.call(Op::Sweep { limit: 10 })))
}

fn work_is_done(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    let closed = matches!(&two, Ok(Reply::Swept(swept)) if !swept.closed.is_empty());
    let Ok(Reply::Accepted(accepted)) = &one else {
        return broken("the event was not accepted", one, two);
    };
    let session = if closed { "s-e1" } else { "s-e0" };
    same("its session", accepted.session.as_str(), session)?;
    let held = bench.must_claim("w1")?;
    same("what runs", held.task, accepted.task.clone())
}

fn closing_idle(bench: &mut Bench<'_>) -> Calls {
    idle(bench)?;
    let close = bench.call(Op::Close {
        session: "s-e0".into(),
        reason: "enough".to_owned(),
        force: false,
    });
    Ok((close, bench.call(Op::Sweep { limit: 10 })))
}

fn closed_once(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    let swept = matches!(&two, Ok(Reply::Swept(swept)) if !swept.closed.is_empty());
    let shown = bench.store.show("s-e0".into())?;
    match (&one, swept, shown.close_reason.as_deref()) {
        (Ok(_), false, Some("enough")) | (Err(Error::Closed { .. }), true, Some(_)) => Ok(()),
        _ => broken("it was closed twice, or not at all", one, two),
    }
}

fn expiring(bench: &mut Bench<'_>) -> Calls {
    let held = bench.running("chat", "e1")?;
    bench.ask(&held, "p1")?;
    bench.advance(PATIENCE_MS);
    let one = bench.call(Op::Answer(press("chat", "b1", "p1", "yes")));
    Ok((one, bench.call(Op::Sweep { limit: 10 })))
}

fn one_outcome(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    let Ok(Reply::Answered(answered)) = &one else {
        return broken("the press was not answered", one, two);
    };
    let told = bench.must_claim("w1")?.prompt;
    let outcome = Some(answered.outcome.clone());
    same(
        "what the task is told",
        told.map(|told| told.outcome),
        outcome,
    )?;
    bench.nothing_for("w2")
}

/// A message whose sender's time is over.
fn taken(bench: &mut Bench<'_>) -> Result<Sending, Failure> {
    let held = bench.running("chat", "e1")?;
    bench.reply(&held, "hello")?;
    let op = bench.op();
    let taken = bench.store.claim_send(op, "sender", "", 1, LEASE_MS)?;
    bench.advance(LEASE_MS);
    let one = taken.into_iter().next();
    one.ok_or_else(|| Failure::Broken("there is no message to send".to_owned()))
}

fn lapsing(bench: &mut Bench<'_>) -> Calls {
    let one = taken(bench)?;
    let sent = bench.call(Op::Sent {
        session: one.session,
        n: one.n,
        send_no: one.send_no,
        provider_id: "id".to_owned(),
    });
    Ok((sent, bench.call(Op::Sweep { limit: 10 })))
}

fn it_was_sent(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    if one.is_err() {
        return broken("the report was refused", one, two);
    }
    let stats = bench.store.stats()?;
    let open = (stats.pending_sends, stats.sending, stats.unknown_sends);
    same("what is not settled", open, (0, 0, 0))
}

fn refused_late(bench: &mut Bench<'_>) -> Calls {
    let one = taken(bench)?;
    let again = bench.call(Op::NotSent {
        session: one.session,
        n: one.n,
        send_no: one.send_no,
        error: "limit".to_owned(),
        then: NotSent::Again { delay_ms: 0 },
    });
    Ok((again, bench.call(Op::Sweep { limit: 10 })))
}

fn it_goes_out_again(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    if one.is_err() {
        return broken("the report was refused", one, two);
    }
    let lapsed = matches!(&two, Ok(Reply::Swept(swept)) if !swept.unknown.is_empty());
    let op = bench.op();
    let sending = bench.store.claim_send(op, "sender", "", 10, LEASE_MS)?;
    let repeats: Vec<bool> = sending.iter().map(|one| one.repeat).collect();
    same(
        "what goes out, and whether as a repeat",
        repeats,
        vec![lapsed],
    )
}
