//! What is no mistake, but probably not meant: flows that nothing runs or that do nothing, and what SQLite cannot show of
//! PostgreSQL. Told beside the problems; a scenario with hints is a good one.

mod literal;
mod wait;

use std::collections::{BTreeMap, BTreeSet};

use super::lower::words;
use super::node::{Entry, Kind, Node};
use super::problem::Report;
use super::token;

/// Verbs that read, decide or wait, and leave nothing behind.
const QUIET: [&str; 9] = [
    "read",
    "set",
    "new_id",
    "if",
    "each",
    "while",
    "return",
    "transaction",
    "take",
];
/// Statements that write.
const WRITES: [&str; 4] = ["INSERT", "UPDATE", "DELETE", "REPLACE"];

/// Adds the hints about a scenario without problems.
pub(super) fn add(report: &Report<'_>, root: &Node) {
    let flows = Flows::of(root);
    flows.unreached(report, root);
    flows.effectless(report);
    wait::add(report, root);
    literal::add(report, root);
    for text in parts(root) {
        lonely_rows(report, text.steps);
        if text.postgres {
            postgres(report, text.steps);
        }
    }
    if is_postgres(root) {
        root.get("schema")
            .iter()
            .for_each(|schema| trigger(report, schema));
    }
}

/// Flows of the base, of a version or of a variant.
struct Part<'n> {
    steps: &'n Node,
    postgres: bool,
}

fn is_postgres(node: &Node) -> bool {
    node.get("target").and_then(Node::scalar) == Some("postgres")
}

fn entries(node: Option<&Node>) -> Vec<&Entry> {
    let list = node.and_then(Node::list).unwrap_or(&[]).iter();
    let listed = list.filter_map(Node::entries).flatten();
    let mapped = node.and_then(Node::entries).unwrap_or(&[]);
    listed.chain(mapped).collect()
}

/// Every place where flows are written.
fn parts(root: &Node) -> Vec<Part<'_>> {
    let base = is_postgres(root);
    let mut found = Vec::new();
    for layer in layers(root) {
        // A variant on the reference store runs what the store does, and that is SQLite.
        let stored = layer.get("store").is_some();
        let postgres = !stored && layer.get("target").map_or(base, |_| is_postgres(layer));
        let versions = entries(layer.get("versions")).into_iter();
        let versions = versions.filter_map(|version| version.value.get("flows"));
        let nodes = layer.get("flows").into_iter().chain(versions);
        found.extend(nodes.map(|steps| Part { steps, postgres }));
    }
    found
}

/// The file, then each of its variants.
fn layers(root: &Node) -> Vec<&Node> {
    let variants = entries(root.get("variants")).into_iter();
    [root]
        .into_iter()
        .chain(variants.map(|variant| &variant.value))
        .collect()
}

/// All flows by their names, each with everything that any version or variant makes of it.
struct Flows<'n> {
    found: BTreeMap<&'n str, Flow<'n>>,
}

struct Flow<'n> {
    /// Where it is written first.
    entry: &'n Entry,
    bodies: Vec<&'n Node>,
    /// Flows that it sets going.
    calls: Vec<&'n str>,
    acts: bool,
}

impl<'n> Flows<'n> {
    fn of(root: &'n Node) -> Self {
        let verbs: Vec<&str> = words::verbs().into_iter().map(|form| form.verb).collect();
        let loud = |name: &str| verbs.contains(&name) && !QUIET.contains(&name);
        let mut found: BTreeMap<&str, Flow<'_>> = BTreeMap::new();
        for part in parts(root) {
            for entry in part.steps.entries().unwrap_or(&[]) {
                let name = entry.name().split('(').next().unwrap_or("").trim();
                let flow = found.entry(name).or_insert(Flow {
                    entry,
                    bodies: Vec::new(),
                    calls: Vec::new(),
                    acts: false,
                });
                flow.bodies.push(&entry.value);
                flow.acts |= acts(&entry.value, &loud);
                called(&entry.value, &mut flow.calls);
            }
        }
        Self { found }
    }

