//! Patches of a variant: whole flows, or single labelled steps of them, replaced in the tree before it is lowered.

use super::fields::as_steps;
use super::names;
use super::node::{Entry, Kind, Node};
use super::problem::Report;

/// Keys of a patch.
pub(super) const PATCH: [&str; 3] = ["replace", "before", "after"];

/// What happens around one labelled step.
struct Patch<'n> {
    /// Steps before it.
    before: &'n [Node],
    /// Instead of it; none keeps it.
    replace: Option<&'n [Node]>,
    /// Steps after it.
    after: &'n [Node],
}

/// Applies `{ LABEL: { replace | before | after: […] } | delete }` to the steps of a flow.
pub(super) fn apply(report: &Report<'_>, steps: &mut Vec<Node>, patches: &Node, flow: &str) {
    for entry in report.mapping(patches, "a patch of a flow") {
        let labels = labels(steps);
        if !labels.iter().any(|label| label == entry.name()) {
            let known: Vec<&str> = labels.iter().map(String::as_str).collect();
            let message = format!(
                "flow `{flow}` has no step with the label `{}`",
                entry.name()
            );
            report.at(
                &entry.key,
                message,
                names::help(entry.name(), "label", &known),
            );
            continue;
        }
        if let Some(patch) = read(report, entry) {
            insert(steps, entry.name(), &patch);
        }
    }
}

fn read<'n>(report: &Report<'_>, entry: &'n Entry) -> Option<Patch<'n>> {
    let none = Patch {
        before: &[],
        replace: None,
        after: &[],
    };
    if entry.value.scalar() == Some("delete") {
        return Some(Patch {
            replace: Some(&[]),
            ..none
        });
    }
    if entry.value.entries().is_none_or(<[Entry]>::is_empty) {
        let message = format!("the patch of `{}` does not say what to do", entry.name());
        report.at(
            &entry.value,
            message,
            "write { replace: [steps] }, { before: [steps] }, { after: [steps] } or delete",
        );
        return None;
    }
    report.only(&entry.value, "a patch", &PATCH);
    let steps = |key| entry.value.get(key).map(as_steps);
    Some(Patch {
        before: steps("before").unwrap_or(&[]),
        replace: steps("replace"),
        after: steps("after").unwrap_or(&[]),
    })
}

/// Puts the patch where the label is, also inside bodies. Labels are unique in a flow, so the first is the only one.
fn insert(steps: &mut Vec<Node>, label: &str, patch: &Patch<'_>) -> bool {
    let here = |step: &Node| step.get("label").and_then(Node::scalar) == Some(label);
    let Some(index) = steps.iter().position(here) else {
        return steps
            .iter_mut()
            .any(|step| insert_below(step, label, patch));
    };
    let kept = steps.remove(index);
    let mut new: Vec<Node> = patch.before.to_vec();
    match patch.replace {
        Some(replace) => new.extend_from_slice(replace),
        None => new.push(kept),
    }
    new.extend_from_slice(patch.after);
    steps.splice(index..index, new);
    true
}

fn insert_below(node: &mut Node, label: &str, patch: &Patch<'_>) -> bool {
    match &mut node.kind {
        Kind::Scalar { .. } => false,
        Kind::List(items) => insert(items, label, patch),
        Kind::Map { entries, .. } => entries
            .iter_mut()
            .any(|entry| insert_value(&mut entry.value, label, patch)),
    }
}

/// A body may be a single step instead of a list; it becomes a list when it is the one that is patched.
fn insert_value(value: &mut Node, label: &str, patch: &Patch<'_>) -> bool {
    if value.get("label").and_then(Node::scalar) == Some(label) {
        let mut steps = vec![value.clone()];
        insert(&mut steps, label, patch);
        value.kind = Kind::List(steps);
        return true;
    }
    insert_below(value, label, patch)
}

/// All labels of a flow.
fn labels(steps: &[Node]) -> Vec<String> {
    let mut found = Vec::new();
    for step in steps {
        collect(step, &mut found);
    }
    found
}

fn collect(node: &Node, found: &mut Vec<String>) {
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| collect(item, found)),
        Kind::Map { entries, .. } => {
            for entry in entries {
                match entry.value.scalar() {
                    Some(label) if entry.name() == "label" => found.push(label.to_owned()),
                    _ => collect(&entry.value, found),
                }
            }
        }
    }
}
