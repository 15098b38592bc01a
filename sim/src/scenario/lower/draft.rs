//! A variant laid over the base: which schema, setup, processes, flows and rules it has, still as nodes.

use super::super::extends;
use super::super::fields::as_steps;
use super::super::import;
use super::super::names;
use super::super::node::{Entry, Node};
use super::super::patch;
use super::super::problem::Report;
use super::super::program::Target;
use super::flow::{self, FlowText};
use super::step::VERBS;
use super::version::{self, CodeText};

/// Keys of the top of a file.
pub(in super::super) const TOP: [&str; 25] = [
    "version",
    "name",
    "source",
    import::IMPORT,
    import::FILES,
    "platforms",
    "clock",
    "target",
    "schema",
    "databases",
    "store",
    "setup",
    "processes",
    "resources",
    "locks",
    "effects",
    "flows",
    "versions",
    "events",
    "faults",
    "invariants",
    "goals",
    "variants",
    "expect",
    "explore",
];

/// Keys of a variant.
pub(in super::super) const VARIANT: [&str; 12] = [
    extends::EXTENDS,
    "flows",
    "versions",
    "schema",
    "setup",
    "processes",
    "store",
    "target",
    "invariants",
    "start",
    "repair",
    "expect",
];

/// What no variant may change, with the reason.
const FIXED: [&str; 8] = [
    "databases",
    "events",
    "faults",
    "goals",
    "clock",
    "resources",
    "locks",
    "effects",
];

/// One variant before it is lowered.
pub(super) struct Draft<'n> {
    pub(super) name: String,
    pub(super) store: bool,
    pub(super) target: Target,
    pub(super) schemas: Vec<&'n Node>,
    pub(super) setup: Vec<Node>,
    /// For each process its entry in the base and in the variant.
    pub(super) processes: Vec<Vec<&'n Entry>>,
    pub(super) flows: Vec<FlowText>,
    /// Versions of the code besides `base`.
    pub(super) versions: Vec<CodeText>,
    pub(super) invariants: Vec<&'n Entry>,
}

/// Lays a variant over the base.
pub(super) fn draft<'n>(
    report: &Report<'_>,
    base: &'n Node,
    name: &str,
    variant: &'n Node,
) -> Draft<'n> {
    keys(report, variant, name);
    let stored = |node: &Node| {
        node.get("store")
            .is_some_and(|store| report.known(store, "store", &["reference"]).is_some())
    };
    let base_store = stored(base);
    let store = base_store || stored(variant);
    // The reference store has its own tables; what the base says about the bug's tables is left behind.
    let leaves = store && !base_store;
    let layers: Vec<&Node> = if leaves {
        vec![variant]
    } else {
        vec![base, variant]
    };
    let schemas = layers
        .iter()
        .filter_map(|layer| layer.get("schema"))
        .collect();
    let setup = layers
        .iter()
        .filter_map(|layer| layer.get("setup"))
        .flat_map(as_steps)
        .cloned()
        .collect();
    let target = [variant, base].iter().find_map(|layer| layer.get("target"));
    let target = target.and_then(|target| report.known(target, "target", &["sqlite", "postgres"]));
    let mut flows = flows(report, base, variant);
    let versions = version::versions(
        report,
        &mut flows,
        if leaves { None } else { Some(base) },
        variant,
    );
    let versions = if leaves {
        version::named_alike(base, versions, &flows)
    } else {
        versions
    };
    Draft {
        name: name.to_owned(),
        store,
        target: if target == Some(1) {
            Target::Postgres
        } else {
            Target::Sqlite
        },
        schemas,
        setup,
        processes: processes(report, base, variant),
        flows,
        versions,
        invariants: invariants(report, base, variant, store),
    }
}

fn keys(report: &Report<'_>, variant: &Node, name: &str) {
    let what = format!("variant `{name}`");
    for entry in report.mapping(variant, &what) {
        if FIXED.contains(&entry.name()) {
            let message = format!("a variant cannot change `{}`", entry.name());
            let help =
                "bug and fix must meet the same pressure, or their verdicts mean different things";
            report.at(&entry.key, message, help);
        } else if !VARIANT.contains(&entry.name()) {
            report.unknown_key(variant, entry, &what, &VARIANT);
        }
    }
}

