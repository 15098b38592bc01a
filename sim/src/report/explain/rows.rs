//! The rows that the violated invariant looks at: who wrote what.

use super::ExplainReport;
use super::story::Story;
use crate::disk::capture::Change;
use crate::trace::{Committed, plain};
use rusqlite::types::Value;

/// The changes of rows of the invariant's tables, up to the violation. Where rows name the violated key, only those.
pub(super) fn of(report: &ExplainReport) -> Vec<&Committed> {
    // The commit that was judged comes just behind the violation.
    let until = report.explained.violation.1 + 1;
    let read = |table: &str| mentions(&report.rule.1, table);
    let changes = report.explained.ran.trace.changes.iter();
    let of_rule: Vec<&Committed> = changes
        .filter(|change| change.n <= until && read(&change.change.table))
        .collect();
    let key = &report.explained.target.key;
    let with_key = |change: &&&Committed| names(&change.change, key);
    let of_key: Vec<&Committed> = of_rule.iter().filter(with_key).copied().collect();
    if of_key.is_empty() { of_rule } else { of_key }
}

/// One line for each of them.
pub(super) fn lines(chosen: &[&Committed], story: &Story<'_>) -> Vec<String> {
    let left_out = chosen.len().saturating_sub(MOST);
    let mut lines: Vec<String> = chosen
        .iter()
        .skip(left_out)
        .map(|change| one(change, story))
        .collect();
    if left_out > 0 {
        lines.insert(0, format!("({left_out} earlier changes are not shown)"));
    }
    lines
}

/// Whether a query names a table.
fn mentions(sql: &str, table: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    sql.split(|c| !is_part(c))
        .any(|word| word.eq_ignore_ascii_case(table))
}

/// Whether a row has the key as one of its values.
fn names(change: &Change, key: &str) -> bool {
    let images = [&change.old, &change.new].into_iter().flatten();
    !key.is_empty() && images.flatten().any(|value| plain(value) == key)
}

fn one(committed: &Committed, story: &Story<'_>) -> String {
    let change = &committed.change;
    let at = story
        .number(committed.n)
        .map_or(String::new(), |n| format!(" at {n}"));
    let row = |values: &Option<Vec<Value>>| {
        let values = values.iter().flatten().map(plain).collect::<Vec<_>>();
        format!("({})", values.join(", "))
    };
    let what = match (&change.old, &change.new) {
        (None, _) => row(&change.new),
        (_, None) => row(&change.old),
        (Some(old), Some(new)) => {
            let same = old.iter().zip(new).filter(|(old, new)| old != new);
            let changed = same.map(|(old, new)| format!("{} -> {}", plain(old), plain(new)));
            let whose = new.first().map(plain).unwrap_or_default();
            format!("{whose}: {}", changed.collect::<Vec<_>>().join(", "))
        }
    };
    let done = match (&change.old, &change.new) {
        (None, _) => "inserted",
        (_, None) => "deleted",
        _ => "updated",
    };
    format!(
        "{} {what}   {done} by {}{at}",
        change.table, committed.cause
    )
}

/// More changes than this are cut at their beginning.
const MOST: usize = 12;