    /// These flows and all that they set going.
    fn closure(&self, roots: Vec<&'n str>) -> BTreeSet<&'n str> {
        let mut seen = BTreeSet::new();
        let mut open = roots;
        while let Some(name) = open.pop() {
            if seen.insert(name) {
                let calls = self.found.get(name).map_or(&[][..], |flow| &flow.calls);
                open.extend(calls);
            }
        }
        seen
    }

    fn unreached(&self, report: &Report<'_>, root: &'n Node) {
        let reached = self.closure(roots(root));
        for (name, flow) in &self.found {
            // A file that is imported may have more than one scenario needs.
            if !reached.contains(name) && report.source().is_own(flow.entry.key.start) {
                let message = format!("nothing runs flow `{name}`");
                let help = "no event sends it, no process runs it, no flow that runs calls it: send it, or leave it out";
                report.hint(&flow.entry.key, message, help);
            }
        }
    }

    fn effectless(&self, report: &Report<'_>) {
        for (name, flow) in &self.found {
            let all = self.closure(vec![name]);
            let acts = all
                .iter()
                .any(|name| self.found.get(name).is_some_and(|flow| flow.acts));
            let empty = flow.bodies.iter().all(|body| body.len() == 0);
            if !acts && !empty && report.source().is_own(flow.entry.key.start) {
                let message = format!("flow `{name}` leaves nothing behind");
                let help =
                    "it writes no row, sends nothing and answers nobody; its variables end with it";
                report.hint(&flow.entry.key, message, help);
            }
        }
    }
}

/// Flows that events send and processes run, in the file and in its variants.
fn roots(root: &Node) -> Vec<&str> {
    let mut found = Vec::new();
    for layer in layers(root) {
        for process in entries(layer.get("processes")) {
            let looped = process
                .value
                .get("loop")
                .and_then(|looped| looped.get("flow"));
            let own = ["start", "stop"].map(|key| process.value.get(key));
            found.extend(own.into_iter().chain([looped]).flatten());
        }
    }
    found.extend(
        entries(root.get("events"))
            .into_iter()
            .filter_map(|event| event.value.get("send")),
    );
    found.into_iter().filter_map(Node::scalar).collect()
}

/// Names under `call`, `spawn` and `request`, wherever they stand.
fn called<'n>(node: &'n Node, found: &mut Vec<&'n str>) {
    each_map(node, &mut |map| {
        for entry in map.entries().unwrap_or(&[]) {
            if ["call", "spawn", "request"].contains(&entry.name()) {
                found.extend(entry.value.scalar());
            }
        }
    });
}

/// Whether some step does what others can see: a loud verb, or memory that is set.
fn acts(node: &Node, loud: &dyn Fn(&str) -> bool) -> bool {
    match &node.kind {
        Kind::Scalar { text, .. } => text == "reply",
        Kind::List(items) => items.iter().any(|item| acts(item, loud)),
        Kind::Map { entries, .. } => entries.iter().any(|entry| {
            let inner = entry.value.entries().unwrap_or(&[]);
            let sets = inner
                .iter()
                .any(|inner| inner.name().starts_with("memory."));
            let own = loud(entry.name()) || (entry.name() == "set" && sets);
            own || acts(&entry.value, loud)
        }),
    }
}

/// `rows` counts for nothing without `else`.
fn lonely_rows(report: &Report<'_>, node: &Node) {
    each_map(node, &mut |map| {
        if let (Some(rows), None, Some(_)) = (map.get("rows"), map.get("else"), map.get("sql")) {
            let help = "write what happens then: else: return; without it the difference goes unnoticed, as in code that does not look";
            report.hint(rows, "`rows` without `else` does nothing", help);
        }
    });
}

fn each_map<'n>(node: &'n Node, visit: &mut dyn FnMut(&'n Node)) {
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| each_map(item, visit)),
        Kind::Map { entries, .. } => {
            visit(node);
            entries
                .iter()
                .for_each(|entry| each_map(&entry.value, visit));
        }
    }
}

/// What a run on SQLite does not show of a system on PostgreSQL.
fn postgres(report: &Report<'_>, flows: &Node) {
    each_map(flows, &mut |map| {
        for entry in map.entries().unwrap_or(&[]) {
            match entry.name() {
                "transaction" => {
                    let message = "SQLite lets one writing transaction in after the other, PostgreSQL does not: races between its steps do not show";
                    let help = "for `target: postgres` write its steps without `transaction`: each commits by itself, as others see them at READ COMMITTED; \
                                a row that it locks is a `lock` step";
                    report.hint(&entry.key, message, help);
                }
                "busy" => {
                    let help = "catch what PostgreSQL answers: a `constraint`, or a `timeout` of a `lock` step";
                    report.hint(&entry.key, "PostgreSQL is never `busy`", help);
                }
                "sql" => at_once(report, &entry.value),
                _ => {}
            }
        }
    });
}

/// A statement that reads and writes: one moment on SQLite, two on PostgreSQL.
fn at_once(report: &Report<'_>, node: &Node) {
    let Some(text) = node.scalar() else { return };
    let tokens = token::tokens(text);
    let is = |words: &[&str]| {
        let mut tokens = tokens.iter();
        tokens.any(|token| words.iter().any(|word| token.is(word)))
    };
    // `ON CONFLICT` looks and writes in one moment there, too.
    if is(&WRITES) && is(&["SELECT"]) && !is(&["CONFLICT"]) {
        let message = "this statement reads and writes in one moment on SQLite; on PostgreSQL others may write between the two";
        let help = "to see what happens then, write it as a `read` and an `sql` step; a unique index decides on both";
        report.hint(node, message, help);
    }
}

fn trigger(report: &Report<'_>, schema: &Node) {
    let tokens = token::tokens(schema.scalar().unwrap_or(""));
    if tokens.iter().any(|token| token.is("TRIGGER")) {
        let message =
            "a trigger runs in one moment on SQLite; on PostgreSQL others may write while it runs";
        let help = "to see what happens then, write what it does as steps of the flows";
        report.hint(schema, message, help);
    }
}
