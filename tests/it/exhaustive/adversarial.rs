//! Programs made to mislead a search that thinks two steps do not concern each other. To add one: an entry at the end.

/// Two or three flows on processes of their own, and what must hold.
pub(super) struct Small {
    pub(super) name: &'static str,
    /// Tables, and further sections of the file.
    head: &'static str,
    /// Steps of each flow.
    flows: &'static [&'static str],
    rule: &'static str,
    /// All on one process, which share its memory; else each on its own.
    together: bool,
}

impl Small {
    pub(super) fn text(&self) -> String {
        let steps = |flow: &str| {
            flow.lines()
                .map(|line| format!("    {line}\n"))
                .collect::<String>()
        };
        let flows = (0..)
            .zip(self.flows)
            .map(|(n, flow)| format!("  f{n}():\n{}", steps(flow)));
        let events = (1..=self.flows.len()).map(|n| {
            let on = if self.together { 1 } else { n };
            format!("  - e{n}: {{ on: api.{on}, send: f{} }}\n", n - 1)
        });
        let processes = match self.head.contains("processes:") {
            true => "",
            false => "processes: { api: 3 }\n",
        };
        format!(
            "version: 1\nname: {}\n{}\n{processes}flows:\n{}events:\n{}invariants:\n  rule: {{ {} }}\nvariants: {{ it: {{}} }}\nexpect: {{ it: holds }}\n",
            self.name,
            self.head,
            flows.collect::<String>(),
            events.collect::<String>(),
            self.rule
        )
    }
}

