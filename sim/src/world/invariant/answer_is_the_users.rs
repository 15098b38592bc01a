//! What goes on as a user's answer is what the user answered, to that question of that task.

use std::collections::BTreeMap;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, prompt};

/// Each order that carries an answer belongs to a task whose question ended so, before the order was given. A repetition of
/// the task is not an answer, and neither is silence.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let ended = ended(facts);
    for turn in &facts.town.kept.borrow().turns {
        let Some(answer) = &turn.answer else {
            continue;
        };
        // What was answered before a restore may have been undone by it.
        if facts.is_undone(turn.ordered) {
            continue;
        }
        let known = ended.get(turn.task.as_str());
        let given = known.is_some_and(|known| {
            known
                .iter()
                .any(|(n, words)| *n < turn.ordered && words == answer)
        });
        if !given {
            let task = &turn.task;
            found.add(task, format!("task={task} answer={answer} was never given"));
        }
    }
}

/// How the questions of each task ended: when, and in the words of an order.
fn ended<'a>(facts: &Facts<'a>) -> BTreeMap<&'a str, Vec<(u64, String)>> {
    let mut ended: BTreeMap<&str, Vec<(u64, String)>> = BTreeMap::new();
    for commit in &facts.commits {
        for (_, new) in commit.of(prompt::TABLE) {
            let Some(new) = new else { continue };
            let words = match row::text(new, prompt::STATE) {
                "answered" => match row::number(new, prompt::CHOSEN) {
                    Some(button) => format!("button {button}"),
                    None => row::text(new, prompt::ANSWER_TEXT).to_owned(),
                },
                "expired" => "nobody answered".to_owned(),
                "revoked" => "never mind".to_owned(),
                _ => continue,
            };
            let task = row::text(new, prompt::TASK);
            ended.entry(task).or_default().push((commit.n, words));
        }
    }
    ended
}
