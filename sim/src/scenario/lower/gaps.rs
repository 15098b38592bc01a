//! The time from one attempt to the next: a list of durations under `after`, or `every` with `until`.

use super::super::node::Node;
use super::super::problem::Report;
use super::super::program::Millis;

/// What is tried again, in the words of its messages.
pub(super) struct Gaps {
    /// The key under which all of it stands.
    pub(super) key: &'static str,
    /// A time from one attempt to the next.
    pub(super) gap: &'static str,
    /// The further attempts.
    pub(super) attempts: &'static str,
    /// More of them are a slip of the pen.
    pub(super) most: u64,
}

impl Gaps {
    /// `after: [5s, 30s]`.
    pub(super) fn after(&self, report: &Report<'_>, after: &Node) -> Option<Vec<Millis>> {
        let what = format!("a {}", self.gap);
        let gaps = report.items(after, &format!("`after` of `{}`", self.key));
        gaps.iter().map(|gap| report.millis(gap, &what)).collect()
    }

    /// `every: 5s, until: 1m`: as many as fit.
    pub(super) fn until(
        &self,
        report: &Report<'_>,
        every: &Node,
        until: &Node,
    ) -> Option<Vec<Millis>> {
        let gap = report.millis(every, "`every`")?;
        let end = report.millis(until, "`until`")?;
        let times = end
            .checked_div(gap)
            .filter(|times| (1..=self.most).contains(times));
        let Some(times) = times else {
            let (most, attempts) = (self.most, self.attempts);
            let message = format!("`every` and `until` make no or more than {most} {attempts}");
            let help = format!(
                "choose a {} that is longer than 0s and shorter than `until`",
                self.gap
            );
            report.at(every, message, help);
            return None;
        };
        Some(vec![gap; usize::try_from(times).ok()?])
    }
}
