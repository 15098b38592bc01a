//! A write that knew less overwrites one that knew more.

use crate::world::Quirk;

use super::planted::{Planted, in_roles, in_sql};

pub(super) const BUGS: &[Planted] = &[
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
    // Who finds that somebody else was faster writes over it.
    in_roles(
        "state_is_overwritten",
        &[Quirk::OverwritesState],
        "incident 003 (two sockets of one session), tower-sessions #35",
        &["two tabs", "a write between another's read and write"],
    ),
    // An edit is reported as saved when the store has failed.
    in_roles(
        "saved_is_said_anyway",
        &[Quirk::SaysSavedAlways],
        "incident 003: an update that matches no row is logged as persisted",
        &["an edit", "an error of the store"],
    ),
];
