//! Calls that are repeated because their answer was lost.

use super::super::bench::{Bench, LEASE_MS, claim_of, done, event_of};
use super::super::{Kept, refused, same};
use super::Alone;
use crate::op::{Accept, Call, Op};
use crate::reply::Reply;

pub(super) const CASES: [Alone; 5] = [
    (
        "a repeated call gets the same answer and changes nothing",
        repeated,
    ),
    ("an op_id with another request is refused", reused),
    ("a refusal is not kept", refusals),
    ("an empty claim is not kept", empty),
    ("an op_id is neither missing nor superfluous", needed),
];

fn repeated(bench: &mut Bench<'_>) -> Kept {
    bench.accept("other chat", "e0")?;
    let accept = bench.call(Op::Accept(event_of("chat", "e1")));
    let accepted = bench.store.apply(&accept)?;
    same(
        "the repeated accept",
        bench.store.apply(&accept)?,
        accepted.clone(),
    )?;
    bench.advance(1);
    let claim = bench.call(claim_of("w1"));
    let claimed = bench.store.apply(&claim)?;
    same(
        "the repeated claim",
        bench.store.apply(&claim)?,
        claimed.clone(),
    )?;
    let Reply::Claimed(leases) = claimed else {
        return same("the answer to a claim", claimed, Reply::Claimed(Vec::new()));
    };
    let complete = bench.call(Op::Complete(done(&leases[0])));
    let completed = bench.store.apply(&complete)?;
    same(
        "the repeated complete",
        bench.store.apply(&complete)?,
        completed,
    )?;
    same(
        "the accept once more",
        bench.store.apply(&accept)?,
        accepted,
    )?;
    bench.must_claim("w1")?;
    bench.nothing_for("w1")
}

fn reused(bench: &mut Bench<'_>) -> Kept {
    let first = bench.call(Op::Accept(event_of("chat", "e1")));
    bench.store.apply(&first)?;
    let body = "another".to_owned();
    for other in [
        Op::Accept(event_of("chat", "e2")),
        Op::Accept(Accept {
            body,
            ..event_of("chat", "e1")
        }),
        claim_of("w1"),
    ] {
        let call = Call {
            op: other,
            ..first.clone()
        };
        refused("another request", bench.store.apply(&call), "op_id_reused")?;
    }
    Ok(())
}

fn refusals(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let close = bench.call(Op::Close {
        session: held.session.clone(),
        reason: "enough".to_owned(),
        force: false,
    });
    refused("closing it", bench.store.apply(&close), "leased")?;
    bench.complete(&held)?;
    bench.store.apply(&close)?;
    let shown = bench.store.show(held.session)?;
    same("whether it is active", shown.active, false)
}

fn empty(bench: &mut Bench<'_>) -> Kept {
    let op = bench.op();
    let none = bench.store.claim(op.clone(), "w1".into(), 1, LEASE_MS)?;
    same("what is claimed", none, Vec::new())?;
    bench.accept("chat", "e1")?;
    let one = bench.store.claim(op, "w1".into(), 1, LEASE_MS)?;
    same("how many are claimed then", one.len(), 1)
}

fn needed(bench: &mut Bench<'_>) -> Kept {
    let without = Call {
        op_id: None,
        op: Op::Accept(event_of("chat", "e1")),
    };
    refused(
        "an accept without op_id",
        bench.store.apply(&without),
        "invalid",
    )?;
    let with = Call {
        op_id: Some(bench.op()),
        op: Op::Reap { limit: 1 },
    };
    refused("a reap with one", bench.store.apply(&with), "invalid")
}
