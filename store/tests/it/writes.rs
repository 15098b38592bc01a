//! What each operation writes, row by row and column by column, as one snapshot.
//!
//! Two chats go the same way side by side, so that a statement that reaches too far is seen in the other's rows; the clock moves
//! before each operation, so that a column that keeps an old time is seen too.

use crate::kit::World;
use lockstep_store::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

type Columns = BTreeMap<String, Value>;
type Rows = BTreeMap<String, Columns>;

struct Script {
    world: World,
    rows: Rows,
    text: String,
    held: BTreeMap<&'static str, Claimed>,
    sending: BTreeMap<&'static str, Sending>,
}

/// Both chats, in the order in which they do everything.
const BOTH: [&str; 2] = ["a", "b"];

impl Script {
    fn new() -> Self {
        let mut script = Self {
            world: World::new(),
            rows: Rows::new(),
            text: String::new(),
            held: BTreeMap::new(),
            sending: BTreeMap::new(),
        };
        script.rows = script.all_rows();
        script
    }

    /// Every row by its table and key.
    fn all_rows(&self) -> Rows {
        let mut lines = Vec::new();
        self.world.store.export(&mut lines).expect("exports");
        let text = String::from_utf8(lines).expect("text");
        let mut rows = Rows::new();
        for line in text.lines() {
            let row: BTreeMap<String, Columns> = serde_json::from_str(line).expect("a row");
            let (table, mut columns) = row.into_iter().next().expect("one table");
            let key = self.take_key(&table, &mut columns);
            match table.as_str() {
                "lockstep" | "end" => continue,
                // The answer of an operation is not what this is about.
                "op_result" => columns.retain(|name, _| name == "op" || name == "at_ms"),
                _ => {}
            }
            rows.insert(format!("{table} {key}"), columns);
        }
        rows
    }

    fn take_key(&self, table: &str, columns: &mut Columns) -> String {
        let sql = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk";
        let mut query = self
            .world
            .connection()
            .prepare_cached(sql)
            .expect("prepares");
        let names = query
            .query_map([table], |row| row.get::<_, String>(0))
            .expect("runs");
        let values: Vec<String> = names
            .filter_map(|name| columns.remove(&name.expect("a name")))
            .map(|value| plain(&value))
            .collect();
        values.join(" ")
    }

    /// Asks, and tells what changed.
    fn ask(&mut self, op: Op) -> Result<Reply, Error> {
        self.world.clock.advance(7);
        let op_id = op.keeps_answer().then(|| self.world.op());
        writeln!(self.text, "{}", op.name()).expect("a string takes it");
        let answer = self.world.store.apply(&Call { op_id, op });
        if let Err(error) = &answer {
            writeln!(self.text, "  refused: {error}").expect("a string takes it");
        }
        self.changes();
        answer
    }

    fn must(&mut self, op: Op) -> Reply {
        self.ask(op).expect("is not refused")
    }

    fn changes(&mut self) {
        let now = self.all_rows();
        let before = std::mem::replace(&mut self.rows, now);
        for (key, row) in &self.rows {
            let text = match before.get(key) {
                None => format!("  + {key}:{}", columns(row, None)),
                Some(old) if old != row => format!("  ~ {key}:{}", columns(row, Some(old))),
                Some(_) => continue,
            };
            writeln!(self.text, "{text}").expect("a string takes it");
        }
        for key in before.keys().filter(|key| !self.rows.contains_key(*key)) {
            writeln!(self.text, "  - {key}").expect("a string takes it");
        }
    }

    fn accept(&mut self, chat: &str, event: &str, when_waiting: WhenWaiting) -> Reply {
        let id = |kind: &str| format!("{kind}-{chat}-{event}");
        self.must(Op::Accept(Accept {
            key: key(chat),
            ext_id: format!("{event}-{chat}"),
            kind: "turn".to_owned(),
            body: format!("body of {event}"),
            task: id("t").into(),
            max_failures: 2,
            new: NewSession {
                conv: id("c").into(),
                session: id("s").into(),
                runtime: "claude".to_owned(),
                idle_ms: Some(1_000_000),
            },
            when_waiting,
        }))
    }

