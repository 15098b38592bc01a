//! Each guarantee can be broken by one edit of a statement, plus the drop of the law that would mask it. So each guard is
//! alive, and a test tool has something to find.

use crate::kit::{World, done, event_of, item};
use lockstep_store::{CancelHow, Complete, Statements, Store};

struct Saboteur {
    /// The guarantee that it breaks.
    breaks: &'static str,
    /// Statement, text in it, text instead.
    edits: &'static [(&'static str, &'static str, &'static str)],
    /// What would refuse the defect.
    unmask: &'static str,
    /// Whether the defect shows.
    shows: fn(&mut World) -> bool,
}

const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        breaks: "one_active_session: a session is opened without looking",
        edits: &[("session_touch", "state = 'active'", "state = 'none'")],
        unmask: "DROP INDEX session_one_active",
        shows: |world| {
            world.accept("42", "e1");
            accepts_again(world, "e2") && finds(world, "one_active_session")
        },
    },
    Saboteur {
        breaks: "open_task_reachable: the end of a turn does not make the next task ready",
        edits: &[("session_turn_over", "SELECT q.run_at_ms", "SELECT NULL")],
        unmask: "",
        shows: |world| {
            let first = world.running("42", "e1");
            world.accept("42", "e2");
            completes(world, &done(&first));
            world.claim("w1").is_none() && finds(world, "open_task_reachable")
        },
    },
    Saboteur {
        breaks: "open_task_reachable: an accepted task does not make its session ready",
        edits: &[("session_touch", "ELSE :now END", "ELSE head_ready_ms END")],
        unmask: "",
        shows: |world| {
            let first = world.running("42", "e1");
            completes(world, &done(&first));
            world.accept("42", "e2");
            finds(world, "open_task_reachable")
        },
    },
    Saboteur {
        breaks: "open_task_reachable: closing leaves the queue behind",
        edits: &[(
            "tasks_cancel",
            "AND session_live = 1",
            "AND state = 'running'",
        )],
        unmask: "PRAGMA foreign_keys = OFF",
        shows: |world| {
            world.accept("42", "e1");
            let op = world.op();
            world.store.close(op, "s-e1".into(), "idle", false).is_ok()
                && finds(world, "open_task_reachable")
        },
    },
    Saboteur {
        breaks: "lease_matches_runtime: a claim does not look at the class",
        edits: &[(
            "claim_ready",
            "s.resume_class = w.resume_class",
            "s.resume_class <> ''",
        )],
        unmask: "DROP TRIGGER lease_runtime; PRAGMA foreign_keys = OFF",
        shows: |world| {
            world.accept("42", "e1");
            world.claim("x1").is_some() && finds(world, "lease_matches_runtime")
        },
    },
    Saboteur {
        breaks: "lease_matches_runtime: a claim does not look at the home",
        edits: &[(
            "claim_ready",
            "s.resume_home = w.home",
            "s.resume_home <> ''",
        )],
        unmask: "DROP TRIGGER lease_runtime",
        shows: |world| {
            leaves_a_token(world);
            world.accept("42", "e2");
            world.claim("w2").is_some() && finds(world, "lease_matches_runtime")
        },
    },
    Saboteur {
        breaks: "terminal_is_sticky: an ended task is cancelled",
        edits: &[(
            "task_cancel",
            "('queued','running','waiting')",
            "('queued','running','waiting','done')",
        )],
        unmask: "DROP TRIGGER task_sticky",
        shows: |world| {
            let first = world.running("42", "e1");
            completes(world, &done(&first));
            let op = world.op();
            world
                .store
                .cancel(op, first.task, "late", CancelHow::Ask)
                .is_ok()
                && world.value("SELECT state FROM task") == "cancelled"
        },
    },
    Saboteur {
        breaks: "terminal_is_sticky: a cancelled task is completed",
        edits: &[(
            "task_finish",
            "AND fence = :fence",
            "AND state <> 'done' AND :fence > 0",
        )],
        unmask: "DROP TRIGGER task_sticky",
        shows: |world| {
            let first = world.running("42", "e1");
            let op = world.op();
            world
                .store
                .cancel(op, first.task.clone(), "user", CancelHow::Force)
                .expect("cancelled");
            completes(world, &done(&first)) && world.value("SELECT state FROM task") == "done"
        },
    },
    Saboteur {
        breaks: "accepted_is_durable: closing throws accepted work away",
        edits: &[(
            "tasks_cancel",
            "UPDATE task SET state = 'cancelled', outcome = :reason, end_fence = fence, fence = NULL, session_live = NULL, ended_ms = :now\nWHERE",
            "DELETE FROM task WHERE :reason <> '' AND :now > 0 AND",
        )],
        unmask: "DROP TRIGGER task_kept; PRAGMA foreign_keys = OFF",
        shows: |world| {
            world.accept("42", "e1");
            let op = world.op();
            world.store.close(op, "s-e1".into(), "idle", false).is_ok()
                && finds(world, "accepted_event_has_its_task")
        },
    },
    Saboteur {
        breaks: "stale_fence_is_refused: complete does not look at the fence",
        edits: &[
            ("task_finish", "AND fence = :fence", "AND :fence = :fence"),
            ("lease_release", "AND fence = :fence", "AND :fence = :fence"),
        ],
        unmask: "",
        shows: |world| {
            let (lost, _) = taken_over(world);
            completes(world, &lost)
        },
    },
    Saboteur {
        breaks: "stale_fence_is_refused: append does not look at the fence",
        edits: &[("item_append", "AND t.fence = :fence", "AND :fence = :fence")],
        unmask: "",
        shows: |world| {
            let (lost, session) = taken_over(world);
            let items = vec![item("late")];
            let op = world.op();
            world
                .store
                .append(op, session.as_str().into(), lost.fence, 1, items)
                .is_ok()
        },
    },
    Saboteur {
        breaks: "one_effect_per_event: only the op_id is looked up",
        edits: &[
            (
                "inbox_seen",
                "AND ext_id = :ext_id",
                "AND ext_id = :ext_id AND seen < 0",
            ),
            (
                "inbox_put",
                "INSERT INTO inbox",
                "INSERT OR IGNORE INTO inbox",
            ),
        ],
        unmask: "",
        shows: |world| {
            world.accept("42", "e1");
            accepts_again(world, "e1") && world.value("SELECT count(*) FROM task") == "2"
        },
    },
    Saboteur {
        breaks: "op_replay: an answer is not looked up",
        edits: &[
            (
                "op_result_get",
                "op_id = :op_id",
                "op_id = :op_id AND at_ms < 0",
            ),
            (
                "op_result_put",
                "INSERT INTO op_result",
                "INSERT OR REPLACE INTO op_result",
            ),
            (
                "audit_put",
                "INSERT INTO audit",
                "INSERT OR IGNORE INTO audit",
            ),
        ],
        unmask: "",
        shows: |world| {
            let first = world.running("42", "e1");
            let items = vec![item("a")];
            let op = world.op();
            let mut append = |seq| {
                world
                    .store
                    .append(
                        op.clone(),
                        first.session.clone(),
                        first.fence,
                        seq,
                        items.clone(),
                    )
                    .is_ok()
            };
            append(1) && append(2)
        },
    },
    Saboteur {
        breaks: "no_cross_runtime_resume: a migration keeps the token",
        edits: &[
            (
                "session_migrate",
                "resume_token = CASE WHEN resume_class = :class THEN resume_token ELSE :token END",
                "resume_token = coalesce(:token, resume_token)",
            ),
            (
                "session_migrate",
                "token_class = CASE WHEN resume_class = :class THEN token_class ELSE :token_class END",
                "token_class = coalesce(:token_class, :class)",
            ),
            (
                "session_migrate",
                "resume_home = CASE WHEN resume_class = :class THEN resume_home ELSE :home END",
                "resume_home = coalesce(:home, resume_home)",
            ),
        ],
        unmask: "DROP TRIGGER session_token_crossed",
        shows: |world| {
            leaves_a_token(world);
            let version = world.store.show("s-e1".into()).expect("shown").version;
            let op = world.op();
            world
                .store
                .migrate(op, "s-e1".into(), "codex@1".into(), version, None)
                .expect("moved");
            world
                .store
                .resume("s-e1".into(), "x1".into())
                .expect("its class now")
                .token
                .is_some()
        },
    },
    Saboteur {
        breaks: "no_cross_runtime_resume: resume does not look at the class",
        edits: &[("session_resume", "THEN 1 ELSE 0 END", "THEN 1 ELSE 1 END")],
        unmask: "",
        shows: |world| {
            leaves_a_token(world);
            world.store.resume("s-e1".into(), "x1".into()).is_ok()
        },
    },
    Saboteur {
        breaks: "accepted_task_ends: the reaper passes over expired leases",
        edits: &[(
            "lease_expired",
            "until_ms <= :now",
            "until_ms <= :now AND fence < 0",
        )],
        unmask: "",
        shows: |world| {
            world.running("42", "e1");
            world.expire();
            world.store.reap(10).expect("reaps").requeued.is_empty()
        },
    },
    Saboteur {
        breaks: "lease_is_exclusive: the reaper does not look at the time again",
        edits: &[
            ("lease_expired", "until_ms <= :now", ":now = :now"),
            ("task_reap", "AND l.until_ms <= :now", ""),
        ],
        unmask: "",
        shows: |world| {
            world.running("42", "e1");
            !world.store.reap(10).expect("reaps").requeued.is_empty()
        },
    },
];

