//! The text of a query, taken apart as far as a proof needs it.

use crate::scenario::token::{Kind, Token};

/// Functions that make one row of many. A `min` or `max` of one row's values is taken for one of them.
const AGGREGATES: [&str; 10] = [
    "count",
    "sum",
    "total",
    "avg",
    "min",
    "max",
    "group_concat",
    "string_agg",
    "json_group_array",
    "json_group_object",
];

/// A column as it is written: the source's name, if that is said, and the column's.
pub(super) type Written = (Option<String>, String);

/// The clauses of one query.
#[derive(Default)]
pub(super) struct Query<'t> {
    pub(super) select: &'t [Token<'t>],
    pub(super) from: &'t [Token<'t>],
    pub(super) filter: &'t [Token<'t>],
    pub(super) group: &'t [Token<'t>],
    pub(super) having: &'t [Token<'t>],
    pub(super) order: &'t [Token<'t>],
    pub(super) limit: &'t [Token<'t>],
}

impl<'t> Query<'t> {
    pub(super) fn of(tokens: &'t [Token<'t>]) -> Option<Self> {
        let mut query = Self::default();
        let mut rest = tokens;
        let words = [
            "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT",
        ];
        let is_clause = |token: &Token<'_>| words.iter().any(|word| token.is(word));
        let mut next = 0;
        while let Some((head, tail)) = rest.split_first() {
            let end = split(tail, is_clause)[0].len();
            let clause = &tail[..end];
            let by = clause.first().is_some_and(|first| first.is("BY"));
            let at = words.iter().position(|word| head.is(word))?;
            // Each once and in this order: `IS DISTINCT FROM` is no clause.
            if at < next {
                return None;
            }
            next = at + 1;
            let place = match at {
                0 => &mut query.select,
                1 => &mut query.from,
                2 => &mut query.filter,
                3 => &mut query.group,
                4 => &mut query.having,
                5 => &mut query.order,
                _ => &mut query.limit,
            };
            *place = if by { &clause[1..] } else { clause };
            rest = &tail[end..];
        }
        tokens.first()?.is("SELECT").then_some(query)
    }
}

/// The column behind a name of the result, if it is one.
pub(super) fn output(select: &[Token<'_>], per: &str) -> Option<Written> {
    let select = match select {
        [first, rest @ ..] if first.is("DISTINCT") || first.is("ALL") => rest,
        all => all,
    };
    if matches!(select, [star] if star.text == "*") {
        return Some((None, per.to_owned()));
    }
    let mut found = None;
    for result in split(select, |token| token.text == ",") {
        let (written, called) = match result {
            [.., star] if star.text == "*" => return None,
            [written @ .., word, alias] if word.is("AS") => (written, name(alias)),
            [written @ .., alias] if column(written).is_some() => (written, name(alias)),
            // The last word is the column, or an alias without AS, or neither: then no harm is done.
            written => (written, written.last().and_then(name)),
        };
        if called.is_some_and(|called| called.eq_ignore_ascii_case(per)) {
            if found.is_some() {
                return None;
            }
            found = Some(column(written)?);
        }
    }
    found
}

/// The equations of a condition that hold in every row it lets pass.
pub(super) fn equations(condition: &[Token<'_>]) -> Vec<(Written, Written)> {
    let loose = |token: &Token<'_>| token.is("OR") || token.is("BETWEEN");
    if split(condition, loose).len() > 1 {
        return Vec::new();
    }
    let terms = split(condition, |token| token.is("AND")).into_iter();
    terms.filter_map(equation).collect()
}

fn equation(term: &[Token<'_>]) -> Option<(Written, Written)> {
    let is_sign = |token: &Token<'_>| token.text == "=" || token.is("IS");
    let at = term.iter().position(is_sign)?;
    let (left, right) = (&term[..at], &term[at + 1..]);
    let right = match right {
        [sign, rest @ ..] if sign.text == "=" && term[at].text == "=" => rest,
        all => all,
    };
    Some((column(left)?, column(right)?))
}

/// A column, alone or after its source's name.
pub(super) fn column(tokens: &[Token<'_>]) -> Option<Written> {
    match tokens {
        [column] => Some((None, name(column)?)),
        [source, dot, column] if dot.text == "." => Some((Some(name(source)?), name(column)?)),
        _ => None,
    }
}

pub(super) fn name(token: &Token<'_>) -> Option<String> {
    match token.kind {
        Kind::Word => Some(token.text.to_owned()),
        Kind::Quoted => {
            let inside = token.text.get(1..token.text.len().checked_sub(1)?)?;
            let plain = !inside.contains(['"', '`', '[', ']']);
            plain.then(|| inside.to_owned())
        }
        _ => None,
    }
}

/// Whether an aggregate function stands here, outside of the queries inside.
pub(super) fn aggregates(tokens: &[Token<'_>]) -> bool {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1);
        let called = next.is_some_and(|next| next.text == "(");
        if called && AGGREGATES.iter().any(|function| token.is(function)) {
            return true;
        }
        let opens = token.text == "(" && next.is_some_and(|next| next.is("SELECT"));
        at = match closing(tokens, at) {
            Some(end) if opens => end,
            _ => at + 1,
        };
    }
    false
}

/// The parenthesis that closes the one at `at`.
pub(super) fn closing(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(i);
        }
    }
    None
}

/// Splits where a separator stands outside of parentheses and of CASE … END. Nothing gives one empty part.
pub(super) fn split<'t>(
    tokens: &'t [Token<'t>],
    is_separator: impl Fn(&Token<'_>) -> bool,
) -> Vec<&'t [Token<'t>]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (i, token) in tokens.iter().enumerate() {
        if token.text == "(" || token.is("CASE") {
            depth += 1;
        } else if token.text == ")" || token.is("END") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && is_separator(token) {
            parts.push(&tokens[start..i]);
            start = i + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts
}
