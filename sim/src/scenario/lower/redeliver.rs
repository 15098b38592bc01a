//! `redeliver`: how a platform repeats a delivery that got no answer.

use super::super::node::Node;
use super::super::problem::Report;
use super::super::program::{Millis, Redeliver};
use super::words;

/// Repeats of one delivery.
const REPEATS: u64 = 100;

/// `{ every, times }`, `{ every, until }` or `{ after: [5s, 30s] }`, with `timeout` and `id`.
pub(super) fn redeliver(report: &Report<'_>, node: &Node) -> Option<Redeliver> {
    report.only(node, "`redeliver`", &words::REDELIVER);
    let gaps = match (
        node.get("after"),
        node.get("every"),
        node.get("times"),
        node.get("until"),
    ) {
        (Some(after), None, None, None) => {
            let gaps = report.items(after, "`after` of `redeliver`").iter();
            gaps.map(|gap| report.millis(gap, "a gap")).collect()
        }
        (None, Some(every), Some(times), None) => {
            let every = report.millis(every, "`every`")?;
            let times = report.whole(times, "`times`", REPEATS)?;
            Some(vec![every; usize::try_from(times).ok()?])
        }
        (None, Some(every), None, Some(until)) => every_until(report, every, until),
        _ => {
            report.at(
                node,
                "`redeliver` does not say when",
                "write { every: 5s, times: 2 }, { every: 1m, until: 1h } or { after: [5s, 30s, 5m] }",
            );
            None
        }
    };
    let timeout = node
        .get("timeout")
        .and_then(|timeout| report.millis(timeout, "`timeout`"));
    let id = node
        .get("id")
        .and_then(|id| report.known(id, "kind of id", &["same", "new"]));
    let to = node
        .get("to")
        .and_then(|to| report.known(to, "instance", &["same", "next"]));
    Some(Redeliver {
        to_next: to == Some(1),
        gaps: gaps?,
        timeout,
        new_id: id == Some(1),
    })
}

fn every_until(report: &Report<'_>, every: &Node, until: &Node) -> Option<Vec<Millis>> {
    let gap = report.millis(every, "`every`")?;
    let end = report.millis(until, "`until`")?;
    let times = end
        .checked_div(gap)
        .filter(|times| (1..=REPEATS).contains(times));
    let Some(times) = times else {
        let message = format!("`every` and `until` make no or more than {REPEATS} repeats");
        let help = "choose a gap that is longer than 0s and shorter than `until`";
        report.at(every, message, help);
        return None;
    };
    Some(vec![gap; usize::try_from(times).ok()?])
}
