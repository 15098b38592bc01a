//! What a case takes, what it does not, and which of its values matter.

use crate::case::line;
use crate::explain::{Amounts, Explained, Fate, Happened, Tried, Value};

/// Decisions and events without which the case does not fail.
pub(super) fn needs(explained: &Explained) -> Vec<String> {
    let events = explained.events.iter().filter(|event| event.needed);
    let mut lines: Vec<String> = events
        .map(|event| format!("the event {}", name(event)))
        .collect();
    let decisions = explained.decisions.iter().filter(|tried| tried.needed);
    lines.extend(decisions.map(|tried| {
        let others = any_other(tried).map_or(String::new(), |words| format!("   ({words})"));
        format!("{}{others}", line(&tried.point, &tried.deviation))
    }));
    if lines.is_empty() {
        lines
            .push("nothing by itself: the quiet run fails, or each part has a stand-in".to_owned());
    }
    lines
}

/// What could be left out alone.
pub(super) fn idle(explained: &Explained) -> Vec<String> {
    let events = explained.events.iter().filter(|event| !event.needed);
    let events = events.map(|event| format!("the event {}", name(event)));
    let decisions = explained.decisions.iter().filter(|tried| !tried.needed);
    let decisions = decisions.map(|tried| line(&tried.point, &tried.deviation));
    events.chain(decisions).collect()
}

/// The values of events that are needed, a line for each event: those that matter first.
pub(super) fn values(explained: &Explained) -> Vec<String> {
    let events = explained.events.iter();
    let events = events.filter(|event| !event.values.is_empty());
    let line = |event: &Happened| {
        let values = event.values.iter();
        let mut parts: Vec<String> = values
            .clone()
            .filter_map(|Value { name, value, fate }| matters(name, value, *fate))
            .collect();
        for (fate, words) in [(Fate::Any, ANY), (Fate::AnySame, ANY_SAME)] {
            let names = values.clone().filter(|value| value.fate == fate);
            let names: Vec<&str> = names.map(|value| value.name.as_str()).collect();
            if !names.is_empty() {
                parts.push(format!("any other {} {words}", names.join(", ")));
            }
        }
        format!("{}   {}", name(event), parts.join("; "))
    };
    events.map(line).collect()
}

/// A value that cannot be any other.
fn matters(name: &str, value: &str, fate: Fate) -> Option<String> {
    match fate {
        Fate::Any | Fate::AnySame => None,
        _ => Some(format!("{name} {value} {}", words(fate))),
    }
}

/// What else would do for a value, in words.
pub(super) const fn words(fate: Fate) -> &'static str {
    match fate {
        Fate::Any => "any other will do",
        Fate::AnySame => "any other will do, if it is the same everywhere",
        Fate::Earlier => "or earlier will do",
        Fate::Later => "or later will do",
        Fate::Matters => "matters",
    }
}

const ANY: &str = "will do";
const ANY_SAME: &str = "will do, if it is the same everywhere";

/// An event, with the variant under which it happens if there are several.
pub(super) fn name(event: &Happened) -> String {
    match &event.leg {
        Some(leg) => format!("{} under {leg}", event.event),
        None => event.event.clone(),
    }
}

/// What else would do in the place of a decision, in words.
pub(super) fn any_other(tried: &Tried) -> Option<String> {
    tried
        .amounts
        .map(|amounts| other_amount(tried, amounts))
        .or_else(|| others(tried))
}

fn other_amount(tried: &Tried, amounts: Amounts) -> String {
    let shown = |n: i64| {
        let text = tried.deviation.with_amount(n).to_string();
        let amount = text.split_once(' ').map(|(_, amount)| amount.to_owned());
        amount.unwrap_or(text)
    };
    match amounts {
        Amounts::Any => "any other will do".to_owned(),
        Amounts::From(n) => format!("{} or more will do", shown(n)),
        Amounts::UpTo(n) => format!("{} or less will do", shown(n)),
        Amounts::Between(from, to) if from == to => "no other will do".to_owned(),
        Amounts::Between(from, to) => format!("{} to {} will do", shown(from), shown(to)),
    }
}

/// To whom else one could switch.
fn others(tried: &Tried) -> Option<String> {
    let well: Vec<&str> = tried
        .others
        .iter()
        .filter(|(_, fails)| *fails)
        .map(|(other, _)| other.as_str())
        .collect();
    match well.len() {
        0 => None,
        n if n == tried.others.len() => Some("to anybody else will do".to_owned()),
        _ => Some(format!("to {} will do as well", well.join(" or "))),
    }
}
