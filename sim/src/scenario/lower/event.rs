//! Events: what happens to the system, when, and where.

use super::super::fields::literal;
use super::super::names;
use super::super::node::{Entry, Node};
use super::super::program::{After, Does, Event, Expr, Millis, Span, Var};
use super::flow::World;
use super::redeliver::redeliver;
use super::{scope, words};

/// Repeats of one event.
const REPEATS: u64 = 1_000;
const AT_ONCE: Span = Span {
    shortest: 0,
    longest: 0,
};
/// How long a process that an event crashes stays down.
const DOWN: Span = Span {
    shortest: 1_000,
    longest: 30_000,
};

/// Lowers all events.
pub(super) fn events(world: &World<'_>, node: &Node) -> Vec<Event> {
    let entries = world.report.named(node, "`events`");
    let labels: Vec<&str> = entries.iter().map(|entry| entry.name()).collect();
    let lower = Lower {
        world,
        entries: &entries,
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
    entries: &'a [&'a Entry],
    labels: &'a [&'a str],
}

impl Lower<'_> {
    fn event(&self, entry: &Entry) -> Option<Event> {
        let report = self.world.report;
        let node = &entry.value;
        let label = report.name(&entry.key, "an event")?.to_owned();
        let form = self.form(entry)?;
        let known: Vec<&str> = form.1.iter().chain(&words::EVENT).copied().collect();
        report.only(node, &format!("event `{label}`"), &known);
        let at = node
            .get("at")
            .map_or(Some(AT_ONCE), |at| report.span(at, "`at`"));
        let after = node
            .get("after")
            .map_or(Vec::new(), |after| self.after(after));
        let every = self.every(node);
        let redeliver = node.get("redeliver").and_then(|law| redeliver(report, law));
        if let Some(from) = node.get("from") {
            report.name(from, "a sender");
        }
        let queue = node
            .get("queue")
            .and_then(|queue| report.text(queue, "`queue`"));
        let (process, instance, does) = self.does(entry, form.0, &after)?;
        Some(Event {
            label,
            process,
            instance,
            does,
            happens: true,
            at: at?,
            after,
            every,
            reliable: node
                .get("reliable")
                .is_some_and(|value| report.truth(value, "`reliable`") == Some(true)),
            redeliver,
            queue: queue.map(str::to_owned),
        })
    }

    /// What kind of event it is: the key that says so, with the keys that belong to it.
    fn form(&self, entry: &Entry) -> Option<(&'static str, &'static [&'static str])> {
        let given = |form: &&(&'static str, &[&str])| entry.value.get(form.0).is_some();
        let mut found = words::FORMS.iter().filter(given);
        let Some(form) = found.next() else {
            let message = format!("event `{}` does nothing", entry.name());
            let help = "an event is { on: process, send: flow, with: { … } }, or one of \
                        crash: api.1, stop: api, roll: api, backup: store, restore: store";
            self.world.report.at(&entry.key, message, help);
            return None;
        };
        if let Some(second) = found.next() {
            let message = format!("event `{}` does two things", entry.name());
            let help = format!("make two events of `{}` and `{}`", form.0, second.0);
            self.world.report.at(&entry.key, message, help);
        }
        Some(*form)
    }

    fn does(
        &self,
        entry: &Entry,
        form: &str,
        after: &[After],
    ) -> Option<(usize, Option<u32>, Does)> {
        let (world, node) = (self.world, &entry.value);
        let target = node.get(form)?;
        match form {
            "send" => return self.send(entry, after),
            "backup" | "restore" => {
                let file = self.database(target)?;
                let does = if form == "backup" {
                    Does::Backup(file)
                } else {
                    let stops = node.get("stops");
                    Does::Restore {
                        file,
                        stops: stops.map(|kinds| self.kinds(kinds)),
                    }
                };
                return Some((0, None, does));
            }
            _ => {}
        }
        let (process, instance, _) = place(world, target)?;
        let does = match form {
            "crash" => Does::Crash(match node.get("for") {
                Some(span) => world.report.span(span, "`for`")?,
                None => DOWN,
            }),
            "stop" => Does::Stop,
            _ => Does::Roll(self.version(entry)?),
        };
        Some((process, instance, does))
    }

    /// `store` or `main`, or the name of a further database.
    fn database(&self, node: &Node) -> Option<usize> {
        let further = self.world.databases.iter().skip(1).map(String::as_str);
        let names: Vec<&str> = further.chain(["store", "main"]).collect();
        let found = self.world.report.known(node, "database", &names)?;
        Some(if found + 2 < names.len() {
            found + 1
        } else {
            0
        })
    }

    /// Kinds of processes.
    fn kinds(&self, node: &Node) -> Vec<usize> {
        let items = node.list().unwrap_or(std::slice::from_ref(node));
        let name = |item| Some((item, self.world.report.text(item, "`stops`")?));
        let names = items.iter().filter_map(name);
        names
            .filter_map(|(item, name)| process(self.world, item, name))
            .collect()
    }

    fn send(&self, entry: &Entry, after: &[After]) -> Option<(usize, Option<u32>, Does)> {
        let on = self
            .needed(entry, "on", "on: process")
            .and_then(|on| place(self.world, on));
        let send = entry.value.get("send")?;
        let flow = self
            .world
            .report
            .known(send, "flow", &self.world.flow_names());
        let args = flow.and_then(|flow| self.args(entry, flow, after));
        let (process, instance, connection) = on?;
        let does = Does::Send {
            connection,
            flow: flow?,
            args: args?,
        };
        Some((process, instance, does))
    }

    fn version(&self, entry: &Entry) -> Option<usize> {
        let to = self.needed(entry, "to", "to: version")?;
        let names: Vec<&str> = self.world.versions.iter().map(String::as_str).collect();
        self.world.report.known(to, "version", &names)
    }

    /// `every: 5s` with `times: 10`.
    fn every(&self, node: &Node) -> Option<(Millis, u32)> {
        let report = self.world.report;
        let (every, times) = (node.get("every"), node.get("times"));
        if let (Some(one), None) | (None, Some(one)) = (every, times) {
            let help = "write both: every: 15s, times: 10";
            report.at(one, "`every` and `times` go together", help);
        }
        let every = report.millis(every?, "`every`")?;
        let times = report.whole(times?, "`times`", REPEATS)?;
        Some((every, u32::try_from(times).ok()?.max(1)))
    }

    fn needed<'n>(&self, entry: &'n Entry, key: &str, example: &str) -> Option<&'n Node> {
        let found = entry.value.get(key);
        if found.is_none() {
            let message = format!("event `{}` has no `{key}`", entry.name());
            let help = format!("write {example}");
            self.world.report.at(&entry.key, message, help);
        }
        found
    }

    /// Literal values for the parameters; `:event` and the other builtins stay variables, as do answers of other events.
    fn args(&self, entry: &Entry, flow: usize, after: &[After]) -> Option<Vec<Expr>> {
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
            args.extend(self.arg(value, after));
        }
        (args.len() == target.params.len()).then_some(args)
    }

    fn arg(&self, node: &Node, after: &[After]) -> Option<Expr> {
        let text = node.scalar().unwrap_or("");
        if let Some((label, field)) = text.strip_prefix(':').and_then(|text| text.split_once('.'))
            && names::is_name(label)
            && names::is_name(field)
        {
            return self.answer(node, label, field, after);
        }
        let builtin = text.strip_prefix(':').and_then(scope::builtin);
        if let Some(found) = builtin {
            return Some(Expr::Var(Var::Builtin(found)));
        }
        if node.is_plain() && text.starts_with(':') {
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

    /// Whether an event is among these, or among those that they wait for.
    fn happens_before(&self, event: usize, after: &[After]) -> bool {
        let mut seen = vec![false; self.entries.len()];
        let mut open = after.to_vec();
        while let Some(next) = open.pop() {
            let After::Event(before) = next else { continue };
            if before == event {
                return true;
            }
            if !std::mem::replace(&mut seen[before], true) {
                let node = self.entries[before].value.get("after");
                let items = node.map_or(&[][..], |node| {
                    node.list().unwrap_or(std::slice::from_ref(node))
                });
                open.extend(items.iter().filter_map(|item| {
                    let label = item.scalar()?;
                    let known = self.labels.iter().position(|known| *known == label)?;
                    Some(After::Event(known))
                }));
            }
        }
        false
    }

    /// `:ask.token`: a field of what another event was answered, which must have happened before.
    fn answer(&self, node: &Node, label: &str, field: &str, after: &[After]) -> Option<Expr> {
        let report = self.world.report;
        let Some(index) = self.labels.iter().position(|known| *known == label) else {
            let help = names::help(label, "event", self.labels);
            report.at(node, format!("unknown event `{label}`"), help);
            return None;
        };
        if !self.happens_before(index, after) {
            let message = format!("the answer to `{label}` may not be there yet");
            report.at(node, message, format!("write after: {label}"));
        }
        Some(Expr::Answer(index, field.to_owned()))
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
