//! What a repair is.

use super::condition::Condition;
use super::steps::Spot;

/// What a key of deduplication is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The event's own id: the same for each delivery of it.
    Event,
    /// A parameter of the flow.
    Parameter(usize),
}

/// One small change. Flows are indices into the flows of a version, steps into the flow's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// A unique index; a flow that it refuses begins again.
    UniqueIndex {
        /// The table.
        table: String,
        /// Its columns.
        columns: Vec<String>,
        /// Rows that it is about, if not all.
        condition: Option<String>,
    },
    /// A statement asks one condition more; an update that asks for what was read ends its flow when it changes nothing.
    Guard {
        /// The flow.
        flow: usize,
        /// The statement.
        step: Spot,
        /// What it asks.
        asks: Condition,
    },
    /// Steps of a flow in one transaction that locks at its beginning.
    Transaction {
        /// The flow.
        flow: usize,
        /// The first step, and the one behind the last.
        steps: (usize, usize),
    },
    /// All writes of a flow's body in one such transaction, where the last of them stands.
    Gather {
        /// The flow.
        flow: usize,
    },
    /// Transactions that are there lock at their beginning.
    Immediate,
    /// Flows hold a lock from their first step to their last, on a parameter of this name, or on everything.
    Lock {
        /// The flows.
        flows: Vec<usize>,
        /// The parameter.
        on: Option<String>,
    },
    /// Locks exclude: nobody but the holder frees one.
    LockHolds,
    /// Locks are waited for as long as it takes.
    Wait,
    /// A flow records a key before it does anything, and does nothing when it is there already.
    Dedup {
        /// The flow.
        flow: usize,
        /// The key.
        key: Key,
    },
    /// The provider of an effect is handed the intent as its idempotency key.
    IdempotencyKey {
        /// The effect.
        effect: String,
    },
    /// An error is not caught: the flow fails, and whoever sent the message may send it again.
    LetFail {
        /// The flow and the step that catches it; none is all of them.
        step: Option<(usize, Spot)>,
    },
    /// What memory is set to is also written, as other branches do it.
    Persist {
        /// The flow.
        flow: usize,
        /// The assignment.
        set: Spot,
        /// The step that writes it elsewhere in the flow.
        write: Spot,
    },
    /// Times are those of `:now`, and not of a zone.
    Utc,
    /// A step of a flow's body stands elsewhere in it.
    Move {
        /// The flow.
        flow: usize,
        /// Where it stands.
        from: usize,
        /// The step that it is to stand before; the number of steps for the end.
        before: usize,
    },
}

/// How much of what was done before must still be done. What does less is no repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keeps {
    /// In the quiet run everybody who did something still does: who waits, or is refused and begins again, may do it otherwise.
    Somebody,
    /// The same, and runs that were right come to as much as before.
    Right,
    /// The same, and the quiet run ends with the same rows and effects.
    End,
}

impl Repair {
    pub(super) fn keeps(&self) -> Keeps {
        match self {
            Self::UniqueIndex { .. }
            | Self::Transaction { .. }
            | Self::Immediate
            | Self::Lock { .. }
            | Self::LockHolds
            | Self::Wait => Keeps::Somebody,
            Self::Dedup { .. } | Self::Utc | Self::Persist { .. } | Self::IdempotencyKey { .. } => {
                Keeps::Right
            }
            Self::Guard { .. } | Self::Gather { .. } | Self::LetFail { .. } | Self::Move { .. } => {
                Keeps::End
            }
        }
    }

    /// The flow that it changes, if that is one.
    pub fn flow(&self) -> Option<usize> {
        match self {
            Self::Guard { flow, .. }
            | Self::Transaction { flow, .. }
            | Self::Gather { flow }
            | Self::Dedup { flow, .. }
            | Self::Persist { flow, .. }
            | Self::Move { flow, .. }
            | Self::LetFail {
                step: Some((flow, _)),
            } => Some(*flow),
            _ => None,
        }
    }

    /// The statement that asks one condition more.
    pub(super) fn guarded(&self) -> Option<(usize, &Spot)> {
        match self {
            Self::Guard { flow, step, .. } => Some((*flow, step)),
            _ => None,
        }
    }
}

/// What a unique index is on: table, columns, and the rows that it is about.
pub fn indexed(table: &str, columns: &[String], condition: Option<&str>) -> String {
    let filter = condition.map_or(String::new(), |sql| format!(" WHERE {sql}"));
    format!("ON {table} ({}){filter}", columns.join(", "))
}
