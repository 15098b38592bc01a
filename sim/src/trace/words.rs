//! A trace as JSON lines, and what is in it in words.

use std::fmt::Write as _;

use rusqlite::types::Value;
use serde_json::{Map, Value as Json, json};

use super::{Arg, Committed, Event, Outcome, Trace};
use crate::disk::capture::ChangeKind;

impl Trace {
    /// The trace as JSON lines: a header, then one line for each event, then one for each committed change.
    pub fn to_json_lines(&self, header: Json) -> String {
        let mut out = String::new();
        let mut push = |line: Json| {
            let _ = writeln!(out, "{line}");
        };
        push(header);
        self.events.iter().for_each(|event| push(event_json(event)));
        self.changes
            .iter()
            .for_each(|committed| push(change_json(committed)));
        out
    }
}

/// A value as a person would write it, or as a key: a text is itself, anything else its JSON.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => value_json(other).to_string(),
    }
}

/// A value as JSON; blobs as hexadecimal text.
pub fn value_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(n) => json!(n),
        Value::Real(x) => json!(x),
        Value::Text(text) => json!(text),
        Value::Blob(bytes) => json!(
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        ),
    }
}

fn row_json(row: &[Value]) -> Json {
    Json::Array(row.iter().map(value_json).collect())
}

/// What an event was given, in words.
pub fn arg_text(arg: &Arg) -> String {
    match arg {
        Arg::Text(text) => text.to_string(),
        Arg::Word(word) => (*word).to_owned(),
        Arg::Bound(site, values) if values.is_empty() => site.to_string(),
        Arg::Bound(site, values) => {
            let values: Vec<String> = values
                .iter()
                .map(|value| value_json(value).to_string())
                .collect();
            format!("{site} [{}]", values.join(", "))
        }
        Arg::Op(call) => {
            serde_json::to_string(&call.op).unwrap_or_else(|_| format!("{:?}", call.op))
        }
    }
}

/// How an event ended, in words.
pub fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Open => "?".to_owned(),
        Outcome::Done => String::new(),
        Outcome::Text(text) => text.to_string(),
        Outcome::Row(None) => "no row".to_owned(),
        Outcome::Row(Some(row)) => row_json(row).to_string(),
        Outcome::Count(1) => "1 row".to_owned(),
        Outcome::Count(count) => format!("{count} rows"),
        Outcome::Error(text) => format!("error: {text}"),
        Outcome::Op(result) => match result.as_ref() {
            Ok(reply) => serde_json::to_string(reply).unwrap_or_else(|_| format!("{reply:?}")),
            Err(error) => format!("error: {error}"),
        },
    }
}

fn event_json(event: &Event) -> Json {
    let mut line = Map::new();
    line.insert("n".into(), json!(event.n));
    line.insert("end".into(), json!(event.end));
    line.insert("at_us".into(), json!(event.at_us));
    line.insert("cause".into(), json!(event.cause.as_str()));
    if let Some((process, incarnation)) = &event.process {
        line.insert("process".into(), json!(process.as_str()));
        line.insert("incarnation".into(), json!(incarnation));
    }
    line.insert("kind".into(), json!(event.kind.name()));
    line.insert("arg".into(), json!(arg_text(&event.arg)));
    line.insert("outcome".into(), json!(outcome_text(&event.outcome)));
    Json::Object(line)
}

fn change_json(committed: &Committed) -> Json {
    let kind = match committed.change.kind {
        ChangeKind::Insert => "insert",
        ChangeKind::Update => "update",
        ChangeKind::Delete => "delete",
    };
    json!({
        "n": committed.n,
        "cause": committed.cause.as_str(),
        "kind": kind,
        "table": &*committed.change.table,
        "old": committed.change.old.as_deref().map(row_json),
        "new": committed.change.new.as_deref().map(row_json),
    })
}
