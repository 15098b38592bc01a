//! Events: what happens to the system, when, and where.

use super::super::fields::literal;
use super::super::names;
use super::super::node::{Entry, Node};
use super::super::program::{After, Event, Expr, Redeliver, Var};
use super::flow::World;
use super::{scope, words};

/// Repeats of one delivery.
const REPEATS: u64 = 100;

/// Lowers all events.
pub(super) fn events(world: &World<'_>, node: &Node) -> Vec<Event> {
    let entries = world.report.named(node, "`events`");
    let labels: Vec<&str> = entries.iter().map(|entry| entry.name()).collect();
    let lower = Lower {
        world,
        labels: &labels,
    };
    let found: Vec<Event> = entries
        .iter()
        .filter_map(|entry| lower.event(entry))
        .collect();
    lower.circles(&entries, &found);
    found
}

struct Lower<'a> {
    world: &'a World<'a>,
    labels: &'a [&'a str],
}

impl Lower<'_> {
    fn event(&self, entry: &Entry) -> Option<Event> {
        let report = self.world.report;
        let node = &entry.value;
        let label = report.name(&entry.key, "an event")?.to_owned();
        report.only(node, &format!("event `{label}`"), &words::EVENT);
        let on = self
            .needed(entry, "on")
            .and_then(|on| place(self.world, on));
        let send = self.needed(entry, "send");
        let flow = send.and_then(|send| report.known(send, "flow", &self.world.flow_names()));
        let args = flow.and_then(|flow| self.args(entry, flow));
        let at = node
            .get("at")
            .map_or(Some(0), |at| report.millis(at, "`at`"));
        let after = node
            .get("after")
            .map_or(Vec::new(), |after| self.after(after));
        let redeliver = node
            .get("redeliver")
            .and_then(|redeliver| self.redeliver(redeliver));
        let (process, instance, connection) = on?;
        Some(Event {
            label,
            process,
            instance,
            connection,
            flow: flow?,
            args: args?,
            at: at?,
            after,
            redeliver,
            at_place: report.source().place(entry.key.start),
        })
    }

    fn needed<'n>(&self, entry: &'n Entry, key: &str) -> Option<&'n Node> {
        let found = entry.value.get(key);
        if found.is_none() {
            let message = format!("event `{}` has no `{key}`", entry.name());
            self.world.report.at(
                &entry.key,
                message,
                "an event is { on: process, send: flow, with: { … } }",
            );
        }
        found
    }

    /// Literal values for the parameters; `:event` and the other builtins stay variables.
    fn args(&self, entry: &Entry, flow: usize) -> Option<Vec<Expr>> {
        let report = self.world.report;
        let target = self.world.flows.get(flow)?;
        let params: Vec<&str> = target.params.iter().map(String::as_str).collect();
        let with = entry.value.get("with");
        if let Some(with) = with {
            report.only(
                with,
                &format!("the arguments of `{}`", target.name),
                &params,
            );
        }
        let mut args = Vec::new();
        for param in params {
            let Some(value) = with.and_then(|with| with.get(param)) else {
                let message = format!(
                    "event `{}` does not give the argument `{param}` of `{}`",
                    entry.name(),
                    target.name
                );
                report.at(
                    &entry.key,
                    message,
                    format!("write with: {{ {param}: … }}; null is a value, too"),
                );
                continue;
            };
            args.extend(self.arg(value));
        }
        (args.len() == target.params.len()).then_some(args)
    }

    fn arg(&self, node: &Node) -> Option<Expr> {
        let text = node.scalar().filter(|_| node.is_plain()).unwrap_or("");
        if let Some(name) = text.strip_prefix(':') {
            if let Some(found) = scope::builtin(name) {
                return Some(Expr::Var(Var::Builtin(found)));
            }
            let help = "values of an event are literal, SQL stands in flows; only :event, :delivery and \
                        the other variables of the harness are known here; a text with a colon needs quotes";
            self.world
                .report
                .at(node, format!("unknown variable `{text}` in an event"), help);
            return None;
        }
        let value = literal(node);
        if value.is_none() {
            let help = "write JSON as a text: '{\"a\": 1}'";
            self.world.report.at(
                node,
                "a value of an event is a text, a number or null",
                help,
            );
        }
        value.map(Expr::Const)
    }

    /// One or a list of `label` and `crash(process)`.
    fn after(&self, node: &Node) -> Vec<After> {
        let items = node.list().unwrap_or(std::slice::from_ref(node));
        items
            .iter()
            .filter_map(|item| self.after_one(item))
            .collect()
    }

    fn after_one(&self, node: &Node) -> Option<After> {
        let report = self.world.report;
        let text = report.text(node, "`after`")?;
        let crash = text
            .strip_prefix("crash(")
            .and_then(|rest| rest.strip_suffix(')'));
        if let Some(name) = crash {
            return process(self.world, node, name).map(After::Crash);
        }
        let found = self.labels.iter().position(|label| *label == text);
        if found.is_none() {
            let help = format!(
                "{}; or crash(process)",
                names::help(text, "event", self.labels)
            );
            report.at(node, format!("unknown event `{text}`"), help);
        }
        found.map(After::Event)
    }

    fn redeliver(&self, node: &Node) -> Option<Redeliver> {
        let report = self.world.report;
        let (Some(every), Some(times)) = (node.get("every"), node.get("times")) else {
            report.at(
                node,
                "`redeliver` does not say when",
                "write { every: 5s, times: 2 }",
            );
            return None;
        };
        report.only(node, "`redeliver`", &words::REDELIVER);
        let every = report.millis(every, "`every`");
        let times = report.whole(times, "`times`", REPEATS)?;
        Some(Redeliver {
            every: every?,
            times: u32::try_from(times).ok()?,
        })
    }

    /// An event that waits for itself, directly or through others, would never happen.
    fn circles(&self, entries: &[&Entry], events: &[Event]) {
        // Indexes only agree when every event was lowered.
        if entries.len() != events.len() {
            return;
        }
        for (index, entry) in entries.iter().enumerate() {
            let mut seen = vec![false; events.len()];
            let mut open = vec![index];
            while let Some(next) = open.pop() {
                for after in events.get(next).map_or(&[][..], |event| &event.after) {
                    let After::Event(before) = *after else {
                        continue;
                    };
                    if before == index {
                        let message = format!("event `{}` waits for itself", entry.name());
                        self.world
                            .report
                            .at(&entry.key, message, "break the circle of `after`");
                        return;
                    }
                    if !std::mem::replace(&mut seen[before], true) {
                        open.push(before);
                    }
                }
            }
        }
    }
}

