//! What `lockstep bench bugs` prints: how many runs each strategy needs for each bug.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::SCHEMA_VERSION;

/// All that was hunted.
#[derive(Debug, Clone, Default)]
pub struct HuntReport {
    /// Names of the strategies, in the order of the columns.
    pub strategies: Vec<String>,
    /// Bugs in their order.
    pub bugs: Vec<Hunted>,
    /// Hunts of each bug by each strategy.
    pub seeds: u64,
    /// Runs after which a hunt was given up.
    pub most: u64,
    /// Not everything was hunted.
    pub cut: bool,
}

/// One bug.
#[derive(Debug, Clone)]
pub struct Hunted {
    /// Its name.
    pub name: String,
    /// The family, or the file of the scenario.
    pub family: String,
    /// Deviations without which it does not show, where an exhaustive search told.
    pub depth: Option<u64>,
    /// By the name of the strategy.
    pub by: BTreeMap<String, Effort>,
}

/// What the hunts of one strategy for one bug took.
#[derive(Debug, Clone, Default)]
pub struct Effort {
    /// Runs of each hunt, ascending; one that was given up counts as the most.
    runs: Vec<u64>,
    /// Hunts that found it.
    pub found: u64,
    /// Wall-clock milliseconds of a hunt, on average.
    pub ms: f64,
}

impl Effort {
    /// Of hunts that took so many runs, `None` where `most` were not enough.
    pub fn new(hunts: &[Option<u64>], most: u64, ms: f64) -> Self {
        let mut runs: Vec<u64> = hunts.iter().map(|runs| runs.unwrap_or(most)).collect();
        runs.sort_unstable();
        let found = hunts.iter().flatten().count() as u64;
        Self { runs, found, ms }
    }

    /// The run count that so many percent of the hunts stay within.
    fn percentile(&self, percent: usize) -> u64 {
        let last = self.runs.len().saturating_sub(1);
        let at = (self.runs.len() * percent).div_ceil(100).clamp(1, last + 1) - 1;
        self.runs.get(at).copied().unwrap_or_default()
    }

    /// The middle hunt; of two, the lower.
    pub fn median(&self) -> u64 {
        self.percentile(50)
    }

    /// Nine of ten hunts took no more.
    pub fn p90(&self) -> u64 {
        self.percentile(90)
    }
}

impl HuntReport {
    /// The geometric mean of a strategy's medians, over the bugs that it was sent for.
    pub fn mean(&self, strategy: &str) -> Option<f64> {
        let efforts = self.bugs.iter().filter_map(|bug| bug.by.get(strategy));
        let logs: Vec<f64> = efforts
            .map(|effort| (effort.median() as f64).ln())
            .collect();
        (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
    }
}

/// As text.
pub fn hunts_text(report: &HuntReport) -> String {
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let name = width(&mut report.bugs.iter().map(|bug| bug.name.len())).max(3);
    let mut text = format!("{:name$}  depth", "bug");
    for strategy in &report.strategies {
        let _ = write!(text, "  {strategy:>COLUMN$}");
    }
    text.push('\n');
    for bug in &report.bugs {
        let depth = bug.depth.map_or("-".to_owned(), |depth| depth.to_string());
        let _ = write!(text, "{:name$}  {depth:>5}", bug.name);
        for strategy in &report.strategies {
            let cell = bug
                .by
                .get(strategy)
                .map_or(String::new(), |effort| cell(effort, report));
            let _ = write!(text, "  {cell:>COLUMN$}");
        }
        text.push('\n');
    }
    let _ = write!(text, "{:name$}       ", "geometric mean");
    for strategy in &report.strategies {
        let mean = report
            .mean(strategy)
            .map_or(String::new(), |mean| format!("{mean:.1}"));
        let _ = write!(text, "  {mean:>COLUMN$}");
    }
    let _ = write!(
        text,
        "\n\nruns to find: median / 90 percent of {} hunts, each given up after {} runs (>)\n",
        report.seeds, report.most
    );
    if report.cut {
        text.push_str("cut short: not everything was hunted\n");
    }
    text
}

const COLUMN: usize = 14;

fn cell(effort: &Effort, report: &HuntReport) -> String {
    let told = |runs: u64| match runs == report.most && effort.found < report.seeds {
        true => format!(">{runs}"),
        false => runs.to_string(),
    };
    format!("{}/{}", told(effort.median()), told(effort.p90()))
}

/// As the object that `--json` prints.
pub fn hunts_json(report: &HuntReport) -> Json {
    let effort = |effort: &Effort| {
        json!({
            "median": effort.median(),
            "p90": effort.p90(),
            "found": effort.found,
            "ms": (effort.ms * 1000.0).round() / 1000.0,
        })
    };
    let bugs = report.bugs.iter().map(|bug| {
        let by = bug.by.iter();
        let strategies: BTreeMap<&String, Json> = by.map(|(name, by)| (name, effort(by))).collect();
        json!({
            "name": bug.name,
            "family": bug.family,
            "depth": bug.depth,
            "found": bug.by.values().any(|effort| effort.found > 0),
            "strategy": strategies,
        })
    });
    json!({
        "schema_version": SCHEMA_VERSION,
        "bugs": bugs.collect::<Vec<_>>(),
        "seeds": report.seeds,
        "most_runs": report.most,
        "cut": report.cut,
    })
}

#[cfg(test)]
mod tests {
    use super::Effort;

    #[test]
    fn a_hunt_that_was_given_up_counts_as_the_most() {
        let effort = Effort::new(&[Some(3), None, Some(1), Some(2)], 100, 0.0);
        assert_eq!((effort.median(), effort.p90(), effort.found), (2, 100, 3));
    }
}
