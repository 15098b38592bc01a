//! A small bot on the store, to run and to copy: `cargo run -p lockstep-store --example bot_loop`, or with `-- FILE.db` to keep
//! the database. It delivers messages, twice if it must, works them off, asks a question, takes the press, replies, dies in
//! the middle of a turn, and goes on as a fresh worker.

use lockstep_store::{
    Accept, Answer, Ask, Choice, Claimed, Complete, ConvKey, Error, Item, NewSession, OpId,
    OpenPolicy, PromptOutcome, Send, SessionId, SqliteStore, Store, SystemClock, Verdict,
    WhenWaiting, WorkerId,
};
use std::io::{Write, stdout};

const LEASE_MS: i64 = 30_000;

type Bot = SqliteStore<SystemClock>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut store = open(std::env::args().nth(1))?;
    let runs = store.stats()?;
    say(&format!("active sessions so far: {}", runs.active_sessions))?;
    let mut ids = Ids::new();

    deploy(&mut store, &mut ids)?;
    let worker = start_worker(&mut store, &mut ids)?;
    let chat = ConvKey::chat("acme", "telegram", "bot", &ids.next("chat"));

    let session = deliver(&mut store, &mut ids, &chat, "delete my files")?;
    let dying = work(&mut store, &mut ids, &worker, &session)?;
    say(&format!("{} holds {} and dies", worker, dying.task))?;

    // Somebody notices: a supervisor that saw the process end, or a reaper once the lease has expired.
    let back = store.worker_gone(ids.op(), worker)?;
    say(&format!("queued again: {:?}", back.requeued))?;
    let worker = start_worker(&mut store, &mut ids)?;
    let claimed = work(&mut store, &mut ids, &worker, &session)?;
    let late = store.complete(ids.op(), reply(&dying, "from the grave"));
    say(&format!(
        "the dead worker speaks: {}",
        late.err()
            .map_or_else(String::new, |error| error.to_string())
    ))?;

    let yes = ask(&mut store, &mut ids, &claimed)?;
    say(&format!(
        "why is nothing happening: {:?}",
        store.explain(claimed.session.clone())?.why
    ))?;
    press(&mut store, &mut ids, &chat, &yes)?;

    let again = work(&mut store, &mut ids, &worker, &session)?;
    let told = again.prompt.as_ref().map(|prompted| &prompted.outcome);
    let confirmed = matches!(told, Some(PromptOutcome::Chosen { idx: 1, .. }));
    store.complete(
        ids.op(),
        reply(&again, if confirmed { "done" } else { "kept" }),
    )?;
    send_all(&mut store, &mut ids)?;

    leave_some_behind(&mut store, &mut ids)?;
    let report = store.verify(10)?;
    say(&format!("violations: {}", report.findings.len()))?;
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(stdout(), "{line}")
}

fn open(file: Option<String>) -> Result<Bot, Error> {
    SqliteStore::open(file.as_deref().unwrap_or(":memory:"), SystemClock)
}

/// Ids are made by whoever calls: random ones, so that two runs on one database do not meet.
struct Ids {
    run: String,
    last: u32,
}

impl Ids {
    fn new() -> Self {
        Self {
            run: format!(
                "{}-{}",
                std::process::id(),
                lockstep_store::Clock::now_ms(&SystemClock)
            ),
            last: 0,
        }
    }

    fn next(&mut self, of: &str) -> String {
        self.last += 1;
        format!("{of}-{}-{}", self.run, self.last)
    }

    fn op(&mut self) -> OpId {
        self.next("op").into()
    }
}

/// Once for each release: who may resume whose native sessions.
fn deploy(store: &mut Bot, ids: &mut Ids) -> Result<(), Error> {
    store.register_build(ids.op(), "claude@1".into(), "claude", "claude/1".into())?;
    store.set_current(ids.op(), "claude@1".into())
}

/// Once for each start of a process, under an id that was never used.
fn start_worker(store: &mut Bot, ids: &mut Ids) -> Result<WorkerId, Error> {
    let worker = WorkerId::from(ids.next("worker"));
    store.register_worker(ids.op(), worker.clone(), "claude@1".into(), "machine-7")?;
    Ok(worker)
}

/// A webhook that the platform delivers twice.
fn deliver(store: &mut Bot, ids: &mut Ids, chat: &ConvKey, text: &str) -> Result<SessionId, Error> {
    let event = Accept {
        key: chat.clone(),
        ext_id: ids.next("update"),
        kind: "message".to_owned(),
        body: text.to_owned(),
        task: ids.next("task").into(),
        max_failures: 5,
        new: new_session(ids),
        when_waiting: WhenWaiting::Answer,
    };
    let first = store.accept(ids.op(), event.clone())?;
    let second = store.accept(ids.op(), event)?;
    assert_eq!(first.verdict, Verdict::Task);
    assert_eq!(
        (second.verdict, second.task),
        (Verdict::Duplicate, first.task.clone())
    );
    Ok(first.session)
}

