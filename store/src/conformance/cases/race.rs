//! Two calls at once: some order of the two explains both answers.

use super::super::bench::{Bench, LEASE_MS, claim_of, done, event_of, key, new_session, press};
use super::super::race::{Answer, Race};
use super::super::{Failure, Kept, same};
use crate::op::{CancelHow, Op, OpenPolicy};
use crate::reply::{Reply, TaskState, Verdict};
use crate::{Call, Error};

pub(super) const CASES: [(&str, Race); 10] = [
    (
        "two workers claim one session",
        Race {
            prepare: claims,
            judge: one_claims,
        },
    ),
    (
        "one event is delivered twice at once",
        Race {
            prepare: deliveries,
            judge: one_task,
        },
    ),
    (
        "two events open one chat",
        Race {
            prepare: openings,
            judge: one_session,
        },
    ),
    (
        "two calls of one op_id",
        Race {
            prepare: twins,
            judge: equal,
        },
    ),
    (
        "two replace the application's state",
        Race {
            prepare: states,
            judge: one_wins,
        },
    ),
    (
        "a worker completes while its lease is reaped",
        Race {
            prepare: late,
            judge: one_end,
        },
    ),
    (
        "a task is cancelled while it completes",
        Race {
            prepare: cancelling,
            judge: one_end_too,
        },
    ),
    (
        "a session is migrated while it is claimed",
        Race {
            prepare: moving,
            judge: own_class,
        },
    ),
    (
        "a session is closed while it is claimed",
        Race {
            prepare: closing,
            judge: none_in_closed,
        },
    ),
    (
        "two buttons are pressed at once",
        Race {
            prepare: presses,
            judge: one_press,
        },
    ),
];

pub(super) type Calls = Result<(Call, Call), Failure>;

pub(super) fn broken<T>(why: &str, one: Answer, two: Answer) -> Result<T, Failure> {
    Err(Failure::Broken(format!("{why}: {one:?} and {two:?}")))
}

/// How many leases an answer gives. Being busy gives none.
fn leases(answer: &Answer) -> usize {
    match answer {
        Ok(Reply::Claimed(claimed)) => claimed.len(),
        _ => 0,
    }
}

fn claims(bench: &mut Bench<'_>) -> Calls {
    bench.accept("chat", "e1")?;
    Ok((bench.call(claim_of("w1")), bench.call(claim_of("w2"))))
}

fn one_claims(_: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    match leases(&one) + leases(&two) {
        1 => Ok(()),
        _ => broken("not one of them holds it", one, two),
    }
}

fn deliveries(bench: &mut Bench<'_>) -> Calls {
    let event = || Op::Accept(event_of("chat", "e1"));
    Ok((bench.call(event()), bench.call(event())))
}

fn one_task(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    let verdict = |answer: &Answer| match answer {
        Ok(Reply::Accepted(accepted)) => Some(accepted.verdict),
        _ => None,
    };
    let (Some(first), Some(second)) = (verdict(&one), verdict(&two)) else {
        return broken("one was not accepted", one, two);
    };
    let is_right = matches!(
        (first, second),
        (Verdict::Task, Verdict::Duplicate) | (Verdict::Duplicate, Verdict::Task)
    );
    if !is_right {
        return broken("not one of them is new", one, two);
    }
    let held = bench.must_claim("w1")?;
    bench.complete(&held)?;
    bench.nothing_for("w1")
}

fn openings(bench: &mut Bench<'_>) -> Calls {
    let one = bench.call(Op::Accept(event_of("chat", "e1")));
    let two = bench.call(Op::OpenOrGet {
        key: key("chat"),
        policy: OpenPolicy::Adopt,
        new: new_session("other"),
    });
    Ok((one, two))
}

fn one_session(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    match (one, two) {
        (Ok(Reply::Accepted(accepted)), Ok(Reply::Opened(opened))) => {
            same(
                "the second one's session",
                &opened.session,
                &accepted.session,
            )?;
            let listed = bench.store.list(Default::default(), None, 10)?;
            same("how many sessions there are", listed.len(), 1)
        }
        (one, two) => broken("one was not answered", one, two),
    }
}

fn twins(bench: &mut Bench<'_>) -> Calls {
    bench.accept("chat", "e1")?;
    bench.accept("other chat", "e2")?;
    let call = bench.call(claim_of("w1"));
    Ok((call.clone(), call))
}

fn equal(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    match one == two && leases(&one) == 1 {
        true => bench.must_claim("w2").map(|_| ()),
        false => broken("they differ", one, two),
    }
}

