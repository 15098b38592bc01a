//! Two runs side by side, from shortly before they part.

use super::story;
use crate::trace::{Event, Kind, Trace};

/// The failing run up to its violation on the left, the passing one on the right; `>` marks the first difference.
pub(super) fn lines(failing: &Trace, violated: u64, passing: &Trace) -> Vec<String> {
    let failing = story::until(failing, violated);
    let passing = story::until(passing, u64::MAX);
    let (left, right) = (told(&failing), told(&passing));
    let same = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(BEFORE);
    let longest = left.len().max(right.len()).min(same + AFTER);
    let cell = |side: &[String], at: usize| {
        let text = side.get(at).map_or("", String::as_str);
        let mut short: String = text.chars().take(WIDTH).collect();
        if text.chars().count() > WIDTH {
            short.pop();
            short.push('…');
        }
        short
    };
    let mut lines = vec![format!("  {:<WIDTH$}   passes", "fails")];
    lines.extend((from..longest).map(|at| {
        let mark = if at == same { '>' } else { ' ' };
        format!("{mark} {:<WIDTH$} | {}", cell(&left, at), cell(&right, at))
    }));
    lines
}

/// Each beginning and return as a sentence.
fn told(events: &[&Event]) -> Vec<String> {
    let shown = |event: &&&Event| event.kind != Kind::Heal;
    let events: Vec<&Event> = events.iter().filter(shown).copied().collect();
    let told = story::told(&events, u64::MAX);
    told.iter().map(story::Told::words).collect()
}

const BEFORE: usize = 2;
const AFTER: usize = 12;
const WIDTH: usize = 60;
