//! Counts of what is said and what is so.

use std::collections::BTreeMap;
use std::fmt;

/// What was said and what is so, by kind.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<&'static str, Counts>);

#[derive(Default, Clone, Copy)]
struct Counts {
    /// Said, and so.
    right: usize,
    /// Said, and not so.
    wrong: usize,
    /// Not said, and so.
    missed: usize,
    /// Neither.
    neither: usize,
}

impl Tally {
    /// Takes one thing. Whether what was said is so.
    pub(super) fn take(&mut self, kind: &'static str, said: bool, is_so: bool) -> bool {
        let counts = self.0.entry(kind).or_default();
        let count = match (said, is_so) {
            (true, true) => &mut counts.right,
            (true, false) => &mut counts.wrong,
            (false, true) => &mut counts.missed,
            (false, false) => &mut counts.neither,
        };
        *count += 1;
        said == is_so
    }

    fn all(&self) -> Counts {
        self.0.values().fold(Counts::default(), |all, it| Counts {
            right: all.right + it.right,
            wrong: all.wrong + it.wrong,
            missed: all.missed + it.missed,
            neither: all.neither + it.neither,
        })
    }
}

impl Tally {
    /// Precision and recall of all kinds together.
    pub(super) fn measures(&self) -> (f64, f64) {
        let all = self.all();
        (all.precision(), all.recall())
    }
}

impl Counts {
    fn precision(self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    fn recall(self) -> f64 {
        share(self.right, self.right + self.missed)
    }
}

/// Of nothing, all.
pub(super) fn share(part: usize, of: usize) -> f64 {
    match of {
        0 => 1.0,
        _ => part as f64 / of as f64,
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, counts) in &self.0 {
            let (precision, recall) = (counts.precision(), counts.recall());
            let Counts {
                right,
                wrong,
                missed,
                neither,
            } = counts;
            writeln!(
                f,
                "  {kind:<22} precision {precision:.3}, recall {recall:.3}   {right} right, {wrong} wrong, {missed} missed, {neither} neither"
            )?;
        }
        let (precision, recall) = self.measures();
        writeln!(
            f,
            "  all                    precision {precision:.3}, recall {recall:.3}"
        )
    }
}
