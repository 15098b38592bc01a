//! Reads the keys of a mapping: the ones that are known, one by one; the ones that are not, into the report.

use rusqlite::types::Value;

use super::node::{Entry, Node};
use super::problem::Report;
use super::program::{Millis, Span};
use super::{duration, names};

impl Report<'_> {
    /// Adds a problem about a node.
    pub(super) fn at(&self, node: &Node, message: impl Into<String>, help: impl Into<String>) {
        self.add(node.start, node.end, message, help);
    }

    /// The entries of a mapping. Anything else is a problem, but nothing at all is an empty mapping.
    pub(super) fn mapping<'n>(&self, node: &'n Node, what: &str) -> &'n [Entry] {
        if let Some(entries) = node.entries() {
            return entries;
        }
        if !node.is_null() {
            let message = format!("{what} is a mapping, not {}", node.what());
            self.at(
                node,
                message,
                "write `key: value` pairs, one to a line, or { key: value, … }",
            );
        }
        &[]
    }

    /// The items of a list. Anything else is a problem, but nothing at all is an empty list.
    pub(super) fn items<'n>(&self, node: &'n Node, what: &str) -> &'n [Node] {
        if let Some(items) = node.list() {
            return items;
        }
        if !node.is_null() {
            let message = format!("{what} is a list, not {}", node.what());
            self.at(
                node,
                message,
                "write each item on its own line after `- `, or [a, b]",
            );
        }
        &[]
    }

    /// Named things in order, written as a mapping or as a list of `- name: value`.
    pub(super) fn named<'n>(&self, node: &'n Node, what: &str) -> Vec<&'n Entry> {
        let Some(items) = node.list() else {
            return self.mapping(node, what).iter().collect();
        };
        let mut found: Vec<&Entry> = Vec::new();
        for item in items {
            let [entry] = item.entries().unwrap_or(&[]) else {
                if let Some(name) = item.scalar().filter(|_| !item.is_null()) {
                    let message =
                        format!("an item of {what} is `name: value`, `{name}` has no value");
                    self.at(
                        item,
                        message,
                        format!("write `{name}: …`; a value without keys is {{}}"),
                    );
                    continue;
                }
                let message = format!(
                    "an item of {what} is one `name: value`, not {}",
                    item.what()
                );
                self.at(
                    item,
                    message,
                    "write `- name: …`; further keys belong into the value, indented below",
                );
                continue;
            };
            if found.iter().any(|other| other.name() == entry.name()) {
                let message = format!("`{}` is there twice", entry.name());
                self.at(&entry.key, message, "give each of them a name of its own");
                continue;
            }
            found.push(entry);
        }
        found
    }

    /// Every key of a mapping must be one of these.
    pub(super) fn only(&self, node: &Node, what: &str, known: &[&str]) {
        for entry in self.mapping(node, what) {
            if !known.contains(&entry.name()) {
                self.unknown_key(node, entry, what, known);
            }
        }
    }

    /// Says what is probably meant by a key that nobody knows.
    pub(super) fn unknown_key(&self, node: &Node, entry: &Entry, what: &str, known: &[&str]) {
        let name = entry.name();
        if node.is_flow_map() && entry.value.is_null() && !known.contains(&name) {
            let message =
                format!("`{name}` is read as a key of {what}: a comma ended the text before it");
            let help = "inside { } a comma separates keys: put SQL into quotes, { sql: \"… (:a, :b)\" }, \
                        and arguments under with: { a: \":a\", b: \":b\" }";
            self.at(&entry.key, message, help);
            return;
        }
        let message = format!("unknown key `{name}` in {what}");
        self.at(&entry.key, message, names::help(name, "key", known));
    }

    /// The text of a scalar that is not null.
    pub(super) fn text<'n>(&self, node: &'n Node, what: &str) -> Option<&'n str> {
        match node.scalar() {
            Some(text) if !node.is_null() => Some(text),
            _ => {
                let message = format!("{what} is a text, not {}", node.what());
                self.at(node, message, format!("write {what} on one line"));
                None
            }
        }
    }

    /// A name of the language.
    pub(super) fn name<'n>(&self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = self.text(node, what)?;
        if names::is_name(text) {
            return Some(text);
        }
        let message = format!("`{text}` is no name for {what}");
        self.at(
            node,
            message,
            "a name is a letter, then letters, digits and _, at most 64",
        );
        None
    }

    /// One of the known names.
    pub(super) fn known(&self, node: &Node, what: &str, known: &[&str]) -> Option<usize> {
        let text = self.text(node, what)?;
        let found = known.iter().position(|name| *name == text);
        if found.is_none() {
            self.at(
                node,
                format!("unknown {what} `{text}`"),
                names::help(text, what, known),
            );
        }
        found
    }

    /// A whole number.
    pub(super) fn whole(&self, node: &Node, what: &str, most: u64) -> Option<u64> {
        let number = match literal(node) {
            Some(Value::Integer(number)) => u64::try_from(number).ok(),
            _ => None,
        };
        let number = number.filter(|number| *number <= most);
        if number.is_none() {
            let given = node.scalar().unwrap_or("");
            let digits = given.trim_start_matches('-');
            let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let help = match (is_whole, given.starts_with('-'), node.is_plain()) {
                (true, true, _) => "the least is 0".to_owned(),
                (true, false, true) => format!("the most is {most}"),
                _ => "write the digits without quotes".to_owned(),
            };
            let message = format!("{what} is a whole number from 0 to {most}");
            self.at(node, message, help);
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn truth(&self, node: &Node, what: &str) -> Option<bool> {
        match node.scalar() {
            Some("true") if node.is_plain() => Some(true),
            Some("false") if node.is_plain() => Some(false),
            _ => {
                let help = "yes, no, on and off are ordinary texts in YAML 1.2";
                self.at(node, format!("{what} is true or false"), help);
                None
            }
        }
    }

    /// A duration.
    pub(super) fn millis(&self, node: &Node, what: &str) -> Option<Millis> {
        let found = node.scalar().and_then(duration::parse);
        self.needs_duration(node, what, found)
    }

    /// A duration or a range of durations.
    pub(super) fn span(&self, node: &Node, what: &str) -> Option<Span> {
        let found = node.scalar().and_then(duration::parse_span);
        self.needs_duration(node, what, found)
    }

    fn needs_duration<T>(&self, node: &Node, what: &str, found: Option<T>) -> Option<T> {
        if found.is_none() {
            let given = node.scalar().unwrap_or("");
            let message = format!("{what} is a duration, `{given}` is none");
            let form = format!(
                "{}; a range is shortest..longest, as in 8s..12s",
                duration::FORM
            );
            let help =
                duration::meant(given).map_or(form.clone(), |meant| format!("{meant}; {form}"));
            self.at(node, message, help);
        }
        found
    }
}

/// A scalar as a value, by the rules of YAML 1.2's core schema; truth values are 1 and 0, as in SQLite.
///
/// `None` for a list, a mapping, or a number that SQLite cannot hold.
pub(super) fn literal(node: &Node) -> Option<Value> {
    let text = node.scalar()?;
    if node.is_null() {
        return Some(Value::Null);
    }
    if !node.is_plain() {
        return Some(Value::Text(text.to_owned()));
    }
    match text {
        "true" | "True" | "TRUE" => return Some(Value::Integer(1)),
        "false" | "False" | "FALSE" => return Some(Value::Integer(0)),
        _ => {}
    }
    if looks_like_number(text) {
        return number(text);
    }
    Some(Value::Text(text.to_owned()))
}

/// Digits with a sign, a point or an exponent. `1:30`, `1_000` and `12.11.2025` are texts.
fn looks_like_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    if text.len() - digits.len() > 1
        || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
    {
        return false;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    }
    text.parse::<f64>().is_ok()
}

fn number(text: &str) -> Option<Value> {
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(Value::Integer);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i64::from_str_radix(octal, 8).ok().map(Value::Integer);
    }
    if text.contains(['.', 'e', 'E']) {
        let real: f64 = text.parse().ok()?;
        return real.is_finite().then_some(Value::Real(real));
    }
    text.parse().ok().map(Value::Integer)
}

/// A body: a list of steps, or one step without the list around it. Nothing at all is an empty body.
pub(super) fn as_steps(node: &Node) -> &[Node] {
    match node.list() {
        Some(items) => items,
        None if node.is_null() => &[],
        None => std::slice::from_ref(node),
    }
}
