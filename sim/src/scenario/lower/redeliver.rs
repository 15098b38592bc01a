//! `redeliver`: how a platform repeats a delivery that got no answer.

use super::super::node::Node;
use super::super::problem::Report;
use super::super::program::Redeliver;
use super::gaps::Gaps;
use super::words;

const REPEATS: Gaps = Gaps {
    key: "redeliver",
    gap: "gap",
    attempts: "repeats",
    most: 100,
};

/// `{ every, times }`, `{ every, until }` or `{ after: [5s, 30s] }`, with `timeout` and `id`.
pub(super) fn redeliver(report: &Report<'_>, node: &Node) -> Option<Redeliver> {
    report.only(node, "`redeliver`", &words::REDELIVER);
    let gaps = match (
        node.get("after"),
        node.get("every"),
        node.get("times"),
        node.get("until"),
    ) {
        (Some(after), None, None, None) => REPEATS.after(report, after),
        (None, Some(every), Some(times), None) => {
            let every = report.millis(every, "`every`")?;
            let times = report.whole(times, "`times`", REPEATS.most)?;
            Some(vec![every; usize::try_from(times).ok()?])
        }
        (None, Some(every), None, Some(until)) => REPEATS.until(report, every, until),
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
