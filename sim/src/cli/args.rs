//! The arguments, as clap reads them.

use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::failure::Failure;
use super::settings::{parse_duration, parse_jobs, parse_seed, parse_seeds};

/// Deterministic simulation of session stores: shows the shortest way a scenario breaks, and whether a fix holds.
#[derive(Debug, Parser)]
#[command(name = "lockstep", version, after_help = EXIT_CODES, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Without a command, `lockstep` is `lockstep run`: every scenario, then the sweep of the reference store.

Exit codes:
    0  everything as expected
    1  an unexpected violation or verdict; in `replay` and `verify`, any violation
    2  usage, unreadable input, or a scenario that does not parse or resolve
    3  the same case gave two traces
    4  unexpectedly undecided or vacuous; in `replay`, drifted
   70  a bug in lockstep
  130  interrupted, with what was found so far";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Searches scenarios for violations, and sweeps the reference store
    Run(RunArgs),
    /// Runs one case again, twice, and shows its interleaving
    Replay(ReplayArgs),
    /// Finds out why a case fails: what it needs, from where on nothing can save it, the nearest run that passes
    Explain(ReplayArgs),
    /// Keeps a case in `scenarios/regression`: every `run` replays it first
    Keep(KeepArgs),
    /// Searches every variant of a scenario to the end of its budget, and shows which invariants it violates
    Compare(CompareArgs),
    /// Reads scenario files and tells all their problems; runs nothing
    Check(CheckArgs),
    /// Prints a commented scenario to start from, or writes it to a file
    New(NewArgs),
    /// Prints the JSON Schema of scenario files, for editors
    Schema,
    /// Judges a real database file of the reference store by its invariants; changes nothing
    Verify(VerifyArgs),
    /// Tries small repairs on a variant that fails, and tells the smallest that stand
    Suggest(SuggestArgs),
    /// Prints a scenario's violated invariants as SQL that finds those who were hit in production; reads only
    Victims(VictimsArgs),
    /// Measures how long bugs hide
    #[command(subcommand)]
    Bench(Bench),
    /// Takes orders from the process that started it
    #[command(hide = true)]
    Worker,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Scenario files, kept cases, or folders of them; without any, the kept cases, all of `scenarios/` and then the sweep
    pub(crate) files: Vec<PathBuf>,
    /// Only this scenario, by its name or its file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) scenario: Option<String>,
    /// Only this variant
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    /// Runs these decisions instead of searching; needs one scenario and one variant
    #[arg(long, value_name = "DECISIONS", conflicts_with_all = ["seed", "seeds", "sweep"])]
    pub(crate) decisions: Option<String>,
    /// Only the sweep of the reference store
    #[arg(long, conflicts_with_all = ["files", "scenario", "variant", "exhaustive"])]
    pub(crate) sweep: bool,
    /// The seed of each search, and the only seed of the sweep [env: LOCKSTEP_SEED]
    #[arg(long, value_name = "N", value_parser = parse_seed, allow_negative_numbers = true, conflicts_with = "seeds")]
    pub(crate) seed: Option<u64>,
    /// Seeds, half-open: of the sweep; with named scenarios, one search for each [env: LOCKSTEP_SEEDS]
    #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
    pub(crate) seeds: Option<Range<u64>>,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// A scenario file
    pub(crate) file: Option<PathBuf>,
    /// Drops each part of each fix, or of this one, and tells which of them it needs
    #[arg(long, value_name = "VARIANT")]
    pub(crate) ablate: Option<Option<String>>,
    /// The seed of each search [env: LOCKSTEP_SEED]
    #[arg(long, value_name = "N", value_parser = parse_seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

impl CompareArgs {
    /// The file, and what to take apart: nothing, every fix or one.
    ///
    /// # Errors
    /// When no file is named.
    pub(crate) fn what(&self) -> Result<(PathBuf, Option<Option<String>>), Failure> {
        match (&self.file, &self.ablate) {
            (Some(file), ablate) => Ok((file.clone(), ablate.clone())),
            // `--ablate FILE`: what follows the flag is all that there is.
            (None, Some(Some(file))) => Ok((PathBuf::from(file), Some(None))),
            (None, _) => Err(Failure::usage(
                "name a scenario file: lockstep compare FILE",
            )),
        }
    }
}

