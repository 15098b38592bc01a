//! Processes: what runs, where, and what it remembers.

use rusqlite::types::Value;

use super::Millis;

/// A kind of process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Name, as in `on: api`.
    pub name: String,
    /// How many of them run; instances are numbered from 1.
    pub count: u32,
    /// Machine or runtime it lives on; `:home` in its flows.
    pub home: Option<String>,
    /// Names and first values of its volatile memory; lost in a crash.
    pub memory: Vec<(String, Value)>,
    /// Each connection has a memory of its own, instead of one for the process.
    pub memory_per_connection: bool,
    /// Fixed offset of its wall clock against virtual time.
    pub clock_offset_ms: i64,
    /// How far its local time is ahead of its wall clock.
    pub zone_ms: i64,
    /// The file that its steps use unless they say another one: 0 is the main one, then those of `Program::databases`.
    pub database: usize,
    /// Version of the code that it starts with (index into `Program::versions`).
    pub code: usize,
    /// Flow that each incarnation runs first.
    pub start: Option<usize>,
    /// Flow that an incarnation runs when it is asked to stop.
    pub stop: Option<usize>,
    /// Flow that it runs again and again.
    pub looped: Option<Loop>,
}

impl Process {
    /// One instance, with neither memory nor anything to do by itself.
    pub fn idle(name: String) -> Self {
        Self {
            name,
            count: 1,
            home: None,
            memory: Vec::new(),
            memory_per_connection: false,
            clock_offset_ms: 0,
            zone_ms: 0,
            database: 0,
            code: 0,
            start: None,
            stop: None,
            looped: None,
        }
    }
}

/// A flow that a process runs again and again while it is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loop {
    /// Index into `Program::flows`.
    pub flow: usize,
    /// From the start of one round to the start of the next.
    pub every: Millis,
    /// It rests when nothing has changed for so long, until something does.
    pub rest_after: Millis,
}
