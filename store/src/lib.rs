//! The reference session store for chat bots and agent platforms.
//!
//! # Words
//!
//! A **conversation** is a chat; its key is structured, and it outlives its sessions. A **session** is one generation of it:
//! at most one is active. A **task** is one piece of accepted work in a session's queue. A **worker** is one start of a
//! process; its **build** fixes its **resume class** (runtime and state format), its **home** is where its native sessions
//! live. A **lease** gives one session to one worker for a time, under a **fence** that grows with each lease. The **resume
//! token** is the native runtime's own pointer: it belongs to one class and one home. The **inbox** remembers events, the
//! **outbox** holds messages to be sent, an **item** is an entry of the history.
//!
//! # What holds, whatever the order of events
//!
//! - An event that was accepted has exactly one task, however often it is delivered, and the task ends.
//! - A conversation has at most one active session; every open task is reachable in it.
//! - Who lost a lease changes nothing any more; an ended task never changes.
//! - A token is only ever seen by workers of its class and home.
//! - A call whose answer was lost is repeated under the same `op_id` and happens once.
//! - What was acknowledged is durable.
//!
//! The schema refuses what breaks these, whoever writes: see `store/schema`. Ids come in with the operation, time comes from
//! the clock that the store was opened with.
//!
//! # Where to look
//!
//! [`Op`] is every operation as data, [`Store`] tells its guarantees, [`Error`] its refusals, [`verify::RULES`] the invariants
//! as SQL.

mod clock;
pub mod conformance;
mod contract;
mod error;
mod export;
mod id;
mod import;
mod limits;
pub mod model;
mod op;
mod reply;
pub mod schema;
mod sqlite;
mod statements;
pub mod verify;

pub use clock::{Clock, ManualClock, SystemClock};
pub use contract::Store;
pub use error::{Binding, Error};
pub use id::{BuildId, ConvId, Fence, OpId, PromptId, ResumeClass, SessionId, TaskId, WorkerId};
pub use op::{
    Accept, Answer, Ask, Call, CancelHow, Choice, Complete, ConvKey, Converted, Converter, Filter,
    Item, NewSession, NotSent, Op, OpenPolicy, QueueFate, Reset, Resolve, Retry, Send, WhenWaiting,
};
pub use reply::{
    Accepted, Answered, Claimed, Closed, Explained, Finding, History, HistoryItem, HistoryNote,
    Listed, Opened, Pointer, PromptOutcome, Prompted, Pruned, Reaped, Renewed, Reply, Report,
    Restored, Sending, Shown, ShownLease, ShownTask, State, Stats, Swept, TaskState, Verdict,
    WasReset, Why,
};
/// The version that [`SqliteStore::from_connection`] takes connections of.
pub use rusqlite;
pub use sqlite::SqliteStore;
pub use statements::Statements;

/// The guide's code is true: `docs/store.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/store.md")]
struct Guide;
