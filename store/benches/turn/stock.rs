//! A store with many ended tasks, made from one session by giving it other ids, again and again.

use lockstep_store::{
    Accept, Complete, ConvKey, Item, ManualClock, NewSession, Send, SqliteStore, Store, WhenWaiting,
};
use rusqlite::Connection;
use std::fmt::Write as _;
use std::io::{self, BufRead, Read};

/// Each stored session has so many tasks.
pub(crate) const TASKS: u64 = 10;

/// What no worker ever asks for.
pub(crate) struct Idle {
    pub(crate) classes: u64,
    pub(crate) sessions_each: u64,
}

/// Twenty hex digits that look random and follow from a number.
pub(crate) fn id(n: u64) -> String {
    let hash = xxhash_rust::xxh3::xxh3_128(&n.to_le_bytes());
    format!("{:020x}", hash >> 48)
}

pub(crate) fn chat(session: u64) -> ConvKey {
    ConvKey::chat(
        "tenant",
        "telegram",
        "bot",
        &format!("{}-chat", id(session)),
    )
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::at(1_000_000_000)
}

pub(crate) fn event(session: u64, name: &str) -> Accept {
    Accept {
        key: chat(session),
        ext_id: name.to_owned(),
        kind: "message".to_owned(),
        body: "a question of some length, as people ask it".to_owned(),
        task: format!("{name}-task").into(),
        max_failures: 5,
        new: NewSession {
            conv: format!("{name}-conv").into(),
            session: format!("{name}-session").into(),
            runtime: "claude".to_owned(),
            idle_ms: None,
        },
        when_waiting: WhenWaiting::Queue,
    }
}

pub(crate) fn items() -> Vec<Item> {
    let item = |body: &str| Item {
        kind: "message".to_owned(),
        body: body.to_owned(),
    };
    vec![
        item("a question of some length, as people ask it"),
        item("an answer that is somewhat longer than the question was"),
    ]
}

/// One turn: four calls.
pub(crate) fn turn(store: &mut dyn Store, session: u64, name: &str) {
    let op = |what: &str| format!("{name}-{what}").into();
    let accept = event(session, name);
    store.accept(op("accept"), accept).expect("accepts");
    let mut claimed = store
        .claim(op("claim"), "worker".into(), 1, 30_000)
        .expect("claims");
    let held = claimed.pop().expect("something to do");
    store
        .append(
            op("append"),
            held.session,
            held.fence,
            held.next_seq,
            items(),
        )
        .expect("appends");
    let complete = Complete {
        task: held.task,
        fence: held.fence,
        outcome: "answered".to_owned(),
        items: Vec::new(),
        sends: Vec::<Send>::new(),
        resume_token: None,
    };
    store.complete(op("complete"), complete).expect("completes");
}

/// A store with a build, a worker, and nothing else.
fn empty() -> SqliteStore<ManualClock> {
    let mut store = SqliteStore::open(":memory:", clock()).expect("opens");
    for (op, build) in [("b1", "claude"), ("b3", "idle0")] {
        let class = format!("{build}/1").into();
        let name = format!("{build}@1");
        store
            .register_build(op.into(), name.as_str().into(), build, class)
            .expect("build");
        store
            .set_current(format!("{op} current").into(), name.as_str().into())
            .expect("current");
    }
    store
        .register_worker("b2".into(), "worker".into(), "claude@1".into(), "home")
        .expect("worker");
    store
}

fn lines(store: &SqliteStore<ManualClock>) -> Vec<String> {
    let mut bytes = Vec::new();
    store.export(&mut bytes).expect("exports");
    let text = String::from_utf8(bytes).expect("text");
    text.lines().map(str::to_owned).collect()
}

/// Marks ids in the template; each copy has its own.
const MARK: &str = "%%%%%%%%%%%%%%%%%%%%";

