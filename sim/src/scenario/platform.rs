//! Platforms: how they deliver, said once and named at events. A law that an event names is laid into its tree, so
//! that the rest of the room only knows events.

use super::names;
use super::node::{Entry, Kind, Node};
use super::problem::Report;
use super::source::Style;

/// Keys of a platform.
pub(super) const LAW: [&str; 4] = ["redeliver", "order", "expires", "source"];
/// In which order a platform delivers.
pub(super) const ORDER: [&str; 2] = ["none", "per sender"];

/// What an event takes from the platform that it names.
struct Law {
    name: String,
    redeliver: Option<Node>,
    /// What one sender did is delivered one after the other.
    ordered: bool,
}

/// Checks `platforms` and lays their laws under the events that name them.
pub(super) fn apply(report: &Report<'_>, root: &mut Node) {
    let platforms = root.get("platforms");
    let entries = platforms.map_or(Vec::new(), |node| report.named(node, "`platforms`"));
    let laws: Vec<Law> = entries
        .into_iter()
        .filter_map(|entry| law(report, entry))
        .collect();
    if let Some(events) = root.get_mut("events") {
        each_event(events, &mut |event| named(report, &laws, event));
    }
}

fn law(report: &Report<'_>, entry: &Entry) -> Option<Law> {
    let name = report.name(&entry.key, "a platform")?;
    report.only(&entry.value, &format!("platform `{name}`"), &LAW);
    let order = entry.value.get("order");
    let order = order.and_then(|order| report.known(order, "order", &ORDER));
    if let Some(expires) = entry.value.get("expires") {
        for entry in report.mapping(expires, "`expires` of a platform") {
            report.millis(&entry.value, &format!("`{}`", entry.name()));
        }
    }
    Some(Law {
        name: name.to_owned(),
        redeliver: entry.value.get("redeliver").cloned(),
        ordered: order == Some(1),
    })
}

fn each_event(events: &mut Node, visit: &mut dyn FnMut(&mut Node)) {
    match &mut events.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| each_event(item, visit)),
        Kind::Map { entries, .. } => entries.iter_mut().for_each(|entry| visit(&mut entry.value)),
        Kind::Scalar { .. } => {}
    }
}

/// Puts the law into the place of its name.
fn named(report: &Report<'_>, laws: &[Law], event: &mut Node) {
    let sender = event.get("from").cloned();
    let Kind::Map { entries, .. } = &mut event.kind else {
        return;
    };
    let Some(index) = entries.iter().position(|entry| entry.name() == "redeliver") else {
        return;
    };
    let value = &entries[index].value;
    let Some(name) = value.scalar().filter(|_| !value.is_null()) else {
        return;
    };
    let Some(law) = laws.iter().find(|law| law.name == name) else {
        let known: Vec<&str> = laws.iter().map(|law| law.name.as_str()).collect();
        let help = format!(
            "{}; import one from platforms/, or write {{ every: 5s, times: 2 }}",
            names::help(name, "platform", &known)
        );
        report.at(value, format!("unknown platform `{name}`"), help);
        entries.remove(index);
        return;
    };
    match &law.redeliver {
        Some(redeliver) => entries[index].value = redeliver.clone(),
        None => {
            entries.remove(index);
        }
    }
    if let Some(sender) = sender.filter(|_| law.ordered) {
        let queue = format!("{name} {}", sender.scalar().unwrap_or(""), name = law.name);
        entries.extend(sender.scalar().map(|_| queue_entry(&sender, queue)));
    }
}

/// `queue: …`, as if it stood at the sender.
fn queue_entry(sender: &Node, queue: String) -> Entry {
    let at = |text: String| Node {
        kind: Kind::Scalar {
            text,
            style: Style::Verbatim,
        },
        ..sender.clone()
    };
    Entry {
        key: at("queue".to_owned()),
        value: at(queue),
    }
}
