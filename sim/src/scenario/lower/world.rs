//! Processes, resources and locks.

use rusqlite::types::Value;

use super::super::duration;
use super::super::fields::literal;
use super::super::names;
use super::super::node::{Entry, Node};
use super::super::problem::Report;
use super::super::program::{Homed, Lock, Loop, Process, Provider, Resource, Span};
use super::flow::FlowText;
use super::words;

/// More instances of one process than this make a schedule nobody can read.
const INSTANCES: u64 = 64;
/// Rounds of a loop without any change before it rests, when the file does not say.
const ROUNDS_BEFORE_REST: u64 = 20;

/// A process as it is written, with what is looked up later.
pub(super) struct ProcessText {
    pub(super) process: Process,
    /// Memory that this process declares itself.
    pub(super) declares: Vec<String>,
}

/// What a process can name.
pub(super) struct Known<'a> {
    pub(super) flows: &'a [FlowText],
    pub(super) versions: Vec<&'a str>,
    pub(super) databases: Vec<&'a str>,
}

/// A process from its base entry and the entries of the variant that change it.
pub(super) fn process(
    report: &Report<'_>,
    layers: &[&Entry],
    known: &Known<'_>,
) -> Option<ProcessText> {
    let first = layers.first()?;
    let name = report.name(&first.key, "a process")?.to_owned();
    let mut text = ProcessText {
        process: Process::idle(name),
        declares: Vec::new(),
    };
    for layer in layers {
        add(report, &mut text, &layer.value, known);
    }
    text.declares = text
        .process
        .memory
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    Some(text)
}

fn add(report: &Report<'_>, text: &mut ProcessText, node: &Node, known: &Known<'_>) {
    let flows = known.flows;
    let process = &mut text.process;
    if node.scalar().is_some() && !node.is_null() {
        process.count = count(report, node);
        return;
    }
    report.only(
        node,
        &format!("process `{}`", process.name),
        &words::PROCESS,
    );
    if let Some(number) = node.get("count") {
        process.count = count(report, number);
    }
    if let Some(home) = node.get("home") {
        process.home = report.text(home, "`home`").map(str::to_owned);
    }
    if let Some(memory) = node.get("memory") {
        memory_of(report, process, memory);
    }
    if let Some(clock) = node.get("clock") {
        report.only(clock, "`clock` of a process", &words::CLOCK);
        let offset = |key| clock.get(key).map_or(0, |offset| offset_of(report, offset));
        process.clock_offset_ms = offset("offset");
        process.zone_ms = offset("zone");
    }
    if let Some(code) = node.get("code") {
        process.code = report.known(code, "version", &known.versions).unwrap_or(0);
    }
    if let Some(name) = node.get("database") {
        let found = report.known(name, "database", &known.databases);
        process.database = found.unwrap_or(0);
    }
    if let Some(start) = node.get("start") {
        process.start = own_flow(report, start, flows);
    }
    if let Some(stop) = node.get("stop") {
        process.stop = own_flow(report, stop, flows);
    }
    if let Some(looped) = node.get("loop") {
        process.looped = loop_of(report, looped, flows);
    }
}

/// A wrong number counts as the largest, so that no instance is missed because of it.
fn count(report: &Report<'_>, node: &Node) -> u32 {
    let number = report
        .whole(node, "the number of instances", INSTANCES)
        .unwrap_or(INSTANCES);
    if number == 0 {
        report.at(
            node,
            "a process needs at least one instance",
            "write 1, or leave the process out",
        );
    }
    let number = if number == 0 { INSTANCES } else { number };
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn memory_of(report: &Report<'_>, process: &mut Process, node: &Node) {
    for entry in report.mapping(node, "`memory`") {
        if entry.name() == "per" {
            let per = report.known(&entry.value, "owner of memory", &["process", "connection"]);
            process.memory_per_connection = per == Some(1);
            continue;
        }
        let Some(name) = report.name(&entry.key, "memory") else {
            continue;
        };
        let Some(value) = literal(&entry.value) else {
            report.at(
                &entry.value,
                "memory starts with a text, a number or null",
                "write JSON as a text: '[]'",
            );
            continue;
        };
        match process.memory.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => process.memory.push((name.to_owned(), value)),
        }
    }
}