/// Programs made to mislead a search that thinks two steps do not concern each other. Each violates its rule in some order.
pub(super) const ADVERSARIAL: &[Small] = &[
    Small {
        name: "phantom",
        head: "schema: CREATE TABLE t (k TEXT)",
        flows: &[
            "- read: SELECT count(*) AS n FROM t WHERE k = 'x'\n- if: \":n = 0\"\n  then: [sql: INSERT INTO t VALUES ('x')]",
            "- read: SELECT count(*) AS n FROM t WHERE k = 'x'\n- if: \":n = 0\"\n  then: [sql: INSERT INTO t VALUES ('x')]",
        ],
        rule: "never: SELECT count(*) AS n FROM t HAVING count(*) > 1",
        together: false,
    },
    Small {
        name: "self_join",
        head: "schema: \"CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 2)\"",
        flows: &[
            "- sql: UPDATE t SET v = 3 WHERE id = 1\n- sql: UPDATE t SET v = 4 WHERE id = 1",
            "- sql: UPDATE t SET v = 3 WHERE id = 2\n- sql: UPDATE t SET v = 5 WHERE id = 2",
        ],
        rule: "never: SELECT a.id FROM t a JOIN t b ON a.v = b.v AND a.id < b.id",
        together: false,
    },
    Small {
        name: "having",
        head: "schema: \"CREATE TABLE t (k TEXT, v INT); INSERT INTO t VALUES ('a', 1)\"",
        flows: &[
            "- sql: DELETE FROM t WHERE v = 1\n- sql: INSERT INTO t VALUES ('a', 2)",
            "- sql: INSERT INTO t VALUES ('a', 3)\n- sql: DELETE FROM t WHERE v = 3",
        ],
        rule: "never: SELECT k FROM t GROUP BY k HAVING sum(v) = 4",
        together: false,
    },
    Small {
        name: "offset",
        head: "schema: \"CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (5)\"",
        flows: &[
            "- sql: INSERT INTO t VALUES (1)\n- sql: DELETE FROM t WHERE id = 1",
            "- sql: INSERT INTO t VALUES (9)\n- sql: DELETE FROM t WHERE id = 9",
        ],
        rule: "never: SELECT id FROM t ORDER BY id LIMIT 1 OFFSET 2",
        together: false,
    },
    Small {
        name: "foreign_key",
        head: "schema: \"CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (p INT REFERENCES p (id)); CREATE TABLE lost (c INT); INSERT INTO p VALUES (1)\"",
        flows: &[
            "- { sql: INSERT INTO c VALUES (1), catch: { constraint: [sql: INSERT INTO lost VALUES (1)] } }",
            "- { sql: DELETE FROM p WHERE id = 1, catch: { constraint: [] } }",
        ],
        rule: "never: SELECT c FROM lost",
        together: false,
    },
    Small {
        name: "counter",
        head: "schema: \"CREATE TABLE t (n INT); INSERT INTO t VALUES (0)\"",
        flows: &[
            "- read: SELECT n FROM t\n- sql: UPDATE t SET n = :n + 1",
            "- read: SELECT n FROM t\n- sql: UPDATE t SET n = :n + 1",
        ],
        rule: "finally: SELECT n FROM t WHERE n < 2",
        together: false,
    },
    Small {
        name: "check_between",
        head: "schema: \"CREATE TABLE s (id INT PRIMARY KEY, active INT); INSERT INTO s VALUES (1, 1)\"",
        flows: &[
            "- sql: UPDATE s SET active = 0 WHERE id = 1",
            "- sql: INSERT INTO s VALUES (2, 1)",
        ],
        rule: "never: SELECT count(*) AS n FROM s WHERE active = 1 HAVING count(*) > 1",
        together: false,
    },
    Small {
        name: "memory",
        head: "schema: CREATE TABLE t (n INT)\nprocesses: { api: { memory: { seen: 0 } } }",
        flows: &[
            "- set: { memory.seen: \":memory.seen + 1\", mine: \":memory.seen\" }\n- sql: INSERT INTO t VALUES (:mine)",
            "- set: { memory.seen: \":memory.seen + 1\", mine: \":memory.seen\" }\n- sql: INSERT INTO t VALUES (:mine)",
        ],
        rule: "never: SELECT a.n FROM t a JOIN t b ON a.rowid < b.rowid AND a.n > b.n",
        together: true,
    },
    Small {
        name: "effects_in_order",
        head: "schema: CREATE TABLE t (n INT)",
        flows: &["- effect: first\n- effect: third", "- effect: second"],
        rule: "history: SELECT a.cause FROM effect a JOIN effect b ON a.n < b.n JOIN effect c ON b.n < c.n WHERE a.name = 'first' AND b.name = 'second' AND c.name = 'third'",
        together: false,
    },
    Small {
        name: "changes_in_order",
        head: "schema: CREATE TABLE t (k TEXT PRIMARY KEY)",
        flows: &[
            "- sql: INSERT INTO t VALUES ('a')",
            "- sql: INSERT INTO t VALUES ('b')",
        ],
        rule: "history: SELECT a.key FROM change a JOIN change b ON a.n < b.n WHERE a.key = 'b' AND b.key = 'a'",
        together: false,
    },
    Small {
        name: "events_in_order",
        head: "schema: CREATE TABLE t (k TEXT)",
        flows: &["- read: SELECT k FROM t", "- read: SELECT k FROM t"],
        rule: "history: SELECT a.cause FROM event a JOIN event b ON b.n < a.n WHERE a.cause = 'e1' AND b.cause = 'e2' AND a.kind = 'read' AND b.kind = 'read'",
        together: false,
    },
    Small {
        name: "first_without_an_order",
        head: "schema: CREATE TABLE t (k TEXT)",
        flows: &[
            "- sql: INSERT INTO t VALUES ('a')\n- take: 1s\n- read: SELECT k FROM t LIMIT 1\n- if: \":k = 'b'\"\n  then: [effect: wrong]",
            "- sql: INSERT INTO t VALUES ('b')",
        ],
        rule: "history: SELECT cause FROM effect WHERE name = 'wrong'",
        together: false,
    },
    Small {
        name: "there_and_back",
        head: "schema: \"CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('a')\"",
        flows: &[
            "- read: SELECT v FROM t\n- sql: UPDATE t SET v = 'c' WHERE v = :v\n  rows: 1\n  else: []",
            "- sql: UPDATE t SET v = 'b'\n- sql: UPDATE t SET v = 'a'",
        ],
        rule: "finally: SELECT v FROM t WHERE v = 'c'",
        together: false,
    },
    Small {
        name: "each_row",
        head: "schema: \"CREATE TABLE t (v INT, done INT); INSERT INTO t VALUES (1, 0), (2, 0)\"",
        flows: &[
            "- each: SELECT v FROM t WHERE done = 0\n  do: [effect: pay, sql: \"UPDATE t SET done = 1 WHERE v = :v\"]",
            "- sql: UPDATE t SET done = 1 WHERE v = 2",
        ],
        rule: "history: SELECT e.cause FROM effect e JOIN change c ON c.n < e.n WHERE c.cause = 'e2'",
        together: false,
    },
    Small {
        name: "transactions",
        head: "schema: \"CREATE TABLE t (n INT); INSERT INTO t VALUES (0)\"",
        flows: &[
            "- transaction:\n    - read: SELECT n FROM t\n    - sql: UPDATE t SET n = :n + 1\n  catch: { busy: [effect: busy] }",
            "- transaction:\n    - read: SELECT n FROM t\n    - sql: UPDATE t SET n = :n + 1\n  catch: { busy: [effect: busy] }",
        ],
        rule: "history: SELECT cause FROM effect",
        together: false,
    },
    Small {
        name: "locks",
        head: "schema: CREATE TABLE t (n INT)\nlocks: { l: {} }",
        flows: &[
            "- lock: l('x')\n  wait: 1s\n  do: [take: 2s]\n  else: [effect: gave_up]",
            "- lock: l('x')\n  wait: 1s\n  do: [take: 2s]\n  else: [effect: gave_up]",
        ],
        rule: "history: SELECT cause FROM effect WHERE cause = 'e1'",
        together: false,
    },
    Small {
        name: "a_crash_between",
        head: "schema: CREATE TABLE t (n INT)\nfaults: { crash: { api: 1 } }",
        flows: &[
            "- sql: INSERT INTO t VALUES (1)\n- sql: INSERT INTO t VALUES (2)",
            "- sql: INSERT INTO t VALUES (3)",
        ],
        rule: "finally: SELECT count(*) AS n FROM t HAVING count(*) = 2",
        together: false,
    },
    Small {
        name: "a_lost_answer",
        head: "schema: CREATE TABLE t (n INT)\nfaults: { lost_reply: 1, lost_request: 1 }",
        flows: &[
            "- { request: f1, to: api.2, wait: 1s, catch: { error: [sql: INSERT INTO t VALUES (1)] } }",
            "- sql: INSERT INTO t VALUES (2)\n- reply",
        ],
        rule: "finally: SELECT count(*) AS n FROM t HAVING count(*) > 2",
        together: false,
    },
    Small {
        name: "named_tasks",
        head: "schema: CREATE TABLE t (n INT)\nprocesses: { api: {} }",
        flows: &[
            "- spawn: f2\n  in: 1s\n  name: \"'x'\"\n- take: 1s\n- spawn: f2\n  in: 2s\n  name: \"'x'\"\n- cancel: \"'x'\"",
            "- sql: INSERT INTO t VALUES (0)",
            "- sql: INSERT INTO t VALUES (1)",
        ],
        rule: "finally: SELECT count(*) AS n FROM t HAVING count(*) > 2",
        together: true,
    },
    Small {
        name: "how_late",
        head: "schema: CREATE TABLE t (at INT)\nfaults: { late: { strikes: 1, up_to: 32s } }",
        flows: &[
            "- { request: f1, to: api.2, wait: 1s, catch: { error: [] } }",
            "- sql: INSERT INTO t VALUES (:now)\n- reply",
        ],
        rule: "finally: SELECT at FROM t WHERE at % 60000 BETWEEN 3000 AND 5000",
        together: false,
    },
    Small {
        name: "how_late_outside",
        head: "schema: CREATE TABLE t (at INT)\nfaults: { late: { strikes: 1, up_to: 32s } }",
        flows: &["- { effect: pay, wait: 1s, catch: { error: [] } }"],
        rule: "history: SELECT at_ms FROM effect WHERE at_ms % 60000 BETWEEN 3000 AND 5000",
        together: false,
    },
    Small {
        name: "check_between_of_one_key",
        head: "schema: \"CREATE TABLE s (id INT PRIMARY KEY, u TEXT, active INT); INSERT INTO s VALUES (1, 'a', 1), (3, 'b', 1)\"",
        flows: &[
            "- sql: UPDATE s SET active = 0 WHERE id = 1",
            "- sql: INSERT INTO s VALUES (2, 'a', 1)",
            "- sql: UPDATE s SET active = 0 WHERE id = 3",
        ],
        rule: "per: u, never: SELECT u FROM s WHERE active = 1 GROUP BY u HAVING count(*) > 1",
        together: false,
    },
    Small {
        name: "one_dies_with_the_other",
        head: "schema: CREATE TABLE t (n INT PRIMARY KEY)\nprocesses: { api: 1 }\nfaults: { crash: { api: 1 } }",
        flows: &[
            "- sql: INSERT INTO t VALUES (1)\n- sql: INSERT INTO t VALUES (2)",
            "- sql: INSERT INTO t VALUES (3)\n- sql: INSERT INTO t VALUES (4)",
        ],
        rule: "finally: SELECT count(*) AS n FROM t HAVING sum(n = 1) = 1 AND sum(n = 2) = 0 AND sum(n = 3) = 1 AND sum(n = 4) = 0",
        together: true,
    },
    Small {
        name: "an_answer_at_the_last_moment",
        head: "schema: CREATE TABLE t (n INT)",
        flows: &[
            "- { request: f1, to: api.2, wait: 1s, catch: { timeout: [sql: INSERT INTO t VALUES (1)] } }\n- effect: done",
            "- take: 1s\n- reply",
        ],
        rule: "history: SELECT e.cause FROM effect e WHERE NOT EXISTS (SELECT 1 FROM t)",
        together: false,
    },
    Small {
        name: "numbers_of_rows",
        head: "schema: CREATE TABLE t (n INTEGER PRIMARY KEY, who TEXT)",
        flows: &[
            "- sql: INSERT INTO t (who) VALUES ('a')",
            "- sql: INSERT INTO t (who) VALUES ('b')",
        ],
        rule: "finally: SELECT n FROM t WHERE n = 1 AND who = 'b'",
        together: false,
    },
    Small {
        name: "numbers_that_are_given_once",
        head: "schema: CREATE TABLE t (n INTEGER PRIMARY KEY AUTOINCREMENT, who TEXT)",
        flows: &[
            "- sql: INSERT INTO t (who) VALUES ('a')\n- sql: DELETE FROM t WHERE who = 'a'",
            "- sql: INSERT INTO t (who) VALUES ('b')",
        ],
        rule: "finally: SELECT n FROM t WHERE n = 1 AND who = 'b'",
        together: false,
    },
    Small {
        name: "three_actors",
        head: "schema: \"CREATE TABLE t (k TEXT PRIMARY KEY, v INT); INSERT INTO t VALUES ('a', 0), ('b', 0), ('c', 0)\"",
        flows: &[
            "- read: SELECT v AS w FROM t WHERE k = 'c'\n- sql: UPDATE t SET v = :w + 1 WHERE k = 'a'",
            "- read: SELECT v AS w FROM t WHERE k = 'a'\n- sql: UPDATE t SET v = :w + 1 WHERE k = 'b'",
            "- read: SELECT v AS w FROM t WHERE k = 'b'\n- sql: UPDATE t SET v = :w + 1 WHERE k = 'c'",
        ],
        rule: "finally: SELECT k FROM t WHERE v = 3",
        together: false,
    },
    Small {
        name: "memory_outlives_who_has_set_it",
        head: "schema: CREATE TABLE t (n INT)\nprocesses: { api: { memory: { chosen: 0 } } }",
        flows: &[
            "- choose: x\n  from: [0, 1]\n- set: { memory.chosen: \":x\" }",
            "- if: \":memory.chosen = 1\"\n  then: [sql: INSERT INTO t VALUES (1)]",
        ],
        rule: "never: SELECT n FROM t",
        together: true,
    },
    Small {
        name: "a_jump_behind_what_was_remembered",
        head: "schema: CREATE TABLE t (n INT)\nprocesses: { api: { memory: { at: 0 } } }\nfaults: { clock_jump: { strikes: 1, up_to: 1h } }",
        flows: &[
            "- read: SELECT n FROM t\n- set: { memory.at: \":now\" }\n- reply",
            "- if: \":now < :memory.at\"\n  then: [sql: INSERT INTO t VALUES (1)]",
        ],
        rule: "never: SELECT n FROM t",
        together: true,
    },
    Small {
        name: "what_was_used_is_in_use",
        head: "schema: CREATE TABLE t (n INT)\nresources: { chat: { per: id, exclusive: true, release_after: 0s..5s } }",
        flows: &[
            "- use: chat('c')\n  for: 0s",
            "- take: 2s\n- use: chat('c')\n  else: [sql: INSERT INTO t VALUES (1)]",
        ],
        rule: "never: SELECT n FROM t",
        together: false,
    },
    Small {
        name: "a_provider_remembers_keys",
        head: "schema: CREATE TABLE t (n INT)\neffects: { pay: { idempotent: true } }",
        flows: &[
            "- choose: x\n  from: [\"'a'\", \"'b'\"]\n- effect: pay\n  key: \":x\"\n  intent: \"'one'\"",
            "- effect: pay\n  key: \"'b'\"\n  intent: \"'two'\"",
        ],
        rule: "history: SELECT 1 AS n WHERE (SELECT count(*) FROM effect) = 1",
        together: false,
    },
];
