//! Builds, native tokens, and the moves of sessions between runtimes.

use super::super::bench::{Bench, key, new_session};
use super::super::{Failure, Kept, refused, same};
use super::Alone;
use crate::op::{Converted, Converter, OpenPolicy};
use crate::reply::{Claimed, TaskState};
use crate::{Error, SessionId};

pub(super) const CASES: [Alone; 11] = [
    (
        "a token is resumed only by workers of its class and home",
        own_only,
    ),
    (
        "a session with a token is claimed only at its home",
        at_home,
    ),
    (
        "a session is claimed only by workers of its class",
        own_class,
    ),
    ("a token is replaced only by who knows it", epochs),
    ("migrating to another class drops the token", migrated),
    (
        "nothing migrates under a lease, along no edge, or on old knowledge",
        not_migrated,
    ),
    (
        "a converted token comes from the converter of the edge",
        converted,
    ),
    (
        "a lost token is given up with evidence, and only that one",
        dropped,
    ),
    (
        "a build that drains serves what is bound to it and gets nothing new",
        drained,
    ),
    (
        "a retired build serves nothing, and others of its class take over",
        retired,
    ),
    (
        "a worker that drains ends what it holds and gets nothing more",
        worker_drained,
    ),
];

/// A session with a token that lives at h1, and nobody in it.
fn with_token(bench: &mut Bench<'_>) -> Result<Claimed, Failure> {
    let held = bench.running("chat", "e1")?;
    bench.token(&held, "native")?;
    bench.complete(&held)?;
    Ok(held)
}

fn migrate(
    bench: &mut Bench<'_>,
    session: &SessionId,
    build: &str,
    version: i64,
) -> Result<i64, Error> {
    let op = bench.op();
    bench
        .store
        .migrate(op, session.clone(), build.into(), version, None)
}

fn own_only(bench: &mut Bench<'_>) -> Kept {
    let session = with_token(bench)?.session;
    let own = bench.store.resume(session.clone(), "w1".into())?;
    same("the token", own.token.as_deref(), Some("native"))?;
    for (worker, who) in [("w2", "another home"), ("x1", "another class")] {
        let answer = bench.store.resume(session.clone(), worker.into());
        refused(who, answer, "runtime_mismatch")?;
    }
    Ok(())
}

fn at_home(bench: &mut Bench<'_>) -> Kept {
    with_token(bench)?;
    bench.accept("chat", "e2")?;
    bench.nothing_for("w2")?;
    let held = bench.must_claim("w1")?;
    same("the token", held.resume_token.as_deref(), Some("native"))
}

fn own_class(bench: &mut Bench<'_>) -> Kept {
    bench.accept("chat", "e1")?;
    bench.nothing_for("x1")?;
    bench.must_claim("w2")?;
    Ok(())
}

fn epochs(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let first = bench.token(&held, "one")?;
    same("whether the epoch grew", first > held.epoch, true)?;
    refused("one from before", bench.token(&held, "other"), "stale")?;
    let knows = Claimed {
        epoch: first,
        ..held
    };
    bench.token(&knows, "two")?;
    let pointer = bench.store.resume(knows.session, "w1".into())?;
    same("the token", pointer.token.as_deref(), Some("two"))
}

fn migrated(bench: &mut Bench<'_>) -> Kept {
    let session = with_token(bench)?.session;
    let version = bench.store.show(session.clone())?.version;
    let after = migrate(bench, &session, "codex@1", version)?;
    same("whether the version grew", after > version, true)?;
    let pointer = bench.store.resume(session.clone(), "x1".into())?;
    same("the token there", pointer.token, None)?;
    let answer = bench.store.resume(session, "w1".into());
    refused("its old worker", answer, "runtime_mismatch")?;
    bench.accept("chat", "e2")?;
    bench.nothing_for("w1")?;
    bench.must_claim("x1")?;
    Ok(())
}