fn offset_of(report: &Report<'_>, node: &Node) -> i64 {
    let found = node.scalar().and_then(duration::parse_offset);
    if found.is_none() {
        report.at(
            node,
            "`offset` is a duration with a sign",
            format!("write 1h or -90m; {}", duration::FORM),
        );
    }
    found.unwrap_or(0)
}

/// A flow that a process runs by itself.
fn own_flow(report: &Report<'_>, node: &Node, flows: &[FlowText]) -> Option<usize> {
    let known: Vec<&str> = flows.iter().map(|flow| flow.name.as_str()).collect();
    let index = report.known(node, "flow", &known)?;
    let flow = flows.get(index)?;
    if !flow.params.is_empty() {
        let message = format!(
            "`{}` has parameters, and a process runs it by itself",
            flow.name
        );
        let help = "a flow of `start`, `stop` or `loop` is written without parameters: boot()";
        report.at(node, message, help);
        return None;
    }
    Some(index)
}

/// `{ flow: tick, every: 15s, for: 5m }`.
fn loop_of(report: &Report<'_>, node: &Node, flows: &[FlowText]) -> Option<Loop> {
    report.only(node, "`loop`", &words::LOOP);
    let (Some(flow), Some(every)) = (node.get("flow"), node.get("every")) else {
        let help = "write loop: { flow: tick, every: 15s }";
        report.at(node, "`loop` does not say what and when", help);
        return None;
    };
    let flow = own_flow(report, flow, flows);
    let every = report
        .millis(every, "`every`")
        .filter(|every| *every > 0)
        .unwrap_or(1_000);
    let rest_after = match node.get("for") {
        Some(rest) => report.millis(rest, "`for`")?,
        None => every.saturating_mul(ROUNDS_BEFORE_REST),
    };
    Some(Loop {
        flow: flow?,
        every,
        rest_after,
    })
}

/// One layout of memory for all processes, so that a flow means the same slot on each of them. What a process does
/// not declare is NULL there, and a flow that uses it on that process is a problem.
pub(super) fn share_memory(texts: &mut [ProcessText]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in texts.iter().flat_map(|text| &text.declares) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    for text in texts {
        let declared = std::mem::take(&mut text.process.memory);
        let value = |name: &String| {
            let found = declared.iter().find(|(known, _)| known == name);
            (
                name.clone(),
                found.map_or(Value::Null, |(_, value)| value.clone()),
            )
        };
        text.process.memory = names.iter().map(value).collect();
    }
    names
}

pub(super) fn resources(report: &Report<'_>, node: Option<&Node>) -> Vec<Resource> {
    let entries = node.map_or(Vec::new(), |node| report.named(node, "`resources`"));
    entries
        .into_iter()
        .filter_map(|entry| resource(report, entry))
        .collect()
}

fn resource(report: &Report<'_>, entry: &Entry) -> Option<Resource> {
    let node = &entry.value;
    let name = report.name(&entry.key, "a resource")?.to_owned();
    report.only(node, &format!("resource `{name}`"), &words::RESOURCE);
    let at_once = Span {
        shortest: 0,
        longest: 0,
    };
    let span = |key: &str| {
        node.get(key)
            .and_then(|span| report.span(span, &format!("`{key}`")))
    };
    let refuses = node
        .get("refuses")
        .and_then(|refuses| report.name(refuses, "a refusal"));
    let expires = node
        .get("expires")
        .and_then(|expires| report.millis(expires, "`expires`"));
    Some(Resource {
        name,
        capacity: capacity(report, node),
        release_after: span("release_after").unwrap_or(at_once),
        refuses: refuses.unwrap_or("in_use").to_owned(),
        home: node
            .get("home")
            .map_or(Homed::No, |home| homed(report, home)),
        durable_after: span("durable_after"),
        exists: truth(report, node, "exists"),
        expires,
    })
}

