//! The catalogue of planted bugs: what the default world has to find, and how long that takes.
//!
//! Each bug is one that was seen somewhere. The list was committed before any search was tuned to it. A bug is one named
//! test: the quiet run must not meet it, and those that `docs/catalogue.md` tells to be found soon must be found. With
//! `LOCKSTEP_CATALOGUE=10` (and `--release`) each bug is searched ten times over, must be found each time, its smallest case
//! is taken, and the figures in `docs/catalogue.md` are written anew (arguments filter; bugs that are not run keep theirs).
//! `LOCKSTEP_CATALOGUE_RUNS=3000` is a first look: each search ends after so many runs, nothing is shrunk or written, and each bug is a
//! line of runs to find.
//! To add a bug: one entry in the file of its family, then `LOCKSTEP_CATALOGUE=0`, which writes the page without a search.

mod hunt;
mod sql;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};

use self::hunt::Measured;
use lockstep_sim::catalogue::{FAMILIES, Planted, all};

/// What the long form found, by bug.
type Results = Arc<Mutex<BTreeMap<&'static str, Measured>>>;

/// How many searches the long form does for each bug.
const SEARCHES: &str = "LOCKSTEP_CATALOGUE";

/// How many runs a first look takes for each search.
const LOOK: &str = "LOCKSTEP_CATALOGUE_RUNS";

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|n| {
        n.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {n:?}"))
    })
}

fn main() {
    let arguments = Arguments::from_args();
    let (searches, look) = (number(SEARCHES), number(LOOK));
    let results = Results::default();
    let mut trials = vec![
        fact("the_list_is_long_enough", the_list_is_long_enough),
        fact(
            "each_bug_applies_and_prepares",
            sql::each_bug_applies_and_prepares,
        ),
    ];
    match searches {
        _ if look.is_some() => {
            let (searches, runs) = (searches.unwrap_or(1), look.unwrap_or_default());
            trials.extend(all().map(|(family, bug)| first_look(family, bug, searches, runs)));
        }
        None => {
            trials.push(fact("the_table_names_each_bug", table::names_each_bug));
            trials.push(fact(
                "what_was_measured_was_found",
                table::what_was_measured_was_found,
            ));
            trials.extend(all().map(|(family, bug)| short(family, bug)));
        }
        // Only the page is written, with the figures that it has.
        Some(0) => {}
        Some(searches) => {
            trials.extend(all().map(|(family, bug)| long(family, bug, searches, &results)));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if searches.is_some() && look.is_none() {
        table::write(&results.lock().unwrap_or_else(PoisonError::into_inner));
    }
    conclusion.exit();
}

fn fact(name: &str, holds: fn() -> Result<(), String>) -> Trial {
    Trial::test(name, move || holds().map_err(Failed::from))
}

fn short(family: &str, bug: &'static Planted) -> Trial {
    Trial::test(format!("{family}::{}", bug.defect.name), move || {
        let most = table::most_runs(bug.defect.name)?;
        hunt::once(bug, most).map_err(Failed::from)
    })
}

/// Fails if one search does not find it.
fn first_look(family: &str, bug: &'static Planted, searches: u64, runs: u64) -> Trial {
    Trial::test(format!("{family}::{}", bug.defect.name), move || {
        let looked = hunt::look(bug, searches, runs)?;
        writeln!(std::io::stdout(), "{} {looked:?}", bug.defect.name)?;
        match looked.iter().all(Option::is_some) {
            true => Ok(()),
            false => Err(Failed::from(format!("not found in {runs} runs"))),
        }
    })
}

/// Found or not, it is in the table; it fails if one search does not find it.
fn long(family: &str, bug: &'static Planted, searches: u64, results: &Results) -> Trial {
    let results = Arc::clone(results);
    Trial::test(format!("{family}::{}", bug.defect.name), move || {
        let measured = hunt::measure(bug, searches)?;
        let missed = measured.missed();
        let mut all = results.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(bug.defect.name, measured);
        match missed {
            0 => Ok(()),
            _ => Err(Failed::from(format!(
                "{missed} of {searches} searches missed it"
            ))),
        }
    })
}

/// At least forty bugs of ten families, each with a source; a dozen of them need three things to come together.
fn the_list_is_long_enough() -> Result<(), String> {
    let names: BTreeSet<&str> = all().map(|(_, bug)| bug.defect.name).collect();
    let deep = all().filter(|(_, bug)| bug.needs.len() >= 3).count();
    let holds = [
        ("names are unique", names.len() == all().count()),
        ("forty bugs", names.len() >= 40),
        ("ten families", FAMILIES.len() >= 10),
        (
            "no family is empty",
            FAMILIES.iter().all(|(_, bugs)| !bugs.is_empty()),
        ),
        (
            "each was seen somewhere",
            all().all(|(_, bug)| !bug.source.is_empty()),
        ),
        (
            "each needs something",
            all().all(|(_, bug)| !bug.needs.is_empty()),
        ),
        ("a dozen need three things", deep >= 12),
    ];
    match holds.iter().find(|(_, holds)| !holds) {
        None => Ok(()),
        Some((what, _)) => Err(format!("it is not so that {what}")),
    }
}
