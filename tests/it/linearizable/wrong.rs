//! What is changed in a history to make it wrong. Now and then it stays right: whoever judges has to see that, too.

use lockstep_store::{Error, Op, Reply};
use serde_json::Value;

use super::dice::Dice;
use super::made::Made;

/// Changes an answer, drops an operation, or lets operations have happened in another order; only among those after the
/// first so many.
pub(super) fn spoil(made: &mut Vec<Made>, first: usize, seed: u64) {
    let mut dice = Dice::new(!seed);
    match dice.below(4) {
        0 => drop_one(made, first, &mut dice),
        1 => reorder(made, first, &mut dice),
        _ => change_answer(made, first, &mut dice),
    }
}

fn drop_one(made: &mut Vec<Made>, first: usize, dice: &mut Dice) {
    // An early one: what follows was built on it.
    let range = first.saturating_sub(4);
    let at = range + dice.below((made.len() - range).max(1));
    if at < made.len() {
        made.remove(at);
    }
}

/// One after the other, in another order than they were called in.
fn reorder(made: &mut [Made], first: usize, dice: &mut Dice) {
    let tail = &mut made[first..];
    let begin = tail.iter().map(|made| made.from).min().unwrap_or(0);
    let mut order: Vec<usize> = (0..tail.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, dice.below(at + 1));
    }
    for (place, index) in order.into_iter().enumerate() {
        let from = begin + 2 * place as u64;
        let made = &mut tail[index];
        made.from = from;
        made.to = made.to.map(|_| from + 1);
    }
}

fn change_answer(made: &mut [Made], first: usize, dice: &mut Dice) {
    let told: Vec<usize> = (first..made.len())
        .filter(|at| matches!(made[*at].answer, Some(Ok(_))))
        .collect();
    if told.is_empty() {
        return;
    }
    let at = told[dice.below(told.len())];
    let made = &mut made[at];
    let Some(Ok(reply)) = &made.answer else {
        return;
    };
    let changed = match dice.below(4) {
        0 => Err(Error::Stale { current: 7 }),
        _ => Ok(changed(reply, dice)),
    };
    // An indefinite operation, if not this one: whose answer is not looked at.
    if !matches!(made.call.op, Op::Verify { .. }) {
        made.answer = Some(changed);
    }
}

/// The same reply with one number, flag or list in it changed.
fn changed(reply: &Reply, dice: &mut Dice) -> Reply {
    let mut json = serde_json::to_value(reply).expect("a reply as JSON");
    let places = leaves(&json);
    if places.is_empty() {
        return Reply::Appended(99);
    }
    let place = &places[dice.below(places.len())];
    let leaf = json.pointer_mut(place).expect("it is there");
    *leaf = match leaf.take() {
        Value::Number(number) => (number.as_i64().unwrap_or(0) + 1).into(),
        Value::Bool(flag) => (!flag).into(),
        Value::Array(_) => Value::Array(Vec::new()),
        _ => Value::Null,
    };
    serde_json::from_value(json).unwrap_or(Reply::Appended(99))
}

fn leaves(json: &Value) -> Vec<String> {
    let below = |(key, value): (String, &Value)| {
        let own = matches!(value, Value::Array(list) if !list.is_empty()).then(String::new);
        let inner = leaves(value).into_iter().chain(own);
        inner
            .map(|rest| format!("/{key}{rest}"))
            .collect::<Vec<_>>()
    };
    match json {
        Value::Number(_) | Value::Bool(_) => vec![String::new()],
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .flat_map(below)
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(key, value)| (key.to_string(), value))
            .flat_map(below)
            .collect(),
        _ => Vec::new(),
    }
}
