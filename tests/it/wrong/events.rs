//! Events and faults.

use super::Kind;

pub(super) const KINDS: &[Kind] = &[
    ("a process that is not there", "on: api.2", "on: apii"),
    ("an instance that is not there", "on: api.2", "on: api.3"),
    ("a flow that is not there", "send: note", "send: ntoe"),
    (
        "an argument that is missing",
        "with: { chat: c }, from",
        "from",
    ),
    (
        "an argument that nobody takes",
        "with: { chat: c }, from",
        "with: { chat: c, chatt: c }, from",
    ),
    (
        "a variable for an argument",
        "with: { chat: c }, from",
        "with: { chat: :chat }, from",
    ),
    ("an event that is not there", "after: [m1,", "after: [m4,"),
    (
        "events that wait for each other",
        "on: api.2, send",
        "after: m2, on: api.2, send",
    ),
    (
        "a platform that is not there",
        "redeliver: telegram",
        "redeliver: telegarm",
    ),
    (
        "a repeat without its number",
        "every: 5s, times: 3,",
        "every: 5s,",
    ),
    (
        "nothing that happens",
        "- copy: { backup: store }",
        "- copy: { at: 1s }",
    ),
    ("a version that is not there", "to: new,", "to: newer,"),
    (
        "a fault that nobody knows",
        "lost_reply: 1",
        "lost_replies: 1",
    ),
    (
        "a crash of nobody",
        "{ crash: { api: 1 }",
        "{ crash: { app: 1 }",
    ),
    (
        "a fault without its bound",
        "late: { strikes: 1, up_to: 30s }",
        "late: 1",
    ),
];
