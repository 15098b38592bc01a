//! What is outside of the database: resources, providers of effects, locks.

use super::{Millis, Span};

/// An exclusive or homed thing outside the database, such as a provider's native session.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Name, as in `use: native(:p)`.
    pub name: String,
    /// How many may use a key at a time; more are refused. `exclusive: true` is 1.
    pub capacity: Option<u32>,
    /// How long after a use ends the exclusive lock is really released.
    pub release_after: Span,
    /// The error name of a refusal, for `retry` and `catch`.
    pub refuses: String,
    /// Each key remembers the home of the process that created it.
    pub home: Homed,
    /// How long after its making a key is durable: before, only the incarnation that made it finds it.
    pub durable_after: Option<Span>,
    /// A key that nobody has made is refused with `gone`.
    pub exists: bool,
    /// A key that was not used for so long is refused with `gone`.
    pub expires: Option<Millis>,
}

/// What a use of a resource from elsewhere means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Homed {
    /// Nothing: it has no home.
    No,
    /// It violates `resource.home`.
    Violates,
    /// It is refused with `elsewhere`.
    Refuses,
}

/// What a provider does with an effect.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Name of the effect.
    pub effect: String,
    /// A second one of the same key does not happen again.
    pub idempotent: bool,
    /// So long after it has happened the key is forgotten.
    pub expires: Option<Millis>,
}

/// A named lock, outside the database.
#[derive(Debug, Clone)]
pub struct Lock {
    /// Name, as in `lock: chat(:chat)`.
    pub name: String,
    /// A waiter that gives up after its `wait` frees the holder's lock (the holder does not notice).
    pub breaks_on_waiter_timeout: bool,
    /// Its release frees it whoever holds it by then.
    pub careless_release: bool,
    /// A lock held longer than this is free for the next comer (the holder does not notice).
    pub stale_after: Option<Millis>,
}
