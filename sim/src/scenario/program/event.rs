//! What happens to the system, and what may go wrong.

use super::{Expr, Millis, Span};
use crate::fault::Budget;

/// Something that happens to the system.
#[derive(Debug, Clone)]
pub struct Event {
    /// Label: the cause of the delivery.
    pub label: String,
    /// Index into `Program::processes`; 0 when it concerns none.
    pub process: usize,
    /// Which instance, from 0; none: see what it does.
    pub instance: Option<u32>,
    /// What happens.
    pub does: Does,
    /// False where it is left out, to see whether it matters. What waits for it goes on.
    pub happens: bool,
    /// Not before this long after the start (or after all of `after`).
    pub at: Span,
    /// What must have happened before.
    pub after: Vec<After>,
    /// It happens again: so long after the last time, and how often in all.
    pub every: Option<(Millis, u32)>,
    /// No fault strikes the message or its answer.
    pub reliable: bool,
    /// How the platform repeats an unanswered delivery.
    pub redeliver: Option<Redeliver>,
    /// Events of the same queue are delivered one after the other.
    pub queue: Option<String>,
}

/// What an event does.
#[derive(Debug, Clone)]
pub enum Does {
    /// Sends a message to an instance; none is chosen by the event's position.
    Send {
        /// Connection number of the process, for memory by connection.
        connection: Option<u32>,
        /// Index into `Program::flows`.
        flow: usize,
        /// One for each parameter; no variables inside, except builtins and answers of other events.
        args: Vec<Expr>,
    },
    /// Crashes an instance, or all of them; how long they stay down.
    Crash(Span),
    /// Stops an instance, or all of them one after the other, gracefully.
    Stop,
    /// Stops an instance, or all of them one after the other, and starts it with this version (index into `Program::versions`).
    Roll(usize),
    /// Takes a backup of a database, as in [`Process::database`].
    Backup(usize),
    /// Puts the last backup of a database back.
    Restore {
        /// Which one, as in [`Process::database`].
        file: usize,
        /// Kinds of processes that are stopped (indexes into `Program::processes`); none: whoever is connected.
        stops: Option<Vec<usize>>,
    },
}

/// What an event waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The flow of another event has ended (index into `Program::events`), by reply, return or crash.
    Event(usize),
    /// A process of this kind has crashed. If no crash strikes, the event never happens, and that is not an error.
    Crash(usize),
}

/// How a platform repeats a delivery that got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redeliver {
    /// Time between one attempt and the next, for each repeat.
    pub gaps: Vec<Millis>,
    /// An answer that comes later than this after its attempt counts as none.
    pub timeout: Option<Millis>,
    /// A repeat has an id of its own: `:event` differs.
    pub new_id: bool,
    /// A repeat goes to the next instance.
    pub to_next: bool,
}

/// Faults that are on.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Crash of a process at any gate: (index into `Program::processes`, strikes in one run for each instance).
    pub crash: Vec<(usize, u32)>,
    /// All other kinds: how often in one run, and how hard.
    pub budget: Budget,
}
