//! Values of flags and of the environment: flag beats environment beats default, and what does not parse is an error.

use std::ops::Range;
use std::thread::available_parallelism;
use std::time::Duration;

use super::args::{CompareArgs, RunArgs};
use super::failure::Failure;

/// Seeds of the sweep when nobody says otherwise: the main job stays well under a minute on two cores.
pub(crate) const SWEEP_SEEDS: Range<u64> = 0..10_000;

/// More processes than this are a slip of the keyboard.
const JOBS_MAX: usize = 256;

/// What a run was told.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Seeds of the searches: one search each.
    pub(crate) searches: Range<u64>,
    /// Seeds of the sweep.
    pub(crate) sweep: Range<u64>,
    /// Processes.
    pub(crate) jobs: usize,
}

impl Settings {
    /// Flags first, then the environment, then the defaults.
    pub(crate) fn of(args: &RunArgs) -> Result<Self, Failure> {
        let seed = env("LOCKSTEP_SEED", parse_seed)?;
        let seeds = env("LOCKSTEP_SEEDS", parse_seeds)?;
        let flagged = args.seed.is_some() || args.seeds.is_some();
        if !flagged && seed.is_some() && seeds.is_some() {
            return Err(Failure::usage(
                "LOCKSTEP_SEED and LOCKSTEP_SEEDS are both set: unset one of them",
            ));
        }
        let (seed, seeds) = if flagged {
            (args.seed, args.seeds.clone())
        } else {
            (seed, seeds)
        };
        let one = seed.map(single).transpose()?;
        let named = !args.files.is_empty() || args.scenario.is_some() || args.variant.is_some();
        let of_searches = if named {
            seeds.clone().or_else(|| one.clone())
        } else {
            one.clone()
        };
        Ok(Self {
            searches: of_searches.unwrap_or(0..1),
            sweep: seeds.or(one).unwrap_or(SWEEP_SEEDS),
            jobs: jobs(args.work.jobs)?,
        })
    }

    /// A comparison is one search of each variant.
    pub(crate) fn of_compare(args: &CompareArgs) -> Result<Self, Failure> {
        let seed = env("LOCKSTEP_SEED", parse_seed)?;
        let one = single(args.seed.or(seed).unwrap_or(0))?;
        Ok(Self {
            searches: one.clone(),
            sweep: one,
            jobs: jobs(args.work.jobs)?,
        })
    }
}

/// Processes: as told, or as many as there are cores.
pub(crate) fn jobs(flag: Option<usize>) -> Result<usize, Failure> {
    let told = env("LOCKSTEP_JOBS", parse_jobs)?;
    let cores = || available_parallelism().map_or(1, usize::from).min(JOBS_MAX);
    Ok(flag.or(told).unwrap_or_else(cores))
}

fn single(seed: u64) -> Result<Range<u64>, Failure> {
    let end = seed
        .checked_add(1)
        .ok_or_else(|| Failure::usage("the largest seed is 18446744073709551614"))?;
    Ok(seed..end)
}

fn env<T>(name: &'static str, parse: fn(&str) -> Result<T, String>) -> Result<Option<T>, Failure> {
    let Some(value) = std::env::var_os(name) else {
        return Ok(None);
    };
    let value = value.to_string_lossy().into_owned();
    parse(&value)
        .map(Some)
        .map_err(|why| Failure::Environment { name, value, why })
}

/// A seed.
pub(crate) fn parse_seed(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "a seed is a whole number from 0, such as 17".to_owned())
}

/// Seeds of one command.
const MOST_SEEDS: u64 = 1_000_000_000;

/// A half-open range of seeds.
pub(crate) fn parse_seeds(text: &str) -> Result<Range<u64>, String> {
    let form = || "seeds are a half-open range A..B of whole numbers, such as 0..1000".to_owned();
    let (from, to) = text.split_once("..").ok_or_else(form)?;
    let (from, to): (u64, u64) = (
        from.parse().map_err(|_| form())?,
        to.parse().map_err(|_| form())?,
    );
    if from < to && to - from > MOST_SEEDS {
        Err(format!(
            "these are more than {MOST_SEEDS} seeds, which no machine gets through"
        ))
    } else if from < to {
        Ok(from..to)
    } else {
        Err("this range is empty: A must be smaller than B, which is not included".to_owned())
    }
}

/// A number of processes.
pub(crate) fn parse_jobs(text: &str) -> Result<usize, String> {
    let jobs = text
        .parse()
        .ok()
        .filter(|jobs| (1..=JOBS_MAX).contains(jobs));
    jobs.ok_or_else(|| format!("jobs are a whole number from 1 to {JOBS_MAX}"))
}

/// A wall-clock duration.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let form = || {
        "a time is a whole number with its unit, such as 500ms, 30s, 5m or 1h, and more than 0"
            .to_owned()
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| form())?;
    let ms = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(form()),
    };
    let ms = number
        .checked_mul(ms)
        .filter(|ms| *ms > 0)
        .ok_or_else(form)?;
    Ok(Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse_duration, parse_jobs, parse_seeds};

    #[test]
    fn ranges_are_half_open_and_not_empty() {
        assert_eq!(parse_seeds("0..1000"), Ok(0..1000));
        for bad in ["5..5", "9..3", "a..b", "7", "1..", "..", "-1..2", ""] {
            assert!(parse_seeds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "90", "0s", "s", "5d", "-1s", "99999999999999999h"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn jobs_are_bounded() {
        assert_eq!(parse_jobs("2"), Ok(2));
        assert!(parse_jobs("0").is_err());
        assert!(parse_jobs("100000").is_err());
    }
}
