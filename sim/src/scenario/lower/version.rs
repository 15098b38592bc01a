//! Versions of the code: the flows of the file with patches, side by side in one run.

use super::super::node::Node;
use super::super::problem::Report;
use super::draft;
use super::flow::FlowText;

/// Name of the file's own flows.
pub(super) const BASE: &str = "base";

/// One version before it is lowered. Its flows stand in the same order as those of the base.
#[derive(Debug, Clone)]
pub(super) struct CodeText {
    pub(super) name: String,
    pub(super) flows: Vec<FlowText>,
}

/// Lays the versions of the file, and what a variant changes about them, over the variant's flows. A flow that only some versions
/// have is missing in the others, `flows` included.
pub(super) fn versions(
    report: &Report<'_>,
    flows: &mut Vec<FlowText>,
    base: Option<&Node>,
    variant: &Node,
) -> Vec<CodeText> {
    let mut found: Vec<CodeText> = Vec::new();
    for layer in base.into_iter().chain([variant]) {
        let Some(node) = layer.get("versions") else {
            continue;
        };
        for entry in report.mapping(node, "`versions`") {
            let Some(name) = report.name(&entry.key, "a version") else {
                continue;
            };
            if name == BASE {
                let help = "`base` are the flows of the file; change them under `flows`";
                report.at(&entry.key, "`base` is taken", help);
                continue;
            }
            report.only(&entry.value, &format!("version `{name}`"), &["flows"]);
            let index = found.iter().position(|version| version.name == name);
            let index = index.unwrap_or_else(|| {
                found.push(CodeText {
                    name: name.to_owned(),
                    flows: flows.clone(),
                });
                found.len() - 1
            });
            let changed = &mut found[index].flows;
            let changes = entry.value.get("flows");
            for change in changes.map_or(&[][..], |node| report.mapping(node, "`flows`")) {
                draft::lay(report, changed, change);
                keeps_parameters(report, flows, changed, change.name(), &change.key);
            }
        }
    }
    level(flows, &mut found);
    found
}

/// Whoever sends a message does not know which version gets it.
fn keeps_parameters(
    report: &Report<'_>,
    before: &[FlowText],
    after: &[FlowText],
    name: &str,
    at: &Node,
) {
    let name = name.split('(').next().unwrap_or(name).trim();
    let params = |flows: &[FlowText]| {
        let found = flows.iter().find(|flow| flow.name == name);
        found.map(|flow| flow.params.clone())
    };
    if let (Some(before), Some(after)) = (params(before), params(after))
        && before != after
    {
        let message = format!("a version keeps the parameters of `{name}`");
        let help = format!(
            "write {name}({}), and ignore what is not needed",
            before.join(", ")
        );
        report.at(at, message, help);
    }
}

/// The same flows in the same order everywhere.
fn level(flows: &mut Vec<FlowText>, versions: &mut [CodeText]) {
    let mut all: Vec<FlowText> = flows.clone();
    for flow in versions.iter().flat_map(|version| &version.flows) {
        if !all.iter().any(|known| known.name == flow.name) {
            all.push(FlowText {
                steps: Vec::new(),
                missing: true,
                ..flow.clone()
            });
        }
    }
    for version in versions {
        let ordered = all.iter().map(|slot| {
            let own = version.flows.iter().find(|flow| flow.name == slot.name);
            own.unwrap_or(slot).clone()
        });
        version.flows = ordered.collect();
    }
    *flows = all;
}

/// A variant that leaves the flows of the file behind still has its versions, for the events that roll them: they are all what the
/// variant says.
pub(super) fn named_alike(
    base: &Node,
    mut found: Vec<CodeText>,
    flows: &[FlowText],
) -> Vec<CodeText> {
    let names = base.get("versions").and_then(Node::entries).unwrap_or(&[]);
    for entry in names {
        if !found.iter().any(|version| version.name == entry.name()) {
            found.push(CodeText {
                name: entry.name().to_owned(),
                flows: flows.to_vec(),
            });
        }
    }
    found
}