    fn claim(&mut self, chat: &'static str) -> Claimed {
        let op = Op::Claim {
            worker: worker(chat).into(),
            limit: 1,
            lease_ms: 1_000,
        };
        let Reply::Claimed(mut claimed) = self.must(op) else {
            panic!("no claim");
        };
        let held = claimed.pop().expect("something to do");
        self.held.insert(chat, held.clone());
        held
    }

    fn held(&self, chat: &str) -> (SessionId, TaskId, Fence) {
        let held = &self.held[chat];
        (held.session.clone(), held.task.clone(), held.fence)
    }

    fn send(&mut self, chat: &'static str) -> (SessionId, i64, i64) {
        let op = Op::ClaimSend {
            sender: format!("sender of {chat}"),
            route: chat.to_owned(),
            limit: 10,
            lease_ms: 500,
        };
        let Reply::Sending(mut sending) = self.must(op) else {
            panic!("no message");
        };
        let one = sending.pop().expect("a message");
        self.sending.insert(chat, one.clone());
        (one.session, one.n, one.send_no)
    }
}

/// The worker of a chat.
fn worker(chat: &str) -> &'static str {
    if chat == "a" { "w1" } else { "w2" }
}

fn key(chat: &str) -> ConvKey {
    ConvKey::chat("tenant", "tg", "bot", chat)
}

