//! What a child does until it is killed: every kind of call, in no particular order.

use lockstep_store::{
    Accept, Answer, Ask, Call, Choice, Claimed, Complete, ConvKey, Error, Item, NewSession, Op,
    OpId, Reply, Retry, Send, Sending, SqliteStore, Store, SystemClock, WhenWaiting,
};
use rusqlite::Connection;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

const LEASE_MS: i64 = 400;
const CHATS: u64 = 24;

struct Child {
    store: SqliteStore<SystemClock>,
    log: File,
    start: u32,
    calls: u64,
    dice: u64,
    held: Vec<Claimed>,
    buttons: Vec<(ConvKey, String)>,
}

pub(super) fn work(database: &Path, log: &Path, flag: &Path, start: u32) {
    let mut conn = Connection::open(database).expect("opens");
    announce(&mut conn, flag);
    let store = SqliteStore::from_connection(conn, SystemClock).expect("a store");
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .expect("a log");
    let mut child = Child {
        store,
        log,
        start,
        calls: 0,
        dice: u64::from(start) + 1,
        held: Vec::new(),
        buttons: Vec::new(),
    };
    child.call(Op::RegisterWorker {
        worker: child.worker(),
        build: "bot@1".into(),
        home: "anywhere".to_owned(),
    });
    loop {
        child.step();
    }
}

/// The flag says 1 while rows are written and the commit has not begun.
fn announce(conn: &mut Connection, flag: &Path) {
    let open = || OpenOptions::new().write(true).open(flag).expect("a flag");
    let set = |file: &File, byte: u8| file.write_all_at(&[byte], 0).expect("a byte");
    let (writes, commits, rolls_back) = (open(), open(), open());
    conn.update_hook(Some(move |_, _: &str, _: &str, _| set(&writes, 1)))
        .expect("a hook");
    conn.commit_hook(Some(move || {
        set(&commits, 0);
        false
    }))
    .expect("a hook");
    conn.rollback_hook(Some(move || set(&rolls_back, 0)))
        .expect("a hook");
}

impl Child {
    fn worker(&self) -> lockstep_store::WorkerId {
        format!("worker-{}", self.start).into()
    }

    fn roll(&mut self, count: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % count
    }

    fn fresh(&mut self, of: &str) -> String {
        self.calls += 1;
        format!("{of}-{}-{}", self.start, self.calls)
    }

    /// One line before the call and one after it; a busy database is asked again under the same op_id.
    fn call(&mut self, op: Op) -> Option<Reply> {
        let op_id = op.keeps_answer().then(|| OpId::new(self.fresh("op")));
        let call = Call { op_id, op };
        let asked = serde_json::to_string(&call).expect("json");
        writeln!(self.log, "T {asked}").expect("logged");
        loop {
            match self.store.apply(&call) {
                Ok(reply) => {
                    let told = serde_json::to_string(&reply).expect("json");
                    writeln!(self.log, "A {told}").expect("logged");
                    return Some(reply);
                }
                Err(Error::Busy) => {}
                Err(error) => {
                    assert!(error.is_definite(), "{error}");
                    writeln!(self.log, "E {error}").expect("logged");
                    return None;
                }
            }
        }
    }

    fn step(&mut self) {
        match self.roll(16) {
            0..=4 => self.deliver(),
            5..=8 => self.claim(),
            9..=11 => self.end_a_turn(),
            12 => self.press(),
            13..=14 => self.send(),
            _ => self.tidy(),
        }
    }

    fn chat(&mut self) -> ConvKey {
        let chat = self.roll(CHATS);
        ConvKey::chat("acme", "web", "bot", &format!("chat-{chat}"))
    }

    fn deliver(&mut self) {
        let event = Accept {
            key: self.chat(),
            ext_id: self.fresh("event"),
            kind: "message".to_owned(),
            body: "hello".to_owned(),
            task: self.fresh("task").into(),
            max_failures: 1_000,
            new: NewSession {
                conv: self.fresh("conv").into(),
                session: self.fresh("session").into(),
                runtime: "bot".to_owned(),
                idle_ms: None,
            },
            when_waiting: WhenWaiting::Answer,
        };
        for _ in 0..=self.roll(2) {
            self.call(Op::Accept(event.clone()));
        }
    }

    fn claim(&mut self) {
        let claim = Op::Claim {
            worker: self.worker(),
            limit: 2,
            lease_ms: LEASE_MS,
        };
        if let Some(Reply::Claimed(claimed)) = self.call(claim) {
            self.held.extend(claimed);
        }
    }

    fn end_a_turn(&mut self) {
        let Some(claimed) = self.held.pop() else {
            return self.claim();
        };
        let (task, fence) = (claimed.task.clone(), claimed.fence);
        let item = Item {
            kind: "message".to_owned(),
            body: self.fresh("item"),
        };
        self.call(Op::Append {
            session: claimed.session.clone(),
            fence,
            expected_seq: claimed.next_seq,
            items: vec![item.clone(), item.clone()],
        });
        let end = match self.roll(8) {
            0 => Op::Fail {
                task,
                fence,
                error: "broken".to_owned(),
                retry: Retry::After { delay_ms: 5 },
            },
            1 => Op::GiveBack { task, fence },
            2 => self.question(&claimed),
            _ => Op::Complete(Complete {
                task,
                fence,
                outcome: "ok".to_owned(),
                items: vec![item],
                sends: vec![Send {
                    dedup_key: self.fresh("send"),
                    body: "hi".to_owned(),
                    route: String::new(),
                }],
                resume_token: Some(format!("native of {}", claimed.session)),
            }),
        };
        self.call(end);
    }

    fn question(&mut self, claimed: &Claimed) -> Op {
        let token = self.fresh("button");
        let chat = self.chat();
        self.buttons.push((chat, token.clone()));
        Op::Ask(Ask {
            task: claimed.task.clone(),
            fence: claimed.fence,
            prompt: self.fresh("prompt").into(),
            choices: vec![Choice {
                token,
                label: "yes".to_owned(),
            }],
            text_ok: true,
            expires_in_ms: 100,
            items: Vec::new(),
            sends: Vec::new(),
            resume_token: None,
        })
    }

    fn press(&mut self) {
        if let Some((key, token)) = self.buttons.pop() {
            let ext_id = self.fresh("press");
            self.call(Op::Answer(Answer { key, ext_id, token }));
        }
    }

    fn send(&mut self) {
        let claim = Op::ClaimSend {
            sender: format!("sender-{}", self.start),
            route: String::new(),
            limit: 4,
            lease_ms: LEASE_MS,
        };
        let Some(Reply::Sending(sending)) = self.call(claim) else {
            return;
        };
        for Sending {
            session,
            n,
            send_no,
            ..
        } in sending
        {
            self.call(Op::Sent {
                session,
                n,
                send_no,
                provider_id: "id".to_owned(),
            });
        }
    }

    fn tidy(&mut self) {
        self.call(Op::Reap { limit: 10 });
        self.call(Op::Sweep { limit: 10 });
    }
}
