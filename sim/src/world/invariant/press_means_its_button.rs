//! A press means the button that was pressed, of the list it stands in, or nothing any more. It never means another list, and
//! what the user is told about it is what the store has said.

use std::collections::BTreeSet;

use lockstep_store::{Op, PromptOutcome, Reply};

use super::Found;
use crate::label::Label;
use crate::world::facts::Facts;
use crate::world::letter::Question;
use crate::world::row::{self, prompt};

/// What a press of a user's is answered with is the question that the button belongs to, and if the press ended it, that
/// button; a question that a press ended is the one that was pressed; and a press that was acknowledged was answered.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let pressed = facts.town.pressed.borrow();
    let mut answered = BTreeSet::new();
    for operation in &facts.operations {
        let (Op::Answer(answer), Some(Reply::Answered(told))) =
            (&operation.call.op, operation.reply())
        else {
            continue;
        };
        let event = event_of(operation.cause);
        answered.insert(event);
        let token = pressed.get(event).map_or(&*answer.token, |token| &**token);
        let meant = Question::of_token(token);
        let right = meant.is_some_and(|(question, button)| {
            let chosen = match &told.outcome {
                PromptOutcome::Chosen { idx, .. } => Some(*idx),
                _ => None,
            };
            question.prompt == told.prompt.as_str() && (!told.took || chosen == Some(button))
        });
        if !right {
            let row = format!("event={event} pressed={token} told={told:?}");
            found.add(event, row);
        }
    }
    for (_, cause, text) in &facts.answers {
        let event = event_of(cause);
        if *text == "pressed" && !answered.contains(event) {
            found.add(
                event,
                format!("event={event} acknowledged={cause} answered=never"),
            );
        }
    }
    for commit in &facts.commits {
        let Some(Op::Answer(answer)) = commit.op() else {
            continue;
        };
        for (_, new) in commit.of(prompt::TABLE) {
            let id = new.map_or("", |new| row::text(new, prompt::ID));
            if Question::of_token(&answer.token).is_none_or(|(question, _)| question.prompt != id) {
                let event = commit.cause.as_str();
                found.add(
                    event,
                    format!("event={event} token={} ended={id}", answer.token),
                );
            }
        }
    }
}

/// The event that a delivery belongs to: the cause without what the platform and the network added.
fn event_of(cause: &Label) -> &str {
    cause.as_str().split('/').next().unwrap_or_default()
}
