//! The exhaustive search: what it leaves out would have shown nothing new, and what it finds first is as small as can be.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lockstep_sim::flow::FlowWorld;
use lockstep_sim::label::mix;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Program};
use lockstep_sim::search::{Bounds, Plan, Searched, exhaust};

use super::scenario_programs;

fn explore(program: &Program, runs: u64, bounds: Bounds) -> Searched {
    let world = FlowWorld::new(program.clone().into());
    let mut stage = Stage::new(world).expect("the stage is set");
    let plan = Plan {
        seed: 0,
        runs,
        expect: None,
    };
    let searched = exhaust(&mut stage, &plan, bounds, &mut || false).expect("a search");
    assert_eq!((&searched.internal, &searched.endless), (&None, &None));
    searched
}

fn violated(searched: &Searched) -> BTreeSet<&str> {
    searched.firsts.keys().map(String::as_str).collect()
}

/// Up to so many deviations, with the states of runs and without: runs of both. An error where they do not find the same; `None`
/// where too many runs would be needed without.
fn compare(program: &Program, deviations: u64, most: u64) -> Option<Result<(u64, u64), String>> {
    let search = |by_state| {
        let bounds = Bounds {
            deviations,
            by_state,
            independence: by_state,
        };
        explore(program, most, bounds)
    };
    let is_done = |searched: &Searched| {
        let exhausted = searched.exhausted.unwrap_or_default();
        exhausted.complete || exhausted.deviations == Some(deviations)
    };
    let all = search(false);
    if !is_done(&all) {
        return None;
    }
    let few = search(true);
    Some(match is_done(&few) && violated(&few) == violated(&all) {
        true => Ok((few.runs, all.runs)),
        false => Err(format!(
            "{:?} in {} runs, {:?} in {}",
            violated(&few),
            few.runs,
            violated(&all),
            all.runs
        )),
    })
}

/// A program with so few single deviations that all pairs of them can be tried as well.
fn is_small(program: &Program) -> bool {
    let quiet = explore(program, 1, Bounds::default());
    let singles = quiet.exhausted.map_or(0, |exhausted| exhausted.frontier);
    singles <= 20
}

