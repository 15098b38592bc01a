//! `op`: operations of the reference store, written as data.

use lockstep_store::{Call, Error as StoreError, Op, OpId, Store};
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};

use super::exec::{Done, Exec, Failure, Frame, Next};
use super::{Expr, Var};
use crate::run::{Db, Handle};
use crate::scenario::{ErrorClass, Step};
use crate::trace;

/// Performs an operation; its reply goes into a variable as JSON.
pub(super) fn perform(
    exec: &Exec<'_>,
    frame: &mut Frame,
    step: &Step,
    name: &str,
    args: &[(String, Expr)],
    op_id: Option<&Expr>,
    into: Option<Var>,
) -> Done {
    let mut values = Vec::with_capacity(args.len());
    for (path, expr) in args {
        values.push((path.as_str(), exec.value(frame, expr)?));
    }
    let op = build(name, &values).map_err(|words| {
        // A slip of the scenario must not look like an error of the store, which the flow may swallow.
        exec.ctx.kernel().violated(UNDERSTOOD, name, &words);
        Failure::new(ErrorClass::Error, words)
    })?;
    let op_id = match op_id {
        Some(expr) => Some(trace::plain(&exec.value(frame, expr)?)),
        None => op.keeps_answer().then(|| exec.fresh_id(step.site.as_str())),
    };
    let call = Call {
        op_id: op_id.map(OpId::from),
        op,
    };
    let reply = exec
        .ctx
        .store_at(&step.site, call)
        .map_err(|error| failure(&error))?;
    if let Some(var) = into {
        let reply = serde_json::to_value(&reply).unwrap_or(Json::Null);
        exec.assign(frame, var, Value::Text(inner(reply).to_string()));
    }
    Ok(Next::Step)
}

/// Performs an operation of the set-up, whose arguments are constants.
pub(super) fn set_up(
    handle: &mut Handle,
    name: &str,
    args: &[(String, Expr)],
) -> Result<(), String> {
    let mut values = Vec::with_capacity(args.len());
    for (path, expr) in args {
        let value = match expr {
            Expr::Const(value) => value.clone(),
            Expr::Sql(sql) if sql.params.is_empty() => handle
                .connection()
                .query_row(&sql.text, [], |row| row.get(0))
                .map_err(|error| error.to_string())?,
            _ => return Err(format!("`{path}` must not use variables in the set-up")),
        };
        values.push((path.as_str(), value));
    }
    let op = build(name, &values)?;
    let words: Vec<String> = values
        .iter()
        .map(|(_, value)| trace::plain(value))
        .collect();
    let op_id = op
        .keeps_answer()
        .then(|| OpId::from(format!("setup {name} {}", words.join(" "))));
    let Db::Store(store) = &mut handle.db else {
        return Err("`op` needs `store: reference`".to_owned());
    };
    store
        .apply(&Call { op_id, op })
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// Builds an operation from its fields. A text that does not fit as a text but is JSON is taken as JSON, so that lists
/// can be given as `json_array(…)`.
///
/// # Errors
/// In words, with serde's account of what does not fit.
fn build(name: &str, args: &[(&str, Value)]) -> Result<Op, String> {
    let plain = object(args, trace::value_json);
    let read = |fields: Json| {
        let mut op = Map::new();
        let fields = if args.is_empty() { Json::Null } else { fields };
        op.insert(name.to_owned(), fields);
        serde_json::from_value::<Op>(Json::Object(op))
    };
    read(plain).or_else(|error| {
        let parsed = object(args, |value| match value {
            Value::Text(text) if text.starts_with(['[', '{']) => {
                serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))
            }
            other => trace::value_json(other),
        });
        read(parsed).map_err(|_| format!("op {name}: {error}"))
    })
}

/// Violated by an operation whose fields do not fit; no scenario can expect it.
const UNDERSTOOD: &str = "op_is_understood";

/// Fields of operations that are true or false.
const TRUTHS: [&str; 3] = ["filter.active", "force", "text_ok"];

/// Nested objects from dotted paths.
fn object(args: &[(&str, Value)], json: impl Fn(&Value) -> Json) -> Json {
    let mut root = Map::new();
    for (path, value) in args {
        let value = match value {
            // SQL has no truth values; these fields have no other meaning.
            Value::Integer(n) if TRUTHS.contains(path) => Json::Bool(*n != 0),
            other => json(other),
        };
        put(&mut root, path, value);
    }
    Json::Object(root)
}

fn put(into: &mut Map<String, Json>, path: &str, value: Json) {
    match path.split_once('.') {
        None => {
            into.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            let inner = into
                .entry(head.to_owned())
                .or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// What a reply says, without the name of the operation around it.
fn inner(reply: Json) -> Json {
    match reply {
        Json::Object(map) if map.len() == 1 => map
            .into_iter()
            .next()
            .map_or(Json::Null, |(_, value)| value),
        other => other,
    }
}

fn failure(error: &StoreError) -> Failure {
    let class = match error {
        StoreError::Busy => ErrorClass::Busy,
        StoreError::Constraint { .. } => ErrorClass::Constraint,
        StoreError::Unknown { .. } => ErrorClass::Unknown,
        other => ErrorClass::Named(other.kind().to_owned()),
    };
    Failure::new(class, error.to_string())
}
