//! Two stores that are asked the same.

use super::census::Census;
use super::command::{Command, Known};
use crate::kit::{mutate_trigger, statements};
use lockstep_store::model::Model;
use lockstep_store::{
    Call, Converter, Filter, ManualClock, Op, OpId, Pruned, Reply, SqliteStore, Store,
};
use rusqlite::Connection;
use std::rc::Rc;

/// What the schema lets go, in an order that it permits.
const EMPTY: &str = "
    BEGIN;
    DELETE FROM lease;
    UPDATE prompt SET state = 'revoked', session_live = NULL, ended_ms = 0 WHERE state = 'open';
    UPDATE task SET state = 'cancelled', fence = NULL, session_live = NULL, ended_ms = 0 WHERE session_live = 1;
    UPDATE session SET state = 'closed', live = 0, close_reason = 'over', head_ready_ms = NULL WHERE live = 1;
    DELETE FROM prompt; DELETE FROM prompt_option; DELETE FROM outbox; DELETE FROM item; DELETE FROM inbox;
    DELETE FROM note; DELETE FROM session_data; DELETE FROM task; DELETE FROM session; DELETE FROM conversation_key;
    DELETE FROM conversation; DELETE FROM worker; DELETE FROM resume_edge; DELETE FROM runtime_build;
    DELETE FROM op_result; DELETE FROM audit; DELETE FROM inbox_mark;
    DELETE FROM meta; INSERT INTO meta (one, incarnation, clock_high_ms) VALUES (1, 1, 0);
    COMMIT";

pub(super) struct Pair {
    sqlite: SqliteStore<Rc<ManualClock>>,
    model: Model<Rc<ManualClock>>,
    clock: Rc<ManualClock>,
    known: Known,
    calls: Vec<Call>,
}

impl Pair {
    /// On a database in memory, whose contents of before are deleted: a new one costs more than a history.
    pub(super) fn on(conn: Connection) -> Self {
        let clock = Rc::new(ManualClock::at(1_000_000));
        let mut pair = Self {
            sqlite: SqliteStore::from_connection_with(conn, clock.clone(), statements())
                .expect("opens"),
            model: Model::new(clock.clone()),
            clock,
            known: Known::default(),
            calls: Vec::new(),
        };
        let conn = pair.sqlite.connection();
        mutate_trigger(conn);
        conn.execute_batch(EMPTY).expect("everything goes");
        for op in beginning() {
            let call = pair.fresh(op);
            pair.ask(&call, &mut Census::default()).expect("the same");
        }
        pair
    }

    /// The database, for the next history.
    pub(super) fn into_connection(self) -> Connection {
        self.sqlite.into_connection()
    }

    /// The same store in another database, by way of an export.
    pub(super) fn move_out(&mut self) {
        let mut lines = Vec::new();
        self.sqlite.export(&mut lines).expect("exports");
        let conn = Connection::open_in_memory().expect("a database in memory");
        let copy = SqliteStore::import(conn, self.clock.clone(), &mut lines.as_slice());
        let conn = copy.expect("imports").into_connection();
        mutate_trigger(&conn);
        let copy = SqliteStore::from_ready_connection(conn, self.clock.clone(), statements());
        let mut again = Vec::new();
        copy.export(&mut again).expect("exports");
        assert!(lines == again, "an import is exported as it was");
        self.sqlite = copy;
    }

    /// What was asked so far.
    pub(super) fn calls(&self) -> &[Call] {
        &self.calls
    }

    fn fresh(&self, op: Op) -> Call {
        let op_id = op
            .keeps_answer()
            .then(|| OpId::new(format!("op{}", self.calls.len())));
        Call { op_id, op }
    }

    /// What the command asks for; `Err` tells the difference between the two answers.
    pub(super) fn perform(&mut self, command: &Command, census: &mut Census) -> Result<(), String> {
        if let Some(step_ms) = command.step_ms() {
            self.clock.set(self.now() + step_ms);
        }
        let op = command.op(&mut self.known);
        let call = match command.repetition(self.calls.len()) {
            // The answer was lost: the same call again.
            Some((at, true)) => self.calls[at].clone(),
            // A bug of the caller: another request under an old op_id, or one where none belongs.
            Some((at, false)) => Call {
                op_id: self.calls[at].op_id.clone(),
                op,
            },
            None => self.fresh(op),
        };
        self.ask(&call, census)
    }

    fn now(&self) -> i64 {
        lockstep_store::Clock::now_ms(&*self.clock)
    }

    fn ask(&mut self, call: &Call, census: &mut Census) -> Result<(), String> {
        let ours = self.sqlite.apply(call).map(without_audit);
        let theirs = self.model.apply(call);
        census.count(&call.op, &ours);
        if ours != theirs {
            let history: Vec<String> = self.calls.iter().map(|call| format!("{call:?}")).collect();
            return Err(format!(
                "at {}: {call:?}\nSQLite: {ours:?}\nmodel:  {theirs:?}\nafter\n{}",
                self.now(),
                history.join("\n")
            ));
        }
        self.known.learn(call, &ours);
        self.calls.push(call.clone());
        Ok(())
    }

    /// Everything that can be looked at, and the rules.
    pub(super) fn looks_the_same(&mut self) -> Result<(), String> {
        let all = Op::List {
            filter: Filter::default(),
            after: None,
            limit: 1_000,
        };
        let Ok(Reply::Listed(sessions)) = self.model.apply(&self.fresh(all.clone())) else {
            return Err("no list".to_owned());
        };
        let mut looks = vec![all, Op::Stats, Op::Verify { per_rule: 5 }];
        for line in sessions {
            let session = line.session;
            looks.push(Op::Show {
                session: session.clone(),
            });
            looks.push(Op::Explain {
                session: session.clone(),
            });
            looks.push(Op::GetState {
                session: session.clone(),
            });
            looks.push(Op::History {
                session,
                after_seq: 0,
                after_note: 0,
                limit: 100,
            });
        }
        for op in looks {
            let call = self.fresh(op);
            self.ask(&call, &mut Census::default())?;
        }
        Ok(())
    }
}

/// The model keeps no audit.
fn without_audit(reply: Reply) -> Reply {
    match reply {
        Reply::Pruned(pruned) => Reply::Pruned(Pruned { audit: 0, ..pruned }),
        other => other,
    }
}

/// Two classes with builds, workers at two homes, and a way between the classes in both directions.
fn beginning() -> Vec<Op> {
    let mut ops = Vec::new();
    for (build, runtime) in [
        ("claude@1", "claude"),
        ("claude@2", "claude"),
        ("codex@1", "codex"),
    ] {
        ops.push(Op::RegisterBuild {
            build: build.into(),
            runtime: runtime.to_owned(),
            class: format!("{runtime}/1").into(),
        });
    }
    for build in ["claude@1", "codex@1"] {
        ops.push(Op::SetCurrent {
            build: build.into(),
        });
    }
    for (worker, build, home) in [
        ("w0", "claude@1", "h0"),
        ("w1", "claude@2", "h1"),
        ("w2", "codex@1", "h0"),
    ] {
        ops.push(Op::RegisterWorker {
            worker: worker.into(),
            build: build.into(),
            home: home.to_owned(),
        });
    }
    for (from, to, converter) in [
        (
            "claude/1",
            "codex/1",
            Converter::Named("transcript".to_owned()),
        ),
        ("codex/1", "claude/1", Converter::ReplayItems),
    ] {
        ops.push(Op::AllowMove {
            from: from.into(),
            to: to.into(),
            converter,
        });
    }
    ops
}