/// All columns of a new row, or those that changed.
fn columns(row: &Columns, old: Option<&Columns>) -> String {
    let mut text = String::new();
    for (name, value) in row {
        // A hash says nothing to a reader, and would only change with the answer beside it.
        let value = if name.ends_with("hash") {
            "…".to_owned()
        } else {
            plain(value)
        };
        match old {
            None => write!(text, " {name}={value}"),
            Some(old) if old[name] == row[name] => continue,
            Some(old) => write!(text, " {name}={}→{value}", plain(&old[name])),
        }
        .expect("a string takes it");
    }
    text
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn item(body: &str) -> Item {
    Item {
        kind: "message".to_owned(),
        body: body.to_owned(),
    }
}

fn sends(chat: &str, name: &str, count: usize) -> Vec<Send> {
    let send = |n: usize| Send {
        dedup_key: format!("{name} {n}"),
        body: format!("{name} {n}"),
        route: chat.to_owned(),
    };
    (0..count).map(send).collect()
}

/// Makes the operations of one step, for one chat.
type Step = fn(&mut Script, &'static str);

fn complete(
    script: &mut Script,
    chat: &'static str,
    name: &str,
    count: usize,
    token: Option<&str>,
) {
    let (_, task, fence) = script.held(chat);
    script.must(Op::Complete(Complete {
        task,
        fence,
        outcome: "ok".to_owned(),
        items: vec![item(name)],
        sends: sends(chat, name, count),
        resume_token: token.map(str::to_owned),
    }));
}

fn question(script: &mut Script, chat: &'static str, name: &str) {
    let (_, task, fence) = script.held(chat);
    let choice = |label: &str| Choice {
        token: format!("token-{chat}-{name}-{label}"),
        label: label.to_owned(),
    };
    script.must(Op::Ask(Ask {
        task,
        fence,
        prompt: format!("p-{chat}-{name}").into(),
        choices: vec![choice("yes"), choice("no")],
        text_ok: true,
        expires_in_ms: 400,
        items: vec![item(name)],
        sends: sends(chat, name, 1),
        resume_token: Some(format!("token of {chat} with {name}")),
    }));
}

fn press(script: &mut Script, chat: &'static str, event: &str, name: &str, label: &str) {
    script.must(Op::Answer(Answer {
        key: key(chat),
        ext_id: format!("{event}-{chat}"),
        token: format!("token-{chat}-{name}-{label}"),
    }));
}

const TURN: [Step; 9] = [
    |script, chat| {
        script.accept(chat, "e1", WhenWaiting::Queue);
        script.accept(chat, "e2", WhenWaiting::Queue);
    },
    |script, chat| {
        script.accept(chat, "e1", WhenWaiting::Queue);
    },
    |script, chat| {
        script.claim(chat);
    },
    |script, chat| {
        let (session, _, fence) = script.held(chat);
        script.must(Op::Renew {
            session,
            fence,
            lease_ms: 1_500,
        });
    },
    |script, chat| {
        let (session, _, fence) = script.held(chat);
        let items = vec![item("one"), item("two")];
        script.must(Op::Append {
            session,
            fence,
            expected_seq: 1,
            items,
        });
    },
    |script, chat| {
        let (session, _, fence) = script.held(chat);
        let token = format!("native of {chat}");
        script.must(Op::SetResume {
            session,
            fence,
            token,
            epoch: 0,
        });
    },
    |script, chat| {
        let (session, ..) = script.held(chat);
        script.must(Op::Note {
            session: session.clone(),
            item: item("note"),
        });
        let body = "state 1".to_owned();
        script.must(Op::PutState {
            session,
            expected_version: 0,
            body,
        });
    },
    |script, chat| {
        let (session, ..) = script.held(chat);
        let body = "state 2".to_owned();
        script.must(Op::PutState {
            session,
            expected_version: 1,
            body,
        });
    },
    |script, chat| complete(script, chat, "first", 2, Some("rotated")),
];

const TROUBLE: [Step; 9] = [
    |script, chat| {
        script.claim(chat);
    },
    |script, chat| {
        let (_, task, fence) = script.held(chat);
        script.must(Op::GiveBack { task, fence });
    },
    |script, chat| {
        script.claim(chat);
        let (_, task, fence) = script.held(chat);
        script.must(Op::Snooze {
            task,
            fence,
            delay_ms: 50,
        });
    },
    |script, chat| {
        script.world.clock.advance(50);
        script.claim(chat);
        let (_, task, fence) = script.held(chat);
        let retry = Retry::After { delay_ms: 20 };
        script.must(Op::Fail {
            task,
            fence,
            error: "limit".to_owned(),
            retry,
        });
    },
    |script, chat| {
        script.world.clock.advance(20);
        script.claim(chat);
        let (_, task, fence) = script.held(chat);
        let retry = Retry::After { delay_ms: 0 };
        script.must(Op::Fail {
            task,
            fence,
            error: "limit again".to_owned(),
            retry,
        });
    },
    |script, chat| {
        let task = format!("t-{chat}-e2").into();
        script.must(Op::Retry {
            task,
            again: format!("t-{chat}-again").into(),
        });
    },
    |script, chat| {
        script.claim(chat);
        let (_, task, fence) = script.held(chat);
        let retry = Retry::Never;
        script.must(Op::Fail {
            task,
            fence,
            error: "never".to_owned(),
            retry,
        });
    },
    |script, chat| {
        for event in ["e3", "e4", "e5"] {
            script.accept(chat, event, WhenWaiting::Queue);
        }
        let task = format!("t-{chat}-e4").into();
        script.must(Op::Cancel {
            task,
            reason: "queued".to_owned(),
            how: CancelHow::Ask,
        });
        script.claim(chat);
        let (_, task, fence) = script.held(chat);
        let ask = Op::Cancel {
            task: task.clone(),
            reason: "asked".to_owned(),
            how: CancelHow::Ask,
        };
        script.must(ask);
        script.must(Op::Cancel {
            task,
            reason: "own".to_owned(),
            how: CancelHow::Own { fence },
        });
    },
    |script, chat| {
        script.claim(chat);
        let (_, task, _) = script.held(chat);
        script.must(Op::Cancel {
            task,
            reason: "force".to_owned(),
            how: CancelHow::Force,
        });
    },
];

const QUESTIONS: [Step; 9] = [
    |script, chat| {
        script.accept(chat, "q1", WhenWaiting::Queue);
        script.claim(chat);
    },
    |script, chat| question(script, chat, "one"),
    |script, chat| press(script, chat, "b1", "one", "yes"),
    |script, chat| press(script, chat, "b1", "one", "yes"),
    |script, chat| {
        press(script, chat, "b2", "one", "no");
        script.claim(chat);
        question(script, chat, "two");
    },
    |script, chat| {
        script.accept(chat, "q2", WhenWaiting::Answer);
        script.claim(chat);
        question(script, chat, "three");
    },
    |script, chat| {
        script.accept(chat, "q3", WhenWaiting::Interrupt);
        script.claim(chat);
        question(script, chat, "four");
    },
    |script, chat| {
        script.must(Op::Revoke {
            prompt: format!("p-{chat}-four").into(),
        });
        script.claim(chat);
        question(script, chat, "five");
    },
    |script, chat| {
        let task = format!("t-{chat}-q1").into();
        script.must(Op::Cancel {
            task,
            reason: "waiting".to_owned(),
            how: CancelHow::Ask,
        });
        script.claim(chat);
        question(script, chat, "six");
    },
];

/// Each chat takes its next message, so that both are being sent when the first reports.
const TAKE: Step = |script, chat| {
    script.send(chat);
};

impl Script {
    fn sending(&self, chat: &str) -> (SessionId, i64, i64) {
        let one = &self.sending[chat];
        (one.session.clone(), one.n, one.send_no)
    }
}

const UNKNOWN: Step = |script, chat| {
    let (session, n, send_no) = script.sending(chat);
    let error = "timeout".to_owned();
    script.must(Op::Unknown {
        session,
        n,
        send_no,
        error,
    });
};

const MESSAGES: [Step; 14] = [
    TAKE,
    |script, chat| {
        let (session, n, send_no) = script.sending(chat);
        let provider_id = "id".to_owned();
        script.must(Op::Sent {
            session,
            n,
            send_no,
            provider_id,
        });
    },
    TAKE,
    |script, chat| {
        let (session, n, send_no) = script.sending(chat);
        let then = NotSent::Again { delay_ms: 30 };
        script.must(Op::NotSent {
            session,
            n,
            send_no,
            error: "limit".to_owned(),
            then,
        });
    },
    |script, _| script.world.clock.advance(30),
    TAKE,
    UNKNOWN,
    |script, chat| {
        let (session, n, _) = script.sending(chat);
        script.must(Op::Resolve {
            session,
            n,
            how: Resolve::Resend,
        });
    },
    TAKE,
    |script, chat| {
        let (session, n, send_no) = script.sending(chat);
        let then = NotSent::Drop;
        script.must(Op::NotSent {
            session,
            n,
            send_no,
            error: "gone".to_owned(),
            then,
        });
    },
    TAKE,
    UNKNOWN,
    |script, chat| {
        let (session, n, _) = script.sending(chat);
        let how = match chat {
            "a" => Resolve::Sent {
                provider_id: "found".to_owned(),
            },
            _ => Resolve::Drop,
        };
        script.must(Op::Resolve { session, n, how });
    },
    TAKE,
];

/// What is done once for both: it may reach both, and nothing else.
fn due(script: &mut Script) {
    script.world.clock.advance(600);
    script.must(Op::Sweep { limit: 10 });
    for chat in BOTH {
        script.claim(chat);
    }
    let (_, task, _) = script.held("b");
    script.must(Op::Cancel {
        task,
        reason: "asked".to_owned(),
        how: CancelHow::Ask,
    });
    script.world.clock.advance(2_000);
    script.must(Op::Reap { limit: 10 });
}

const MOVES: [Step; 7] = [
    |script, chat| {
        script.accept(chat, "m1", WhenWaiting::Queue);
        let session = format!("s-{chat}-e1").into();
        let Reply::Shown(shown) = script.must(Op::Show { session }) else {
            panic!("not shown");
        };
        let lost = Op::DropResume {
            session: shown.session.clone(),
            expected_epoch: shown.epoch,
            evidence: "gone".to_owned(),
        };
        script.must(lost);
        let Reply::Shown(shown) = script.must(Op::Show {
            session: shown.session,
        }) else {
            panic!("not shown");
        };
        script.must(Op::Migrate {
            session: shown.session,
            to_build: "codex@1".into(),
            expected_version: shown.version,
            converted: None,
        });
    },
    |script, chat| {
        let alias = key(&format!("alias of {chat}"));
        script.must(Op::LinkKey {
            key: key(chat),
            alias,
        });
    },
    |script, chat| {
        script.must(Op::Reset(Reset {
            session: format!("s-{chat}-e1").into(),
            next: format!("s-{chat}-next").into(),
            build: Some("claude@1".into()),
            reason: "back".to_owned(),
            queued: QueueFate::Move,
            force: false,
        }));
    },
    |script, chat| {
        script.claim(chat);
        script.must(Op::Reset(Reset {
            session: format!("s-{chat}-next").into(),
            next: format!("s-{chat}-last").into(),
            build: None,
            reason: "force".to_owned(),
            queued: QueueFate::Cancel,
            force: true,
        }));
    },
    |script, chat| {
        script.accept(chat, "l1", WhenWaiting::Queue);
        script.accept(chat, "l2", WhenWaiting::Queue);
        script.claim(chat);
        question(script, chat, "last");
    },
    |script, chat| {
        let session = format!("s-{chat}-last").into();
        script.must(Op::Close {
            session,
            reason: "over".to_owned(),
            force: false,
        });
    },
    |script, chat| {
        let name = |kind: &str| format!("{kind}-{chat}-idle");
        let new = NewSession {
            conv: name("c").into(),
            session: name("s").into(),
            runtime: "claude".to_owned(),
            idle_ms: Some(10),
        };
        let policy = OpenPolicy::Adopt;
        script.must(Op::OpenOrGet {
            key: key(chat),
            policy,
            new: new.clone(),
        });
        let (policy, session) = (OpenPolicy::Replace, name("s2").into());
        script.must(Op::OpenOrGet {
            key: key(chat),
            policy,
            new: NewSession { session, ..new },
        });
    },
];

/// Builds and workers, of which there are twins too.
fn deploy(script: &mut Script) {
    for n in [2, 3] {
        let build: BuildId = format!("claude@{n}").into();
        let (runtime, class) = ("claude".to_owned(), "claude/1".into());
        script.must(Op::RegisterBuild {
            build: build.clone(),
            runtime,
            class,
        });
        let worker = format!("new{n}").into();
        script.must(Op::RegisterWorker {
            worker,
            build,
            home: "h1".to_owned(),
        });
    }
    script.must(Op::SetCurrent {
        build: "claude@2".into(),
    });
    script.must(Op::SetCurrent {
        build: "claude@3".into(),
    });
    script.must(Op::WorkerSeen {
        worker: "new2".into(),
    });
    script.must(Op::WorkerDrain {
        worker: "new2".into(),
    });
    script.must(Op::Drain {
        build: "claude@3".into(),
    });
    script.must(Op::Retire {
        build: "claude@2".into(),
    });
    let (from, to) = ("codex/1".into(), "claude/1".into());
    let converter = Converter::ReplayItems;
    script.must(Op::AllowMove {
        from,
        to,
        converter,
    });
    for chat in BOTH {
        script.accept(chat, "d1", WhenWaiting::Queue);
        script.claim(chat);
    }
    script.must(Op::WorkerGone {
        worker: "w1".into(),
    });
}

/// The end of everything: what is old goes, and what comes back from a backup is counted anew.
fn last(script: &mut Script) {
    for account in ["bot", "other"] {
        script.must(Op::OrderedIds {
            tenant: "tenant".to_owned(),
            channel: "tg".to_owned(),
            account: account.to_owned(),
            idle_gap_ms: 100_000_000,
        });
    }
    script.world.clock.advance(2_000);
    script.must(Op::Sweep { limit: 10 });
    script.must(Op::Prune {
        keep_ms: 3_000,
        limit: 1_000,
    });
    script.must(Op::Restored { incarnation: 7 });
    script.world.clock.advance(10_000_000);
    script.must(Op::Sweep { limit: 10 });
    script.must(Op::Prune {
        keep_ms: 0,
        limit: 1_000,
    });
}

#[test]
fn every_operation_writes_what_it_should_and_nothing_else() {
    let mut script = Script::new();
    for steps in [&TURN[..], &TROUBLE, &QUESTIONS, &MESSAGES] {
        for step in steps {
            for chat in BOTH {
                step(&mut script, chat);
            }
        }
    }
    due(&mut script);
    for step in MOVES {
        for chat in BOTH {
            step(&mut script, chat);
        }
    }
    deploy(&mut script);
    last(&mut script);
    script.world.is_sound();
    insta::assert_snapshot!(script.text);
}
