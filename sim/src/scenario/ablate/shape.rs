//! What makes two steps the same: their own keys, without bodies, guards, label and place.

use super::super::node::{Entry, Kind, Node};
use super::super::token;

/// Keys that hold further steps.
const BODIES: [&str; 7] = [
    "then",
    "else",
    "do",
    "none",
    "transaction",
    "atomic",
    "finally",
];
/// Keys that guard a step: without them it does the same, and notices less.
const GUARDS: [&str; 6] = ["rows", "none", "retry", "fence", "within", "finally"];
/// Verbs whose `else` is a guard; that of `if` is a branch.
const GUARDED: [&str; 3] = ["sql", "lock", "use"];
/// Keys that say nothing about what a step does.
const SILENT: [&str; 2] = ["label", "source"];
/// Steps around other steps, with the key under which these stand.
const AROUND: [(&str, &str); 5] = [
    ("transaction", "transaction"),
    ("atomic", "atomic"),
    ("lock", "do"),
    ("use", "do"),
    ("if", "then"),
];

/// The value of a body, if this key holds one.
pub(super) fn is_body(key: &str) -> bool {
    BODIES.contains(&key)
}

/// The guard that a key of a step belongs to. `else` belongs to the `rows` of an `sql`.
pub(super) fn guard<'k>(step: &Node, key: &'k str) -> Option<&'k str> {
    let guarded = GUARDED.iter().any(|verb| step.get(verb).is_some());
    match key {
        "else" if step.get("sql").is_some() => Some("rows"),
        "else" if guarded => Some("else"),
        key if GUARDS.contains(&key) => Some(key),
        _ => None,
    }
}

/// Whether a key is part of what the step does.
pub(super) fn is_own(step: &Node, key: &str) -> bool {
    let around = AROUND
        .iter()
        .any(|(verb, body)| verb == body && *verb == key);
    let other = key == "catch" || SILENT.contains(&key) || guard(step, key).is_some();
    around || !(is_body(key) || other)
}

/// The key under which the steps stand that this step is around.
pub(super) fn around(step: &Node) -> Option<&'static str> {
    let found = AROUND
        .iter()
        .find(|(verb, body)| step.get(verb).is_some() && step.get(body).is_some());
    found.map(|(_, body)| *body)
}

/// Lists of steps inside of a step, in file order.
pub(super) fn bodies(step: &Node) -> Vec<&Node> {
    let entries = step.entries().unwrap_or(&[]).iter();
    let values = entries.flat_map(|entry| match entry.name() {
        "catch" => entry
            .value
            .entries()
            .unwrap_or(&[])
            .iter()
            .map(|class| &class.value)
            .collect(),
        key if is_body(key) => vec![&entry.value],
        _ => Vec::new(),
    });
    values.collect()
}

/// What a step does, as one text: equal for equal steps.
pub(super) fn own(step: &Node) -> String {
    if let Some(word) = step.scalar() {
        return word.to_owned();
    }
    let entries = step.entries().unwrap_or(&[]).iter();
    let mut keys: Vec<String> = entries
        .filter(|entry| is_own(step, entry.name()))
        .map(|entry| match is_body(entry.name()) {
            true => entry.name().to_owned(),
            false => pair(entry),
        })
        .collect();
    keys.sort();
    keys.join("\n")
}

fn pair(entry: &Entry) -> String {
    format!("{}={}", entry.name(), whole(&entry.value))
}

/// A value as one text, without its places and the form of its white space.
pub(super) fn whole(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar { text, .. } => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Kind::List(items) => items
            .iter()
            .map(|item| format!("[{}]", whole(item)))
            .collect(),
        Kind::Map { entries, .. } => {
            let mut pairs: Vec<String> = entries.iter().map(pair).collect();
            pairs.sort();
            format!("{{{}}}", pairs.join("\n"))
        }
    }
}

/// What a step is about: its verb and its table or name. A changed step has the head of the one that it stands for.
pub(super) fn head(step: &Node) -> String {
    if let Some(word) = step.scalar() {
        return word.to_owned();
    }
    let mut own = step.entries().unwrap_or(&[]).iter();
    let verb = own.find(|entry| is_own(step, entry.name()));
    let Some(verb) = verb else {
        return String::new();
    };
    let text = verb.value.scalar().unwrap_or("");
    let about = match verb.name() {
        "read" | "sql" | "each" => {
            let tokens = token::tokens(text);
            let first = tokens.first().map_or("", |token| token.text);
            format!("{first} {}", token::table(text).unwrap_or_default())
        }
        "call" | "lock" | "renew" | "use" | "effect" | "op" | "spawn" | "request" => {
            text.split('(').next().unwrap_or("").to_owned()
        }
        _ => String::new(),
    };
    format!("{} {}", verb.name(), about.trim())
}
