//! A case is the whole input of a run: scenario, variant, and a sparse map of deviations from the quiet run.

mod file;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

pub use file::{CaseFile, Source, Violates};

use crate::label::{Label, mix};

/// Where a decision is made: the cause being handled, the site of the step, and which passage of that site it is.
///
/// Occurrences count from 1 within (cause, site), so deleting an event, an actor or a line of code never shifts the rest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Label of the delivery being handled, such as `m1` or `m1/redelivery#1`.
    pub cause: String,
    /// Label of the step, or kind and name, or VFS method and file.
    pub site: String,
    /// From 1.
    pub occurrence: u32,
}

impl Point {
    /// The key under which decisions are hashed and looked up.
    pub fn key(&self) -> u64 {
        key(
            &Label::new(&self.cause),
            &Label::new(&self.site),
            self.occurrence,
        )
    }

    /// Whether it lies inside SQLite: those sites are VFS methods, such as `xSync wal`.
    pub fn is_inside_sqlite(&self) -> bool {
        let mut chars = self.site.chars();
        chars.next() == Some('x') && chars.next().is_some_and(char::is_uppercase)
    }
}

/// The key of a point, computed without building it.
pub fn key(cause: &Label, site: &Label, occurrence: u32) -> u64 {
    key_of(cause.hash(), site.hash(), occurrence)
}

/// The same from hashes of cause and site.
pub const fn key_of(cause: u64, site: u64, occurrence: u32) -> u64 {
    mix(mix(cause, site), occurrence as u64)
}

/// One decision that is not the quiet one. Durations are milliseconds of virtual time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deviation {
    /// Go on with another cause instead.
    Switch(String),
    /// The process dies here.
    Crash,
    /// The process is asked to stop.
    Stop,
    /// The process that has just started dies again at its n-th gate from here.
    CrashAgain(u64),
    /// The file operation fails.
    StoreError,
    /// No file of the database can grow for so long.
    DiskFull(u64),
    /// The process stands still for so long.
    Pause(u64),
    /// The process's clock jumps.
    Jump(i64),
    /// The process starts with its clock off by so much.
    Offset(i64),
    /// The process's clock runs fast by so many millionths; slow if it is negative.
    Drift(i64),
    /// The process's clock is so many hours ahead.
    Zone(i64),
    /// The wake-up is not heard.
    LostWakeup,
    /// The request never arrives.
    LostRequest,
    /// The work is done, the answer never arrives.
    LostReply,
    /// The request or the answer vanishes, and nobody is told.
    HalfOpen,
    /// From here to there everything vanishes like that, this message first, for so long.
    Partition(u64),
    /// The request arrives a second time, so much later.
    Duplicate(u64),
    /// The request arrives so much later.
    Late(u64),
    /// A duration other than the shortest.
    Take(u64),
    /// A choice other than the first.
    Pick(u64),
}

impl Deviation {
    /// The duration or number inside, which the shrinker pulls towards 0.
    pub fn amount(&self) -> Option<i64> {
        match self {
            Self::Pause(n)
            | Self::Partition(n)
            | Self::Duplicate(n)
            | Self::Late(n)
            | Self::CrashAgain(n)
            | Self::DiskFull(n)
            | Self::Take(n)
            | Self::Pick(n) => i64::try_from(*n).ok(),
            Self::Jump(n) | Self::Offset(n) | Self::Drift(n) | Self::Zone(n) => Some(*n),
            _ => None,
        }
    }

    /// Whether there is a duration or number inside, however large.
    pub fn has_amount(&self) -> bool {
        !matches!(
            self,
            Self::Switch(_)
                | Self::Crash
                | Self::Stop
                | Self::StoreError
                | Self::LostRequest
                | Self::LostReply
                | Self::HalfOpen
                | Self::LostWakeup
        )
    }

    /// The word that begins it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Switch(_) => "switch",
            Self::Crash => "crash",
            Self::Stop => "stop",
            Self::StoreError => "store_error",
            Self::DiskFull(_) => "disk_full",
            Self::CrashAgain(_) => "crash_again",
            Self::Drift(_) => "drift",
            Self::Zone(_) => "zone",
            Self::LostWakeup => "lost_wakeup",
            Self::Pause(_) => "pause",
            Self::Jump(_) => "jump",
            Self::Offset(_) => "offset",
            Self::LostRequest => "lost_request",
            Self::LostReply => "lost_reply",
            Self::HalfOpen => "half_open",
            Self::Partition(_) => "partition",
            Self::Duplicate(_) => "duplicate",
            Self::Late(_) => "late",
            Self::Take(_) => "take",
            Self::Pick(_) => "pick",
        }
    }

    /// The same deviation with another amount; the deviation itself if it has none.
    pub fn with_amount(&self, amount: i64) -> Self {
        let n = amount.unsigned_abs();
        match self {
            Self::Pause(_) => Self::Pause(n),
            Self::Partition(_) => Self::Partition(n),
            Self::CrashAgain(_) => Self::CrashAgain(n),
            Self::DiskFull(_) => Self::DiskFull(n),
            Self::Duplicate(_) => Self::Duplicate(n),
            Self::Late(_) => Self::Late(n),
            Self::Take(_) => Self::Take(n),
            Self::Pick(_) => Self::Pick(n),
            Self::Jump(_) => Self::Jump(amount),
            Self::Offset(_) => Self::Offset(amount),
            Self::Drift(_) => Self::Drift(amount),
            Self::Zone(_) => Self::Zone(amount),
            other => other.clone(),
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Switch(to) => write!(f, " {to}"),
            Self::CrashAgain(n) | Self::Pick(n) => write!(f, " {n}"),
            Self::Drift(n) => write!(f, " {n}ppm"),
            Self::Zone(n) => write!(f, " {n}h"),
            _ => self.amount().map_or(Ok(()), |n| write!(f, " {n}ms")),
        }
    }
}