fn not_migrated(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let session = held.session.clone();
    let version = bench.store.show(session.clone())?.version;
    let answer = migrate(bench, &session, "codex@1", version);
    refused("under a lease", answer, "leased")?;
    bench.complete(&held)?;
    let version = bench.store.show(session.clone())?.version;
    let answer = migrate(bench, &session, "codex@1", version + 1);
    refused("on old knowledge", answer, "stale")?;
    let version = migrate(bench, &session, "codex@1", version)?;
    let answer = migrate(bench, &session, "claude@1", version);
    refused("back, where no edge leads", answer, "runtime_mismatch")
}

fn converted(bench: &mut Bench<'_>) -> Kept {
    bench.register("gemini@1", "gemini", "gemini/1")?;
    bench.worker("g1", "gemini@1", "h1")?;
    let op = bench.op();
    let named = Converter::Named("translator".to_owned());
    bench
        .store
        .allow_move(op, "claude/1".into(), "gemini/1".into(), named)?;
    let session = with_token(bench)?.session;
    let version = bench.store.show(session.clone())?.version;
    let by = |converter: &str| {
        Some(Converted {
            converter: converter.to_owned(),
            token: "translated".to_owned(),
            home: "h1".to_owned(),
        })
    };
    let op = bench.op();
    let answer = bench
        .store
        .migrate(op, session.clone(), "gemini@1".into(), version, by("other"));
    refused("another converter's token", answer, "invalid")?;
    let op = bench.op();
    bench.store.migrate(
        op,
        session.clone(),
        "gemini@1".into(),
        version,
        by("translator"),
    )?;
    let pointer = bench.store.resume(session, "g1".into())?;
    same("the token", pointer.token.as_deref(), Some("translated"))
}

fn dropped(bench: &mut Bench<'_>) -> Kept {
    let held = with_token(bench)?;
    let epoch = bench.store.show(held.session.clone())?.epoch;
    let give_up = |bench: &mut Bench<'_>, epoch, evidence: &str| {
        let op = bench.op();
        bench
            .store
            .drop_resume(op, held.session.clone(), epoch, evidence)
    };
    refused("without evidence", give_up(bench, epoch, ""), "invalid")?;
    refused(
        "one from before",
        give_up(bench, epoch - 1, "gone"),
        "stale",
    )?;
    give_up(bench, epoch, "the runtime says: no such session")?;
    bench.accept("chat", "e2")?;
    let anywhere = bench.must_claim("w2")?;
    same("the token", anywhere.resume_token, None)
}

/// Another build of the same class, current from now on, and a worker of it.
fn next_build(bench: &mut Bench<'_>) -> Kept {
    bench.register("claude@2", "claude", "claude/1")?;
    let op = bench.op();
    bench.store.set_current(op, "claude@2".into())?;
    bench.worker("w3", "claude@2", "h1")
}

fn drained(bench: &mut Bench<'_>) -> Kept {
    let old = bench.session("chat", "e1")?;
    next_build(bench)?;
    let op = bench.op();
    bench.store.drain(op, "claude@1".into())?;
    let bound = bench.store.show(old)?.build;
    same("the old session's build", bound.as_str(), "claude@1")?;
    bench.must_claim("w1")?;
    let op = bench.op();
    let new =
        bench
            .store
            .open_or_get(op, key("other chat"), OpenPolicy::Adopt, new_session("new"))?;
    let bound = bench.store.show(new.session)?.build;
    same("a new session's build", bound.as_str(), "claude@2")
}

fn retired(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    next_build(bench)?;
    let retire = |bench: &mut Bench<'_>| {
        let op = bench.op();
        bench.store.retire(op, "claude@1".into())
    };
    refused("with a lease", retire(bench), "leased")?;
    bench.complete(&held)?;
    retire(bench)?;
    bench.accept("chat", "e2")?;
    refused("a worker of it", bench.claim("w1"), "closed")?;
    bench.must_claim("w3")?;
    Ok(())
}

fn worker_drained(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    let op = bench.op();
    bench.store.worker_drain(op, "w1".into())?;
    bench.accept("other chat", "e2")?;
    bench.nothing_for("w1")?;
    same("its end", bench.complete(&held)?, TaskState::Done)?;
    bench.must_claim("w2")?;
    Ok(())
}
