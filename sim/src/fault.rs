//! The closed vocabulary of harm. Data only: `run` strikes, `decide` chooses when.

use std::fmt;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A process dies at a gate, inside a commit too: memory, timers, locks and open transactions are gone.
    Crash,
    /// A request never arrives.
    LostRequest,
    /// The work is done, the answer never arrives.
    LostReply,
    /// A request arrives twice.
    Duplicate,
    /// A request arrives late.
    Late,
    /// A process stands still, past its leases.
    Pause,
    /// A process starts with a wrong clock.
    ClockOffset,
    /// A process's clock jumps, forward or back.
    ClockJump,
    /// A request or an answer vanishes, and nobody is told: only a timeout of its sender's own notices.
    HalfOpen,
    /// For a while everything from one process to another vanishes like that; the other direction works.
    Partition,
    /// A process is asked to stop: it takes no new requests, and is killed when its grace is over.
    GracefulStop,
    /// A process that has started again dies once more, while it recovers.
    CrashAgain,
    /// A process's clock runs fast or slow.
    ClockDrift,
    /// A process takes the time of its zone for UTC.
    ClockZone,
    /// Nobody hears a wake-up.
    LostWakeup,
    /// One operation on the database's files fails; the next one may do well.
    StoreError,
    /// For a while no file of the database can grow, for anybody.
    DiskFull,
    /// The schema changes under the running system. This kind and those below are struck by a role, never by a strategy.
    SchemaDrift,
    /// The database is put back to a backup.
    BackupRestore,
    /// Somebody works on another database file than everybody else.
    SecondDatabase,
    /// Somebody changes rows by hand, without the pragmas of the store.
    HandEdit,
}

impl Fault {
    /// How many kinds there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Every kind, in the order of reports.
    pub const ALL: [Self; 21] = [
        Self::Crash,
        Self::LostRequest,
        Self::LostReply,
        Self::Duplicate,
        Self::Late,
        Self::Pause,
        Self::ClockOffset,
        Self::ClockJump,
        Self::HalfOpen,
        Self::Partition,
        Self::GracefulStop,
        Self::CrashAgain,
        Self::ClockDrift,
        Self::ClockZone,
        Self::LostWakeup,
        Self::StoreError,
        Self::DiskFull,
        Self::SchemaDrift,
        Self::BackupRestore,
        Self::SecondDatabase,
        Self::HandEdit,
    ];

    /// The name in YAML, traces and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::LostRequest => "lost_request",
            Self::LostReply => "lost_reply",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::Pause => "pause",
            Self::ClockOffset => "clock_offset",
            Self::ClockJump => "clock_jump",
            Self::HalfOpen => "half_open",
            Self::Partition => "partition",
            Self::GracefulStop => "graceful_stop",
            Self::CrashAgain => "crash_again",
            Self::ClockDrift => "clock_drift",
            Self::ClockZone => "clock_zone",
            Self::LostWakeup => "lost_wakeup",
            Self::StoreError => "store_error",
            Self::DiskFull => "disk_full",
            Self::SchemaDrift => "schema_drift",
            Self::BackupRestore => "backup_restore",
            Self::SecondDatabase => "second_database",
            Self::HandEdit => "hand_edit",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each kind may strike in one run, and how hard.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    /// Strikes left for each kind, in the order of [`Fault::ALL`].
    pub strikes: [u32; Fault::COUNT],
    /// Longest pause, delay and largest jump, in the unit of the kind's deviation and in the same order (0 where it has none).
    pub longest: [u64; Fault::COUNT],
}

impl Budget {
    /// Allows `strikes` of a kind, none longer than `longest` (milliseconds, unless its deviation has another unit).
    pub fn allow(&mut self, fault: Fault, strikes: u32, longest: u64) {
        self.strikes[fault as usize] = strikes;
        self.longest[fault as usize] = longest;
    }

    /// Strikes left of a kind.
    pub fn left(&self, fault: Fault) -> u32 {
        self.strikes[fault as usize]
    }

    /// The longest duration, or the largest number, of a kind.
    pub fn longest(&self, fault: Fault) -> u64 {
        self.longest[fault as usize]
    }

    /// Takes one strike.
    pub fn spend(&mut self, fault: Fault) {
        let left = &mut self.strikes[fault as usize];
        *left = left.saturating_sub(1);
    }
}
