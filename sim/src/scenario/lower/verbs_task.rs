//! Verbs that set other flows going: `spawn`, `cancel`, `request`.

use super::super::node::Node;
use super::super::program::{Span, StepKind};
use super::event::place;
use super::flow::Walk;
use super::scope::Start;

impl Walk<'_> {
    pub(super) fn spawn(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let at_once = Span {
            shortest: 0,
            longest: 0,
        };
        let report = self.world.report;
        let delay = node
            .get("in")
            .map_or(Some(at_once), |delay| report.span(delay, "`in`"));
        let name = node.get("name").and_then(|name| self.expr(name));
        let Some(flow) = self.flow_of(value, "spawn", None) else {
            return ("spawn".to_owned(), None);
        };
        let args = self.arguments(node, value, flow);
        let site = format!("spawn {}", self.world.flows[flow].name);
        let kind = args.zip(delay).map(|(args, delay)| StepKind::Spawn {
            flow,
            args,
            delay,
            name,
        });
        (site, kind)
    }

    pub(super) fn cancel(&mut self, value: &Node) -> (String, Option<StepKind>) {
        let name = self.expr(value);
        ("cancel".to_owned(), name.map(StepKind::Cancel))
    }

    pub(super) fn request(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let report = self.world.report;
        let Some(to) = node.get("to") else {
            let help = "write { request: flow, to: process, with: { … }, wait: 10s, as: answer }";
            report.at(node, "`request` does not say to whom", help);
            return ("request".to_owned(), None);
        };
        let place = place(self.world, to);
        let wait = node.get("wait").map(|wait| report.millis(wait, "`wait`"));
        if let (Some(into), None) = (node.get("as"), &wait) {
            let help = "say how long to wait for the answer: wait: 10s";
            report.at(into, "`as` of `request` without `wait`", help);
        }
        let process = place.map(|(process, _, _)| process);
        let Some(flow) = self.flow_of(value, "request", process) else {
            return ("request".to_owned(), None);
        };
        let args = self.arguments(node, value, flow);
        let into = self.into(node, "as");
        let site = format!("request {}", self.world.flows[flow].name);
        let kind = args
            .zip(place)
            .map(|(args, (process, instance, _))| StepKind::Request {
                flow,
                args,
                process,
                instance,
                wait: wait.flatten(),
                into,
            });
        (site, kind)
    }

    /// The flow that a step sets going, noted.
    fn flow_of(&mut self, value: &Node, verb: &str, process: Option<usize>) -> Option<usize> {
        let report = self.world.report;
        report.text(value, &format!("`{verb}`"))?;
        let flow = report.known(value, "flow", &self.world.flow_names())?;
        self.scope.starts.push(Start { flow, process });
        Some(flow)
    }
}

/// Names of errors that steps raise, wherever they stand.
pub(super) fn raised(node: &Node, found: &mut Vec<String>) {
    use super::super::node::Kind;
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| raised(item, found)),
        Kind::Map { entries, .. } => {
            for entry in entries {
                match entry.value.scalar() {
                    Some(name) if entry.name() == "raise" => {
                        if !found.iter().any(|known| known == name) {
                            found.push(name.to_owned());
                        }
                    }
                    _ => raised(&entry.value, found),
                }
            }
        }
    }
}
