//! Keys and words of the language that no other table holds, and all of them together: a test asks whether the manual
//! names each.

pub(in super::super) use super::super::import::SQL_FILE;
pub(in super::super) use super::super::patch::PATCH;
pub(in super::super) use super::super::platform::{LAW, ORDER};
use super::super::{import, patch, platform, store};
pub(in super::super) use super::draft::{TOP, VARIANT};
pub(in super::super) use super::fault::{BOUNDED, names as faults};
pub(in super::super) use super::rule::BUILTIN;
use super::{draft, fault, rule, scope, step};

/// Keys of a process.
pub(in super::super) const PROCESS: [&str; 9] = [
    "count", "home", "memory", "clock", "database", "code", "start", "stop", "loop",
];
/// Keys of a further database.
pub(in super::super) const DATABASE: [&str; 1] = ["schema"];
/// Keys of a resource.
pub(in super::super) const RESOURCE: [&str; 9] = [
    "per",
    "exclusive",
    "capacity",
    "release_after",
    "refuses",
    "home",
    "durable_after",
    "exists",
    "expires",
];
/// Keys of what is said of an effect.
pub(in super::super) const PROVIDER: [&str; 2] = ["idempotent", "expires"];
/// Keys of a lock.
pub(in super::super) const LOCK: [&str; 2] = ["per", "breaks"];
/// Ways in which a lock breaks.
pub(in super::super) const BREAKS: [&str; 3] = ["waiter_timeout", "careless_release", "stale"];
/// Keys of an event.
pub(in super::super) const EVENT: [&str; 4] = ["at", "after", "every", "times"];
/// Forms of an event: the key that says what happens, with the keys that belong to it.
pub(in super::super) const FORMS: [(&str, &[&str]); 6] = [
    (
        "send",
        &[
            "on",
            "send",
            "with",
            "from",
            "queue",
            "redeliver",
            "reliable",
        ],
    ),
    ("crash", &["crash", "for"]),
    ("stop", &["stop"]),
    ("roll", &["roll", "to"]),
    ("backup", &["backup"]),
    ("restore", &["restore", "stops"]),
];
/// Keys of `redeliver`.
pub(in super::super) const REDELIVER: [&str; 7] =
    ["every", "times", "after", "until", "timeout", "id", "to"];
/// Keys of a process's clock.
pub(in super::super) const CLOCK: [&str; 2] = ["offset", "zone"];
/// Keys of a process's loop.
pub(in super::super) const LOOP: [&str; 3] = ["flow", "every", "for"];
/// Keys of `retry`.
pub(in super::super) const RETRY: [&str; 4] = ["on", "after", "every", "until"];
/// Verdicts that can be expected.
pub(super) const VERDICTS: [&str; 3] = ["holds", "undecided", "violates"];

/// A verb with all the keys that may stand beside it.
pub(in super::super) struct Form {
    pub(in super::super) verb: &'static str,
    pub(in super::super) keys: Vec<&'static str>,
}

/// Every verb.
pub(in super::super) fn verbs() -> Vec<Form> {
    let verbs = step::VERBS.iter().chain([&step::OP]);
    let form = |(verb, keys): &(&'static str, &[&'static str])| Form {
        verb,
        keys: keys.iter().chain(&step::COMMON).copied().collect(),
    };
    verbs.map(form).collect()
}

/// Kinds of invariants.
pub(in super::super) fn rules() -> Vec<&'static str> {
    rule::KINDS.iter().map(|(key, _)| *key).collect()
}

/// Operations of the reference store.
pub(in super::super) fn operations() -> Vec<&'static str> {
    store::OPS.iter().map(|(name, _, _)| *name).collect()
}

fn events() -> Vec<&'static str> {
    let forms = FORMS.iter().flat_map(|(_, keys)| keys.iter().copied());
    forms.chain(EVENT).chain(REDELIVER).collect()
}

/// Every word, under the key where it may stand.
pub(in super::super) fn all() -> Vec<(&'static str, Vec<&'static str>)> {
    let verbs = step::VERBS.iter().chain([&step::OP]);
    let steps = verbs.flat_map(|(verb, keys)| [*verb].into_iter().chain(keys.iter().copied()));
    let operations = store::OPS.iter();
    let fields = operations.flat_map(|(name, needs, may)| {
        let fields = needs.iter().chain(*may).copied();
        [*name].into_iter().chain(fields)
    });
    vec![
        ("version", draft::TOP.to_vec()),
        ("platforms", [&platform::LAW[..], &platform::ORDER].concat()),
        (
            import::IMPORT,
            [&import::SECTIONS[..], &import::SQL, &import::SQL_FILE].concat(),
        ),
        (
            "processes",
            [&PROCESS[..], &CLOCK, &LOOP, &["per"]].concat(),
        ),
        ("databases", [&DATABASE[..], &["db", "database"]].concat()),
        ("resources", RESOURCE.to_vec()),
        ("effects", PROVIDER.to_vec()),
        ("locks", [&LOCK[..], &BREAKS].concat()),
        ("flows", steps.chain(step::COMMON).collect()),
        ("retry", RETRY.to_vec()),
        (
            "catch",
            step::CLASSES.iter().map(|(name, _)| *name).collect(),
        ),
        (
            ":event",
            scope::BUILTINS.iter().map(|(name, _)| *name).collect(),
        ),
        ("events", events()),
        ("faults", [&fault::names()[..], &fault::BOUNDED].concat()),
        (
            "invariants",
            rule::KINDS
                .iter()
                .map(|(key, _)| *key)
                .chain(["per"])
                .chain(rule::BUILTIN)
                .collect(),
        ),
        (
            "variants",
            [&draft::VARIANT[..], &patch::PATCH, &["delete"]].concat(),
        ),
        ("expect", VERDICTS.to_vec()),
        ("explore", vec!["runs"]),
        (
            "op",
            fields
                .chain(store::ERRORS)
                .chain(store::KEY_PARTS)
                .collect(),
        ),
    ]
}
