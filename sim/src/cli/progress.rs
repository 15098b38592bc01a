//! How far the work is, on a terminal only.

use std::time::Instant;

use lockstep_sim::report::{count, grouped};

use super::out;

/// A line on stderr that is rewritten a few times a second.
pub(crate) struct Progress {
    shown: bool,
    started: Instant,
    last: Option<Instant>,
    runs: u64,
    findings: usize,
}

/// Between two changes of the line.
const PAUSE_MS: u128 = 200;

impl Progress {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            shown: !json && out::shows_progress(),
            started: Instant::now(),
            last: None,
            runs: 0,
            findings: 0,
        }
    }

    /// Some more was done of `what`.
    pub(crate) fn add(&mut self, what: &str, runs: u64, findings: usize) {
        self.runs += runs;
        self.findings += findings;
        let due = self
            .last
            .is_none_or(|last| last.elapsed().as_millis() >= PAUSE_MS);
        if self.shown && due {
            self.last = Some(Instant::now());
            let rate = self.runs as f64 / self.started.elapsed().as_secs_f64().max(0.001);
            let (runs, findings) = (
                count(self.runs, "run"),
                count(self.findings as u64, "finding"),
            );
            out::progress(&format!(
                "{what}   {runs}   {} runs/s   {findings}",
                grouped(rate as u64)
            ));
        }
    }

    /// Leaves the terminal as it was.
    pub(crate) fn end(&self) {
        if self.shown && self.last.is_some() {
            out::progress("");
        }
    }
}
