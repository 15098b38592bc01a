//! What this room knows of the reference store: its tables, its operations and the names of its errors.

use rusqlite::Connection;

/// Creates the store's tables on a scratch database.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), lockstep_store::Error> {
    lockstep_store::schema::migrate(conn, 0)
}

/// Errors of the store that a step can catch by name.
pub(super) const ERRORS: [&str; 12] = [
    "fenced",
    "stale",
    "closed",
    "leased",
    "runtime_mismatch",
    "not_found",
    "op_id_reused",
    "changed",
    "invalid",
    "too_new",
    "foreign",
    "io",
];

/// Parts of a conversation's key besides the chat.
pub(super) const KEY_PARTS: [&str; 5] = ["tenant", "channel", "account", "thread", "participant"];

/// Operations with the fields that they need, then those that may be left out.
pub(super) const OPS: [(&str, &[&str], &[&str]); 49] = [
    ("register_build", &["build", "runtime", "class"], &[]),
    ("set_current", &["build"], &[]),
    ("allow_move", &["from", "to", "converter"], &[]),
    ("register_worker", &["worker", "build", "home"], &[]),
    ("worker_seen", &["worker"], &[]),
    ("open_or_get", &["key", "policy", "new"], &[]),
    (
        "accept",
        &[
            "key",
            "ext_id",
            "kind",
            "body",
            "task",
            "max_failures",
            "new",
        ],
        &["when_waiting"],
    ),
    ("claim", &["worker", "limit", "lease_ms"], &[]),
    ("renew", &["session", "fence", "lease_ms"], &[]),
    (
        "append",
        &["session", "fence", "expected_seq", "items"],
        &[],
    ),
    (
        "complete",
        &["task", "fence", "outcome", "items", "sends"],
        &["resume_token"],
    ),
    ("fail", &["task", "fence", "error", "retry"], &[]),
    ("cancel", &["task", "reason", "how"], &[]),
    ("close", &["session", "reason", "force"], &[]),
    (
        "reset",
        &["session", "next", "reason", "queued", "force"],
        &["build"],
    ),
    ("set_resume", &["session", "fence", "token", "epoch"], &[]),
    ("resume", &["session", "worker"], &[]),
    (
        "migrate",
        &["session", "to_build", "expected_version"],
        &["converted"],
    ),
    ("reap", &["limit"], &[]),
    ("drain", &["build"], &[]),
    ("retire", &["build"], &[]),
    ("worker_drain", &["worker"], &[]),
    ("worker_gone", &["worker"], &[]),
    ("link_key", &["key", "alias"], &[]),
    (
        "ordered_ids",
        &["tenant", "channel", "account", "idle_gap_ms"],
        &[],
    ),
    ("give_back", &["task", "fence"], &[]),
    ("snooze", &["task", "fence", "delay_ms"], &[]),
    ("retry", &["task", "again"], &[]),
    ("note", &["session", "item"], &[]),
    ("put_state", &["session", "expected_version", "body"], &[]),
    ("get_state", &["session"], &[]),
    (
        "drop_resume",
        &["session", "expected_epoch", "evidence"],
        &[],
    ),
    (
        "ask",
        &[
            "task",
            "fence",
            "prompt",
            "choices",
            "text_ok",
            "expires_in_ms",
        ],
        &["items", "sends", "resume_token"],
    ),
    ("answer", &["key", "ext_id", "token"], &[]),
    ("revoke", &["prompt"], &[]),
    ("claim_send", &["sender", "route", "limit", "lease_ms"], &[]),
    ("sent", &["session", "n", "send_no", "provider_id"], &[]),
    (
        "not_sent",
        &["session", "n", "send_no", "error", "then"],
        &[],
    ),
    ("unknown", &["session", "n", "send_no", "error"], &[]),
    ("resolve", &["session", "n", "how"], &[]),
    ("sweep", &["limit"], &[]),
    ("prune", &["keep_ms", "limit"], &[]),
    ("restored", &["incarnation"], &[]),
    ("list", &["filter", "limit"], &["after"]),
    (
        "history",
        &["session", "after_seq", "after_note", "limit"],
        &[],
    ),
    ("stats", &[], &[]),
    ("explain", &["session"], &[]),
    ("show", &["session"], &[]),
    ("verify", &["per_rule"], &[]),
];

#[cfg(test)]
mod tests {
    use super::OPS;
    use serde_json::{Map, Value, json};

    /// Every name is an operation of the store, and no field that it needs is missing in the list.
    #[test]
    fn operations_are_those_of_the_store() {
        for (name, needs, _) in OPS {
            if needs.is_empty() {
                serde_json::from_value::<lockstep_store::Op>(json!({ name: null })).expect(name);
                continue;
            }
            let fields: Map<String, Value> = needs
                .iter()
                .map(|field| ((*field).to_owned(), Value::Null))
                .collect();
            let error = serde_json::from_value::<lockstep_store::Op>(json!({ name: fields })).err();
            let words = error.map_or(String::new(), |error| error.to_string());
            assert!(words.starts_with("invalid type: null"), "{name}: {words}");
        }
    }
}