fn truth(report: &Report<'_>, node: &Node, key: &str) -> bool {
    let found = node
        .get(key)
        .and_then(|value| report.truth(value, &format!("`{key}`")));
    found.unwrap_or(false)
}

/// `exclusive: true`, or `capacity: N`.
fn capacity(report: &Report<'_>, node: &Node) -> Option<u32> {
    let exclusive = truth(report, node, "exclusive").then_some(1);
    let Some(number) = node.get("capacity") else {
        return exclusive;
    };
    if exclusive.is_some() {
        let help = "`exclusive: true` is `capacity: 1`: keep one of the two";
        report.at(number, "`capacity` beside `exclusive`", help);
    }
    let most = report.whole(number, "`capacity`", 1_000)?;
    u32::try_from(most).ok()
}

fn homed(report: &Report<'_>, node: &Node) -> Homed {
    match node.scalar() {
        Some("refuse") => Homed::Refuses,
        Some("false") => Homed::No,
        Some("true") => Homed::Violates,
        _ => {
            let help = "true: a use from elsewhere violates resource.home; refuse: it fails with `elsewhere`";
            report.at(node, "`home` of a resource is true, false or refuse", help);
            Homed::No
        }
    }
}

pub(super) fn effects(report: &Report<'_>, node: Option<&Node>) -> Vec<Provider> {
    let entries = node.map_or(Vec::new(), |node| report.named(node, "`effects`"));
    entries
        .into_iter()
        .filter_map(|entry| {
            let effect = report.name(&entry.key, "an effect")?.to_owned();
            let what = format!("effect `{effect}`");
            report.only(&entry.value, &what, &words::PROVIDER);
            let idempotent = truth(report, &entry.value, "idempotent");
            let expires = entry.value.get("expires").and_then(|expires| {
                if !idempotent {
                    let help = "write idempotent: true beside it";
                    report.at(expires, "only keys that are remembered expire", help);
                }
                report.millis(expires, "`expires`")
            });
            Some(Provider {
                effect,
                idempotent,
                expires,
            })
        })
        .collect()
}

pub(super) fn locks(report: &Report<'_>, node: Option<&Node>) -> Vec<Lock> {
    let entries = node.map_or(Vec::new(), |node| report.named(node, "`locks`"));
    entries
        .into_iter()
        .filter_map(|entry| lock(report, entry))
        .collect()
}

fn lock(report: &Report<'_>, entry: &Entry) -> Option<Lock> {
    let node = &entry.value;
    let mut lock = Lock {
        name: report.name(&entry.key, "a lock")?.to_owned(),
        breaks_on_waiter_timeout: false,
        careless_release: false,
        stale_after: None,
    };
    report.only(node, &format!("lock `{}`", lock.name), &words::LOCK);
    let breaks = node
        .get("breaks")
        .map_or(&[][..], |breaks| report.items(breaks, "`breaks`"));
    for way in breaks {
        let stale = way.entries().and_then(|entries| match entries {
            [only] if only.name() == "stale" => Some(&only.value),
            _ => None,
        });
        if let Some(after) = stale {
            lock.stale_after = report.millis(after, "`stale`");
        } else if way.scalar() == Some("waiter_timeout") {
            lock.breaks_on_waiter_timeout = true;
        } else if way.scalar() == Some("careless_release") {
            lock.careless_release = true;
        } else {
            let word = way
                .scalar()
                .or_else(|| way.entries()?.first().map(Entry::name))
                .unwrap_or("");
            let help = "write [waiter_timeout], [careless_release] or [stale: 300s]; how long a waiter waits is `wait:` of the step";
            let near = names::help(word, "way to break", &words::BREAKS);
            report.at(
                way,
                format!("a lock does not break by `{word}`"),
                format!("{near}; {help}"),
            );
        }
    }
    Some(lock)
}