#[test]
fn what_is_left_out_shows_nothing_new_in_the_scenarios() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for (name, program) in scenario_programs() {
        if !is_small(&program) {
            continue;
        }
        match compare(&program, 2, 1_000) {
            None => {}
            Some(Ok(_)) => compared += 1,
            Some(Err(words)) => wrong.push(format!("{name}: {words}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 20, "only {compared} could be compared");
}

/// Two or three flows on processes of their own, and what must hold.
struct Small {
    name: &'static str,
    /// Tables, and further sections of the file.
    head: &'static str,
    /// Steps of each flow.
    flows: &'static [&'static str],
    rule: &'static str,
    /// All on one process, which share its memory; else each on its own.
    together: bool,
}

impl Small {
    fn text(&self) -> String {
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

fn program(name: &str, text: &str) -> Program {
    let scenario =
        scenario::parse(name, text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    scenario
        .variants
        .into_iter()
        .next()
        .expect("a variant")
        .program
}

/// Programs made to mislead a search that thinks two steps do not concern each other. Each violates its rule in some order.
const ADVERSARIAL: &[Small] = &[
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
];

#[test]
fn what_is_left_out_shows_nothing_new_in_programs_that_are_made_to_mislead() {
    let mut wrong = Vec::new();
    for small in ADVERSARIAL {
        let program = program(small.name, &small.text());
        let to_the_end = explore(&program, 100_000, Bounds::default());
        if to_the_end.firsts.is_empty() {
            wrong.push(format!("{}: nothing violates its rule", small.name));
        }
        for deviations in 1..=3 {
            match compare(&program, deviations, 20_000) {
                Some(Ok(_)) => {}
                Some(Err(words)) => wrong.push(format!("{} at {deviations}: {words}", small.name)),
                None => wrong.push(format!("{}: too large to compare", small.name)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Programs that nobody has thought about: two or three flows of a few statements over two small tables.
#[test]
fn what_is_left_out_shows_nothing_new_in_generated_programs() {
    compare_generated(generated);
}

/// The same of flows that meet elsewhere than in tables: answers, timers, locks, memory.
#[test]
fn what_is_left_out_shows_nothing_new_in_generated_programs_that_talk() {
    compare_generated(talking);
}

fn compare_generated(make: fn(u64) -> String) {
    let (mut violate, mut wrong) = (0, Vec::new());
    for seed in 0..GENERATED {
        let text = make(seed);
        let program = program("generated", &text);
        match compare(&program, 3, 20_000) {
            Some(Ok(_)) => {}
            Some(Err(words)) => wrong.push(format!("{words}\n{text}")),
            None => wrong.push(format!("too large to compare\n{text}")),
        }
        violate += u64::from(
            !explore(&program, 20_000, Bounds::default())
                .firsts
                .is_empty(),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        (5..GENERATED - 5).contains(&violate),
        "{violate} violate their rule"
    );
}

const GENERATED: u64 = 100;

fn generated(seed: u64) -> String {
    let mut drawn = 0;
    let mut draw = |n: u64| {
        drawn += 1;
        mix(mix(11, seed), drawn) % n
    };
    let mut text = String::from(
        "version: 1\nname: generated\nschema: |\n  CREATE TABLE a (k INT PRIMARY KEY, v INT);\n  CREATE TABLE b (k INT, v INT);\n  INSERT INTO a VALUES (0, 0), (1, 1);\n  INSERT INTO b VALUES (0, 1);\nprocesses: { api: 3 }\nflows:\n",
    );
    let flows = 2 + draw(2);
    for flow in 0..flows {
        let _ = write!(text, "  f{flow}():\n    - set: {{ x: {flow} }}\n");
        for _ in 0..=1 + draw(2) {
            let (k, v) = (draw(2), draw(3));
            let step = match draw(9) {
                0 => format!("read: SELECT v AS x FROM a WHERE k = {k}"),
                1 => "read: SELECT count(*) AS x FROM b".to_owned(),
                2 => "read: SELECT v AS x FROM b LIMIT 1".to_owned(),
                3 | 4 => format!("sql: UPDATE a SET v = :x + {v} WHERE k = {k}"),
                5 | 6 => format!("sql: INSERT INTO b VALUES ({k}, :x)"),
                7 => format!("sql: DELETE FROM b WHERE v = {v}"),
                _ => format!("sql: UPDATE b SET k = {k} WHERE v = :x"),
            };
            let _ = writeln!(text, "    - {step}");
        }
    }
    let rule = match draw(6) {
        0 => "never: SELECT x.k FROM a x JOIN a y ON x.v = y.v AND x.k < y.k",
        1 => "never: SELECT k FROM b GROUP BY k HAVING count(*) > 1",
        2 => "never: SELECT a.k FROM a JOIN b ON a.v = b.v + 1",
        3 => "finally: SELECT k FROM a WHERE v = 3",
        4 => {
            "history: SELECT x.n FROM change x JOIN change y ON x.n < y.n WHERE x.cause = 'e2' AND y.cause = 'e1'"
        }
        _ => "finally: SELECT k FROM b WHERE v = 2",
    };
    text.push_str("events:\n");
    for flow in 0..flows {
        let _ = writeln!(
            text,
            "  - e{flow}: {{ on: api.{}, send: f{flow} }}",
            flow + 1
        );
    }
    let _ = write!(
        text,
        "invariants:\n  rule: {{ {rule} }}\nvariants: {{ it: {{}} }}\nexpect: {{ it: holds }}\n"
    );
    text
}

fn talking(seed: u64) -> String {
    let mut drawn = 0;
    let mut draw = |n: u64| {
        drawn += 1;
        mix(mix(13, seed), drawn) % n
    };
    let mut text = String::from(
        "version: 1\nname: talking\nschema: |\n  CREATE TABLE t (n INT, k INT);\nlocks: { l: {} }\nprocesses: { api: { count: 2, memory: { seen: 0 } } }\nflows:\n  answer():\n",
    );
    for _ in 0..draw(2) {
        text.push_str("    - take: 1s\n");
    }
    let answers = [
        "    - reply\n",
        "    - sql: INSERT INTO t VALUES (7, 0)\n    - reply\n",
    ];
    text.push_str(answers[draw(2) as usize]);
    text.push_str("  later(): [sql: \"INSERT INTO t VALUES (8, 0)\"]\n");
    for flow in 0..2 {
        let _ = writeln!(text, "  f{flow}():");
        for _ in 0..=1 + draw(2) {
            let (to, wait) = (1 + draw(2), 1 + draw(2));
            let step = match draw(9) {
                0 => format!(
                    "{{ request: answer, to: api.{to}, wait: {wait}s, catch: {{ error: [effect: failed] }} }}"
                ),
                1 => format!("{{ spawn: later, in: {wait}s, name: \"'x'\" }}"),
                2 => "cancel: \"'x'\"".to_owned(),
                3 => format!(
                    "{{ lock: \"l('x')\", wait: {wait}s, do: [take: 1s], else: [effect: gave_up] }}"
                ),
                4 => "set: { memory.seen: \":memory.seen + 1\" }".to_owned(),
                5 => format!("sql: INSERT INTO t VALUES ({flow}, :memory.seen)"),
                6 => "take: 1s".to_owned(),
                7 => format!("effect: done{flow}"),
                _ => format!("sql: UPDATE t SET k = k + 1 WHERE n = {}", 7 + draw(2)),
            };
            let _ = writeln!(text, "    - {step}");
        }
    }
    let (when, sql) = match draw(5) {
        0 => ("never", "SELECT n FROM t GROUP BY n HAVING count(*) > 1"),
        1 => ("finally", "SELECT k FROM t WHERE k = 1"),
        2 => (
            "history",
            "SELECT x.n FROM effect x WHERE x.name IN ('failed', 'gave_up')",
        ),
        3 => (
            "history",
            "SELECT x.n FROM effect x JOIN change y ON y.n < x.n WHERE y.cause <> x.cause",
        ),
        _ => ("finally", "SELECT count(*) AS n FROM t HAVING count(*) > 2"),
    };
    let _ = write!(
        text,
        "events:\n  - e0: {{ on: api.1, send: f0 }}\n  - e1: {{ on: api.{}, send: f1 }}\ninvariants:\n  rule: {{ {when}: \"{sql}\" }}\nvariants: {{ it: {{}} }}\nexpect: {{ it: holds }}\n",
        1 + draw(2)
    );
    text
}
