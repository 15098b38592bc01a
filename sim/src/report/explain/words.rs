//! One event as a sentence.

use serde_json::Value as Json;

use crate::trace::{Event, Kind, arg_text, outcome_text};

/// What happened there, without how it ended.
pub(super) fn began(event: &Event) -> String {
    let (who, arg) = (event.cause.as_str(), arg_text(&event.arg));
    let what = arg
        .strip_prefix(event.kind.name())
        .map_or(&*arg, str::trim_start);
    let place = match &event.process {
        Some((process, _)) => format!(" at {process}"),
        None => String::new(),
    };
    match event.kind {
        Kind::Deliver => format!("{who} arrives{place}"),
        Kind::Read => format!("{who} reads {what}"),
        Kind::Sql => format!("{who} writes {what}"),
        Kind::Op => format!("{who} asks the store: {}", brief(what)),
        Kind::Lock => format!("{who} asks for the lock {what}"),
        Kind::Take => format!("{who} takes {what}"),
        Kind::Use => format!("{who} uses {what}"),
        Kind::Effect => format!("{who} has an effect outside: {what}"),
        Kind::Fault => format!("fault{place}: {arg} (handling {who})"),
        Kind::Switch => switch(who, &arg),
        Kind::Restart => format!("{arg} starts again"),
        Kind::Heal => "faults end".to_owned(),
        Kind::Violation => format!("VIOLATED: {arg}"),
        Kind::Stuck => format!("{who} never ends: {arg}"),
        Kind::Task => format!("{who} begins{place}"),
        Kind::Request => format!("{who} asks {what}"),
        Kind::Raise => format!("{who} fails with {what}"),
        Kind::Choose => format!("{who} chooses {what}"),
        Kind::Rest => format!("{who} rests"),
        Kind::Exit | Kind::Backup | Kind::Restore | Kind::Deploy => arg,
    }
}

/// A switch: who is interrupted and where, and who goes on instead.
fn switch(who: &str, arg: &str) -> String {
    match arg.rsplit_once(": switch to ") {
        Some(("end", to)) => format!("{who} has ended; {to} goes on"),
        Some((site, to)) => format!("{who} is interrupted before `{site}`; {to} goes on"),
        None => format!("{who}: {arg}"),
    }
}

/// How it ended: after a colon, or nothing.
pub(super) fn ended(event: &Event) -> Option<String> {
    let outcome = outcome_text(&event.outcome);
    let tells = !outcome.is_empty() && event.end.is_some() && event.kind != Kind::Violation;
    let short = |outcome: String| match event.kind {
        Kind::Op => brief(&outcome),
        _ => outcome,
    };
    tells.then(|| short(outcome))
}

/// JSON of the store's operations in a few words: the name, and what stands in it, without what is null and without the key.
fn brief(json: &str) -> String {
    let Ok(Json::Object(object)) = serde_json::from_str(json) else {
        return json.trim_matches('"').to_owned();
    };
    let mut words = Vec::new();
    let Some((name, inside)) = object.iter().next() else {
        return json.to_owned();
    };
    leaves("", inside, &mut words);
    if words.len() > FEW {
        words.truncate(FEW);
        words.push("…".to_owned());
    }
    format!("{name} {}", words.join(", ")).trim_end().to_owned()
}

fn leaves(name: &str, json: &Json, words: &mut Vec<String>) {
    match json {
        Json::Null => {}
        Json::Object(object) => object
            .iter()
            .filter(|(name, _)| *name != "key")
            .for_each(|(name, inside)| leaves(name, inside, words)),
        Json::Array(list) if list.is_empty() => words.push("nothing".to_owned()),
        Json::Array(list) => list.iter().for_each(|inside| leaves(name, inside, words)),
        Json::String(text) => words.push(format!("{name} {text}").trim_start().to_owned()),
        other => words.push(format!("{name} {other}").trim_start().to_owned()),
    }
}

/// So many words tell what an operation is about.
const FEW: usize = 5;

/// What returns there.
pub(super) fn returned(event: &Event) -> String {
    let outcome = ended(event);
    match (event.kind, outcome) {
        (Kind::Deliver | Kind::Task, Some(outcome)) => format!("{} replies {outcome}", event.cause),
        (Kind::Deliver | Kind::Task, None) => format!("{} ends", event.cause),
        (_, Some(outcome)) => format!("{}: {outcome}", began(event)),
        (_, None) => format!("{}: done", began(event)),
    }
}
