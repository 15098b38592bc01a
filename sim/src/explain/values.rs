//! Which values of an event matter: its arguments, and when it happens.
//!
//! An argument that other events have as well may matter only in that it is the same: then it is changed in all of them.

use rusqlite::types::Value as Sql;

use super::Trials;
use super::events::edited;
use crate::case::Decisions;
use crate::run::Ran;
use crate::scenario::{Does, Event, Expr, Program, Span};
use crate::trace::plain;

/// A value of an event, and what else would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Name of the argument; `time` for when it happens.
    pub name: String,
    /// The value in words.
    pub value: String,
    /// What else would do.
    pub fate: Fate,
}

/// What else would do in the place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// All others that were tried.
    Any,
    /// All others that were tried, as long as every event that has it has the same.
    AnySame,
    /// An earlier time, but no later one.
    Earlier,
    /// A later time, but no earlier one.
    Later,
    /// Not every other: it matters.
    Matters,
}

/// Which event it is.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) program: &'a Program,
    /// So many legs before the last one.
    pub(super) depth: usize,
    pub(super) index: usize,
}

impl Place<'_> {
    fn leg(&self) -> &Program {
        let mut legs = std::iter::successors(Some(self.program), |it| it.before.as_deref());
        legs.nth(self.depth).unwrap_or(self.program)
    }

    fn event(&self) -> &Event {
        &self.leg().events[self.index]
    }
}

/// Tries other values of an event. What it gets from others, or from the harness, is not tried.
pub(super) fn find(
    trials: &mut Trials<'_>,
    case: &Decisions,
    place: Place<'_>,
) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    if let Does::Send { flow, args, .. } = &place.event().does {
        let names = &place.leg().versions[0].flows[*flow].locals;
        for (at, (name, arg)) in names.iter().zip(args).enumerate() {
            let Expr::Const(value) = arg else { continue };
            if let Some(fate) = argument(trials, case, place, (at, value))? {
                let (name, value) = (name.clone(), plain(value));
                all.push(Value { name, value, fate });
            }
        }
    }
    all.extend(time(trials, case, place)?);
    Ok(all)
}

/// What else would do for an argument; `None` if there is nothing to try.
fn argument(
    trials: &mut Trials<'_>,
    case: &Decisions,
    place: Place<'_>,
    (at, value): (usize, &Sql),
) -> Result<Option<Fate>, String> {
    let others = others(value);
    if others.is_empty() {
        return Ok(None);
    }
    let alone = |other: &Sql| {
        edited(place.program, place.depth, &mut |program| {
            set(&mut program.events[place.index], at, other);
        })
    };
    if all_fail(trials, case, value, &others, &alone)? {
        return Ok(Some(Fate::Any));
    }
    let everywhere = |other: &Sql| replaced(place.program, value, other);
    let shared = uses(place.program, value) > 1;
    Ok(Some(
        match shared && all_fail(trials, case, value, &others, &everywhere)? {
            true => Fate::AnySame,
            false => Fate::Matters,
        },
    ))
}

/// Whether the case fails with each of these values in the place of another.
fn all_fail(
    trials: &mut Trials<'_>,
    case: &Decisions,
    value: &Sql,
    others: &[Sql],
    with: &dyn Fn(&Sql) -> Program,
) -> Result<bool, String> {
    for other in others {
        let ran = trials.elsewhere(with(other), case)?;
        if !fails(trials, &ran, value, other) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a run fails like the case, for the same key or for what stands in its place.
fn fails(trials: &Trials<'_>, ran: &Ran, old: &Sql, new: &Sql) -> bool {
    let target = &trials.target;
    let key = match target.key == plain(old) {
        true => plain(new),
        false => target.key.clone(),
    };
    let is_it = |key: &str, of: &str| of == key || of == target.key;
    let mut hits = ran.violations.iter();
    hits.any(|hit| hit.invariant == target.invariant && is_it(&key, &hit.key))
}

/// Other values of the same kind.
fn others(value: &Sql) -> Vec<Sql> {
    match value {
        Sql::Null | Sql::Blob(_) => Vec::new(),
        Sql::Integer(n) => vec![Sql::Integer(n + 1), Sql::Integer(n.saturating_mul(3) + 7)],
        Sql::Real(x) => vec![Sql::Real(x + 1.0), Sql::Real(x * 3.0 + 7.0)],
        Sql::Text(text) => vec![
            Sql::Text("something else".to_owned()),
            Sql::Text(format!("{text}2")),
        ],
    }
}

fn set(event: &mut Event, at: usize, value: &Sql) {
    if let Does::Send { args, .. } = &mut event.does {
        args[at] = Expr::Const(value.clone());
    }
}

/// How many arguments have this value, in all legs.
fn uses(program: &Program, value: &Sql) -> usize {
    let before = program.before.as_ref();
    let here = program.events.iter().map(|event| match &event.does {
        Does::Send { args, .. } => args.iter().filter(|arg| is(arg, value)).count(),
        _ => 0,
    });
    here.sum::<usize>() + before.map_or(0, |before| uses(before, value))
}

/// A program in which every argument that has this value has another.
fn replaced(program: &Program, old: &Sql, new: &Sql) -> Program {
    let mut program = program.clone();
    for event in &mut program.events {
        if let Does::Send { args, .. } = &mut event.does {
            let those = args.iter_mut().filter(|arg| is(arg, old));
            those.for_each(|arg| *arg = Expr::Const(new.clone()));
        }
    }
    let before = program.before.take();
    program.before = before.map(|before| replaced(&before, old, new).into());
    program
}

fn is(arg: &Expr, value: &Sql) -> bool {
    matches!(arg, Expr::Const(it) if it == value)
}

/// What else would do for its time, if it has one and no decision has made it another.
fn time(
    trials: &mut Trials<'_>,
    case: &Decisions,
    place: Place<'_>,
) -> Result<Option<Value>, String> {
    let event = place.event();
    let at = event.at.shortest;
    let decided = |point: &crate::case::Point| point.cause == event.label && point.site == "at";
    if at == 0 || case.0.keys().any(decided) {
        return Ok(None);
    }
    let mut fail = |times: &[u64]| -> Result<bool, String> {
        for time in times {
            let other = edited(place.program, place.depth, &mut |program| {
                let span = &mut program.events[place.index].at;
                *span = Span {
                    shortest: *time,
                    longest: span.longest.max(*time),
                };
            });
            let ran = trials.elsewhere(other, case)?;
            if !trials.target.is_in(&ran) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    let earlier = fail(&[at / 2, 1, 0])?;
    let later = fail(&[at + 1_000, at * 2, at * 10])?;
    Ok(Some(Value {
        name: "time".to_owned(),
        value: format!("{at}ms"),
        fate: match (earlier, later) {
            (true, true) => Fate::Any,
            (true, false) => Fate::Earlier,
            (false, true) => Fate::Later,
            (false, false) => Fate::Matters,
        },
    }))
}
