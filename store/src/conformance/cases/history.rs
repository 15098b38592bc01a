//! What a session has behind it: items in a row, notes beside them, the application's state.

use super::super::bench::{Bench, done, item};
use super::super::{Kept, refused, same};
use super::Alone;
use crate::op::Complete;
use crate::reply::{Claimed, State};
use crate::{Error, SessionId};

pub(super) const CASES: [Alone; 5] = [
    ("items are numbered in a row, over turns", in_a_row),
    (
        "items are appended at the end that the holder has seen, all or none",
        all_or_none,
    ),
    ("notes come beside the items, from anybody", notes),
    ("the history is read in pages", pages),
    (
        "the application's state is replaced only by who knows it",
        state,
    ),
];

fn append(
    bench: &mut Bench<'_>,
    held: &Claimed,
    expected_seq: i64,
    bodies: &[&str],
) -> Result<i64, Error> {
    let op = bench.op();
    let items = bodies.iter().map(|body| item(body)).collect();
    bench
        .store
        .append(op, held.session.clone(), held.fence, expected_seq, items)
}

/// The numbers and bodies of all items.
fn items(bench: &mut Bench<'_>, session: &SessionId) -> Result<Vec<(i64, String)>, Error> {
    let history = bench.store.history(session.clone(), 0, 0, 100)?;
    let pairs = history.items.into_iter().map(|item| (item.seq, item.body));
    Ok(pairs.collect())
}

fn rows(bodies: &[&str]) -> Vec<(i64, String)> {
    (1..)
        .zip(bodies.iter().map(|body| (*body).to_owned()))
        .collect()
}

fn in_a_row(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    same("the first number", held.next_seq, 1)?;
    same("the next", append(bench, &held, 1, &["a", "b"])?, 3)?;
    same("the next", append(bench, &held, 3, &["c"])?, 4)?;
    let op = bench.op();
    let items_too = vec![item("d")];
    let turn = Complete {
        items: items_too,
        ..done(&held)
    };
    bench.store.complete(op, turn)?;
    let next = bench.running("chat", "e2")?;
    same("the next turn's first", next.next_seq, 5)?;
    same(
        "the history",
        items(bench, &held.session)?,
        rows(&["a", "b", "c", "d"]),
    )
}

fn all_or_none(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    append(bench, &held, 1, &["a"])?;
    for wrong in [1, 3] {
        match append(bench, &held, wrong, &["b", "c"]) {
            Err(Error::Stale { current }) => same("the current end", current, 2)?,
            other => refused("another end", other, "stale")?,
        }
    }
    same("the history", items(bench, &held.session)?, rows(&["a"]))
}

fn notes(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    append(bench, &held, 1, &["a"])?;
    let op = bench.op();
    let session = held.session.clone();
    same(
        "its number",
        bench.store.note(op, session.clone(), item("seen"))?,
        1,
    )?;
    same("the next item", append(bench, &held, 2, &["b"])?, 3)?;
    let history = bench.store.history(session.clone(), 0, 0, 100)?;
    let bodies: Vec<&str> = history
        .notes
        .iter()
        .map(|note| note.body.as_str())
        .collect();
    same("the notes", bodies, vec!["seen"])?;
    bench.complete(&held)?;
    let op = bench.op();
    bench.store.close(op, session.clone(), "enough", false)?;
    let op = bench.op();
    let answer = bench.store.note(op, session, item("late"));
    refused("a note on a closed session", answer, "closed")
}

fn pages(bench: &mut Bench<'_>) -> Kept {
    let held = bench.running("chat", "e1")?;
    append(bench, &held, 1, &["a", "b", "c", "d", "e"])?;
    let mut seen = Vec::new();
    loop {
        let after = seen.len() as i64;
        let page = bench.store.history(held.session.clone(), after, 0, 2)?;
        same(
            "whether a page keeps its limit",
            page.items.len() <= 2,
            true,
        )?;
        if page.items.is_empty() {
            break;
        }
        seen.extend(page.items.into_iter().map(|item| (item.seq, item.body)));
    }
    same("all pages", seen, rows(&["a", "b", "c", "d", "e"]))
}

fn state(bench: &mut Bench<'_>) -> Kept {
    let session = bench.session("chat", "e1")?;
    let put = |bench: &mut Bench<'_>, version, body: &str| {
        let op = bench.op();
        bench.store.put_state(op, session.clone(), version, body)
    };
    let none = State {
        version: 0,
        body: String::new(),
    };
    same(
        "the state before",
        bench.store.get_state(session.clone())?,
        none,
    )?;
    same("the first version", put(bench, 0, "one")?, 1)?;
    refused("a second first", put(bench, 0, "other"), "stale")?;
    same("the second version", put(bench, 1, "two")?, 2)?;
    refused("one from before", put(bench, 1, "other"), "stale")?;
    let last = State {
        version: 2,
        body: "two".to_owned(),
    };
    same("the state", bench.store.get_state(session.clone())?, last)
}