fn finds(world: &mut World, rule: &str) -> bool {
    let report = world.store.verify(10).expect("verifies");
    report.findings.iter().any(|finding| finding.rule == rule)
}

fn completes(world: &mut World, turn: &Complete) -> bool {
    let op = world.op();
    world.store.complete(op, turn.clone()).is_ok()
}

fn accepts_again(world: &mut World, event: &str) -> bool {
    let mut again = event_of("42", event);
    again.task = "t-again".into();
    again.new.session = "s-again".into();
    let op = world.op();
    world.store.accept(op, again).is_ok()
}

/// The session s-e1 ends its first turn with a token of claude/1 at h1.
fn leaves_a_token(world: &mut World) {
    let first = world.running("42", "e1");
    completes(
        world,
        &Complete {
            resume_token: Some("abc".to_owned()),
            ..done(&first)
        },
    );
}

/// What w1 would complete, after w2 took over, and the session.
fn taken_over(world: &mut World) -> (Complete, String) {
    let lost = world.running("42", "e1");
    world.expire();
    world.store.reap(10).expect("reaps");
    world.claim("w2").expect("taken over");
    (done(&lost), lost.session.to_string())
}

fn sabotaged(saboteur: &Saboteur) -> Statements {
    saboteur
        .edits
        .iter()
        .fold(Statements::reference(), |statements, (name, from, to)| {
            statements
                .replace(name, from, to)
                .unwrap_or_else(|error| unreachable!("{}: {error}", saboteur.breaks))
        })
}

#[test]
fn each_defect_shows_in_the_broken_store_and_not_in_the_reference() {
    for saboteur in SABOTEURS {
        assert!(
            !(saboteur.shows)(&mut World::new()),
            "reference: {}",
            saboteur.breaks
        );
        let mut broken = World::with(sabotaged(saboteur), saboteur.unmask);
        assert!((saboteur.shows)(&mut broken), "broken: {}", saboteur.breaks);
    }
}

#[test]
fn an_edit_that_no_longer_applies_is_noticed() {
    let statements = Statements::reference();
    assert_eq!(
        statements
            .replace("task_finish", "no such text", "")
            .expect_err("text")
            .kind(),
        "invalid"
    );
    assert_eq!(
        statements
            .replace("no_such_statement", "a", "b")
            .expect_err("name")
            .kind(),
        "invalid"
    );
}
