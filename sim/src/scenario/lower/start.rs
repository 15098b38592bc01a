//! `start: after(VARIANT)`: a variant that finds the database that another one has left behind, and the repair between the two.

use std::rc::Rc;

use super::super::ddl;
use super::super::fields::as_steps;
use super::super::names;
use super::super::node::{Entry, Kind, Node};
use super::super::problem::Report;
use super::super::program::{Expect, Flow, Goal, MIGRATION, Program};
use super::super::sql::Checker;
use super::draft::Draft;
use super::flow::World;
use super::outside::outside;

/// For each variant the place of the one that it starts after, if any. Never a circle.
pub(super) fn links(report: &Report<'_>, variants: &[&Entry]) -> Vec<Option<usize>> {
    let known: Vec<&str> = variants.iter().map(|entry| entry.name()).collect();
    let mut links: Vec<Option<usize>> = variants
        .iter()
        .map(|entry| link(report, entry, &known))
        .collect();
    for (index, entry) in variants.iter().enumerate() {
        if let (true, Some(start)) = (is_in_circle(index, &links), entry.value.get("start")) {
            links[index] = None;
            let message = format!("variant `{}` starts after itself", entry.name());
            report.at(
                start,
                message,
                "the first of the variants that follow each other starts clean",
            );
        }
    }
    for (entry, link) in variants.iter().zip(&links) {
        if let (Some(repair), None) = (entry.value.get("repair"), link) {
            let help = "write start: after(bug), with the variant whose database is repaired";
            report.at(repair, "there is nothing to repair", help);
        }
    }
    links
}

fn link(report: &Report<'_>, entry: &Entry, known: &[&str]) -> Option<usize> {
    let start = entry.value.get("start")?;
    let text = report.text(start, "`start`")?;
    if text == "clean" {
        return None;
    }
    let name = text
        .strip_prefix("after(")
        .and_then(|rest| rest.strip_suffix(')'));
    let Some(name) = name.map(str::trim) else {
        let message = format!("`start` is clean or after(variant), `{text}` is neither");
        report.at(start, message, "write start: after(bug)");
        return None;
    };
    let found = known.iter().position(|variant| *variant == name);
    if found.is_none() {
        let help = names::help(name, "variant", known);
        report.at(start, format!("there is no variant `{name}`"), help);
    }
    found
}

fn is_in_circle(index: usize, links: &[Option<usize>]) -> bool {
    let mut at = links[index];
    for _ in links {
        match at {
            Some(next) if next == index => return true,
            Some(next) => at = links[next],
            None => return false,
        }
    }
    false
}

/// The variants whose legs come before that of this one, the first one first.
pub(super) fn earlier<'n>(
    variants: &[&'n Entry],
    links: &[Option<usize>],
    index: usize,
) -> Vec<&'n Entry> {
    let mut found = Vec::new();
    let mut at = links[index];
    while let Some(next) = at {
        found.insert(0, variants[next]);
        at = links[next];
    }
    found
}

/// What a variant adds to the legs before its own.
pub(super) struct Leg<'n> {
    /// Schemas of base and variants before.
    schemas: Vec<&'n Node>,
    own: Option<&'n Node>,
    repair: &'n [Node],
}

impl<'n> Leg<'n> {
    /// None for a variant that starts clean. The draft's setup becomes what the legs before do not have.
    pub(super) fn of(
        report: &Report<'_>,
        draft: &mut Draft<'n>,
        entry: &'n Entry,
        earlier: &[&'n Entry],
    ) -> Option<Self> {
        let last = earlier.last()?;
        let is_stored = |entry: &Entry| entry.value.get("store").is_some();
        if is_stored(entry) != is_stored(last) {
            let message = format!(
                "`{}` has another store than `{}`",
                entry.name(),
                last.name()
            );
            let start = entry.value.get("start").unwrap_or(&entry.value);
            let help = "a run has one database: write `store: reference` in both, or in neither";
            report.at(start, message, help);
        }
        let own = entry.value.get("schema");
        let is_own = |node: &&Node| own.is_some_and(|own| std::ptr::eq(own, *node));
        let base = draft.schemas.iter().copied().filter(|node| !is_own(node));
        let schemas = base.chain(earlier.iter().filter_map(|entry| entry.value.get("schema")));
        let done: Vec<&Node> = earlier
            .iter()
            .filter_map(|entry| entry.value.get("setup"))
            .flat_map(as_steps)
            .collect();
        let setup = entry.value.get("setup").map_or(&[][..], as_steps);
        let is_new = |step: &&Node| !done.iter().any(|known| is_same(known, step));
        let schemas = schemas.collect();
        draft.setup = setup.iter().filter(is_new).cloned().collect();
        Some(Self {
            schemas,
            own,
            repair: entry.value.get("repair").map_or(&[][..], as_steps),
        })
    }

    /// The schema that the legs before have left, as far as it stands under `schema`.
    pub(super) fn prepare(&self, report: &Report<'_>, checker: &Checker) {
        for (index, node) in self.schemas.iter().enumerate() {
            checker.additions(report, node, &self.schemas[..index]);
        }
    }

    /// The repair, which still meets that schema.
    pub(super) fn repair(&self, world: &World<'_>) -> Flow {
        let mut ddl = Vec::new();
        ddl::of_steps(self.repair, &mut ddl);
        world.checker.flows_change(&ddl);
        let flow = outside(world, "repair", self.repair);
        world.checker.keep_changes(&ddl);
        flow
    }

    /// The DDL of this variant that those before do not have.
    pub(super) fn schema(&self, world: &World<'_>) -> String {
        let own = self.own;
        own.map_or(String::new(), |own| {
            world.checker.additions(world.report, own, &self.schemas)
        })
    }
}

/// Lets each variant begin with the programs of those that it starts after. `found` is as long as `links`.
pub(super) fn connect(found: &mut [(Option<Expect>, Option<Program>)], links: &[Option<usize>]) {
    for index in 0..found.len() {
        let mut open = vec![index];
        while let Some(next) = links[open[open.len() - 1]] {
            open.push(next);
        }
        // The first leg of all is complete; each of the others gets the one before it.
        for pair in open.windows(2).rev() {
            let (later, before) = (pair[0], pair[1]);
            let left = found[before].1.clone();
            let broken = matches!(found[before].0, Some(Expect::Violates(_)));
            if let (Some(program), Some(left)) = (&mut found[later].1, left)
                && program.before.is_none()
            {
                if broken {
                    program.goals.push(dirt(&left.variant));
                }
                program.before = Some(Rc::new(left));
            }
        }
    }
}

/// Some run must have found what the variant before it had broken, or the others prove nothing.
fn dirt(variant: &str) -> Goal {
    Goal {
        name: format!("after({variant})"),
        sql: "SELECT 1 FROM inherited".to_owned(),
        place: String::new(),
    }
}

/// Names of invariants that this variant may be expected to violate.
pub(super) fn judged<'a>(rules: &[&'a str], link: Option<usize>) -> Vec<&'a str> {
    let own = link.map(|_| MIGRATION);
    rules.iter().copied().chain(own).collect()
}

/// Whether two nodes say the same, wherever they stand.
fn is_same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Scalar { text: a, .. }, Kind::Scalar { text: b, .. }) => a.trim() == b.trim(),
        (Kind::List(a), Kind::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Kind::Map { entries: a, .. }, Kind::Map { entries: b, .. }) => {
            let same =
                |(a, b): (&Entry, &Entry)| a.name() == b.name() && is_same(&a.value, &b.value);
            a.len() == b.len() && a.iter().zip(b).all(same)
        }
        _ => false,
    }
}
