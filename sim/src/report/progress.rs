//! How far a sweep or a search is, as one line.

use super::{count, grouped};

/// How far the work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub what: &'static str,
    /// The pieces of work: a run, a search.
    pub piece: (&'static str, &'static str),
    /// Pieces done.
    pub done: u64,
    /// Pieces in all.
    pub total: u64,
    /// Runs done.
    pub runs: u64,
    /// Violations found.
    pub findings: u64,
    /// Milliseconds since it began.
    pub elapsed_ms: u64,
}

impl Progress {
    /// What, done of total, runs a second, time left, findings. Rate and time left come with the first result.
    pub fn line(&self) -> String {
        let (_, pieces) = self.piece;
        let mut parts = vec![format!(
            "{}   {}/{} {pieces}",
            self.what,
            grouped(self.done),
            grouped(self.total)
        )];
        if self.done > 0 {
            let seconds = self.elapsed_ms.max(1) as f64 / 1000.0;
            // Who makes cases small counts no runs.
            if self.runs > 0 {
                let rate = (self.runs as f64 / seconds) as u64;
                parts.push(format!("{} runs/s", grouped(rate)));
            }
            let left = self.total.saturating_sub(self.done) as f64;
            parts.push(format!(
                "{} left",
                duration((seconds * left / self.done as f64) as u64)
            ));
        }
        parts.push(count(self.findings, "finding"));
        parts.join("   ")
    }

    /// The line at the start, where no line is rewritten.
    pub fn first_line(&self) -> String {
        let (piece, pieces) = self.piece;
        let pieces = if self.total == 1 { piece } else { pieces };
        format!("{}: {} {pieces}", self.what, grouped(self.total))
    }
}

/// Seconds as people say them: `7 s`, `3 min 05 s`, `2 h 10 min`.
fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{Progress, duration};

    const SWEEP: Progress = Progress {
        what: "sweep",
        piece: ("run", "runs"),
        done: 0,
        total: 100_001,
        runs: 0,
        findings: 0,
        elapsed_ms: 0,
    };

    #[test]
    fn a_line_tells_done_total_rate_time_left_and_findings() {
        assert_eq!(SWEEP.first_line(), "sweep: 100,001 runs");
        assert_eq!(SWEEP.line(), "sweep   0/100,001 runs   0 findings");
        let later = Progress {
            done: 25_000,
            runs: 25_000,
            findings: 1,
            elapsed_ms: 50_000,
            ..SWEEP
        };
        assert_eq!(
            later.line(),
            "sweep   25,000/100,001 runs   500 runs/s   2 min 30 s left   1 finding"
        );
    }

    #[test]
    fn the_rate_counts_runs_whatever_the_pieces_are() {
        let searches = Progress {
            what: "scenarios",
            piece: ("search", "searches"),
            done: 3,
            total: 4,
            runs: 9_000,
            findings: 2,
            elapsed_ms: 3_000,
        };
        assert_eq!(
            searches.line(),
            "scenarios   3/4 searches   3,000 runs/s   1 s left   2 findings"
        );
        let one = Progress {
            total: 1,
            ..searches
        };
        assert_eq!(one.first_line(), "scenarios: 1 search");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let said = [0, 59, 60, 185, 3_599, 3_600, 7_800, 100_000].map(duration);
        let expected =
            "0 s,59 s,1 min 00 s,3 min 05 s,59 min 59 s,1 h 00 min,2 h 10 min,27 h 46 min";
        assert_eq!(said.join(","), expected);
    }
}
