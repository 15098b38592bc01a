//! Verbs that reach outside of the database: `effect`, `use`, `op`.

use rusqlite::types::Value;

use super::super::names;
use super::super::node::{Entry, Kind, Node};
use super::super::program::{Expr, Millis, Resource, Span, StepKind};
use super::super::store;
use super::flow::Walk;
use super::gaps::Gaps;
use super::words;

const ATTEMPTS: Gaps = Gaps {
    key: "retry",
    gap: "delay",
    attempts: "attempts",
    most: 1_000,
};

impl Walk<'_> {
    pub(super) fn effect(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let name = self
            .world
            .report
            .name(value, "an effect")
            .map(str::to_owned);
        let intent = node.get("intent").and_then(|intent| self.expr(intent));
        let key = node.get("key").and_then(|key| self.expr(key));
        let number = node.get("value").and_then(|number| self.expr(number));
        let to = node.get("to").and_then(|to| self.expr(to));
        let wait = node
            .get("wait")
            .and_then(|wait| self.world.report.millis(wait, "`wait`"));
        let site = format!("effect {}", name.as_deref().unwrap_or(""));
        let kind = name.map(|name| StepKind::Effect {
            name,
            intent,
            key,
            value: number,
            to,
            wait,
        });
        (site, kind)
    }

    pub(super) fn use_resource(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let world = self.world;
        let resources: Vec<&str> = world
            .resources
            .iter()
            .map(|resource| resource.name.as_str())
            .collect();
        let (site, found) = self.keyed("use", value, &resources);
        let now = Span {
            shortest: 0,
            longest: 0,
        };
        let hold = node
            .get("for")
            .map_or(Some(now), |hold| world.report.span(hold, "`for`"));
        let create = self.into(node, "create");
        let fence = node.get("fence").and_then(|fence| self.expr(fence));
        let resource = found
            .as_ref()
            .and_then(|(index, _)| world.resources.get(*index));
        let retry = match (node.get("retry"), resource) {
            (Some(retry), Some(resource)) => self.retry(retry, resource),
            _ => Some(Vec::new()),
        };
        let steps = self.body(node, "do").unwrap_or_default();
        let otherwise = self.body(node, "else").unwrap_or_default();
        let complete = found.zip(hold).zip(retry);
        let kind = complete.map(|(((resource, key), hold), retry)| StepKind::Use {
            resource,
            key,
            hold,
            create,
            fence,
            steps,
            retry,
            otherwise,
        });
        (site, kind)
    }

    /// Delays between attempts: `{ on, after: [2s, 3s] }` or `{ on, every: 2s, until: 60s }`.
    fn retry(&self, node: &Node, resource: &Resource) -> Option<Vec<Millis>> {
        let report = self.world.report;
        report.only(node, "`retry`", &words::RETRY);
        if let Some(on) = node.get("on") {
            let refusals = [resource.refuses.as_str(), "fenced", "gone", "elsewhere"];
            report.known(on, "refusal", &refusals)?;
        }
        match (node.get("after"), node.get("every"), node.get("until")) {
            (Some(after), None, None) => ATTEMPTS.after(report, after),
            (None, Some(every), Some(until)) => ATTEMPTS.until(report, every, until),
            _ => {
                let help = "write { on: in_use, after: [2s, 3s] } or { on: in_use, every: 2s, until: 60s }";
                report.at(node, "`retry` does not say when", help);
                None
            }
        }
    }

    pub(super) fn op(&mut self, node: &Node, value: &Node) -> (String, Option<StepKind>) {
        let report = self.world.report;
        self.scope.opens = true;
        if !self.world.store {
            report.at(
                value,
                "`op` needs the reference store",
                "write `store: reference` in this variant or at the top",
            );
            return (String::new(), None);
        }
        let name = self.operation(node, value).map(str::to_owned);
        if self.scope.in_transaction {
            report.at(
                value,
                "an operation of the store inside a transaction",
                "every operation is a transaction of its own",
            );
        }
        let with = node.get("with");
        let args = with.map_or(Vec::new(), |with| self.paths(with, ""));
        let op_id = node.get("op_id").and_then(|id| self.expr(id));
        let into = self.into(node, "as");
        let site = format!("op {}", name.as_deref().unwrap_or(""));
        let kind = name.map(|name| StepKind::Op {
            name,
            args,
            op_id,
            into,
        });
        (site, kind)
    }

    /// The operation's name, after a check of the names of its fields.
    fn operation(&self, node: &Node, value: &Node) -> Option<&'static str> {
        let report = self.world.report;
        let names: Vec<&str> = store::OPS.iter().map(|(name, _, _)| *name).collect();
        let (name, needs, may) = store::OPS.get(report.known(value, "operation", &names)?)?;
        let with = node.get("with");
        if let Some(with) = with {
            let known: Vec<&str> = needs.iter().chain(*may).copied().collect();
            for entry in report.mapping(with, "`with`") {
                let head = entry.name().split('.').next().unwrap_or("");
                if !known.contains(&head) {
                    report.unknown_key(with, entry, &format!("`{name}`"), &known);
                }
            }
        }
        let given = with.and_then(Node::entries).unwrap_or(&[]);
        let head = |entry: &Entry| entry.name().split('.').next().map(str::to_owned);
        let given: Vec<String> = given.iter().filter_map(head).collect();
        for field in needs
            .iter()
            .filter(|field| !given.iter().any(|name| name == *field))
        {
            let help = format!("it needs {}", names::list(needs));
            report.at(value, format!("operation `{name}` has no `{field}`"), help);
        }
        Some(name)
    }

    /// Fields by dotted path: `key.chat: ":c"`, or `key: { chat: ":c" }`.
    fn paths(&mut self, node: &Node, before: &str) -> Vec<(String, Expr)> {
        let report = self.world.report;
        let mut found = Vec::new();
        for entry in report.mapping(node, "`with`") {
            let path = format!("{before}{}", entry.name());
            if !path.split('.').all(names::is_name) {
                report.unknown_key(node, entry, "`with`", &[]);
            } else {
                self.field(&entry.value, path, &mut found);
            }
        }
        found
    }

    /// One field, or all below it. A list is one JSON text, since only literal values stand in it.
    fn field(&mut self, value: &Node, path: String, found: &mut Vec<(String, Expr)>) {
        match &value.kind {
            Kind::Map { .. } if KEYS.contains(&path.as_str()) => {
                found.extend(empty_key(&path));
                found.extend(self.paths(value, &format!("{path}.")));
            }
            Kind::Map { .. } => found.extend(self.paths(value, &format!("{path}."))),
            Kind::List(items) if items.is_empty() => {
                found.push((path, Expr::Const(Value::Text("[]".to_owned()))));
            }
            Kind::List(_) => {
                let help = "write the list as an expression: \"json_array(json_object('kind', 'm', 'body', :x))\"";
                self.world
                    .report
                    .at(value, format!("`{path}` of `op` is a list"), help);
            }
            Kind::Scalar { .. } if KEYS.contains(&path.as_str()) => {
                found.extend(empty_key(&path));
                let chat = format!("{path}.chat");
                found.extend(self.expr(value).map(|expr| (chat, expr)));
            }
            Kind::Scalar { .. } => found.extend(self.expr(value).map(|expr| (path, expr))),
        }
    }
}

/// Fields that are keys of conversations.
const KEYS: [&str; 2] = ["key", "alias"];

/// A key has six parts; most scenarios only have chats. What is given comes after these and wins.
fn empty_key(path: &str) -> impl Iterator<Item = (String, Expr)> {
    store::KEY_PARTS.iter().map(move |part| {
        let empty = Expr::Const(Value::Text(String::new()));
        (format!("{path}.{part}"), empty)
    })
}
