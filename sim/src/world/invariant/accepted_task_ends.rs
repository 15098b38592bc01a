//! Once faults have stopped, everything accepted ends. What does not is named with what it waits for.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, lease, session, task};

type Rows<'a> = BTreeMap<&'a str, &'a [Value]>;

/// At the end of the healing phase no task is open, and no event was given up by the platform. A commit that nobody knew of and that
/// was found in the log when all was over has left nobody the time.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    for event in facts.town.given_up.borrow().iter() {
        let row = format!("event={event} was delivered again and again and never acknowledged");
        found.add(event.as_str(), row);
    }
    let tasks = facts.last(task::TABLE);
    if !tasks.values().any(|row| task::is_open(row)) {
        return;
    }
    let (sessions, leases) = (facts.last(session::TABLE), facts.last(lease::TABLE));
    let known = known_in_time(facts);
    let stuck = tasks
        .iter()
        .filter(|(id, row)| task::is_open(row) && known.contains(*id));
    for (id, stuck) in stuck {
        let waits = waits_for(stuck, &tasks, &sessions, &leases);
        let state = row::text(stuck, task::STATE);
        found.add(id, format!("task={id} state={state} waits for {waits}"));
    }
}

fn known_in_time<'a>(facts: &Facts<'a>) -> BTreeSet<&'a str> {
    let in_time = facts
        .commits
        .iter()
        .filter(|commit| commit.n <= facts.ended_n);
    let images = in_time.flat_map(|commit| commit.of(task::TABLE));
    images
        .filter_map(|(_, new)| new)
        .map(|new| row::text(new, task::ID))
        .collect()
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
