//! Which keys a changed row may concern: proved from the text of a rule, or not at all.
//!
//! Judging a rule for some of its keys is complete when no row of another key can take part in an offence of this one. That
//! is so for a table when each of its occurrences in the query has a column that equals the key wherever it counts: the key
//! column itself, or one that a condition equates with it, joined by AND, in the same query or in one around it. Only
//! plain columns on both sides prove anything, and only when they have one type and one collation, so that equal means the
//! same everywhere. What is not proved is judged whole: a false "no" costs time, a false "yes" would hide an offence.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use self::text::{Query, Written, aggregates, closing, column, equations, name, output, split};
use crate::scenario::token::{self, Kind, Token};

mod text;

#[cfg(test)]
mod tests;

/// Words beside which nothing is proved: rows come from elsewhere, or those of other keys decide.
const BEYOND: [&str; 15] = [
    "WITH",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "VALUES",
    "OVER",
    "WINDOW",
    "LEFT",
    "RIGHT",
    "FULL",
    "OUTER",
    "NATURAL",
    "USING",
    "INDEXED",
    "OFFSET",
];

/// A column of a table: its name, and what equality means for it.
pub(super) struct Column {
    name: String,
    /// Declared type and collation.
    form: (String, String),
}

/// The columns of each table, in the order of captured rows.
pub(super) type Tables = BTreeMap<String, Vec<Column>>;

/// Reads the columns of these tables. One with generated columns is left out: captured rows may lack them.
pub(super) fn tables(
    connection: &Connection,
    columns: &BTreeMap<String, Vec<String>>,
) -> rusqlite::Result<Tables> {
    let words = |text: Option<&std::ffi::CStr>| {
        text.map_or(String::new(), |text| {
            text.to_string_lossy().to_ascii_lowercase()
        })
    };
    let mut hidden =
        connection.prepare("SELECT 1 FROM pragma_table_xinfo(?1) WHERE hidden <> 0")?;
    let mut all = Tables::new();
    for (table, names) in columns {
        if hidden.exists([table])? {
            continue;
        }
        let column = |name: &String| {
            let (form, collation, ..) =
                connection.column_metadata(Some("main"), table.as_str(), name.as_str())?;
            Ok(Column {
                name: name.clone(),
                form: (words(form), words(collation)),
            })
        };
        let found: rusqlite::Result<Vec<Column>> = names.iter().map(column).collect();
        all.insert(table.clone(), found?);
    }
    Ok(all)
}

/// The tables whose changed rows tell the keys that they concern, each with the positions of those columns.
///
/// `reads` are the tables that the rule reads, by SQLite's own account. A change of one that is not in the result may
/// concern any key.
pub(super) fn of_rule(
    sql: &str,
    per: &str,
    tables: &Tables,
    reads: &BTreeSet<String>,
) -> BTreeMap<String, BTreeSet<usize>> {
    let mut tokens = token::tokens(sql);
    if tokens.last().is_some_and(|token| token.kind == Kind::End) {
        tokens.pop();
    }
    let strange = |token: &Token<'_>| {
        matches!(token.kind, Kind::End | Kind::Parameter | Kind::Foreign)
            || BEYOND.iter().any(|word| token.is(word))
    };
    let mut proof = Proof {
        tables,
        scopes: Vec::new(),
        equal: Vec::new(),
        found: BTreeMap::new(),
    };
    if tokens.iter().any(strange) || proof.query(&tokens, Some(per)).is_none() {
        return BTreeMap::new();
    }
    // What was read through a view or in any other way that the text does not show makes all of it doubtful.
    if reads.iter().any(|table| !proof.found.contains_key(table)) {
        return BTreeMap::new();
    }
    let proved = proof.found.into_iter();
    proved
        .filter_map(|(table, columns)| Some((table, columns?)))
        .collect()
}

/// An occurrence of a table in a query.
struct Source<'a> {
    /// The name by which the query knows it.
    name: String,
    table: &'a str,
    columns: &'a [Column],
}

/// A column of a source: depth of its query, source, column.
type Place = (usize, usize, usize);

struct Proof<'a> {
    tables: &'a Tables,
    /// Sources of the query and of those around it, the outermost first.
    scopes: Vec<Vec<Source<'a>>>,
    /// Columns that equal the key in every row that counts.
    equal: Vec<Place>,
    /// For each table, its key columns so far; `None` when it occurs without one.
    found: BTreeMap<String, Option<BTreeSet<usize>>>,
}

