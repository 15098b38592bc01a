//! Two runs side by side, from shortly before they part.

use super::words;
use crate::trace::{Event, Kind, Trace};

/// The failing run on the left, the passing one on the right; `>` marks the first difference.
pub(super) fn lines(failing: &Trace, passing: &Trace) -> Vec<String> {
    let (left, right) = (told(failing), told(passing));
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

/// Each event as a sentence with its end.
fn told(trace: &Trace) -> Vec<String> {
    let shown = |event: &&Event| !event.idle && event.kind != Kind::Heal;
    let events = trace.events.iter().filter(shown);
    let told = events.map(|event| {
        let ended = words::ended(event).map_or(String::new(), |end| format!(": {end}"));
        format!("{}{ended}", words::began(event))
    });
    told.collect()
}

const BEFORE: usize = 2;
const AFTER: usize = 12;
const WIDTH: usize = 60;
