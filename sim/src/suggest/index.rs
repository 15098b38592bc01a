//! Rules that say what a unique index can say.

use super::Repair;
use crate::check::RECORDED;
use crate::scenario::token::{Kind, Token, tokens};

/// `SELECT … FROM t [WHERE c] GROUP BY a, b HAVING count(*) > 1` says what an index can say.
pub(super) fn unique_index(sql: &str) -> Option<Repair> {
    let all = tokens(sql);
    let at = |word: &str| all.iter().position(|token| token.is(word));
    let (from, group, having) = (at("FROM")?, at("GROUP")?, at("HAVING")?);
    let one = |word: &str| all.iter().filter(|token| token.is(word)).count() == 1;
    if !one("FROM") || all.iter().any(|token| token.is("JOIN")) || !counts_many(&all[having..]) {
        return None;
    }
    let table = all.get(from + 1).filter(|token| token.kind == Kind::Word)?;
    if RECORDED.contains(&table.text) {
        return None;
    }
    let (condition, end) = match at("WHERE") {
        Some(filter) => (Some(text(sql, &all, filter + 1, group)), filter),
        None => (None, group),
    };
    // `FROM t a`, `FROM t, u` and the like are more than one table.
    if end != from + 2 {
        return None;
    }
    let columns = all[group + 2..having].split(|token| token.text == ",");
    let columns: Option<Vec<String>> = columns
        .map(|column| match column {
            [column] if column.kind == Kind::Word => Some(column.text.to_owned()),
            _ => None,
        })
        .collect();
    Some(Repair::UniqueIndex {
        table: table.text.to_owned(),
        columns: columns?,
        condition,
    })
}

/// `HAVING count(*) > 1` or an alias of it.
fn counts_many(having: &[Token<'_>]) -> bool {
    let words: Vec<&str> = having.iter().map(|token| token.text).collect();
    matches!(words[..], [_, _, ">", "1"])
        || words.ends_with(&["(", "*", ")", ">", "1"]) && words.len() == 7
}

fn text(sql: &str, all: &[Token<'_>], from: usize, to: usize) -> String {
    let start = all[from].start;
    let end = all[to - 1].start + all[to - 1].text.len();
    sql[start..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Repair, unique_index};

    #[test]
    fn a_rule_that_counts_rows_is_an_index() {
        let sql = "SELECT user, count(*) AS n FROM session WHERE status = 'active' GROUP BY user HAVING count(*) > 1";
        let expected = Repair::UniqueIndex {
            table: "session".into(),
            columns: vec!["user".into()],
            condition: Some("status = 'active'".into()),
        };
        assert_eq!(unique_index(sql), Some(expected));
        for other in [
            "SELECT intent FROM effect GROUP BY intent HAVING count(*) > 1",
            "SELECT a FROM t JOIN u USING (a) GROUP BY a HAVING count(*) > 1",
            "SELECT a FROM t GROUP BY a HAVING count(*) > 2",
            "SELECT a FROM t GROUP BY lower(a) HAVING count(*) > 1",
            "SELECT a FROM t WHERE b = 1",
        ] {
            assert_eq!(unique_index(other), None, "{other}");
        }
    }
}
