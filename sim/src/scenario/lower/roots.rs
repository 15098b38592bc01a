//! Which flows something outside of flows runs: the others of a variant with another store are left out.

use super::super::node::Node;
use super::draft::Draft;
use super::reach;

/// Leaves out flows that wait for a variant with another store.
pub(super) fn leave_out(root: &Node, draft: &mut Draft<'_>) {
    let roots = roots(root, draft);
    let versions = draft.versions.iter_mut();
    let mut codes = vec![&mut draft.flows];
    codes.extend(versions.map(|version| &mut version.flows));
    if draft.store {
        reach::prune(&mut codes, &roots);
    } else {
        reach::prune_operations(&mut codes, &roots);
    }
}

/// Names of the flows that something outside of flows runs.
fn roots(root: &Node, draft: &Draft<'_>) -> Vec<String> {
    let mut found = Vec::new();
    draft
        .setup
        .iter()
        .for_each(|step| reach::called(step, &mut found));
    for layers in &draft.processes {
        // What a variant says about a process takes the place of what the file says.
        let last = |key: &str| layers.iter().rev().find_map(|entry| entry.value.get(key));
        let looped = last("loop").and_then(|looped| looped.get("flow"));
        let nodes = [last("start"), last("stop"), looped].into_iter().flatten();
        found.extend(nodes.filter_map(Node::scalar).map(str::to_owned));
    }
    let events = root.get("events");
    let listed = events
        .and_then(Node::list)
        .unwrap_or(&[])
        .iter()
        .filter_map(Node::entries)
        .flatten();
    let mapped = events.and_then(Node::entries).unwrap_or(&[]).iter();
    let sends = listed
        .chain(mapped)
        .filter_map(|entry| entry.value.get("send"));
    found.extend(sends.filter_map(Node::scalar).map(str::to_owned));
    found
}
