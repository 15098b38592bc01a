//! Programs that nobody has thought about, each made of a seed.

use std::fmt::Write as _;

use lockstep_sim::label::mix;

/// Two or three flows of a few statements over two small tables.
pub(super) fn generated(seed: u64) -> String {
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

/// Two flows that meet elsewhere than in tables: answers, timers, locks, memory.
pub(super) fn talking(seed: u64) -> String {
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
