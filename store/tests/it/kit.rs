//! A small world to tell facts in: two runtimes, a worker of each, and a clock that stands still.

pub(crate) use crate::mutant::{mutate_trigger, statements};
use lockstep_store::{
    Accept, Accepted, Ask, Claimed, Complete, ConvKey, Converter, Item, ManualClock, NewSession,
    OpId, Send, SqliteStore, Statements, Store, TaskId, WhenWaiting,
};
use rusqlite::Connection;
use std::cell::Cell;
use std::rc::Rc;

pub(crate) const LEASE_MS: i64 = 1_000;

pub(crate) type TestStore = SqliteStore<Rc<ManualClock>>;

pub(crate) struct World {
    pub(crate) store: TestStore,
    pub(crate) clock: Rc<ManualClock>,
    ops: Cell<u32>,
}

impl World {
    /// An empty database in memory with builds claude@1 and codex@1, both current, and workers w1 and w2 (claude, home h1 and
    /// h2) and x1 (codex, home h1). Sessions may move from claude/1 to codex/1, not back.
    pub(crate) fn new() -> Self {
        Self::with(statements(), "")
    }

    /// The same with other statements, after `sql` was run on the connection: for stores with a defect.
    pub(crate) fn with(statements: Statements, sql: &str) -> Self {
        let conn = Connection::open_in_memory().expect("a database in memory");
        let world = Self::on(conn, statements);
        world
            .connection()
            .execute_batch(sql)
            .expect("the defect applies");
        world
    }

    fn on(conn: Connection, statements: Statements) -> Self {
        let clock = Rc::new(ManualClock::at(1_000_000));
        let store =
            SqliteStore::from_connection_with(conn, clock.clone(), statements).expect("opens");
        mutate_trigger(store.connection());
        let mut world = Self {
            store,
            clock,
            ops: Cell::new(0),
        };
        world.populate();
        world
    }

    fn populate(&mut self) {
        for runtime in ["claude", "codex"] {
            let build = format!("{runtime}@1");
            let (first, second) = (self.op(), self.op());
            self.store
                .register_build(
                    first,
                    build.as_str().into(),
                    runtime,
                    format!("{runtime}/1").into(),
                )
                .expect("build");
            self.store
                .set_current(second, build.as_str().into())
                .expect("current");
        }
        for (worker, build, home) in [
            ("w1", "claude@1", "h1"),
            ("w2", "claude@1", "h2"),
            ("x1", "codex@1", "h1"),
        ] {
            let op = self.op();
            self.store
                .register_worker(op, worker.into(), build.into(), home)
                .expect("worker");
        }
        let op = self.op();
        self.store
            .allow_move(
                op,
                "claude/1".into(),
                "codex/1".into(),
                Converter::DropToken,
            )
            .expect("edge");
    }

    /// A fresh op_id.
    pub(crate) fn op(&self) -> OpId {
        self.ops.set(self.ops.get() + 1);
        OpId::new(format!("op{}", self.ops.get()))
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.store.connection()
    }

    /// Accepts a new event in a chat of the claude runtime; its task is named after it.
    pub(crate) fn accept(&mut self, chat: &str, event: &str) -> Accepted {
        let op = self.op();
        self.store
            .accept(op, event_of(chat, event))
            .expect("accepted")
    }

    /// Claims one session for a worker.
    pub(crate) fn claim(&mut self, worker: &str) -> Option<Claimed> {
        let op = self.op();
        self.store
            .claim(op, worker.into(), 1, LEASE_MS)
            .expect("claims")
            .pop()
    }

    /// Accepts one event and claims it for w1.
    pub(crate) fn running(&mut self, chat: &str, event: &str) -> Claimed {
        self.accept(chat, event);
        self.claim("w1").expect("something to do")
    }

    /// Lets every lease expire.
    pub(crate) fn expire(&self) {
        self.clock.advance(LEASE_MS + 1);
    }