impl<'a> Proof<'a> {
    /// Looks through a query and those inside it. `per` is its key when it is the whole rule. `None`: nothing is proved.
    fn query(&mut self, tokens: &[Token<'_>], per: Option<&str>) -> Option<()> {
        let query = Query::of(tokens)?;
        let (sources, mut conditions) = self.sources(query.from)?;
        conditions.push(query.filter);
        let (depth, before) = (self.scopes.len(), self.equal.len());
        self.scopes.push(sources);
        if let Some(per) = per {
            let key = self.resolve(&output(query.select, per)?)?;
            self.equal.push(key);
        }
        self.close_over(depth, &conditions);
        if per.is_some() && !self.groups_by_key(&query) {
            return None;
        }
        self.note(depth);
        let rest = [query.select, query.group, query.having, query.order];
        for clause in conditions.into_iter().chain(rest) {
            self.inner(clause)?;
        }
        self.scopes.pop();
        self.equal.truncate(before);
        Some(())
    }

    /// The sources of a FROM clause, and the conditions of its joins.
    fn sources<'t>(
        &self,
        from: &'t [Token<'t>],
    ) -> Option<(Vec<Source<'a>>, Vec<&'t [Token<'t>]>)> {
        let (mut sources, mut conditions) = (Vec::new(), Vec::new());
        if from.is_empty() {
            return Some((sources, conditions));
        }
        let tables = self.tables;
        for term in split(from, |token| token.text == "," || token.is("JOIN")) {
            let term = match term {
                [rest @ .., word] if word.is("INNER") || word.is("CROSS") => rest,
                all => all,
            };
            let (term, condition) = match term.iter().position(|token| token.is("ON")) {
                Some(at) => (&term[..at], &term[at + 1..]),
                None => (term, &term[..0]),
            };
            conditions.push(condition);
            let names: Vec<String> = match term {
                [table] => vec![name(table)?],
                [table, alias] => vec![name(table)?, name(alias)?],
                [table, word, alias] if word.is("AS") => vec![name(table)?, name(alias)?],
                _ => return None,
            };
            let known = |known: &&String| known.eq_ignore_ascii_case(&names[0]);
            let table = tables.keys().find(known)?;
            sources.push(Source {
                name: names.last()?.clone(),
                table,
                columns: &tables[table],
            });
        }
        Some((sources, conditions))
    }

    /// Adds every column of this query that its conditions equate with one that equals the key.
    fn close_over(&mut self, depth: usize, conditions: &[&[Token<'_>]]) {
        let written = conditions.iter().flat_map(|condition| equations(condition));
        let pairs: Vec<(Place, Place)> = written
            .filter_map(|(a, b)| Some((self.resolve(&a)?, self.resolve(&b)?)))
            .flat_map(|(a, b)| [(a, b), (b, a)])
            .filter(|(a, b)| b.0 == depth && self.column(*a).form == self.column(*b).form)
            .collect();
        let mut grown = true;
        while grown {
            let is_new =
                |(a, b): &&(Place, Place)| self.equal.contains(a) && !self.equal.contains(b);
            let next = pairs.iter().find(is_new).map(|(_, b)| *b);
            grown = next.is_some();
            self.equal.extend(next);
        }
    }

    /// Whether rows of one key only make up each row of the result.
    fn groups_by_key(&self, query: &Query<'_>) -> bool {
        let aggregates = [query.select, query.having, query.order]
            .into_iter()
            .any(aggregates);
        let is_key = |term: &[Token<'_>]| {
            let place = column(term).and_then(|written| self.resolve(&written));
            place.is_some_and(|place| self.equal.contains(&place))
        };
        let grouped = split(query.group, |token| token.text == ",")
            .into_iter()
            .any(is_key);
        let alone = query.group.is_empty() && query.having.is_empty() && !aggregates;
        (alone || grouped) && query.limit.is_empty()
    }

    /// Notes for each source of this query whether it has a column that equals the key.
    fn note(&mut self, depth: usize) {
        for (i, source) in self.scopes[depth].iter().enumerate() {
            let own = self
                .equal
                .iter()
                .find(|place| (place.0, place.1) == (depth, i));
            let found = self
                .found
                .entry(source.table.to_owned())
                .or_insert_with(|| Some(BTreeSet::new()));
            match (own, &mut *found) {
                (Some(place), Some(columns)) => {
                    columns.insert(place.2);
                }
                _ => *found = None,
            }
        }
    }

    /// Looks through the queries inside a clause.
    fn inner(&mut self, tokens: &[Token<'_>]) -> Option<()> {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            if token.is("IN") && next.is_some_and(|next| next.text != "(") {
                return None;
            }
            if token.text == "(" {
                let end = closing(tokens, at)?;
                let body = &tokens[at + 1..end];
                if body.first().is_some_and(|first| first.is("SELECT")) {
                    self.query(body, None)?;
                } else {
                    self.inner(body)?;
                }
                at = end;
            }
            at += 1;
        }
        Some(())
    }

    /// The column that is meant: the innermost query that knows the name decides.
    fn resolve(&self, (source, column): &Written) -> Option<Place> {
        for (depth, sources) in self.scopes.iter().enumerate().rev() {
            let named = |candidate: &Source<'_>| {
                source
                    .as_ref()
                    .is_none_or(|name| name.eq_ignore_ascii_case(&candidate.name))
            };
            let mut places = Vec::new();
            for (i, candidate) in sources.iter().enumerate().filter(|(_, one)| named(one)) {
                let at = candidate
                    .columns
                    .iter()
                    .position(|known| known.name.eq_ignore_ascii_case(column));
                // A name of a source hides the same name further out, whatever columns it has.
                if at.is_some() || source.is_some() {
                    places.push(at.map(|at| (depth, i, at)));
                }
            }
            match places[..] {
                [] => {}
                [place] => return place,
                _ => return None,
            }
        }
        None
    }

    fn column(&self, (depth, source, column): Place) -> &Column {
        &self.scopes[depth][source].columns[column]
    }
}
