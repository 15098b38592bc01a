//! `extends: VARIANT`: a variant that is another one with further changes. The other's tree is laid under its own before
//! anything is lowered.

use super::node::{Entry, Kind, Node};
use super::patch;
use super::problem::Report;
use super::source::Style;

/// The key.
pub(super) const EXTENDS: &str = "extends";

/// What a variant does not inherit: they are about itself.
const OWN: [&str; 2] = [EXTENDS, "expect"];

/// Lays under each variant the one that it extends.
pub(super) fn apply(report: &Report<'_>, root: &mut Node) {
    let Some(variants) = root.get("variants") else {
        return;
    };
    let entries: Vec<Entry> = report
        .named(variants, "`variants`")
        .into_iter()
        .cloned()
        .collect();
    if entries
        .iter()
        .all(|entry| entry.value.get(EXTENDS).is_none())
    {
        return;
    }
    let whole: Vec<Entry> = entries
        .iter()
        .map(|entry| Entry {
            key: entry.key.clone(),
            value: whole(report, &entries, entry, &mut vec![entry.name()]),
        })
        .collect();
    if let Some(variants) = root.get_mut("variants") {
        variants.kind = Kind::Map {
            entries: whole,
            flow: false,
        };
    }
}

/// A variant with all that it extends under it. `above` are the names of those that extend it, itself included.
fn whole<'e>(
    report: &Report<'_>,
    all: &'e [Entry],
    entry: &'e Entry,
    above: &mut Vec<&'e str>,
) -> Node {
    let Some(extends) = entry.value.get(EXTENDS) else {
        return entry.value.clone();
    };
    let known: Vec<&str> = all.iter().map(Entry::name).collect();
    let Some(index) = report.known(extends, "variant", &known) else {
        return entry.value.clone();
    };
    let below = &all[index];
    if above.contains(&below.name()) {
        let message = format!("variant `{}` extends itself", entry.name());
        report.at(extends, message, "break the circle of `extends`");
        return entry.value.clone();
    }
    above.push(below.name());
    let mut laid = whole(report, all, below, above);
    above.pop();
    if let Kind::Map { entries, .. } = &mut laid.kind {
        entries.retain(|entry| !OWN.contains(&entry.name()));
    }
    let own = entry.value.entries().unwrap_or(&[]);
    let own: Vec<&Entry> = own.iter().filter(|own| own.name() != EXTENDS).collect();
    lay(report, &mut laid, &own, "", false);
    laid.start = entry.value.start;
    laid.end = entry.value.end;
    laid
}

/// Lays entries over a mapping: mappings are joined key by key, texts of schema and lists of setup one after the other, anything
/// else is replaced.
///
/// `at` is the key under which both stand; `of_flow` says that they are patches of one flow, by label.
fn lay(report: &Report<'_>, under: &mut Node, over: &[&Entry], at: &str, of_flow: bool) {
    if !matches!(under.kind, Kind::Map { .. }) {
        under.kind = Kind::Map {
            entries: Vec::new(),
            flow: false,
        };
    }
    let Kind::Map { entries, .. } = &mut under.kind else {
        return;
    };
    for entry in over {
        let same = |other: &Entry| bare(other.name()) == bare(entry.name());
        let Some(old) = entries.iter_mut().find(|other| same(other)) else {
            entries.push((*entry).clone());
            continue;
        };
        match (&mut old.value.kind, &entry.value.kind) {
            // What happens at one label is said anew.
            (Kind::Map { .. }, Kind::Map { .. }) if of_flow => *old = (*entry).clone(),
            (Kind::Map { .. }, Kind::Map { entries: new, .. }) => {
                let new: Vec<&Entry> = new.iter().collect();
                lay(report, &mut old.value, &new, entry.name(), at == "flows");
            }
            (Kind::List(steps), Kind::Map { .. }) if at == "flows" => {
                patch::apply(report, steps, &entry.value, bare(entry.name()));
            }
            (Kind::List(old), Kind::List(new)) if entry.name() == "setup" => {
                old.extend(new.iter().cloned());
            }
            (Kind::Scalar { text, .. }, Kind::Scalar { text: new, .. })
                if entry.name() == "schema" =>
            {
                let joined = format!("{};\n{new}", text.trim().trim_end_matches(';'));
                old.value = Node {
                    kind: Kind::Scalar {
                        text: joined,
                        style: Style::Plain,
                    },
                    ..entry.value.clone()
                };
            }
            _ => *old = (*entry).clone(),
        }
    }
}

/// The name of a flow without its parameters; of anything else, itself.
fn bare(name: &str) -> &str {
    name.split('(').next().unwrap_or(name).trim()
}