    /// Asserts that no rule is broken.
    pub(crate) fn is_sound(&mut self) {
        let report = self.store.verify(10).expect("verifies");
        assert!(
            report.findings.is_empty() && report.unfinished.is_empty(),
            "{report:?}"
        );
    }

    /// One value out of the database.
    pub(crate) fn value(&self, sql: &str) -> String {
        self.connection()
            .query_row(&format!("SELECT CAST(({sql}) AS TEXT)"), [], |row| {
                row.get::<_, Option<String>>(0)
            })
            .expect("one value")
            .unwrap_or_else(|| "null".to_owned())
    }

    /// A hash of everything in the database, to see that nothing was changed.
    pub(crate) fn contents(&self) -> Vec<String> {
        let tables: Vec<String> = self
            .connection()
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .and_then(|mut query| query.query_map([], |row| row.get(0))?.collect())
            .expect("tables");
        let count = |table: &String| format!("{table}: {}", self.rows(table));
        tables.iter().map(count).collect()
    }

    fn rows(&self, table: &str) -> String {
        let mut query = self
            .connection()
            .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))
            .expect("table");
        let columns = query.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns)
                .map(|at| row.get_ref(at).map(|value| format!("{value:?}")))
                .collect::<Result<Vec<_>, _>>()
        };
        let rows: Vec<Vec<String>> = query
            .query_map([], row)
            .and_then(Iterator::collect)
            .expect("rows");
        format!("{rows:?}")
    }
}

/// An event in a chat of the claude runtime. The ids of what it might create are named after it.
pub(crate) fn event_of(chat: &str, event: &str) -> Accept {
    Accept {
        key: key(chat),
        ext_id: event.to_owned(),
        kind: "turn".to_owned(),
        body: format!("body of {event}"),
        task: TaskId::new(format!("t-{event}")),
        max_failures: 3,
        new: new_session(event),
        when_waiting: WhenWaiting::Queue,
    }
}

pub(crate) fn key(chat: &str) -> ConvKey {
    ConvKey::chat("tenant", "tg", "bot", chat)
}

/// A key, and five that differ from it in one part each.
pub(crate) fn keys() -> Vec<ConvKey> {
    let base = key("chat");
    let x = || "x".to_owned();
    vec![
        base.clone(),
        ConvKey {
            tenant: x(),
            ..base.clone()
        },
        ConvKey {
            channel: x(),
            ..base.clone()
        },
        ConvKey {
            account: x(),
            ..base.clone()
        },
        ConvKey {
            thread: x(),
            ..base.clone()
        },
        ConvKey {
            participant: x(),
            ..base
        },
    ]
}

pub(crate) fn new_session(name: &str) -> NewSession {
    NewSession {
        conv: format!("c-{name}").into(),
        session: format!("s-{name}").into(),
        runtime: "claude".to_owned(),
        idle_ms: None,
    }
}

/// A question of the turn that can be answered in words.
pub(crate) fn question(claimed: &Claimed, prompt: &str, expires_in_ms: i64) -> Ask {
    Ask {
        task: claimed.task.clone(),
        fence: claimed.fence,
        prompt: prompt.into(),
        choices: Vec::new(),
        text_ok: true,
        expires_in_ms,
        items: Vec::new(),
        sends: Vec::new(),
        resume_token: None,
    }
}

/// The plainest end of a turn.
pub(crate) fn done(claimed: &Claimed) -> Complete {
    Complete {
        task: claimed.task.clone(),
        fence: claimed.fence,
        outcome: "ok".to_owned(),
        items: Vec::new(),
        sends: Vec::new(),
        resume_token: None,
    }
}

/// One entry of the history.
pub(crate) fn item(body: &str) -> Item {
    Item {
        kind: "msg".to_owned(),
        body: body.to_owned(),
    }
}

/// One message to be sent, of the route without a name.
pub(crate) fn message(key: &str) -> Send {
    Send {
        dedup_key: key.to_owned(),
        body: format!("body of {key}"),
        route: String::new(),
    }
}
