//! Every law of the schema is necessary: without it, one of the cases that it refuses is no longer refused by it.

use super::cases::{REFUSED, SEED, cases, refusal_on};
use super::{MIGRATIONS, configure, strict};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// Keys that refuse nothing that their table's primary key would let pass: a composite foreign key points at each of them.
const TARGETS: &[&str] = &[
    "lease_key_fence",
    "runtime_build_class",
    "session_key_class",
    "session_key_live",
    "worker_class",
];

/// A named constraint in the text of a table.
struct Law {
    name: String,
    table: String,
    /// CHECK, UNIQUE, FOREIGN or REFERENCES; primary keys are not asked for.
    kind: String,
    /// All of it, as it stands.
    text: String,
}

impl Law {
    /// The words by which the cases name it.
    fn in_cases(&self) -> String {
        let columns = match self.kind.as_str() {
            "FOREIGN" => between(&self.text, "KEY (", ")").replace(' ', ""),
            "REFERENCES" => self.column(),
            _ => return self.name.clone(),
        };
        let mut columns: Vec<&str> = columns.split(',').collect();
        columns.sort_unstable();
        format!("{}({})", self.table, columns.join(","))
    }

    /// The column before an inline reference: names are `<table>_<what>`, so the column is looked up.
    fn column(&self) -> String {
        let all = text_of_all();
        let before = &all[..all.find(&self.text).expect("stands in the text")];
        let line = before.rsplit(",\n").next().unwrap_or(before);
        let words = line.rsplit("ADD COLUMN").next().unwrap_or(line);
        let words = words.rsplit("(\n").next().unwrap_or(words);
        words
            .split_whitespace()
            .next()
            .expect("a column")
            .to_owned()
    }
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let rest = &text[text.find(from).expect("begins") + from.len()..];
    &rest[..rest.find(to).expect("ends")]
}

fn text_of_all() -> String {
    MIGRATIONS
        .iter()
        .map(|migration| without_comments(migration.tables))
        .collect()
}

fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| {
            line.split("--")
                .next()
                .unwrap_or(line)
                .trim_end()
                .to_owned()
                + "\n"
        })
        .collect()
}

fn laws() -> BTreeMap<String, Law> {
    let text = text_of_all();
    let mut laws = BTreeMap::new();
    for (at, _) in text.match_indices("CONSTRAINT ") {
        let rest = &text[at..];
        let mut words = rest.split_whitespace().skip(1);
        let (name, kind) = (words.next().expect("a name"), words.next().expect("a kind"));
        if kind == "PRIMARY" {
            continue;
        }
        let table = text[..at]
            .rmatch_indices(" TABLE ")
            .next()
            .map(|(before, word)| &text[before + word.len()..])
            .and_then(|rest| rest.split_whitespace().next())
            .expect("a table");
        let law = Law {
            name: name.to_owned(),
            table: table.to_owned(),
            kind: kind.to_owned(),
            text: rest[..extent(rest, kind)].to_owned(),
        };
        laws.insert(law.name.clone(), law);
    }
    laws
}

/// Where a constraint ends: behind its last balanced parenthesis, and the words that may follow a foreign key.
fn extent(text: &str, kind: &str) -> usize {
    let groups = if kind == "FOREIGN" { 2 } else { 1 };
    let (mut depth, mut closed, mut end) = (0, 0, text.len());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                closed += usize::from(depth == 0);
                if closed == groups {
                    end = at + 1;
                    break;
                }
            }
            _ => {}
        }
    }
    let deferred = "DEFERRABLE INITIALLY DEFERRED";
    let rest = &text[end..];
    if rest.trim_start().starts_with(deferred) {
        end += rest.find(deferred).expect("stands there") + deferred.len();
    }
    end
}

/// A seeded database whose schema lacks one constraint.
fn without(law: &Law) -> Connection {
    let conn = Connection::open_in_memory().expect("a database in memory");
    configure(&conn).expect("configured");
    for migration in MIGRATIONS {
        let text = remove(&without_comments(migration.tables), &law.text);
        conn.execute_batch(&strict(&text)).expect("tables");
        conn.execute_batch(migration.triggers).expect("triggers");
    }
    conn.execute_batch("INSERT INTO meta (one, incarnation, clock_high_ms) VALUES (1, 1, 0)")
        .expect("meta");
    conn.execute_batch(SEED).expect("the seed passes");
    conn
}

/// Takes a constraint out, with the comma that separated it if it stood on its own.
fn remove(text: &str, law: &str) -> String {
    let Some(at) = text.find(law) else {
        return text.to_owned();
    };
    let (before, after) = (text[..at].trim_end(), &text[at + law.len()..]);
    match before.strip_suffix(',') {
        Some(before) => format!("{before}{after}"),
        None => format!("{before} {after}"),
    }
}

/// The cases that are refused by this law, alone or with others.
fn cases_of(words: &str) -> Vec<&'static str> {
    cases(REFUSED)
        .iter()
        .filter_map(|case| {
            let (refused_by, sql) = case.body.split_once('\n')?;
            let laws = refused_by.strip_prefix("refused by ")?;
            let mut laws = laws.trim_start_matches("foreign key ").split(", ");
            laws.any(|law| law == words).then_some(sql)
        })
        .collect()
}

/// Whether some case is no longer refused by this law in a database made by `broken`.
fn shows(words: &str, broken: impl Fn() -> Connection) -> bool {
    cases_of(words).iter().any(|sql| {
        let laws = refusal_on(&broken(), sql);
        !laws.is_some_and(|laws| {
            laws.trim_start_matches("foreign key ")
                .split(", ")
                .any(|law| law == words)
        })
    })
}

#[test]
fn without_a_constraint_something_passes() {
    let laws = laws();
    assert!(laws.len() >= 70, "{} laws", laws.len());
    let needless: Vec<String> = laws
        .values()
        .filter(|law| !TARGETS.contains(&law.name.as_str()))
        .map(|law| (law.in_cases(), law))
        .filter(|(words, law)| !shows(words, || without(law)))
        .map(|(words, law)| format!("{} ({words})", law.name))
        .collect();
    assert!(needless.is_empty(), "{needless:#?}");
}

#[test]
fn without_a_trigger_or_an_index_something_passes() {
    let whole = super::cases::seeded();
    let sql = "SELECT type || ' ' || name FROM sqlite_schema WHERE type = 'trigger' OR sql LIKE 'CREATE UNIQUE INDEX%'";
    let mut query = whole.prepare(sql).expect("prepares");
    let names: Vec<String> = query
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .expect("names");
    let needless: Vec<&String> = names
        .iter()
        .filter(|name| {
            let words = name.split(' ').next_back().unwrap_or(name);
            let drop = format!("DROP {name}");
            !shows(words, || {
                let conn = super::cases::seeded();
                conn.execute_batch(&drop).expect("drops");
                conn
            })
        })
        .collect();
    assert!(needless.is_empty(), "{needless:#?}");
}

#[test]
fn only_what_a_foreign_key_points_at_may_refuse_nothing() {
    let laws = laws();
    let pointed: BTreeSet<String> = laws
        .values()
        .filter(|law| law.kind == "FOREIGN")
        .map(|law| {
            let target = law.text.split("REFERENCES ").nth(1).expect("a target");
            format!(
                "{}({}",
                between(&law.text, "REFERENCES ", " "),
                between(target, "(", ")")
            )
        })
        .collect();
    for name in TARGETS {
        let law = &laws[*name];
        let key = format!("{}({}", law.table, between(&law.text, "(", ")"));
        assert!(pointed.contains(&key), "{name}: nothing points at {key})");
    }
}
