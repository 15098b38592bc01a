//! Texts that a rule or a goal compares with: one that nothing in the scenario can be never matches, and a rule that never
//! fires looks like one that holds.

use std::collections::{BTreeMap, BTreeSet};

use super::super::names;
use super::super::node::{Entry, Kind as NodeKind, Node};
use super::super::problem::Report;
use super::super::token::{self, Kind, Token};
use super::{each_map, entries, layers, parts};
use crate::trace;

/// Recorded tables with the columns whose values are known beforehand.
const RECORDED: [(&str, &[&str]); 3] = [
    ("event", &["kind", "cause", "actor"]),
    ("effect", &["name", "cause", "author"]),
    ("change", &["tab", "cause"]),
];

/// Adds the hints.
pub(super) fn add(report: &Report<'_>, root: &Node) {
    let known = Known::of(root);
    for layer in layers(root) {
        for rule in entries(layer.get("invariants")) {
            let kinds = ["never", "history", "finally"].iter();
            let texts = kinds.filter_map(|kind| rule.value.get(kind));
            texts.for_each(|text| known.judge(report, text));
        }
        for goal in entries(layer.get("goals")) {
            known.judge(report, &goal.value);
        }
    }
}

/// What the scenario can produce.
struct Known<'n> {
    columns: BTreeMap<&'static str, BTreeSet<String>>,
    events: Vec<&'n str>,
    /// Text of the schemas.
    schema: String,
    /// Texts outside of rules and goals.
    texts: BTreeSet<String>,
    stored: bool,
}

/// A text that is compared with a column.
struct Compared<'t> {
    column: &'t str,
    /// What stands before its dot.
    of: Option<&'t str>,
    text: String,
    like: bool,
}

impl<'n> Known<'n> {
    fn of(root: &'n Node) -> Self {
        let events: Vec<&str> = entries(root.get("events"))
            .into_iter()
            .map(Entry::name)
            .collect();
        let mut columns: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let kinds = trace::Kind::ALL.iter().map(|kind| kind.name().to_owned());
        columns.insert("kind", kinds.collect());
        let mut effects = BTreeSet::new();
        for part in parts(root) {
            each_map(part.steps, &mut |map| {
                let effect = map.get("effect").and_then(Node::scalar);
                effects.extend(effect.map(str::to_owned));
            });
        }
        columns.insert("name", effects);
        let mut actors = BTreeSet::new();
        for layer in layers(root) {
            for process in entries(layer.get("processes")) {
                let count = process.value.get("count").unwrap_or(&process.value);
                let count = count.scalar().and_then(|text| text.parse::<u32>().ok());
                actors.extend((1..=count.unwrap_or(1)).map(|n| format!("{}.{n}", process.name())));
            }
        }
        columns.insert("actor", actors);
        let mut known = Self {
            columns,
            events,
            schema: String::new(),
            texts: BTreeSet::new(),
            stored: layers(root)
                .iter()
                .any(|layer| layer.get("store").is_some()),
        };
        known.read(root);
        known
    }

    /// Collects tables and texts.
    fn read(&mut self, root: &Node) {
        let mut tables = BTreeSet::new();
        let mut add = |text: &str, before: &str| {
            for statement in text.split(';') {
                let is_table = token::changes_schema(statement);
                tables.extend(
                    token::made(statement)
                        .filter(|_| is_table)
                        .map(|name| format!("{before}{name}")),
                );
            }
        };
        for layer in layers(root) {
            for part in [layer.get("schema"), layer.get("setup"), layer.get("repair")]
                .into_iter()
                .flatten()
            {
                if let Some(text) = part.scalar() {
                    add(text, "");
                    self.schema.push_str(text);
                }
                texts(part, &mut self.texts);
            }
            for database in entries(layer.get("databases")) {
                if let Some(text) = database.value.get("schema").and_then(Node::scalar) {
                    add(text, &format!("{}.", database.name()));
                    self.schema.push_str(text);
                }
                texts(&database.value, &mut self.texts);
            }
            for key in ["processes", "events"] {
                layer
                    .get(key)
                    .into_iter()
                    .for_each(|node| texts(node, &mut self.texts));
            }
        }
        for part in parts(root) {
            each_map(part.steps, &mut |map| {
                let sql = map.get("sql").and_then(Node::scalar);
                sql.into_iter().for_each(|text| add(text, ""));
            });
            texts(part.steps, &mut self.texts);
        }
        self.columns.insert("tab", tables);
    }

