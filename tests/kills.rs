//! Death: ten thousand kills inside SQLite calls, and nothing that was acknowledged is missing.

use std::collections::BTreeSet;
use std::rc::Rc;

use lockstep_sim::case::Deviation;
use lockstep_sim::decide::{Act, At, Kind, Strategy, View};
use lockstep_sim::fault::Fault;
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::label::{below, mix};
use lockstep_sim::run::{MAIN, Ran, Stage};
use lockstep_sim::scenario;
use lockstep_sim::trace::{Kind as EventKind, Outcome, outcome_text};

/// Kills the process at one passage in so many inside SQLite, and switches actors at others.
struct Killer {
    run: u64,
    one_in: u64,
}

impl Strategy for Killer {
    fn decide(&mut self, at: &At, view: &dyn View) -> Option<Act> {
        let bits = mix(self.run, at.key);
        match at.kind {
            Kind::Disk | Kind::DiskSync | Kind::DiskData if below(bits, self.one_in) == 0 => view
                .allows(Fault::Crash, at.kind)
                .map(|_| Act::Do(Deviation::Crash)),
            Kind::Disk | Kind::DiskSync | Kind::Wait if bits.is_multiple_of(5) => {
                let mut ready = Vec::new();
                view.ready(&mut ready);
                ready.retain(|candidate| !candidate.current);
                let i = below(mix(bits, 1), ready.len().max(1) as u64) as usize;
                ready.get(i).map(|candidate| Act::Switch(candidate.cause))
            }
            _ => None,
        }
    }
}

const WORLD: &str = "
version: 1
name: kills
source: { incident: none }
schema: CREATE TABLE ack (id TEXT PRIMARY KEY, body TEXT NOT NULL); CREATE INDEX ack_body ON ack (body)
processes: { api: 3 }
flows:
  put():
    - new_id: id
    - sql: INSERT INTO ack VALUES (:id, 'one')
    - transaction:
        - sql: UPDATE ack SET body = 'two' WHERE id = :id
        - sql: INSERT INTO ack VALUES (:id || '+', 'three')
    - reply: { id: ':id' }
events:
  - a1: { on: api.1, send: put }
  - a2: { on: api.1, send: put, after: a1 }
  - b1: { on: api.2, send: put }
  - b2: { on: api.2, send: put, after: b1 }
  - c1: { on: api.3, send: put }
  - c2: { on: api.3, send: put, after: c1 }
faults: { crash: { api: 3 } }
invariants:
  never_half: { never: SELECT id FROM ack WHERE body = 'two' AND NOT EXISTS (SELECT 1 FROM ack p WHERE p.id = ack.id || '+') }
variants: { kills: {} }
expect: { kills: holds }
";

#[test]
fn ten_thousand_kills_inside_sqlite_lose_nothing_that_was_acknowledged() {
    let scenario =
        scenario::parse("kills.yaml", WORLD).unwrap_or_else(|problems| panic!("{problems}"));
    let program = Rc::new(scenario.variants[0].program.clone());
    let mut stage = Stage::new(FlowWorld::new(program)).expect("the stage is set");
    let mut kills = 0;
    let mut run = 0;
    let mut early = 0;
    while kills < 10_000 {
        run += 1;
        let one_in = 30 + run % 300;
        let ran = stage
            .run(&mut || {
                Box::new(Killer {
                    run: mix(1, run),
                    one_in,
                })
            })
            .expect("a run");
        assert_eq!(ran.internal, None, "run {run}");
        assert_eq!(ran.violations, [], "run {run}");
        kills += inside_sqlite(&ran);
        check_database(&stage, &ran, run);
        if run == 500 {
            early = resident_kib();
        }
    }
    let late = resident_kib();
    assert!(
        run > 1_000,
        "only {run} runs: kills come too thick to say anything about memory"
    );
    assert!(
        late < early + 4_096,
        "memory grew from {early} KiB after 500 runs to {late} KiB after {run}"
    );
}

/// Crashes that struck at a file operation.
fn inside_sqlite(ran: &Ran) -> u32 {
    let faults = ran
        .trace
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Fault);
    let inside =
        faults.filter(|event| lockstep_sim::trace::arg_text(&event.arg).starts_with("crash at x"));
    u32::try_from(inside.count()).unwrap_or(u32::MAX)
}

fn check_database(stage: &Stage, ran: &Ran, run: u64) {
    let connection = stage.disk().open(MAIN, 1_000).expect("the database opens");
    let clean: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(clean, "ok", "run {run}");
    let mut rows = connection.prepare("SELECT id FROM ack").expect("a query");
    let stored: BTreeSet<String> = rows
        .query_map([], |row| row.get(0))
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    for id in acknowledged(ran) {
        assert!(
            stored.contains(&id),
            "run {run}: {id} was acknowledged and is gone"
        );
        assert!(
            stored.contains(&format!("{id}+")),
            "run {run}: half of {id} is gone"
        );
    }
}

fn acknowledged(ran: &Ran) -> Vec<String> {
    let delivered = ran
        .trace
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Deliver);
    let replies = delivered.filter(|event| matches!(event.outcome, Outcome::Text(_)));
    let id = |reply: String| {
        serde_json::from_str::<serde_json::Value>(&reply).ok()?["id"]
            .as_str()
            .map(str::to_owned)
    };
    replies
        .filter_map(|event| id(outcome_text(&event.outcome)))
        .collect()
}

fn resident_kib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm")
        .expect("Linux tells how much memory is resident");
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("a number of pages");
    pages * 4
}
