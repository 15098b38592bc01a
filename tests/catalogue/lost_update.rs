//! A write that knew less overwrites one that knew more.

use super::planted::{Planted, in_sql};

pub(crate) const BUGS: &[Planted] = &[
    // The application's state belongs to whoever writes last.
    in_sql(
        "last_writer_wins",
        &[(
            "data_replace",
            " AND version = :version",
            " AND :version > 0",
        )],
        "",
        "it-at-m/mucgpt #1068 (two tabs), MS Bot Framework #960, incident 003",
        &["two tabs", "a write between another's read and write"],
    ),
    // Of two first states the later one stands.
    in_sql(
        "last_first_state_wins",
        &[(
            "data_begin",
            "DO NOTHING",
            "DO UPDATE SET version = session_data.version + 1, body = excluded.body",
        )],
        "",
        "AzzMTZ/session-handler #48: 25 writers are told yes, one is kept",
        &["two tabs", "two first writes"],
    ),
    // An operator moves a session by what was true when the operator looked.
    in_sql(
        "moves_by_old_news",
        &[(
            "session_migrate",
            " AND version = :version",
            " AND :version > 0",
        )],
        "",
        "DBOS #742: acting on a stale read",
        &["a move", "a turn between the operator's look and the move"],
    ),
];
