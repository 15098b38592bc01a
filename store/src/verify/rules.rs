//! The rules themselves.

use super::Rule;

/// All invariants that can be seen in a snapshot.
pub const RULES: &[Rule] = &[
    Rule {
        name: "one_active_session",
        key: Some("conv_id"),
        sql: "SELECT a.conv_id AS conv_id, a.session_id AS session_id, b.session_id AS other
              FROM session a JOIN session b ON b.conv_id = a.conv_id AND b.state = 'active' AND b.session_id > a.session_id
              WHERE a.state = 'active'",
    },
    Rule {
        // Active session, and: a queued task has a head that a claim would find or somebody is at work before it; a running
        // task has its lease; a waiting task has its open prompt.
        name: "open_task_reachable",
        key: Some("session_id"),
        sql: "SELECT t.session_id AS session_id, t.task_id AS task_id, t.state AS state
              FROM task t WHERE t.session_live = 1 AND NOT EXISTS (
                SELECT 1 FROM session s WHERE s.session_id = t.session_id AND s.state = 'active' AND CASE t.state
                  WHEN 'running' THEN EXISTS (SELECT 1 FROM lease l WHERE l.session_id = t.session_id AND l.fence = t.fence)
                  WHEN 'waiting' THEN EXISTS (SELECT 1 FROM prompt p WHERE p.task_id = t.task_id AND p.state = 'open')
                  ELSE s.head_ready_ms IS NOT NULL OR EXISTS (SELECT 1 FROM task o WHERE o.session_id = t.session_id
                    AND o.session_live = 1 AND o.state IN ('running','waiting')) END)",
    },
    Rule {
        // The holder is of the session's class, and where its token lives.
        name: "lease_matches_runtime",
        key: Some("session_id"),
        sql: "SELECT l.session_id AS session_id, l.worker_id AS worker_id, l.resume_class AS resume_class
              FROM lease l WHERE NOT EXISTS (
                SELECT 1 FROM session s JOIN worker w ON w.worker_id = l.worker_id
                WHERE s.session_id = l.session_id AND s.state = 'active' AND s.resume_class = l.resume_class
                  AND w.resume_class = l.resume_class AND (s.resume_home IS NULL OR s.resume_home = w.home))",
    },
    Rule {
        name: "lease_fence_is_sessions",
        key: Some("session_id"),
        sql: "SELECT l.session_id AS session_id, l.fence AS fence FROM lease l
              WHERE NOT EXISTS (SELECT 1 FROM session s WHERE s.session_id = l.session_id AND s.fence = l.fence)",
    },
    Rule {
        // A lease without work blocks its session for nothing.
        name: "lease_has_its_task",
        key: Some("session_id"),
        sql: "SELECT l.session_id AS session_id, l.fence AS fence FROM lease l WHERE NOT EXISTS (
                SELECT 1 FROM task t WHERE t.session_id = l.session_id AND t.fence = l.fence)",
    },
    Rule {
        // What a claim trusts: a ready session has a queue, its time is its head's, and nobody holds it.
        name: "ready_session_has_a_head",
        key: Some("session_id"),
        sql: "SELECT s.session_id AS session_id, s.head_ready_ms AS head_ready_ms FROM session s
              WHERE s.head_ready_ms IS NOT NULL AND (
                s.head_ready_ms IS NOT (SELECT q.run_at_ms FROM task q
                  WHERE q.session_id = s.session_id AND q.state = 'queued' ORDER BY q.pos LIMIT 1)
                OR EXISTS (SELECT 1 FROM lease l WHERE l.session_id = s.session_id))",
    },
    Rule {
        name: "pointer_is_paired",
        key: Some("session_id"),
        sql: "SELECT s.session_id AS session_id, s.resume_class AS resume_class, s.token_class AS token_class
              FROM session s WHERE s.resume_token IS NOT NULL
                AND (s.token_class IS NOT s.resume_class OR s.resume_home IS NULL)",
    },
    Rule {
        name: "session_build_has_its_class",
        key: Some("session_id"),
        sql: "SELECT s.session_id AS session_id, s.bound_build AS build_id FROM session s WHERE NOT EXISTS (
                SELECT 1 FROM runtime_build b WHERE b.build_id = s.bound_build AND b.resume_class = s.resume_class)",
    },
    Rule {
        name: "one_running_task",
        key: Some("session_id"),
        sql: "SELECT a.session_id AS session_id, a.task_id AS task_id, b.task_id AS other
              FROM task a JOIN task b ON b.session_id = a.session_id AND b.fence IS NOT NULL AND b.task_id > a.task_id
              WHERE a.fence IS NOT NULL",
    },
    Rule {
        // Counted, not compared item by item: one walk along the primary key.
        name: "items_are_dense",
        key: Some("session_id"),
        sql: "SELECT s.session_id AS session_id, (SELECT max(i.seq) FROM item i WHERE i.session_id = s.session_id) AS seq
              FROM session s WHERE (SELECT count(*) FROM item i WHERE i.session_id = s.session_id)
                <> coalesce((SELECT max(i.seq) FROM item i WHERE i.session_id = s.session_id)
                  - (SELECT min(i.seq) FROM item i WHERE i.session_id = s.session_id) + 1, 0)",
    },
    Rule {
        name: "accepted_event_has_its_task",
        key: Some("task_id"),
        sql: "SELECT i.task_id AS task_id, i.channel AS channel, i.account AS account, i.ext_id AS ext_id FROM inbox i
              WHERE i.task_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM task t WHERE t.task_id = i.task_id)",
    },
    Rule {
        name: "one_event_for_a_task",
        key: Some("task_id"),
        sql: "SELECT a.task_id AS task_id, a.ext_id AS ext_id, b.ext_id AS other
              FROM inbox a JOIN inbox b ON b.task_id = a.task_id AND b.ext_id > a.ext_id WHERE a.task_id IS NOT NULL",
    },
    Rule {
        name: "moved_task_has_an_older_session",
        key: Some("task_id"),
        sql: "SELECT t.session_id AS session_id, t.task_id AS task_id, t.moved_from AS moved_from FROM task t
              WHERE t.moved_from IS NOT NULL AND NOT EXISTS (SELECT 1 FROM session o JOIN session s ON s.conv_id = o.conv_id
                WHERE o.session_id = t.moved_from AND s.session_id = t.session_id AND o.gen < s.gen AND o.state = 'closed')",
    },
    Rule {
        // An open question has somebody who waits for it; a press would resume nobody.
        name: "open_prompt_has_its_waiting_task",
        key: Some("session_id"),
        sql: "SELECT p.session_id AS session_id, p.prompt_id AS prompt_id FROM prompt p WHERE p.session_live = 1
                AND NOT EXISTS (SELECT 1 FROM task t WHERE t.task_id = p.task_id AND t.state = 'waiting')",
    },
    Rule {
        // What a sender trusts: a pending message is ready exactly when it is the first that is not settled.
        name: "first_message_is_ready",
        key: Some("session_id"),
        sql: "SELECT o.session_id AS session_id, o.n AS n, o.state AS state FROM outbox o
              WHERE o.state IN ('pending','sending','unknown') AND (o.ready_ms IS NOT NULL) <> (o.state = 'pending'
                AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.session_id = o.session_id AND e.n < o.n
                  AND e.state IN ('pending','sending','unknown')))",
    },
    Rule {
        name: "outbox_has_its_task",
        key: Some("task_id"),
        sql: "SELECT o.task_id AS task_id, o.session_id AS session_id, o.n AS n FROM outbox o
              WHERE NOT EXISTS (SELECT 1 FROM task t WHERE t.task_id = o.task_id)",
    },
    Rule {
        name: "one_current_build",
        key: Some("runtime"),
        sql: "SELECT a.runtime AS runtime, a.build_id AS build_id, b.build_id AS other
              FROM runtime_build a JOIN runtime_build b ON b.runtime = a.runtime AND b.state = 'current'
                AND b.build_id > a.build_id WHERE a.state = 'current'",
    },
    Rule {
        // Written by a shell that did not set PRAGMA foreign_keys.
        name: "foreign_keys",
        key: None,
        sql: "SELECT \"table\" AS child, rowid AS row_id, parent AS parent, fkid AS key_no FROM pragma_foreign_key_check",
    },
];
