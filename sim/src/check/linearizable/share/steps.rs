//! Operations that are several transactions: each step takes effect at a moment of its own.
//!
//! Steps are judged by what was said to be done. That more was due, and left undone, is not judged here: between the list
//! of what is due and the step, anybody may have come first.

use std::collections::BTreeSet;

use lockstep_store::model::Step;
use lockstep_store::{Error, Op, Pruned, Reaped, Reply, SessionId, Swept};

use super::Sharing;
use crate::check::linearizable::entry::{Does, Entry, Says, Variant, last_moment, whole};
use crate::check::linearizable::names::Name;
use crate::check::linearizable::{Moment, Operation};
use crate::trace::Reading;

impl<'t> Sharing<'_, 't> {
    pub(super) fn take_steps(&mut self, index: usize, operation: &Operation<'t>) {
        match (&operation.call.op, operation.answer) {
            (_, Some(Ok(Reply::Reaped(reaped)))) => self.take_reaped(index, operation, reaped),
            (_, Some(Ok(Reply::Swept(swept)))) => self.take_swept(index, operation, swept),
            (Op::Prune { keep_ms, limit }, Some(Ok(Reply::Pruned(pruned)))) => {
                self.take_pruned(index, operation, *keep_ms, *limit, Some(pruned));
            }
            (
                Op::Prune { keep_ms, limit },
                None | Some(Err(Error::Busy | Error::Io { .. } | Error::Unknown { .. })),
            ) => self.take_pruned(index, operation, *keep_ms, *limit, None),
            // Whoever is turned away by the first transaction has done nothing; a sick disk may come later.
            (_, Some(Err(Error::Busy))) => {}
            (_, None | Some(Err(Error::Io { .. } | Error::Unknown { .. }))) => {
                self.take_untold_steps(index, operation);
            }
            _ => self.put(self.registry(), whole(index, operation)),
        }
    }

    fn take_reaped(&mut self, index: usize, operation: &Operation<'t>, reaped: &Reaped) {
        let requeued = reaped.requeued.iter().map(|task| (task, true));
        let ended = reaped.ended.iter().map(|task| (task, false));
        for (task, queued) in requeued.chain(ended) {
            let one = vec![task.clone()];
            let (requeued, ended) = if queued {
                (one, Vec::new())
            } else {
                (Vec::new(), one)
            };
            let says = Reply::Reaped(Reaped {
                requeued,
                ended,
                skipped: Vec::new(),
            });
            let part = self.part(Name::Task(task.as_str()));
            let entry = told(index, operation, Step::LeaseOf(task.clone()), says);
            self.put(part, entry.at(operation.wrote(task.as_str())));
        }
    }

    fn take_swept(&mut self, index: usize, operation: &Operation<'t>, swept: &Swept) {
        let listed_ms = operation
            .readings
            .first()
            .map_or(0, |reading| reading.at_ms);
        for prompt in &swept.expired {
            let says = Swept {
                expired: vec![prompt.clone()],
                ..Swept::default()
            };
            let step = Step::Prompt {
                prompt: prompt.clone(),
                listed_ms,
            };
            let part = self.part(Name::Prompt(prompt.as_str()));
            let entry = told(index, operation, step, Reply::Swept(says));
            self.put(part, entry.at(operation.wrote(prompt.as_str())));
        }
        for (session, n) in &swept.unknown {
            let says = Swept {
                unknown: vec![(session.clone(), *n)],
                ..Swept::default()
            };
            let part = self.part(Name::Session(session.as_str()));
            let step = Step::Send(session.clone());
            let entry = told(index, operation, step, Reply::Swept(says));
            self.put(part, entry.at(operation.wrote(session.as_str())));
        }
        for session in &swept.closed {
            let says = Swept {
                closed: vec![session.clone()],
                ..Swept::default()
            };
            let part = self.part(Name::Session(session.as_str()));
            let step = Step::Idle(session.clone());
            let entry = told(index, operation, step, Reply::Swept(says));
            self.put(part, entry.at(operation.wrote(session.as_str())));
        }
    }

    /// A reap or a sweep of which nobody knows how far it came.
    fn take_untold_steps(&mut self, index: usize, operation: &Operation<'t>) {
        let Some((listed, read)) = operation
            .readings
            .split_first()
            .filter(|(_, read)| !read.is_empty())
        else {
            return;
        };
        for part in 0..self.sessions.len() {
            for session in self.sessions[part].clone() {
                for step in steps_in(&operation.call.op, session, listed.at_ms) {
                    let wrote = operation.wrote(session.as_str());
                    self.put(part, may(index, operation, vec![step], read).at(wrote));
                }
            }
        }
    }

    /// A prune says only how much went. What was older than the rest went first.
    fn take_pruned(
        &mut self,
        index: usize,
        operation: &Operation<'t>,
        keep_ms: i64,
        limit: u32,
        pruned: Option<&Pruned>,
    ) {
        let read = |at: usize| operation.readings.get(at).copied();
        for part in 0..self.parts.len() {
            if let Some(reading) = read(0) {
                let before_ms = reading.at_ms - keep_ms;
                let step = |limit| Step::Answers { before_ms, limit };
                let gone = pruned.map(|pruned| pruned.op_results);
                let most = self.repeated.len() as u32;
                let entry = oldest(index, operation, (reading, limit, most), gone, &step);
                self.parts[part].extend(entry);
            }
            if let Some(reading) = read(2) {
                let before_ms = reading.at_ms - keep_ms;
                let step = |limit| Step::Events { before_ms, limit };
                let gone = pruned.map(|pruned| pruned.inbox);
                let most = self.events[part];
                let entry = oldest(index, operation, (reading, limit, most), gone, &step);
                self.parts[part].extend(entry);
            }
        }
        let (Some(listed), Some(read)) = (read(3), operation.readings.get(4..)) else {
            return;
        };
        if read.is_empty() {
            return;
        }
        for part in 0..self.sessions.len() {
            for session in self.sessions[part].clone() {
                let step = Step::Closed {
                    session: session.clone(),
                    before_ms: listed.at_ms - keep_ms,
                };
                let wrote = operation.wrote(session.as_str());
                self.put(part, may(index, operation, vec![step], read).at(wrote));
            }
        }
    }
}

