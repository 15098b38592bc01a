//! Two calls at once, and one call that is killed: at every statement.

use super::bench::Bench;
use super::pause::{Gate, Then};
use super::{Database, Factory, Failure, Kept};
use crate::error::Error;
use crate::op::Call;
use crate::reply::Reply;
use std::sync::Arc;
use std::time::Duration;

/// How long the second call may take before it counts as waiting for the first. Too short only makes a case weaker.
const PATIENCE: Duration = Duration::from_millis(40);

/// More statements than any operation has; who passes more is not stopped any more.
const POINTS: u32 = 200;

pub(super) type Answer = Result<Reply, Error>;

/// Two calls at once. The second runs between two statements of the first, for each two; where a lock makes it wait, it runs
/// after. Then the other way round.
pub(super) struct Race {
    /// Makes the calls, and what they are about.
    pub(super) prepare: fn(&mut Bench<'_>) -> Result<(Call, Call), Failure>,
    /// Looks at the answers, and at what they left.
    pub(super) judge: fn(&mut Bench<'_>, Answer, Answer) -> Kept,
}

impl Race {
    pub(super) fn run(&self, factory: &dyn Factory) -> Kept {
        for swapped in [false, true] {
            for point in 0..POINTS {
                let reached = self.once(factory, swapped, point).map_err(|failure| {
                    place(failure, &format!("other call before statement {point}"))
                })?;
                if !reached {
                    break;
                }
            }
        }
        Ok(())
    }

    /// One order; false when the interrupted call ended before its point.
    fn once(&self, factory: &dyn Factory, swapped: bool, point: u32) -> Result<bool, Failure> {
        let database = factory.fresh();
        let mut bench = Bench::on(database.as_ref())?;
        let (one, two) = (self.prepare)(&mut bench)?;
        let (first, second) = if swapped { (&two, &one) } else { (&one, &two) };
        let (reached, first, second) = beside(database.as_ref(), point, first, second);
        let (one, two) = if swapped {
            (second, first)
        } else {
            (first, second)
        };
        (self.judge)(&mut bench, one, two)?;
        bench.is_sound()?;
        Ok(reached)
    }
}

/// Runs `second` when `first` is about to run its statement number `point`.
fn beside(
    database: &dyn Database,
    point: u32,
    first: &Call,
    second: &Call,
) -> (bool, Answer, Answer) {
    let gate = Gate::new(point, Then::Wait);
    let free = Gate::new(POINTS, Then::Wait);
    std::thread::scope(|scope| {
        let one = scope.spawn(|| on_own_connection(database, &gate, first));
        let reached = gate.arrival();
        let two = scope.spawn(|| on_own_connection(database, &free, second));
        free.end_within(PATIENCE);
        gate.release();
        (reached, joined(one.join()), joined(two.join()))
    })
}

fn joined(answer: std::thread::Result<Option<Answer>>) -> Answer {
    match answer {
        Ok(Some(answer)) => answer,
        Ok(None) => Err(fault("the call was killed")),
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

fn fault(message: &str) -> Error {
    Error::Io {
        code: 0,
        message: message.to_owned(),
    }
}

/// One call of a process of its own; `None` when it was killed.
fn on_own_connection(database: &dyn Database, gate: &Arc<Gate>, call: &Call) -> Option<Answer> {
    let mut store = match database.open(gate.pause()) {
        Ok(store) => store,
        Err(error) => return gate.run(|| Err(error)),
    };
    gate.run(|| store.apply(call))
}

/// One call that is killed before each of its statements, and after the last, before the caller has the answer. Then it is
/// repeated by a new process.
pub(super) struct Crash {
    /// Makes the call, and what it is about.
    pub(super) prepare: fn(&mut Bench<'_>) -> Result<Call, Failure>,
    /// Looks at the answer to the repeated call, and at what both left.
    pub(super) judge: fn(&mut Bench<'_>, Answer) -> Kept,
}

impl Crash {
    pub(super) fn run(&self, factory: &dyn Factory) -> Kept {
        for point in 0..POINTS {
            let killed = self
                .once(factory, point)
                .map_err(|failure| place(failure, &format!("killed before statement {point}")))?;
            if !killed {
                break;
            }
        }
        Ok(())
    }

    /// One death; false when the call ended before its point, and only its answer was lost.
    fn once(&self, factory: &dyn Factory, point: u32) -> Result<bool, Failure> {
        let database = factory.fresh();
        let mut bench = Bench::on(database.as_ref())?;
        let call = (self.prepare)(&mut bench)?;
        let gate = Gate::new(point, Then::Die);
        let answer = std::thread::scope(|scope| {
            scope
                .spawn(|| on_own_connection(database.as_ref(), &gate, &call))
                .join()
        });
        let killed = match answer {
            Ok(answer) => answer.is_none(),
            Err(payload) => std::panic::resume_unwind(payload),
        };
        let mut bench = bench.reopen()?;
        bench.is_sound()?;
        let repeated = bench.store.apply(&call);
        (self.judge)(&mut bench, repeated)?;
        bench.is_sound()?;
        Ok(killed)
    }
}

/// The same failure, and where it was.
fn place(failure: Failure, place: &str) -> Failure {
    match failure {
        Failure::Broken(why) => Failure::Broken(format!("{why} ({place})")),
        Failure::Unsupported => Failure::Unsupported,
    }
}
