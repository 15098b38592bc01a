//! Once faults have stopped, everything accepted ends. What does not is named with what it waits for.

use std::collections::BTreeMap;

use rusqlite::types::Value;

use super::Found;
use crate::label::Label;
use crate::trace::Trace;
use crate::world::row::{self, lease, session, task};

pub(super) const NAME: &str = "accepted_task_ends";

type Rows<'a> = BTreeMap<&'a str, &'a [Value]>;

/// At the end of the healing phase no task is open, and no event was given up by the platform.
pub(super) fn judge(trace: &Trace, given_up: &[Label], found: &mut Vec<Found>) {
    for event in given_up {
        let row = format!("event={event} was delivered again and again and never acknowledged");
        found.push(Found {
            name: NAME,
            key: event.as_str().to_owned(),
            row,
        });
    }
    let tasks = last(trace, task::TABLE);
    if !tasks.values().any(|row| task::is_open(row)) {
        return;
    }
    let (sessions, leases) = (last(trace, session::TABLE), last(trace, lease::TABLE));
    for (id, stuck) in tasks.iter().filter(|(_, row)| task::is_open(row)) {
        let waits = waits_for(stuck, &tasks, &sessions, &leases);
        let row = format!(
            "task={id} state={} waits for {waits}",
            row::text(stuck, task::STATE)
        );
        found.push(Found {
            name: NAME,
            key: (*id).to_owned(),
            row,
        });
    }
}

/// The last committed image of each row of a table, by its first column.
fn last<'a>(trace: &'a Trace, table: &str) -> Rows<'a> {
    let mut rows = Rows::new();
    for committed in trace
        .changes
        .iter()
        .filter(|committed| &*committed.change.table == table)
    {
        match (&committed.change.new, &committed.change.old) {
            (Some(new), _) => {
                rows.insert(row::text(new, 0), new);
            }
            (None, Some(old)) => {
                rows.remove(row::text(old, 0));
            }
            (None, None) => {}
        }
    }
    rows
}

fn waits_for(stuck: &[Value], tasks: &Rows<'_>, sessions: &Rows<'_>, leases: &Rows<'_>) -> String {
    let id = row::text(stuck, task::SESSION);
    if let Some(lease) = leases.get(id) {
        let (worker, until) = (
            row::text(lease, lease::WORKER),
            row::number(lease, lease::UNTIL_MS).unwrap_or(0),
        );
        let fence = row::number(lease, lease::FENCE).unwrap_or(0);
        return format!("{worker}, which holds {id} under fence {fence} until {until}");
    }
    let ahead = tasks.values().find(|other| {
        task::is_open(other)
            && row::text(other, task::SESSION) == id
            && row::number(other, task::POS) < row::number(stuck, task::POS)
    });
    if let Some(ahead) = ahead {
        return format!("{}, which is ahead of it", row::text(ahead, task::ID));
    }
    match sessions.get(id) {
        None => format!("{id}, which does not exist"),
        Some(session) if row::text(session, session::STATE) != "active" => {
            format!("{id}, which is closed")
        }
        Some(session) => match row::number(session, session::HEAD_READY_MS) {
            None => format!("{id}, which no claim will find"),
            Some(at) => {
                let (class, home) = (
                    row::text(session, session::CLASS),
                    row::text(session, session::HOME),
                );
                format!("a worker of {class} {home} to claim {id}, ready since {at}")
            }
        },
    }
}