fn states(bench: &mut Bench<'_>) -> Calls {
    let session = bench.session("chat", "e1")?;
    let put = |body: &str| Op::PutState {
        session: session.clone(),
        expected_version: 0,
        body: body.to_owned(),
    };
    let (one, two) = (put("one"), put("two"));
    Ok((bench.call(one), bench.call(two)))
}

fn one_wins(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    let body = match (&one, &two) {
        (Ok(_), Err(Error::Stale { .. })) => "one",
        (Err(Error::Stale { .. }), Ok(_)) => "two",
        _ => return broken("not one of them is stale", one, two),
    };
    let state = bench.store.get_state("s-e1".into())?;
    same("the state", (state.version, state.body.as_str()), (1, body))
}

fn late(bench: &mut Bench<'_>) -> Calls {
    let held = bench.running("chat", "e1")?;
    bench.advance(LEASE_MS);
    let complete = bench.call(Op::Complete(done(&held)));
    Ok((complete, bench.call(Op::Reap { limit: 10 })))
}

fn one_end(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    let reaped = matches!(&two, Ok(Reply::Reaped(reaped)) if !reaped.requeued.is_empty());
    let state = bench.state(&"s-e1".into(), &"t-e1".into())?;
    match (&one, reaped) {
        (Ok(_), false) => same("its state", state, Some(TaskState::Done)),
        (Err(Error::Fenced { .. }), true) => same("its state", state, Some(TaskState::Queued)),
        _ => broken("both or none had their way", one, two),
    }
}

fn cancelling(bench: &mut Bench<'_>) -> Calls {
    let held = bench.running("chat", "e1")?;
    let complete = bench.call(Op::Complete(done(&held)));
    let cancel = bench.call(Op::Cancel {
        task: held.task,
        reason: "now".to_owned(),
        how: CancelHow::Force,
    });
    Ok((complete, cancel))
}

fn one_end_too(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    let state = bench.state(&"s-e1".into(), &"t-e1".into())?;
    match (&one, &two) {
        (Ok(_), Err(Error::Closed { .. })) => same("its state", state, Some(TaskState::Done)),
        (Err(Error::Fenced { .. }), Ok(_)) => same("its state", state, Some(TaskState::Cancelled)),
        _ => broken("both or none had their way", one, two),
    }
}

fn moving(bench: &mut Bench<'_>) -> Calls {
    let session = bench.session("chat", "e1")?;
    let version = bench.store.show(session.clone())?.version;
    let migrate = bench.call(Op::Migrate {
        session,
        to_build: "codex@1".into(),
        expected_version: version,
        converted: None,
    });
    Ok((migrate, bench.call(claim_of("w1"))))
}

fn own_class(_: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    match (&one, leases(&two)) {
        (Ok(_), 0) | (Err(Error::Leased { .. }), 1) => Ok(()),
        _ => broken(
            "a worker holds what is not of its class, or nobody has it",
            one,
            two,
        ),
    }
}

fn closing(bench: &mut Bench<'_>) -> Calls {
    let session = bench.session("chat", "e1")?;
    let close = bench.call(Op::Close {
        session,
        reason: "enough".to_owned(),
        force: false,
    });
    Ok((close, bench.call(claim_of("w1"))))
}

fn none_in_closed(_: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    match (&one, leases(&two)) {
        (Ok(_), 0) | (Err(Error::Leased { .. }), 1) => Ok(()),
        _ => broken(
            "a worker holds a closed session, or nobody had his way",
            one,
            two,
        ),
    }
}

fn presses(bench: &mut Bench<'_>) -> Calls {
    let held = bench.running("chat", "e1")?;
    bench.ask(&held, "p1")?;
    let one = bench.call(Op::Answer(press("chat", "b1", "p1", "yes")));
    let two = bench.call(Op::Answer(press("chat", "b2", "p1", "no")));
    Ok((one, two))
}

fn one_press(bench: &mut Bench<'_>, one: Answer, two: Answer) -> Kept {
    let outcome = match (&one, &two) {
        (Ok(Reply::Answered(one)), Ok(Reply::Answered(two)))
            if one.took != two.took && one.outcome == two.outcome =>
        {
            one.outcome.clone()
        }
        _ => return broken("not one of them took", one, two),
    };
    let told = bench.must_claim("w1")?.prompt;
    same(
        "what the task is told",
        told.map(|told| told.outcome),
        Some(outcome),
    )
}
