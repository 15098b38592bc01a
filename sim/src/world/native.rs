//! What the provider keeps: native sessions with a home, a lock and a durability of their own, and what was done and charged.

use std::collections::BTreeMap;

use crate::label::Label;

/// Where a native session can be resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) class: &'static str,
    pub(crate) home: &'static str,
}

/// A native session of the provider.
#[derive(Debug, Clone)]
pub(crate) struct Native {
    pub(crate) place: Place,
    /// The process, and its incarnation, that it was made in: until it is durable, only that one can resume it.
    pub(crate) made_by: (Label, u32),
    pub(crate) durable_ms: u64,
    /// A turn is running in it, or its lock was not given back yet: nobody else gets in before this time.
    pub(crate) free_ms: u64,
    /// The conversation that it was made for.
    pub(crate) author: Option<usize>,
}

/// One order that was carried out or refused.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// Position in the trace, when the order was given.
    pub(crate) ordered: u64,
    /// Position in the trace, when the provider said what it said.
    pub(crate) n: u64,
    pub(crate) task: String,
    /// What the order gave as the user's answer.
    pub(crate) answer: Option<String>,
    /// What was answered, in the words of the provider.
    pub(crate) said: String,
}

/// Never: the time at which a running turn's lock is free.
pub(crate) const HELD: u64 = u64::MAX;

/// Everything that the provider keeps. Nothing of it is lost in a crash of ours.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    /// Native sessions by token.
    pub(crate) natives: BTreeMap<String, Native>,
    /// Units charged for what was done, by idempotency key.
    pub(crate) charged: BTreeMap<String, u64>,
    /// Orders, in the order in which they were answered.
    pub(crate) turns: Vec<Turn>,
    /// Tokens that it has declared lost.
    pub(crate) lost: Vec<String>,
}