fn processes<'n>(report: &Report<'_>, base: &'n Node, variant: &'n Node) -> Vec<Vec<&'n Entry>> {
    let mut found: Vec<Vec<&Entry>> = Vec::new();
    for layer in [base, variant] {
        let Some(node) = layer.get("processes") else {
            continue;
        };
        for entry in report.mapping(node, "`processes`") {
            let same = found
                .iter_mut()
                .find(|layers| layers.iter().any(|other| other.name() == entry.name()));
            match same {
                Some(layers) => layers.push(entry),
                None => found.push(vec![entry]),
            }
        }
    }
    found
}

fn flows(report: &Report<'_>, base: &Node, variant: &Node) -> Vec<FlowText> {
    let mut found: Vec<FlowText> = Vec::new();
    for entry in base
        .get("flows")
        .map_or(&[][..], |node| report.mapping(node, "`flows`"))
    {
        let Some((name, params)) = flow::signature(report, entry) else {
            continue;
        };
        if found.iter().any(|flow| flow.name == name) {
            report.at(
                &entry.key,
                format!("flow `{name}` is there twice"),
                "give each flow a name of its own",
            );
            continue;
        }
        let steps = body(report, &entry.value);
        found.push(text(name, params.unwrap_or_default(), steps, false));
    }
    for entry in variant
        .get("flows")
        .map_or(&[][..], |node| report.mapping(node, "`flows`"))
    {
        lay(report, &mut found, entry);
    }
    found
}

/// Lays one entry under a variant's `flows` over the flows of the base.
pub(super) fn lay(report: &Report<'_>, flows: &mut Vec<FlowText>, entry: &Entry) {
    let Some((name, params)) = flow::signature(report, entry) else {
        return;
    };
    let known: Vec<&str> = flows.iter().map(|flow| flow.name.as_str()).collect();
    let help = names::help(&name, "flow", &known);
    let found = flows.iter_mut().find(|flow| flow.name == name);
    let patches = entry.value.entries().is_some();
    match (found, params) {
        (Some(flow), None) if patches => {
            patch::apply(report, &mut flow.steps, &entry.value, &name);
            flow.own = true;
        }
        (Some(flow), params) if !patches => {
            let params = params.unwrap_or_else(|| flow.params.clone());
            *flow = text(name, params, body(report, &entry.value), true);
        }
        (None, Some(params)) if !patches => {
            flows.push(text(name, params, body(report, &entry.value), true))
        }
        (Some(_), Some(_)) if is_a_step(&entry.value) => {
            let message = format!("the steps of `{name}` are a list");
            report.at(
                &entry.value,
                message,
                "write `- ` before each step, or [ { … } ]",
            );
        }
        (Some(_), _) => {
            let message = format!("patches of labelled steps keep the parameters of `{name}`");
            report.at(
                &entry.key,
                message,
                format!("write the bare name: {name}: {{ LABEL: {{ … }} }}"),
            );
        }
        (None, _) => {
            let message = format!("there is no flow `{name}` to change");
            report.at(&entry.key, message, format!("{help}; a new flow is written with its parameters and a list of steps: {name}(): […]"));
        }
    }
}

/// Whether a mapping has the key of a verb, as only a step has.
fn is_a_step(node: &Node) -> bool {
    let is_verb = |entry: &Entry| VERBS.iter().any(|(verb, _)| *verb == entry.name());
    node.entries()
        .is_some_and(|entries| entries.iter().any(is_verb))
}

fn text(name: String, params: Vec<String>, steps: Vec<Node>, own: bool) -> FlowText {
    FlowText {
        name,
        params,
        steps,
        own,
        missing: false,
    }
}

fn body(report: &Report<'_>, node: &Node) -> Vec<Node> {
    report.items(node, "a flow").to_vec()
}

fn invariants<'n>(
    report: &Report<'_>,
    base: &'n Node,
    variant: &'n Node,
    store: bool,
) -> Vec<&'n Entry> {
    let mut found = base
        .get("invariants")
        .map_or(Vec::new(), |node| report.named(node, "`invariants`"));
    let Some(node) = variant.get("invariants") else {
        return found;
    };
    if !store {
        let help = "a fix is judged by the rules that the bug breaks; only a variant with `store: reference` restates \
                    them, over the store's own tables";
        report.at(node, "this variant cannot change `invariants`", help);
        return found;
    }
    let known: Vec<&str> = found.iter().map(|entry| entry.name()).collect();
    for entry in report.named(node, "`invariants`") {
        match known.iter().position(|name| *name == entry.name()) {
            Some(index) => found[index] = entry,
            None => {
                let message = format!("there is no invariant `{}` to restate", entry.name());
                report.at(
                    &entry.key,
                    message,
                    names::help(entry.name(), "invariant", &known),
                );
            }
        }
    }
    found
}