/// All that is old, or as much of it as the limit allows, and there are at most so many here. How many fell here is known
/// only if the limit was not reached.
fn oldest<'t>(
    index: usize,
    operation: &Operation<'t>,
    (reading, limit, most): (Reading, u32, u32),
    gone: Option<u64>,
    step: &dyn Fn(u32) -> Step,
) -> Option<Entry<'t>> {
    if most == 0 {
        return None;
    }
    Some(match gone {
        Some(count) if count < u64::from(limit) => Entry {
            must: true,
            says: Says::AtMost(count),
            likely: true,
            ..may(index, operation, vec![step(limit)], &[reading])
        },
        _ => {
            let steps = (1..=limit.min(most)).map(step).collect();
            Entry {
                likely: true,
                ..may(index, operation, steps, &[reading])
            }
        }
    })
}

fn steps_in(op: &Op, session: &SessionId, listed_ms: i64) -> Vec<Step> {
    match op {
        Op::Reap { .. } => vec![Step::Lease(session.clone())],
        _ => vec![
            Step::PromptOf {
                session: session.clone(),
                listed_ms,
            },
            Step::Send(session.clone()),
            Step::Idle(session.clone()),
        ],
    }
}

/// A step that was told of. Which of the clock's readings was its own is not, but the first was the list's.
fn told<'t>(index: usize, operation: &Operation<'t>, step: Step, says: Reply) -> Entry<'t> {
    let read = operation.readings.get(1..).filter(|read| !read.is_empty());
    let read = read.unwrap_or(&operation.readings);
    Entry {
        must: true,
        likely: true,
        says: Says::Part(says),
        ..may(index, operation, vec![step], read)
    }
}

/// A step that may have been taken, in one of several forms, at one of these readings.
fn may<'t>(
    index: usize,
    operation: &Operation<'t>,
    steps: Vec<Step>,
    read: &[Reading],
) -> Entry<'t> {
    let times: BTreeSet<i64> = read.iter().map(|reading| reading.at_ms).collect();
    let variants = times.iter().flat_map(|at_ms| {
        steps.iter().map(|step| Variant {
            at_ms: *at_ms,
            does: Does::Step(step.clone()),
        })
    });
    Entry {
        operation: index,
        call: operation.call,
        repeated: false,
        from: operation.from,
        to: last_moment(operation),
        must: false,
        likely: false,
        moment: Moment::reading(read.first()),
        variants: variants.collect(),
        says: Says::Nothing,
    }
}

impl Entry<'_> {
    /// The same, if it seems to have been done at that moment.
    fn at(self, moment: Option<Moment>) -> Self {
        Self {
            likely: self.likely || moment.is_some(),
            moment: moment.unwrap_or(self.moment),
            ..self
        }
    }
}
