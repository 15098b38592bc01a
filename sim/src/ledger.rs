//! Effects outside the store: messages sent, tools run, credits charged. Nothing here is lost in a crash.

use std::rc::Rc;

use rusqlite::types::Value;

use crate::label::Label;

/// What is asked for from somebody outside.
#[derive(Debug, Clone, Default)]
pub struct Deed {
    /// Name of the effect.
    pub name: Rc<str>,
    /// The user's declared intent.
    pub intent: Option<Value>,
    /// The provider's idempotency key.
    pub key: Option<Value>,
    /// A number to sum.
    pub value: Option<Value>,
    /// To whom.
    pub to: Option<Value>,
}

/// One effect that happened.
#[derive(Debug, Clone)]
pub struct Effect {
    /// Position in the trace.
    pub n: u64,
    /// The delivery that caused it.
    pub cause: Label,
    /// Virtual time, microseconds since the start.
    pub at_us: u64,
    /// The process instance that asked for it; none for the world outside.
    pub author: Option<Label>,
    /// What was asked for.
    pub deed: Deed,
}

/// All effects of a run, in order.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The effects.
    pub effects: Vec<Effect>,
}