/// `api`, `api.2` or `ws.connection(1)`: the process, its instance from 0, its connection.
pub(super) fn place(world: &World<'_>, node: &Node) -> Option<(usize, Option<u32>, Option<u32>)> {
    let report = world.report;
    let text = report.text(node, "a process")?;
    let (name, rest) = text
        .split_once('.')
        .map_or((text, None), |(name, rest)| (name, Some(rest)));
    let process = process(world, node, name)?;
    let Some(rest) = rest else {
        return Some((process, None, None));
    };
    let count = world.processes[process].count;
    let (instance, connection) = match rest.split_once('.') {
        Some((instance, connection)) => (Some(instance), Some(connection)),
        None if rest.starts_with("connection(") => (None, Some(rest)),
        None => (Some(rest), None),
    };
    let instance = instance.map(|number| {
        let number = number.parse::<u32>().ok();
        number.filter(|number| (1..=count).contains(number))
    });
    let connection = connection.map(|text| {
        let number = text.strip_prefix("connection(")?.strip_suffix(')')?;
        number.parse::<u32>().ok()
    });
    if instance == Some(None) || connection == Some(None) {
        let message = format!("`{rest}` is no instance or connection of `{name}`");
        let help = format!(
            "instances are {name}.1 to {name}.{count}; a connection is {name}.connection(1) or {name}.1.connection(1)"
        );
        report.at(node, message, help);
        return None;
    }
    let instance = instance.flatten().map(|number| number - 1);
    Some((process, instance, connection.flatten()))
}

fn process(world: &World<'_>, node: &Node, name: &str) -> Option<usize> {
    let mut names = world.processes.iter().map(|process| process.name.as_str());
    let found = names.clone().position(|known| known == name);
    if found.is_none() {
        let known: Vec<&str> = names.by_ref().collect();
        let help = names::help(name, "process", &known);
        let message = format!("unknown process `{name}`");
        world.report.at(node, message, help);
    }
    found
}
