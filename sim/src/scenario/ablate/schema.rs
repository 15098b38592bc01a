//! The statements of a variant's schema, told apart by SQLite.

use std::ops::Range;

use super::super::node::{Kind, Node};
use super::super::sql::Checker;
use super::super::token::{self, Kind as Token};
use super::Knife;

/// Notes each statement, and blanks those that are dropped. A schema that cannot be told apart is one part.
pub(super) fn cut(knife: &mut Knife<'_>, base: &Node, stored: bool, node: &mut Node) {
    let Some(text) = node.scalar().map(str::to_owned) else {
        return;
    };
    let base_store = base.get("store").is_some();
    let before = base.get("schema").and_then(Node::scalar);
    let before = before.filter(|_| base_store || !stored);
    let stored = stored || base_store;
    let mut ranges = statements(stored, before.unwrap_or(""), &text).unwrap_or_default();
    if ranges.is_empty() && !text.trim().is_empty() {
        ranges.push(0..text.len());
    }
    let mut left = text.clone();
    for (n, range) in ranges.into_iter().enumerate() {
        let style = node.style();
        let source = knife.report.source();
        let start = source.byte_of(node.start, node.end, style, &text, range.start);
        // The text of a variant that extends another stands in two places: what is shown is the statement itself.
        if knife.note(
            &format!("schema {}", n + 1),
            None,
            start,
            &text[range.clone()],
        ) {
            let blank: String = text[range.clone()].chars().map(blank).collect();
            // Blanks of a longer character leave its other bytes to be dropped, never to be kept.
            left.replace_range(range.clone(), &padded(blank, range.len()));
        }
    }
    if let Kind::Scalar { text, .. } = &mut node.kind {
        *text = left;
    }
}

fn blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}

fn padded(mut text: String, length: usize) -> String {
    text.extend(std::iter::repeat_n(' ', length - text.len()));
    text
}

/// Bytes of each statement. SQLite says which `;` ends one: those inside a trigger do not.
fn statements(stored: bool, before: &str, text: &str) -> Option<Vec<Range<usize>>> {
    let conn = Checker::open(stored, 0).ok()?.scratch().ok()?;
    conn.execute_batch(before).ok()?;
    let tokens = token::tokens(text);
    let mut found = Vec::new();
    let mut start: Option<usize> = None;
    for token in &tokens {
        let first = *start.get_or_insert(token.start);
        if token.kind != Token::End {
            continue;
        }
        let statement = text.get(first..=token.start)?;
        if conn.execute_batch(statement).is_ok() {
            found.extend((first < token.start).then_some(first..token.start + 1));
            start = None;
        }
    }
    if let (Some(first), Some(last)) = (start, tokens.last()) {
        let end = last.start + last.text.len();
        conn.execute_batch(text.get(first..end)?).ok()?;
        found.push(first..end);
    }
    Some(found)
}