/// What every command that searches can be told.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// Processes that work at the same time; results do not depend on it [env: LOCKSTEP_JOBS]
    #[arg(long, value_name = "N", value_parser = parse_jobs, allow_negative_numbers = true)]
    pub(crate) jobs: Option<usize>,
    /// Tries every run of a scenario, with one deviation more at a time, before random ones
    #[arg(long)]
    pub(crate) exhaustive: bool,
    /// Ends after so long with what was found: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) time_limit: Option<Duration>,
    /// Where cases and traces are written
    #[arg(long, value_name = "DIR", default_value = "target/lockstep")]
    pub(crate) out: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// A case file
    #[arg(required_unless_present_any = ["scenario", "world"])]
    pub(crate) case: Option<PathBuf>,
    /// A scenario file: put under the case, or run by itself
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
    /// A built-in world: store
    #[arg(long, value_name = "NAME", value_parser = ["store"], conflicts_with_all = ["case", "scenario", "variant"])]
    pub(crate) world: Option<String>,
    /// The variant; needed with --scenario unless there is only one
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    /// `CAUSE @ SITE [#N] => DECISION; …`; empty is the quiet run
    #[arg(long, value_name = "DECISIONS", conflicts_with_all = ["case", "seed"])]
    pub(crate) decisions: Option<String>,
    /// Runs what a search of this seed ran
    #[arg(long, value_name = "N", value_parser = parse_seed, allow_negative_numbers = true, conflicts_with = "case")]
    pub(crate) seed: Option<u64>,
    /// Which run of that search; the sweep has run 1 only
    #[arg(long, value_name = "I", default_value_t = 1, requires = "seed")]
    pub(crate) run: u64,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// How many runs each strategy needs for each planted bug and each variant that is expected to fail
    Bugs(BenchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Scenario files, or folders of them, whose bugs are hunted; without any, every bug that is known
    pub(crate) files: Vec<PathBuf>,
    /// Only this bug; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) bug: Vec<String>,
    /// Only this strategy; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) strategy: Vec<String>,
    /// Seeds, half-open: one hunt for each
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, default_value = "0..20")]
    pub(crate) seeds: Range<u64>,
    /// Runs after which a hunt is given up
    #[arg(long, value_name = "RUNS", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) most: u64,
    /// Processes that work at the same time [env: LOCKSTEP_JOBS]
    #[arg(long, value_name = "N", value_parser = parse_jobs, allow_negative_numbers = true)]
    pub(crate) jobs: Option<usize>,
    /// Ends after so long with what was measured: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) time_limit: Option<Duration>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Scenario files
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Name of the scenario
    pub(crate) name: String,
    /// Writes this file, which is not there yet, instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct KeepArgs {
    /// A case file, as a run has written it
    pub(crate) case: PathBuf,
    /// What it is to be called; without it as its file is
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SuggestArgs {
    /// A scenario file
    pub(crate) file: PathBuf,
    /// The variant to repair; without it the first that is expected to fail
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VictimsArgs {
    /// A scenario file
    pub(crate) file: PathBuf,
    /// Also invariants that no variant violates
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A database file
    pub(crate) database: PathBuf,
}

/// Without a command, the arguments are those of `run`.
pub(crate) fn with_default(mut args: Vec<OsString>) -> Vec<OsString> {
    let general = ["-h", "--help", "-V", "--version"];
    let is_flag = |arg: &OsStr| arg.to_string_lossy().starts_with('-');
    let first = args.get(1).map(OsString::as_os_str);
    if first.is_none_or(|first| is_flag(first) && !general.iter().any(|flag| first == *flag)) {
        args.insert(args.len().min(1), "run".into());
    }
    args
}
