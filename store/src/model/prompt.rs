//! Questions and their answers.

use super::world::{Event, Prompt, Told, World, account};
use super::{DAY_MS, constraint, in_range, invalid, misplaced, not_found, turn};
use crate::error::Error;
use crate::id::{PromptId, TaskId};
use crate::op::{Accept, Answer, Ask, Op, WhenWaiting};
use crate::reply::{Accepted, Answered, PromptOutcome, Prompted, Reply, TaskState, Verdict};

pub(super) fn perform(world: &mut World, op: &Op) -> Result<Reply, Error> {
    match op {
        Op::Ask(question) => ask(world, question),
        Op::Answer(press) => answer(world, press),
        Op::Revoke { prompt } => {
            if !world.prompts.contains_key(prompt) {
                return Err(not_found("prompt", prompt));
            }
            Ok(Reply::Answered(settle(
                world,
                prompt,
                PromptOutcome::Revoked,
            )))
        }
        _ => Err(misplaced(op)),
    }
}

fn ask(world: &mut World, ask: &Ask) -> Result<Reply, Error> {
    in_range("expires_in_ms", ask.expires_in_ms, 1, 90 * DAY_MS)?;
    if ask.choices.is_empty() && !ask.text_ok {
        return Err(invalid("choices", "there are none, and no text may answer"));
    }
    turn::leave_behind(world, &ask.task, ask.fence, &ask.items, &ask.sends)?;
    if world.prompts.contains_key(&ask.prompt) {
        return Err(constraint("prompt_pkey"));
    }
    fresh_tokens(world, ask)?;
    let session = turn::end(world.task(&ask.task), TaskState::Waiting);
    let prompt = Prompt {
        session: session.clone(),
        task: ask.task.clone(),
        outcome: None,
        choices: ask.choices.clone(),
        text_ok: ask.text_ok,
        expires_ms: world.now + ask.expires_in_ms,
        fence: ask.fence,
    };
    world.prompts.insert(ask.prompt.clone(), prompt);
    turn::over(world, &session, ask.resume_token.as_deref())?;
    Ok(Reply::Task(TaskState::Waiting))
}

/// No button was ever given out before.
fn fresh_tokens(world: &World, ask: &Ask) -> Result<(), Error> {
    let known = |token: &str| {
        let mut choices = world.prompts.values().flat_map(|prompt| &prompt.choices);
        choices.any(|choice| choice.token == token)
    };
    for (at, choice) in ask.choices.iter().enumerate() {
        let twice = ask.choices[..at]
            .iter()
            .any(|other| other.token == choice.token);
        if twice || known(&choice.token) {
            return Err(constraint("prompt_option_token"));
        }
    }
    Ok(())
}

/// Ends a question if it is open, and lets its task go on. Answers how it stands then.
fn settle(world: &mut World, id: &PromptId, wanted: PromptOutcome) -> Answered {
    let now = world.now;
    let prompt = world.prompts.get_mut(id).expect("the prompt exists");
    let (took, outcome) = match &prompt.outcome {
        Some(outcome) => (false, outcome.clone()),
        None if prompt.expires_ms <= now => (false, PromptOutcome::Expired),
        None => (true, wanted),
    };
    let was_open = prompt.outcome.is_none();
    prompt.outcome = Some(outcome.clone());
    let (task, session) = (prompt.task.clone(), prompt.session.clone());
    if was_open {
        let waiting = world.task(&task);
        waiting.state = TaskState::Queued;
        waiting.run_at_ms = now;
        let session = world.at(&session);
        session.version += 1;
        session.touch(now);
    }
    Answered {
        prompt: id.clone(),
        task,
        took,
        outcome,
    }
}

/// Ends an open question that has run out of time; false when there is none.
pub(super) fn expire(world: &mut World, id: &PromptId) -> bool {
    let open = world.prompts[id].outcome.is_none();
    settle(world, id, PromptOutcome::Expired);
    open
}

/// The question of a task that ends, which nobody waits for any more.
pub(super) fn close_of_task(world: &mut World, task: &TaskId, outcome: PromptOutcome) {
    for prompt in world.prompts.values_mut() {
        if prompt.task == *task && prompt.outcome.is_none() {
            prompt.outcome = Some(outcome.clone());
        }
    }
}

fn answer(world: &mut World, press: &Answer) -> Result<Reply, Error> {
    let at = (account(&press.key), press.ext_id.clone());
    if let Some(first) = world.inbox.get(&at) {
        return match &first.told {
            Told::Answered(answered) if first.body == press.token => {
                Ok(Reply::Answered(answered.clone()))
            }
            _ => Err(Error::Changed {
                what: "event",
                id: press.ext_id.clone(),
            }),
        };
    }
    let conv = world.keys.get(&press.key);
    let found = world.prompts.iter().find_map(|(id, prompt)| {
        let here = world
            .sessions
            .get(&prompt.session)
            .is_some_and(|session| Some(&session.conv) == conv);
        let at = prompt
            .choices
            .iter()
            .position(|choice| choice.token == press.token)?;
        here.then(|| (id.clone(), at, prompt.choices[at].label.clone()))
    });
    let (id, at_choice, label) = found.ok_or_else(|| not_found("token", &press.token))?;
    let idx = at_choice as i64 + 1;
    let answered = settle(world, &id, PromptOutcome::Chosen { idx, label });
    let remembered = Event {
        body: press.token.clone(),
        told: Told::Answered(answered.clone()),
        task: None,
        first_ms: world.now,
    };
    world.inbox.insert(at, remembered);
    Ok(Reply::Answered(answered))
}

/// The last question of a task, once it has ended.
pub(super) fn last_of(world: &World, task: &TaskId) -> Option<Prompted> {
    let (id, prompt) = world
        .prompts
        .iter()
        .filter(|(_, prompt)| prompt.task == *task)
        .max_by_key(|(_, prompt)| prompt.fence)?;
    Some(Prompted {
        prompt: id.clone(),
        outcome: prompt.outcome.clone()?,
    })
}

/// What an event does to the open question of its chat; `Some` when it was the answer.
pub(super) fn meet(world: &mut World, event: &Accept) -> Option<Accepted> {
    let session = world
        .keys
        .get(&event.key)
        .and_then(|conv| world.active_of(conv))?;
    let (id, text_ok) = world
        .prompts
        .iter()
        .find(|(_, prompt)| prompt.session == session && prompt.outcome.is_none())
        .map(|(id, prompt)| (id.clone(), prompt.text_ok))?;
    match event.when_waiting {
        WhenWaiting::Answer if text_ok => {
            let answered = settle(world, &id, PromptOutcome::Text(event.body.clone()));
            answered.took.then_some(Accepted {
                verdict: Verdict::Answer,
                task: answered.task,
                session,
            })
        }
        WhenWaiting::Interrupt => {
            settle(world, &id, PromptOutcome::Revoked);
            None
        }
        _ => None,
    }
}
