//! The language as a JSON Schema, for editors. Its keys are those of the tables that the parser reads by, so that none can
//! be missing; what may stand under a key is said here, and where nothing is said anything may.

use serde_json::{Map, Value, json};

use super::lower::words::{self, Form};

/// Draft 7 is what editors know.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of a scenario file.
pub fn schema() -> Value {
    let mut root = object(&words::TOP, top);
    let import = json!({ "required": ["import"] });
    let whole = json!({ "required": ["processes", "flows", "invariants"] });
    root["$schema"] = DRAFT.into();
    root["title"] = "A Lockstep scenario".into();
    root["required"] = json!(["version", "name", "events", "variants"]);
    root["anyOf"] = json!([import, whole]);
    root["definitions"] = json!({
        "step": step(),
        "steps": any_of([of("step"), list(of("step")), null()]),
        "expr": scalar(),
        "exprs": { "type": ["object", "null"] },
        "sql": any_of([text(), only(&words::SQL_FILE, |_| text(), &["file"])]),
        "duration": { "type": "string", "pattern": format!("^{DURATION}$") },
        "range": { "type": "string", "pattern": format!("^{DURATION}( *\\.\\. *{DURATION})?$") },
        "number": { "type": "integer", "minimum": 0 },
        "flows": map(any_of([list(of("step")), null()])),
        "patches": map(any_of([list(of("step")), null(), map(patch())])),
        "process": any_of([of("number"), null(), object(&words::PROCESS, process)]),
    });
    root
}

const DURATION: &str = "[0-9]+(ms|s|m|min|h|d)";

fn top(key: &str) -> Value {
    match key {
        "version" => json!({ "const": 1 }),
        "name" => name(),
        "import" => any_of([text(), list(text())]),
        "files" => map(text()),
        "platforms" => named(object(&words::LAW, law)),
        "clock" => text(),
        "target" => one_of(&["sqlite", "postgres"]),
        "schema" => of("sql"),
        "databases" => named(object(&words::DATABASE, |_| of("sql"))),
        "store" => one_of(&["reference"]),
        "setup" => of("steps"),
        "processes" => map(of("process")),
        "resources" => named(object(&words::RESOURCE, resource)),
        "locks" => named(object(&words::LOCK, lock)),
        "effects" => named(object(&words::PROVIDER, |key| match key {
            "expires" => of("duration"),
            _ => json!({ "type": "boolean" }),
        })),
        "flows" => of("flows"),
        "versions" => named(only(&["flows"], |_| of("patches"), &[])),
        "events" => named(event()),
        "faults" => object(&words::faults(), fault),
        "invariants" => named(invariant()),
        "goals" => named(of("sql")),
        "variants" => named(any_of([null(), object(&words::VARIANT, variant)])),
        "expect" => map(expect()),
        "explore" => only(&["runs"], |_| of("number"), &[]),
        _ => anything(),
    }
}

fn variant(key: &str) -> Value {
    match key {
        "flows" => of("patches"),
        "expect" => expect(),
        "start" => text(),
        "repair" => of("steps"),
        other => top(other),
    }
}

fn process(key: &str) -> Value {
    match key {
        "count" => of("number"),
        "home" | "database" | "code" | "start" | "stop" => text(),
        "memory" => map(scalar()),
        "clock" => only(&words::CLOCK, |_| text(), &[]),
        "loop" => only(&words::LOOP, looped, &["flow", "every"]),
        _ => anything(),
    }
}

fn looped(key: &str) -> Value {
    match key {
        "flow" => text(),
        _ => of("duration"),
    }
}

fn resource(key: &str) -> Value {
    match key {
        "exclusive" | "exists" => json!({ "type": "boolean" }),
        "home" => any_of([json!({ "type": "boolean" }), one_of(&["refuse"])]),
        "capacity" => of("number"),
        "release_after" | "durable_after" => of("range"),
        "expires" => of("duration"),
        "refuses" => name(),
        _ => anything(),
    }
}

fn lock(key: &str) -> Value {
    match key {
        "breaks" => {
            let with = only(&words::BREAKS, |_| of("duration"), &[]);
            list(any_of([one_of(&words::BREAKS), with]))
        }
        _ => anything(),
    }
}

fn law(key: &str) -> Value {
    match key {
        "redeliver" => redeliver(),
        "order" => one_of(&words::ORDER),
        "expires" => map(of("duration")),
        _ => anything(),
    }
}

fn redeliver() -> Value {
    only(&words::REDELIVER, gap, &[])
}

fn gap(key: &str) -> Value {
    match key {
        "times" => of("number"),
        "after" => list(of("duration")),
        "id" => one_of(&["same", "new"]),
        "to" => one_of(&["same", "next"]),
        _ => of("duration"),
    }
}

/// Exactly one form, each with keys of its own.
fn event() -> Value {
    let forms = words::FORMS.iter().map(|(form, keys)| {
        let keys: Vec<&str> = keys.iter().chain(&words::EVENT).copied().collect();
        only(&keys, happening, &[form])
    });
    json!({ "oneOf": forms.collect::<Vec<_>>() })
}

