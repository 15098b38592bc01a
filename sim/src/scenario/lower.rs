//! From nodes to programs: every variant of a file, every name resolved, every problem told.

mod database;
mod draft;
mod event;
mod expect;
mod fault;
mod flow;
mod gaps;
mod head;
mod outside;
mod reach;
mod redeliver;
mod roots;
mod rule;
mod scope;
mod start;
mod step;
mod text;
mod variant;
mod verbs_control;
mod verbs_data;
mod verbs_outside;
mod verbs_task;
mod version;
pub(super) mod words;
mod world;

use super::node::Node;
use super::problem::Report;
use super::program::Variant;
pub(super) use head::check_version;
use head::head;
use variant::variant;

/// The most variants of a file.
const MOST_VARIANTS: usize = 32;

/// Lowers a whole file: its name, and its variants in order.
pub(super) fn scenario(report: &Report<'_>, root: &Node) -> (String, Vec<Variant>) {
    let head = head(report, root);
    let written = root.get("variants").map_or(0, Node::len);
    let variants = root
        .get("variants")
        .map_or(Vec::new(), |node| report.named(node, "`variants`"));
    if written > 0 && variants.is_empty() {
        // What is wrong with them has been said.
        return (head.name, Vec::new());
    }
    if variants.is_empty() || variants.len() > MOST_VARIANTS {
        let message = format!("a scenario has 1 to {MOST_VARIANTS} variants, this one {written}");
        report.add(
            0,
            0,
            message,
            "write variants: { bug: {}, fix: { flows: … } }",
        );
        return (head.name, Vec::new());
    }
    let names: Vec<&str> = variants.iter().map(|entry| entry.name()).collect();
    expect::strangers(report, root, &names);
    let rules = root
        .get("invariants")
        .map_or(Vec::new(), |node| report.named(node, "`invariants`"));
    let rules: Vec<&str> = rules.iter().map(|entry| entry.name()).collect();
    let links = start::links(report, &variants);
    let mut found = Vec::new();
    for (index, entry) in variants.iter().enumerate() {
        report.name(&entry.key, "a variant");
        let judged = start::judged(&rules, links[index]);
        let expect = expect::of(report, root, entry, &judged);
        let earlier = start::earlier(&variants, &links, index);
        report.enter(Some(entry.name()));
        let program = variant(report, root, entry, &head, &earlier);
        report.enter(None);
        found.push((expect, program));
    }
    start::connect(&mut found, &links);
    let variants = found.into_iter().zip(names).filter_map(|(found, name)| {
        Some(Variant {
            name: name.to_owned(),
            expect: found.0?,
            program: found.1?,
        })
    });
    (head.name, variants.collect())
}