impl FromStr for Deviation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let bad = || format!("`{text}` is not a decision: known are {KNOWN}");
        let signed = |unit: &str| {
            rest.strip_suffix(unit)
                .unwrap_or(rest)
                .trim()
                .parse::<i64>()
                .map_err(|_| bad())
        };
        let unsigned = || {
            rest.strip_suffix("ms")
                .unwrap_or(rest)
                .trim()
                .parse::<u64>()
                .map_err(|_| bad())
        };
        match word {
            "switch" if !rest.is_empty() => Ok(Self::Switch(rest.trim().to_owned())),
            "crash" if rest.is_empty() => Ok(Self::Crash),
            "lost_request" if rest.is_empty() => Ok(Self::LostRequest),
            "lost_reply" if rest.is_empty() => Ok(Self::LostReply),
            "stop" if rest.is_empty() => Ok(Self::Stop),
            "lost_wakeup" if rest.is_empty() => Ok(Self::LostWakeup),
            "store_error" if rest.is_empty() => Ok(Self::StoreError),
            "disk_full" => unsigned().map(Self::DiskFull),
            "crash_again" => unsigned().map(Self::CrashAgain),
            "drift" => signed("ppm").map(Self::Drift),
            "zone" => signed("h").map(Self::Zone),
            "half_open" if rest.is_empty() => Ok(Self::HalfOpen),
            "partition" => unsigned().map(Self::Partition),
            "pause" => unsigned().map(Self::Pause),
            "duplicate" => unsigned().map(Self::Duplicate),
            "late" => unsigned().map(Self::Late),
            "take" => unsigned().map(Self::Take),
            "pick" => unsigned().map(Self::Pick),
            "jump" => signed("ms").map(Self::Jump),
            "offset" => signed("ms").map(Self::Offset),
            _ => Err(bad()),
        }
    }
}

const KNOWN: &str = "switch CAUSE, crash, crash_again N, stop, lost_request, lost_reply, half_open, partition Nms, lost_wakeup, store_error, disk_full Nms, pause Nms, jump Nms, offset Nms, drift Nppm, zone Nh, duplicate Nms, late Nms, take Nms, pick N";

/// The decisions of a case, in a form that is read, edited and pasted: `CAUSE @ SITE [#N] => DECISION`, joined by `; `.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions(pub BTreeMap<Point, Deviation>);

impl fmt::Display for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (point, deviation)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            f.write_str(&line(point, deviation))?;
        }
        Ok(())
    }
}

/// One decision as text.
pub fn line(point: &Point, deviation: &Deviation) -> String {
    let occurrence = if point.occurrence == 1 {
        String::new()
    } else {
        format!(" #{}", point.occurrence)
    };
    format!(
        "{} @ {}{occurrence} => {deviation}",
        point.cause, point.site
    )
}

impl FromStr for Decisions {
    type Err = String;

    /// Parses `CAUSE @ SITE [#N] => DECISION; …`. Empty text is the quiet run.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = BTreeMap::new();
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (point, deviation) = parse_line(part)?;
            if all.insert(point, deviation).is_some() {
                return Err(format!("`{part}`: this point already has a decision"));
            }
        }
        Ok(Self(all))
    }
}

/// Parses one decision.
pub fn parse_line(part: &str) -> Result<(Point, Deviation), String> {
    let form = || format!("`{part}` is not of the form `CAUSE @ SITE [#N] => DECISION`");
    let (place, decision) = part.rsplit_once(" => ").ok_or_else(form)?;
    let (cause, site) = place.split_once(" @ ").ok_or_else(form)?;
    let (site, occurrence) = match site.rsplit_once(" #") {
        Some((site, n)) => (site, n.trim().parse().map_err(|_| form())?),
        None => (site, 1),
    };
    if occurrence == 0 || cause.trim().is_empty() || site.trim().is_empty() {
        return Err(form());
    }
    let point = Point {
        cause: cause.trim().to_owned(),
        site: site.trim().to_owned(),
        occurrence,
    };
    Ok((point, decision.trim().parse()?))
}

#[cfg(test)]
mod tests {
    use super::{Deviation, KNOWN};

    #[test]
    fn every_decision_that_is_known_is_read_as_it_is_written() {
        for form in KNOWN.split(", ") {
            let text = form
                .replace("CAUSE", "m1/redelivery#1")
                .replace("Nms", "70ms")
                .replace("Nppm", "-70ppm")
                .replace("Nh", "-7h")
                .replace(" N", " 7");
            let deviation: Deviation = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(deviation.to_string(), text);
            assert_eq!(deviation.has_amount(), form.contains(" N"), "{form}");
            assert_eq!(deviation.amount().is_some(), deviation.has_amount());
            let smaller = deviation.with_amount(3);
            assert_eq!(smaller.amount(), deviation.amount().map(|_| 3), "{form}");
        }
    }
}