fn happening(key: &str) -> Value {
    match key {
        "on" | "send" | "crash" | "stop" | "roll" | "to" | "backup" | "restore" | "queue" => text(),
        "from" => name(),
        "with" => map(scalar()),
        "at" | "for" => of("range"),
        "after" | "stops" => any_of([text(), list(text())]),
        "every" => of("duration"),
        "times" => of("number"),
        "reliable" => json!({ "type": "boolean" }),
        "redeliver" => any_of([name(), redeliver()]),
        _ => anything(),
    }
}

fn fault(key: &str) -> Value {
    match key {
        "crash" | "stop" => map(of("number")),
        _ => any_of([of("number"), object(&words::BOUNDED, bounded)]),
    }
}

fn bounded(key: &str) -> Value {
    match key {
        "strikes" => of("number"),
        _ => text_or_number(),
    }
}

/// Exactly one kind of rule.
fn invariant() -> Value {
    let kinds = words::rules().into_iter().map(|kind| {
        let value = move |key: &str| match key {
            "per" => text(),
            "builtin" => one_of(&words::BUILTIN),
            _ => of("sql"),
        };
        only(&["per", kind], value, &[kind])
    });
    json!({ "oneOf": kinds.collect::<Vec<_>>() })
}

fn expect() -> Value {
    let names = any_of([text(), list(text())]);
    let violates = only(&["violates"], |_| names.clone(), &["violates"]);
    any_of([one_of(&["holds", "undecided"]), violates])
}

fn patch() -> Value {
    any_of([one_of(&["delete"]), object(&words::PATCH, |_| of("steps"))])
}

/// Exactly one verb, with the keys that belong to it and those of any step.
fn step() -> Value {
    let mut forms = vec![one_of(&["return", "reply"])];
    forms.extend(words::verbs().into_iter().map(|Form { verb, keys }| {
        let keys: Vec<&str> = [verb].into_iter().chain(keys).collect();
        only(&keys, move |key| part(verb, key), &[verb])
    }));
    json!({ "oneOf": forms })
}

/// What stands under a key of a step.
fn part(verb: &str, key: &str) -> Value {
    match (verb, key) {
        (_, "catch") => map(of("steps")),
        (_, "source") => anything(),
        ("read" | "sql" | "each", key) if key == verb => of("sql"),
        ("transaction", "transaction") | (_, "then" | "else" | "do" | "none" | "finally") => {
            of("steps")
        }
        ("transaction", "begin") => one_of(&["deferred", "immediate"]),
        ("set" | "reply", key) if key == verb => of("exprs"),
        ("choose", "from") => list(of("expr")),
        ("atomic", "atomic") => of("steps"),
        ("take", "take") | (_, "in" | "for") => of("range"),
        ("use", "retry") => only(&words::RETRY, retry, &[]),
        (_, "with") => of("exprs"),
        (_, "wait" | "within") => of("duration"),
        (_, "rows" | "times") => of("number"),
        (_, "label" | "as" | "create" | "db") => name(),
        ("op", "op") => one_of(&words::operations()),
        ("if" | "while" | "cancel" | "return", _)
        | (_, "intent" | "key" | "value" | "fence" | "op_id") => of("expr"),
        (
            "new_id" | "call" | "spawn" | "effect" | "lock" | "use" | "raise" | "request"
            | "choose" | "renew",
            key,
        ) if key == verb => text(),
        _ => anything(),
    }
}

fn retry(key: &str) -> Value {
    match key {
        "on" => text(),
        "after" => list(of("duration")),
        _ => of("duration"),
    }
}

fn of(definition: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{definition}") })
}

fn anything() -> Value {
    Value::Bool(true)
}

fn null() -> Value {
    json!({ "type": "null" })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn text_or_number() -> Value {
    json!({ "type": ["string", "number"] })
}

fn scalar() -> Value {
    json!({ "type": ["string", "number", "boolean", "null"] })
}

fn name() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$" })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "enum": words })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn any_of<const N: usize>(forms: [Value; N]) -> Value {
    json!({ "anyOf": forms.to_vec() })
}

/// Names that the file chooses, each with such a value.
fn map(value: Value) -> Value {
    json!({ "type": ["object", "null"], "additionalProperties": value })
}

/// Named things: a mapping, or a list of one `name: value` each.
fn named(value: Value) -> Value {
    let one = json!({
        "type": "object", "additionalProperties": value, "minProperties": 1, "maxProperties": 1,
    });
    any_of([map(value), list(one)])
}

/// A mapping of these keys and no others, or nothing.
fn object(keys: &[&str], value: impl Fn(&str) -> Value) -> Value {
    let mut object = only(keys, value, &[]);
    object["type"] = json!(["object", "null"]);
    object
}

/// A mapping of these keys and no others.
fn only(keys: &[&str], value: impl Fn(&str) -> Value, required: &[&str]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| ((*key).to_owned(), value(key)))
        .collect();
    let mut object = json!({
        "type": "object", "properties": properties, "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}