fn new_session(ids: &mut Ids) -> NewSession {
    NewSession {
        conv: ids.next("conversation").into(),
        session: ids.next("session").into(),
        runtime: "claude".to_owned(),
        idle_ms: Some(24 * 60 * 60 * 1_000),
    }
}

/// A worker's loop until its turn in `session` comes; a real one sleeps in between. What an earlier run left in the database
/// is answered on the way.
fn work(
    store: &mut Bot,
    ids: &mut Ids,
    worker: &WorkerId,
    session: &SessionId,
) -> Result<Claimed, Error> {
    loop {
        match store.claim(ids.op(), worker.clone(), 1, LEASE_MS)?.pop() {
            Some(claimed) if claimed.session == *session => {
                store.renew(claimed.session.clone(), claimed.fence, LEASE_MS)?;
                return Ok(claimed);
            }
            Some(left) => {
                store.complete(ids.op(), reply(&left, "sorry for the wait"))?;
            }
            None => {
                store.reap(100)?;
                store.sweep(100)?;
            }
        }
    }
}

fn send(ids: &mut Ids, body: &str) -> Send {
    Send {
        dedup_key: ids.next("send"),
        body: body.to_owned(),
        route: "telegram/bot".to_owned(),
    }
}

/// Asks before something that cannot be undone. Answers the token of the first button.
fn ask(store: &mut Bot, ids: &mut Ids, claimed: &Claimed) -> Result<String, Error> {
    let choices: Vec<Choice> = ["yes", "no"]
        .map(|label| Choice {
            token: ids.next(label),
            label: label.to_owned(),
        })
        .into();
    let yes = choices[0].token.clone();
    let question = Ask {
        task: claimed.task.clone(),
        fence: claimed.fence,
        prompt: ids.next("prompt").into(),
        choices,
        text_ok: true,
        expires_in_ms: 60_000,
        items: Vec::new(),
        sends: vec![send(ids, "really?")],
        resume_token: Some(ids.next("native")),
    };
    store.ask(ids.op(), question)?;
    Ok(yes)
}

/// The user presses twice; the second press learns what the first one did.
fn press(store: &mut Bot, ids: &mut Ids, chat: &ConvKey, token: &str) -> Result<(), Error> {
    for took in [true, false] {
        let press = Answer {
            key: chat.clone(),
            ext_id: ids.next("callback"),
            token: token.to_owned(),
        };
        let answered = store.answer(ids.op(), press)?;
        assert_eq!(answered.took, took);
    }
    Ok(())
}

fn reply(claimed: &Claimed, text: &str) -> Complete {
    Complete {
        task: claimed.task.clone(),
        fence: claimed.fence,
        outcome: "answered".to_owned(),
        items: vec![Item {
            kind: "message".to_owned(),
            body: text.to_owned(),
        }],
        sends: vec![Send {
            dedup_key: format!("answer {}", claimed.task),
            body: text.to_owned(),
            route: "telegram/bot".to_owned(),
        }],
        resume_token: claimed.resume_token.clone(),
    }
}

/// A sender's loop. What the provider does not answer is `unknown`, never simply sent again.
fn send_all(store: &mut Bot, ids: &mut Ids) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        let sending = store.claim_send(ids.op(), "sender-1", "telegram/bot", 10, LEASE_MS)?;
        if sending.is_empty() {
            return Ok(());
        }
        for message in sending {
            say(&format!("sent: {}", message.body))?;
            store.sent(
                ids.op(),
                message.session,
                message.n,
                message.send_no,
                "provider-id",
            )?;
        }
    }
}

/// Sessions in different states, for whoever looks at the database afterwards: idle, queued, leased, waiting.
fn leave_some_behind(store: &mut Bot, ids: &mut Ids) -> Result<(), Error> {
    let idle = ConvKey::chat("acme", "telegram", "bot", &ids.next("idle"));
    let new = new_session(ids);
    store.open_or_get(ids.op(), idle, OpenPolicy::Adopt, new)?;
    let worker = start_worker(store, ids)?;
    for state in ["waiting", "leased", "queued"] {
        let chat = ConvKey::chat("acme", "telegram", "bot", &ids.next(state));
        let session = deliver(store, ids, &chat, "hello")?;
        if state != "queued" {
            let claimed = work(store, ids, &worker, &session)?;
            if state == "waiting" {
                ask(store, ids, &claimed)?;
            }
        }
    }
    Ok(())
}
