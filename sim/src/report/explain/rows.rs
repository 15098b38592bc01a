//! What the violated invariant looks at: the rows of its tables, effects outside, what was recorded of the run; and who did it.

use rusqlite::types::Value;

use super::ExplainReport;
use super::story::Story;
use crate::ledger::{Deed, Effect};
use crate::trace::{Committed, Event, arg_text, plain};

/// Something that the invariant looks at.
pub(super) enum Seen<'a> {
    /// A change of a row.
    Row(&'a Committed),
    /// Something outside.
    Effect(&'a Effect),
    /// An entry of the trace.
    Event(&'a Event),
}

impl Seen<'_> {
    pub(super) fn n(&self) -> u64 {
        match self {
            Self::Row(row) => row.n,
            Self::Effect(effect) => effect.n,
            Self::Event(event) => event.n,
        }
    }

    pub(super) fn cause(&self) -> &str {
        match self {
            Self::Row(row) => row.cause.as_str(),
            Self::Effect(effect) => effect.cause.as_str(),
            Self::Event(event) => event.cause.as_str(),
        }
    }

    /// Whether it has one of these among its values.
    fn names(&self, values: &[String]) -> bool {
        let named = |value: &Value| values.contains(&plain(value));
        match self {
            Self::Row(row) => {
                let images = [&row.change.old, &row.change.new];
                images.into_iter().flatten().flatten().any(named)
            }
            Self::Effect(effect) => given(&effect.deed).any(named),
            Self::Event(event) => values.iter().any(|value| value == event.cause.as_str()),
        }
    }
}

/// What the invariant looks at, up to the violation, in order. Where something names the violated key, or else any value of the
/// violated row, only that.
pub(super) fn of(report: &ExplainReport) -> Vec<Seen<'_>> {
    let ran = &report.explained.ran;
    // The commit that was judged comes just behind the violation.
    let until = report.explained.violation.1 + 1;
    let rule = Rule::of(&report.rule.1);
    let rows = ran.trace.changes.iter();
    let rows = rows.filter(|row| rule.mentions(&row.change.table));
    let effects = ran.ledger.effects.iter();
    let effects = effects.filter(|effect| rule.looks_at_effect(&effect.deed.name));
    let events = ran.trace.events.iter();
    let events = events.filter(|event| rule.looks_at_event(event));
    let mut all: Vec<Seen<'_>> = rows.map(Seen::Row).collect();
    all.extend(effects.map(Seen::Effect));
    all.extend(events.map(Seen::Event));
    all.retain(|seen| seen.n() <= until);
    all.sort_by_key(Seen::n);
    let key = &report.explained.target.key;
    let values = match key.is_empty() {
        true => values(&report.explained.violation.0),
        false => vec![key.clone()],
    };
    if rule.is_code() || all.iter().any(|seen| seen.names(&values)) {
        all.retain(|seen| seen.names(&values) || matches!(seen, Seen::Event(_)));
    }
    all
}

/// Values of a row in words, without numbers: those mean too little by themselves.
fn values(row: &str) -> Vec<String> {
    let parts = row.split(' ').filter_map(|part| part.split_once('='));
    let texts = parts.filter(|(_, value)| value.parse::<f64>().is_err());
    texts.map(|(_, value)| value.to_owned()).collect()
}

/// The words and texts of a query.
struct Rule<'a> {
    words: Vec<&'a str>,
    texts: Vec<&'a str>,
}

impl<'a> Rule<'a> {
    fn of(sql: &'a str) -> Self {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        Self {
            words: sql.split(|c| !is_part(c)).collect(),
            texts: sql.split('\'').skip(1).step_by(2).collect(),
        }
    }

    /// It is no query: of what it looks at only effects are known.
    fn is_code(&self) -> bool {
        self.words == [""]
    }

    /// Whether it names a table.
    fn mentions(&self, table: &str) -> bool {
        let mut words = self.words.iter();
        words.any(|word| word.eq_ignore_ascii_case(table))
    }

    /// Effects of all names, unless it says which.
    fn looks_at_effect(&self, name: &str) -> bool {
        let says_which = self.words.windows(2).any(|pair| pair == ["name", ""]);
        let effects = self.mentions("effect") || self.is_code();
        effects && (!says_which || self.texts.contains(&name))
    }

    /// Only what it names by its cause: anything else is the story itself.
    fn looks_at_event(&self, event: &Event) -> bool {
        let kind = self.texts.contains(&event.kind.name());
        self.mentions("event") && kind && self.texts.contains(&event.cause.as_str())
    }
}

/// One line for each of them.
pub(super) fn lines(chosen: &[Seen<'_>], story: &Story<'_>) -> Vec<String> {
    let left_out = chosen.len().saturating_sub(MOST);
    let mut lines: Vec<String> = chosen
        .iter()
        .skip(left_out)
        .map(|seen| one(seen, story))
        .collect();
    if left_out > 0 {
        lines.insert(0, format!("({left_out} earlier ones are not shown)"));
    }
    lines
}

fn one(seen: &Seen<'_>, story: &Story<'_>) -> String {
    let at = story
        .number(seen.n())
        .map_or(String::new(), |n| format!(" at {n}"));
    let (what, done) = match seen {
        Seen::Row(row) => row_words(row),
        Seen::Effect(effect) => (effect_words(effect), "done"),
        Seen::Event(event) => (
            format!("{} {}", event.kind.name(), arg_text(&event.arg)),
            "done",
        ),
    };
    format!("{what}   {done} by {}{at}", seen.cause())
}

fn row_words(committed: &Committed) -> (String, &'static str) {
    let change = &committed.change;
    let row = |values: &Option<Vec<Value>>| {
        let values = values.iter().flatten();
        let mut shown: Vec<String> = values.clone().take(WIDE).map(plain).collect();
        shown.extend((values.count() > WIDE).then(|| "…".to_owned()));
        format!("({})", shown.join(", "))
    };
    let (what, done) = match (&change.old, &change.new) {
        (None, _) => (row(&change.new), "inserted"),
        (_, None) => (row(&change.old), "deleted"),
        (Some(old), Some(new)) => {
            let same = old.iter().zip(new).filter(|(old, new)| old != new);
            let changed = same.map(|(old, new)| format!("{} -> {}", plain(old), plain(new)));
            let whose = new.first().map(plain).unwrap_or_default();
            let changed = changed.collect::<Vec<_>>().join(", ");
            (format!("{whose}: {changed}"), "updated")
        }
    };
    (format!("{} {what}", change.table), done)
}

fn effect_words(effect: &Effect) -> String {
    let values: Vec<String> = given(&effect.deed).map(plain).collect();
    format!("effect {} ({})", effect.deed.name, values.join(", "))
}

fn given(deed: &Deed) -> impl Iterator<Item = &Value> {
    let all = [&deed.intent, &deed.key, &deed.value, &deed.to];
    all.into_iter().flatten()
}

/// Of a wider row only so many columns are shown.
const WIDE: usize = 8;

/// More than this are cut at their beginning.
const MOST: usize = 12;