/// The rows that one worked-off session adds to `empty`. Answers and audit only of its last turn, as after pruning.
fn session_lines() -> Vec<String> {
    let mut store = empty();
    let before = lines(&store);
    for n in 0..TASKS {
        turn(&mut store, 0, &format!("{MARK}-{n}"));
    }
    let last = format!("{MARK}-{}-", TASKS - 1);
    let is_kept = |line: &String| {
        let is_log = line.starts_with("{\"op_result\"") || line.starts_with("{\"audit\"");
        !before.contains(line) && !line.starts_with("{\"end\"") && (!is_log || line.contains(&last))
    };
    let text = lines(&store).into_iter().filter(is_kept);
    text.map(|line| line.replace(&id(0), MARK)).collect()
}

/// The rows of one session of another class, with a task that is ready, and of its class.
fn idle_lines() -> (Vec<String>, Vec<String>) {
    let mut store = empty();
    let before = lines(&store);
    let mut event = event(0, MARK);
    event.new.runtime = "idle0".to_owned();
    store
        .accept(format!("{MARK}-op").into(), event)
        .expect("accepts");
    let is_new = |line: &String| !before.contains(line) && !line.starts_with("{\"end\"");
    let of_session = lines(&store).into_iter().filter(is_new);
    let of_session = of_session.map(|line| line.replace(&id(0), MARK)).collect();
    let of_class = before
        .iter()
        .filter(|line| line.starts_with("{\"runtime_build\"") && line.contains("idle0"));
    (of_session, of_class.cloned().collect())
}

/// An export that is made while it is read.
struct Stock {
    sessions: u64,
    idle: Idle,
    next: u64,
    rows: u64,
    template: Vec<String>,
    idle_template: (Vec<String>, Vec<String>),
    text: String,
    at: usize,
}

impl Stock {
    fn put(&mut self, lines: &[String], replace: impl Fn(&str) -> String) {
        for line in lines {
            self.rows += u64::from(!line.starts_with("{\"lockstep\""));
            writeln!(self.text, "{}", replace(line)).expect("a string takes it");
        }
    }

    /// The next session, or the end.
    fn refill(&mut self) {
        self.text.clear();
        self.at = 0;
        let n = self.next;
        self.next += 1;
        let idle = self.idle.classes * self.idle.sessions_each;
        if n == 0 {
            let mut base = lines(&empty());
            base.pop();
            self.put(&base, str::to_owned);
        } else if n <= self.sessions {
            let template = std::mem::take(&mut self.template);
            self.put(&template, |line| line.replace(MARK, &id(n)));
            self.template = template;
        } else if n - self.sessions <= idle {
            self.put_idle(n - self.sessions - 1);
        } else if n - self.sessions == idle + 1 {
            let end = format!("{{\"end\":{{\"rows\":{}}}}}\n", self.rows);
            self.text.push_str(&end);
        }
    }

    fn put_idle(&mut self, n: u64) {
        let (class, first) = (
            n / self.idle.sessions_each,
            n.is_multiple_of(self.idle.sessions_each),
        );
        let (of_session, of_class) = std::mem::take(&mut self.idle_template);
        let name = format!("idle{class}");
        if first && class > 0 {
            self.put(&of_class, |line| line.replace("idle0", &name));
        }
        let mark = id(u64::MAX - n);
        self.put(&of_session, |line| {
            line.replace(MARK, &mark).replace("idle0", &name)
        });
        self.idle_template = (of_session, of_class);
    }
}

impl Read for Stock {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(to)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Stock {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.text.len() {
            self.refill();
        }
        Ok(&self.text.as_bytes()[self.at..])
    }

    fn consume(&mut self, length: usize) {
        self.at += length;
    }
}

/// Fills an empty database.
pub(crate) fn fill(conn: Connection, tasks: u64, idle: Idle) -> Connection {
    conn.execute_batch("PRAGMA synchronous = OFF")
        .expect("a pragma");
    let mut stock = Stock {
        sessions: tasks / TASKS,
        idle,
        next: 0,
        rows: 0,
        template: session_lines(),
        idle_template: idle_lines(),
        text: String::new(),
        at: 0,
    };
    let store = SqliteStore::import(conn, clock(), &mut stock).expect("imports");
    store.into_connection()
}