    fn judge(&self, report: &Report<'_>, node: &Node) {
        let Some(text) = node.scalar() else { return };
        let tokens = token::tokens(text);
        let tables = tables(&tokens);
        for compared in compared(&tokens) {
            match self.recorded(&compared, &tables) {
                Some(column) => self.judge_recorded(report, node, column, &compared),
                None if is_of_a_record(&compared, &tables) => {}
                None => self.judge_own(report, node, &compared),
            }
        }
    }

    /// The column of a recorded table that is meant, if one is.
    fn recorded(
        &self,
        compared: &Compared<'_>,
        tables: &BTreeMap<String, String>,
    ) -> Option<&'static str> {
        let of = compared.of.map(str::to_lowercase);
        let used = |table: &str| match &of {
            Some(of) => tables.get(of).is_some_and(|found| found == table),
            None => tables.values().any(|found| found == table),
        };
        let mut columns = RECORDED
            .iter()
            .filter(|(table, _)| used(table))
            .flat_map(|(_, columns)| columns.iter().copied());
        let column = columns.find(|column| column.eq_ignore_ascii_case(compared.column))?;
        // A table of the file may have a column of that name, too.
        let mut words = token::tokens(&self.schema).into_iter();
        let own = of.is_none() && words.any(|word| word.is(column));
        (!own).then_some(column)
    }

    fn judge_recorded(
        &self,
        report: &Report<'_>,
        node: &Node,
        column: &'static str,
        compared: &Compared<'_>,
    ) {
        let what = match column {
            "kind" => "kind of event",
            "name" => "effect",
            "tab" if self.stored => return,
            "tab" => "table",
            "cause" => return self.judge_cause(report, node, compared),
            _ => "process",
        };
        let column = if column == "author" { "actor" } else { column };
        let known = &self.columns[column];
        let found = match compared.like {
            false => known.contains(&compared.text),
            true => known.iter().any(|known| like(&compared.text, known)),
        };
        if !found {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let message = format!(
                "no {what} is ever '{}': this compares with what never is",
                compared.text
            );
            report.hint(node, message, names::help(&compared.text, what, &known));
        }
    }

    /// A cause begins with the label of an event, or with a word of the harness.
    fn judge_cause(&self, report: &Report<'_>, node: &Node, compared: &Compared<'_>) {
        let own = [
            "again", "start", "stop", "loop", "setup", "repair", "restore", "world",
        ];
        let text = compared
            .text
            .strip_prefix("again/")
            .unwrap_or(&compared.text);
        let first = text.split(['/', '#', ' ', '%', '.']).next().unwrap_or("");
        // What comes after a slash is a flow that was set going, and may stand anywhere.
        let inner = compared.like && first.is_empty();
        let mut labels = self.events.iter().chain(&own);
        let found = labels.any(|label| match compared.like {
            true => label.starts_with(first.split('_').next().unwrap_or("")),
            false => *label == first,
        });
        if !found && !inner {
            let message = format!(
                "no cause is ever '{}': this compares with what never is",
                compared.text
            );
            report.hint(node, message, names::help(first, "event", &self.events));
        }
    }

    /// A column of the file's own: only where a text that the scenario has is near.
    fn judge_own(&self, report: &Report<'_>, node: &Node, compared: &Compared<'_>) {
        let text = compared.text.as_str();
        // The store has words of its own.
        if self.stored || compared.like || text.len() < SHORTEST || self.texts.contains(text) {
            return;
        }
        let known: Vec<&str> = self
            .texts
            .iter()
            .map(String::as_str)
            .filter(|known| known.len() >= SHORTEST)
            .collect();
        if let Some(near) = names::nearest(text, &known) {
            let message = format!("nothing in this scenario is '{text}'");
            report.hint(node, message, format!("did you mean '{near}'?"));
        }
    }
}

/// Columns of recorded tables whose values depend on the run.
const FREE: [&str; 8] = [
    "arg",
    "outcome",
    "intent",
    "key",
    "destination",
    "old",
    "new",
    "invariant",
];

fn is_of_a_record(compared: &Compared<'_>, tables: &BTreeMap<String, String>) -> bool {
    let recorded = |table: &String| RECORDED.iter().any(|(known, _)| table == known);
    match compared.of {
        Some(of) => tables.get(&of.to_lowercase()).is_some_and(recorded),
        None => {
            let free = FREE
                .iter()
                .any(|free| free.eq_ignore_ascii_case(compared.column));
            free && tables.values().any(recorded)
        }
    }
}

