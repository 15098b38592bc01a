//! Kept cases: what has become of each.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{Style, count, printable};
use crate::search::Kept;

/// What has become of one kept case.
#[derive(Debug, Clone)]
pub struct KeptReport {
    /// Its file.
    pub file: String,
    /// What has become of it.
    pub kept: Kept,
    /// The variant is expected to be like that.
    pub as_expected: bool,
    /// The invariant that it violated, and the key.
    pub violates: (String, String),
    /// The command that replays it under the text of today.
    pub replay: String,
}

/// A line for each.
pub(super) fn kept_text(out: &mut String, kept: &[KeptReport], style: Style) {
    if kept.is_empty() {
        return;
    }
    out.push_str("kept cases\n");
    let widest = kept.iter().map(|one| one.file.chars().count()).max();
    let width = widest.unwrap_or(0);
    for one in kept {
        let verdict = match one.as_expected {
            true => style.green("as expected"),
            false => style.red("UNEXPECTED"),
        };
        let (invariant, key) = &one.violates;
        let key = if key.is_empty() {
            String::new()
        } else {
            format!(" {key}")
        };
        let _ = writeln!(
            out,
            "  {:<width$}   {}   {verdict}   {invariant}{}",
            printable(&one.file),
            words(one.kept),
            printable(&key),
        );
    }
    out.push('\n');
}

fn words(kept: Kept) -> String {
    let gone = |gone: usize, of: usize| format!("{gone} of {} gone", count(of as u64, "decision"));
    match kept {
        Kept::StillFails => "still fails".to_owned(),
        Kept::FailsNearby { gone: 0, .. } => "still fails (found nearby)".to_owned(),
        Kept::FailsNearby { gone: n, of } => format!("still fails ({}, found nearby)", gone(n, of)),
        Kept::Fixed => "fixed".to_owned(),
        Kept::Drifted { gone: n, of } => format!("drifted ({})", gone(n, of)),
    }
}

/// One object for each.
pub(super) fn kept_json(kept: &[KeptReport]) -> Json {
    let each = kept.iter().map(|one| {
        let (word, gone, of) = match one.kept {
            Kept::StillFails => ("still_fails", 0, 0),
            Kept::FailsNearby { gone, of } => ("still_fails", gone, of),
            Kept::Fixed => ("fixed", 0, 0),
            Kept::Drifted { gone, of } => ("drifted", gone, of),
        };
        json!({
            "file": one.file, "verdict": word, "as_expected": one.as_expected,
            "invariant": one.violates.0, "key": one.violates.1,
            "gone": gone, "of": of, "replay": one.replay,
        })
    });
    each.collect()
}
