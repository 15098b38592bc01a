//! What each variant is expected to do.

use super::super::fields::as_steps;
use super::super::names;
use super::super::node::{Entry, Node};
use super::super::problem::Report;
use super::super::program::Expect;
use super::words;

/// The expectation of a variant: under `expect` of the file, or of the variant itself.
pub(super) fn of(
    report: &Report<'_>,
    root: &Node,
    variant: &Entry,
    invariants: &[&str],
) -> Option<Expect> {
    let shared = root.get("expect").and_then(|node| node.get(variant.name()));
    match (shared, variant.value.get("expect")) {
        (Some(_), Some(own)) => {
            let message = format!("`{}` has two expectations", variant.name());
            report.at(
                own,
                message,
                "keep the one under `expect` of the file, or this one",
            );
            None
        }
        (Some(node), None) | (None, Some(node)) => read(report, node, invariants),
        (None, None) => {
            let message = format!("variant `{}` has no expectation", variant.name());
            report.at(
                &variant.key,
                message,
                "write under `expect`: holds, undecided, or { violates: [names] }",
            );
            None
        }
    }
}

fn read(report: &Report<'_>, node: &Node, invariants: &[&str]) -> Option<Expect> {
    match node.scalar() {
        Some("holds") => return Some(Expect::Holds),
        Some("undecided") => return Some(Expect::Undecided),
        _ => {}
    }
    if node.entries().is_some() {
        report.only(node, "an expectation", &["violates"]);
    }
    let Some(names) = node.get("violates") else {
        if node.entries().is_none() {
            let text = node.scalar().unwrap_or("");
            let help = names::help(text, "verdict", &words::VERDICTS);
            report.at(
                node,
                "an expectation is holds, undecided, or { violates: [names] }",
                help,
            );
        }
        return None;
    };
    let mut found: Vec<String> = Vec::new();
    // One name may stand without a list, as a body may.
    for name in as_steps(names) {
        let index = report.known(name, "invariant", invariants)?;
        found.extend(invariants.get(index).map(|name| (*name).to_owned()));
    }
    if found.is_empty() {
        report.at(
            names,
            "`violates` names nothing",
            "name each invariant that some run violates",
        );
        return None;
    }
    Some(Expect::Violates(found))
}

/// Expectations for variants that are not there.
pub(super) fn strangers(report: &Report<'_>, root: &Node, variants: &[&str]) {
    let Some(node) = root.get("expect") else {
        return;
    };
    for entry in report.mapping(node, "`expect`") {
        if !variants.contains(&entry.name()) {
            let message = format!("there is no variant `{}`", entry.name());
            report.at(
                &entry.key,
                message,
                names::help(entry.name(), "variant", variants),
            );
        }
    }
}