/// Shorter texts are near to any other.
const SHORTEST: usize = 4;

/// Whether a pattern of LIKE, as far as its first part without a sign, fits.
fn like(pattern: &str, known: &str) -> bool {
    let part = pattern
        .trim_start_matches('%')
        .split(['%', '_'])
        .next()
        .unwrap_or("");
    known.to_lowercase().contains(&part.to_lowercase())
}

/// Texts in quotes, and scalars.
fn texts(node: &Node, found: &mut BTreeSet<String>) {
    match &node.kind {
        NodeKind::Scalar { text, .. } => {
            found.insert(text.clone());
            let tokens = token::tokens(text);
            found.extend(
                tokens
                    .iter()
                    .filter(|token| token.kind == Kind::Text)
                    .map(inside),
            );
        }
        NodeKind::List(items) => items.iter().for_each(|item| texts(item, found)),
        NodeKind::Map { entries, .. } => entries.iter().for_each(|entry| {
            found.insert(entry.name().to_owned());
            texts(&entry.value, found);
        }),
    }
}

fn inside(token: &Token<'_>) -> String {
    let text = token.text.strip_prefix('\'').unwrap_or(token.text);
    text.strip_suffix('\'').unwrap_or(text).replace("''", "'")
}

/// Tables of a query by the names that it gives them.
fn tables(tokens: &[Token<'_>]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (at, token) in tokens.iter().enumerate() {
        let from = token.is("FROM") || token.is("JOIN");
        // `FROM a, b`: a comma after a table, or after its name here.
        let more = token.text == "," && tokens.get(at + 1).is_some_and(|next| is_recorded(next));
        let Some(table) = tokens
            .get(at + 1)
            .filter(|next| (from || more) && next.kind == Kind::Word)
        else {
            continue;
        };
        let table = table.text.to_lowercase();
        let next = tokens.get(at + 2).filter(|next| next.kind == Kind::Word);
        let name = match next {
            Some(word) if word.is("AS") => tokens.get(at + 3),
            Some(word) if !ENDS.iter().any(|end| word.is(end)) => Some(word),
            _ => None,
        };
        found.extend(name.map(|name| (name.text.to_lowercase(), table.clone())));
        found.insert(table.clone(), table);
    }
    found
}

fn is_recorded(token: &Token<'_>) -> bool {
    RECORDED.iter().any(|(table, _)| token.is(table))
}

/// Words that may follow a table and are no name for it.
const ENDS: [&str; 16] = [
    "WHERE",
    "JOIN",
    "LEFT",
    "INNER",
    "CROSS",
    "NATURAL",
    "ON",
    "USING",
    "GROUP",
    "ORDER",
    "HAVING",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "AS",
];

/// Every `column = 'text'`, `column IN ('a', 'b')` and `column LIKE 'x%'`, with their opposites and sides changed.
fn compared<'t>(tokens: &[Token<'t>]) -> Vec<Compared<'t>> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Word || tokens.get(at + 1).is_some_and(|next| next.text == ".") {
            continue;
        }
        let before = |n: usize| at.checked_sub(n).and_then(|at| tokens.get(at));
        // What comes out of JSON is no column.
        if before(1).is_some_and(|mark| mark.text == ">") {
            continue;
        }
        let dotted = before(1).is_some_and(|dot| dot.text == ".");
        let of = before(2).filter(|_| dotted).map(|token| token.text);
        let mut push = |text: &Token<'t>, like: bool| {
            if text.kind == Kind::Text {
                found.push(Compared {
                    column: token.text,
                    of,
                    text: inside(text),
                    like,
                });
            }
        };
        let mut next = tokens[at + 1..].iter().peekable();
        next.next_if(|word| word.is("NOT"));
        let Some(operator) = next.next() else {
            continue;
        };
        if operator.is("IN") {
            next.next_if(|mark| mark.text == "(");
            let listed = next.take_while(|token| token.kind == Kind::Text || token.text == ",");
            listed.for_each(|text| push(text, false));
        } else if operator.is("LIKE") {
            next.next().into_iter().for_each(|text| push(text, true));
        } else if ["=", "<", "!"].contains(&operator.text) || operator.is("IS") {
            let equal = next
                .next_if(|mark| ["=", ">"].contains(&mark.text))
                .is_some();
            next.next_if(|word| word.is("NOT"));
            let text = next.next().filter(|_| operator.text != "<" || equal);
            text.into_iter().for_each(|text| push(text, false));
        }
    }
    found
}
