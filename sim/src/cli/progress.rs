//! How far the work is, on stderr: on a terminal one line that is rewritten, elsewhere a plain line now and then.

use std::time::{Duration, Instant};

use lockstep_sim::report;

use super::out;

/// Between two changes of the line on a terminal.
const REWRITE: Duration = Duration::from_millis(200);

/// Between two plain lines, unless a tenth of the work was done in less.
const PLAIN: Duration = Duration::from_secs(30);

/// Where progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Terminal,
    Plain,
    Nowhere,
}

/// What is to be written.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Rewritten(String),
    Line(String),
}

/// Tells how far the work is.
pub(crate) struct Progress {
    meter: Meter,
    started: Instant,
}

impl Progress {
    pub(crate) fn new(json: bool) -> Self {
        let place = match (json, out::shows_progress()) {
            (true, _) => Place::Nowhere,
            (false, true) => Place::Terminal,
            (false, false) => Place::Plain,
        };
        Self {
            meter: Meter::new(place),
            started: Instant::now(),
        }
    }

    /// The sweep begins, or the searches do. `piece` is its singular and its plural.
    pub(crate) fn begin(
        &mut self,
        what: &'static str,
        piece: (&'static str, &'static str),
        total: u64,
    ) {
        say(self.meter.begin(what, piece, total, self.started.elapsed()));
    }

    /// Some more was done.
    pub(crate) fn add(&mut self, pieces: u64, runs: u64, findings: u64) {
        say(self
            .meter
            .add(pieces, runs, findings, self.started.elapsed()));
    }

    /// Leaves the terminal as it was.
    pub(crate) fn end(&mut self) {
        say(self.meter.end());
    }
}

/// Whatever ends the work early does not write into the line.
impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn say(said: Option<Said>) {
    match said {
        Some(Said::Rewritten(line)) => out::progress(&line),
        Some(Said::Line(line)) => out::talk(&line),
        None => {}
    }
}

/// Decides what is said when. Times are since the command started.
struct Meter {
    place: Place,
    now: report::Progress,
    began: Duration,
    /// When something was said last, and how many tenths were done then.
    last: Duration,
    tenths: u64,
    /// A line stands on the terminal.
    standing: bool,
}

impl Meter {
    fn new(place: Place) -> Self {
        Self {
            place,
            now: report::Progress::default(),
            began: Duration::ZERO,
            last: Duration::ZERO,
            tenths: 0,
            standing: false,
        }
    }

    fn begin(
        &mut self,
        what: &'static str,
        piece: (&'static str, &'static str),
        total: u64,
        at: Duration,
    ) -> Option<Said> {
        self.now = report::Progress {
            what,
            piece,
            total,
            ..report::Progress::default()
        };
        (self.began, self.last, self.tenths) = (at, at, 0);
        match self.place {
            Place::Nowhere => None,
            Place::Plain => Some(Said::Line(self.now.first_line())),
            Place::Terminal => Some(self.rewritten()),
        }
    }

    fn add(&mut self, pieces: u64, runs: u64, findings: u64, at: Duration) -> Option<Said> {
        self.now.done += pieces;
        self.now.runs += runs;
        self.now.findings += findings;
        let elapsed = at.saturating_sub(self.began).as_millis();
        self.now.elapsed_ms = u64::try_from(elapsed).unwrap_or(u64::MAX);
        let since = at.saturating_sub(self.last);
        let tenths = self.now.done.saturating_mul(10) / self.now.total.max(1);
        let due = match self.place {
            Place::Nowhere => false,
            Place::Terminal => since >= REWRITE,
            // The end is told by the result.
            Place::Plain => {
                self.now.done < self.now.total && (tenths > self.tenths || since >= PLAIN)
            }
        };
        if !due {
            return None;
        }
        (self.last, self.tenths) = (at, tenths);
        Some(match self.place {
            Place::Terminal => self.rewritten(),
            _ => Said::Line(self.now.line()),
        })
    }

    fn end(&mut self) -> Option<Said> {
        std::mem::take(&mut self.standing).then(|| Said::Rewritten(String::new()))
    }

    fn rewritten(&mut self) -> Said {
        self.standing = true;
        Said::Rewritten(self.now.line())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Meter, Place, Said};

    const RUNS: (&str, &str) = ("run", "runs");

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// What is said while so many runs are done in steps of 100 and of so many milliseconds.
    fn said(place: Place, total: u64, step: u64) -> Vec<Said> {
        let mut meter = Meter::new(place);
        let first = meter.begin("sweep", RUNS, total, ms(500));
        let mut all: Vec<Said> = first.into_iter().collect();
        for i in 1..=total / 100 {
            all.extend(meter.add(100, 100, 0, ms(500 + i * step)));
        }
        all.extend(meter.end());
        all
    }

    #[test]
    fn a_terminal_has_one_line_that_is_rewritten_at_most_five_times_a_second_and_removed() {
        let said = said(Place::Terminal, 1000, 70);
        let lines = [
            "sweep   0/1,000 runs   0 findings",
            "sweep   300/1,000 runs   1,428 runs/s   0 s left   0 findings",
            "sweep   600/1,000 runs   1,428 runs/s   0 s left   0 findings",
            "sweep   900/1,000 runs   1,428 runs/s   0 s left   0 findings",
            "",
        ];
        assert_eq!(said, lines.map(|line| Said::Rewritten(line.to_owned())));
    }

    #[test]
    fn elsewhere_there_is_a_line_at_the_start_and_one_for_each_tenth_of_a_quick_sweep() {
        let said = said(Place::Plain, 4000, 1_000);
        assert_eq!(said.len(), 10, "{said:?}");
        assert_eq!(said[0], Said::Line("sweep: 4,000 runs".to_owned()));
        let second = "sweep   400/4,000 runs   100 runs/s   36 s left   0 findings";
        assert_eq!(said[1], Said::Line(second.to_owned()));
        assert!(said.iter().all(|said| matches!(said, Said::Line(_))));
    }

    #[test]
    fn elsewhere_a_slow_sweep_says_something_twice_a_minute() {
        let said = said(Place::Plain, 100_000, 1_000);
        // A thousand seconds: every thirty, and at each tenth.
        assert_eq!(said.len(), 1 + 9 * 3 + 9 + 3, "{said:?}");
    }

    #[test]
    fn beside_json_nothing_is_said() {
        assert_eq!(said(Place::Nowhere, 1000, 70), Vec::new());
    }

    #[test]
    fn each_part_of_a_run_has_its_own_rate() {
        let mut meter = Meter::new(Place::Terminal);
        meter.begin("scenarios", ("search", "searches"), 2, ms(0));
        meter.add(1, 50_000, 3, ms(1_000));
        meter.begin("sweep", RUNS, 1000, ms(10_000));
        let said = meter.add(250, 250, 0, ms(11_000));
        let line = "sweep   250/1,000 runs   250 runs/s   3 s left   0 findings";
        assert_eq!(said, Some(Said::Rewritten(line.to_owned())));
    }
}
