//! Replays the decisions of a case and counts what became of each.

use super::{Act, At, Counts, Strategy, View};
use crate::case::Decisions;

/// Replays a case.
#[derive(Debug)]
pub struct Replay {
    /// Sorted by key.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    key: u64,
    act: Act,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Absent,
    Used,
    Blocked,
}

impl Replay {
    /// Replays these decisions.
    pub fn new(decisions: &Decisions) -> Self {
        let mut entries: Vec<Entry> = decisions
            .0
            .iter()
            .map(|(point, deviation)| Entry {
                key: point.key(),
                act: Act::from(deviation),
                fate: Fate::Absent,
            })
            .collect();
        entries.sort_by_key(|entry| entry.key);
        Self { entries }
    }

    fn find(&mut self, key: u64) -> Option<&mut Entry> {
        let i = self
            .entries
            .binary_search_by_key(&key, |entry| entry.key)
            .ok()?;
        Some(&mut self.entries[i])
    }
}

impl Strategy for Replay {
    fn decide(&mut self, at: &At, _view: &dyn View) -> Option<Act> {
        let entry = self.find(at.key)?;
        // Reached: it is blocked unless the run says otherwise.
        entry.fate = Fate::Blocked;
        Some(entry.act.clone())
    }

    fn carried_out(&mut self, key: u64, done: bool) {
        if let Some(entry) = self.find(key) {
            entry.fate = if done { Fate::Used } else { Fate::Blocked };
        }
    }

    fn counts(&self) -> Counts {
        let count = |fate| {
            self.entries
                .iter()
                .filter(|entry| entry.fate == fate)
                .count()
        };
        Counts {
            used: count(Fate::Used),
            blocked: count(Fate::Blocked),
            absent: count(Fate::Absent),
        }
    }
}
