//! The table of `docs/catalogue.md`: what the bugs are stands in the list, what was measured only there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use lockstep_sim::catalogue::{FAMILIES, all};

use super::hunt::{Measured, RUNS};

/// A bug that each search of the long form found within so many runs must be found by `cargo test`, too.
const SOON: u64 = 60;

const NOT_MEASURED: &str = "–";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/catalogue.md")
}

/// The page names exactly the bugs of the list, with their sources and needs.
pub(crate) fn names_each_bug() -> Result<(), String> {
    let text = fs::read_to_string(page()).map_err(|error| format!("docs/catalogue.md: {error}"))?;
    let expected = text_with(&measured_cells(&text));
    if text == expected {
        return Ok(());
    }
    let differs = text.lines().zip(expected.lines()).find(|(a, b)| a != b);
    let (is, should) = differs.unwrap_or(("its end", "another end"));
    Err(format!(
        "docs/catalogue.md is not what the list gives: LOCKSTEP_CATALOGUE=10 writes it\n is     {is}\n should {should}"
    ))
}

/// How many runs the short form may need for this bug; `None` when the table promises nothing.
pub(crate) fn most_runs(bug: &str) -> Result<Option<u64>, String> {
    let text = fs::read_to_string(page()).map_err(|error| format!("docs/catalogue.md: {error}"))?;
    let cells = measured_cells(&text);
    let range = cells.get(bug).and_then(|cells| cells.get(1));
    let most = range.and_then(|range| range.rsplit_once(" to ")?.1.parse::<u64>().ok());
    Ok(most.filter(|most| *most <= SOON).map(|_| SOON))
}

/// Figures that stand in the page are of bugs that each search found.
pub(crate) fn what_was_measured_was_found() -> Result<(), String> {
    let text = fs::read_to_string(page()).map_err(|error| format!("docs/catalogue.md: {error}"))?;
    let mut cells = measured_cells(&text);
    cells.retain(|_, cells| cells[2] != NOT_MEASURED);
    for (bug, cells) in &cells {
        let (found, searches) = cells[2].split_once(" of ").unwrap_or((&cells[2], ""));
        if found != searches {
            return Err(format!("{bug} was found in {}", cells[2]));
        }
    }
    match text.contains(&how_deep(&cells)) {
        true => Ok(()),
        false => Err("docs/catalogue.md counts deep cases wrongly".to_owned()),
    }
}

/// In how many smallest cases a lot has to come together.
fn how_deep(cells: &BTreeMap<String, Vec<String>>) -> String {
    let with = |least: usize| {
        cells
            .values()
            .filter(|cells| struck(&cells[4]) >= least)
            .count()
    };
    let needs = all().filter(|(_, bug)| bug.needs.len() >= 3).count();
    format!(
        "Of {} bugs {needs} need three things or more as they were written down. In the smallest case of {} there are three or more switches and
faults, in that of {} two; what else comes together are choices of the roles.\n",
        all().count(),
        with(3),
        with(2) - with(3),
    )
}

/// Switches and faults of a smallest case as it stands in the page.
fn struck(smallest: &str) -> usize {
    let counts = smallest.split(',').next().unwrap_or_default().split(" + ");
    counts.filter_map(|count| count.parse::<usize>().ok()).sum()
}

/// Writes what was measured; bugs that were not keep their figures. Fewer searches than those that stand there renew the smallest
/// case only.
///
/// # Panics
/// If the page cannot be read or written.
pub(crate) fn write(results: &BTreeMap<&'static str, Measured>) {
    let old = fs::read_to_string(page()).unwrap_or_default();
    let mut cells = measured_cells(&old);
    for (bug, measured) in results {
        let new = figures(measured);
        match cells.get_mut(*bug) {
            Some(known) if searches(known) > measured.searches => known[4].clone_from(&new[4]),
            _ => {
                cells.insert((*bug).to_owned(), new);
            }
        }
    }
    fs::write(page(), text_with(&cells)).expect("docs/catalogue.md can be written");
}

/// Searches that figures stand for.
fn searches(figures: &[String]) -> u64 {
    let of = figures[2].split_once(" of ");
    of.and_then(|(_, searches)| searches.parse().ok())
        .unwrap_or(0)
}

/// The figures of each bug as they stand in the page.
fn measured_cells(text: &str) -> BTreeMap<String, Vec<String>> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line
                .strip_prefix("| `")?
                .split('|')
                .map(str::trim)
                .collect();
            let (bug, _) = cells.first()?.split_once('`')?;
            let figures = cells.get(1..1 + COLUMNS)?;
            Some((
                bug.to_owned(),
                figures.iter().map(|cell| (*cell).to_owned()).collect(),
            ))
        })
        .collect()
}

const COLUMNS: usize = 5;

/// Median, range, found, invariants, smallest case.
fn figures(measured: &Measured) -> Vec<String> {
    let median = measured
        .median()
        .map_or(format!("more than {RUNS}"), |median| median.to_string());
    let range = match (measured.runs.first(), measured.runs.last()) {
        (Some(least), Some(_)) if measured.missed() > 0 => format!("{least} or more"),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        _ => NOT_MEASURED.to_owned(),
    };
    let violated: Vec<String> = measured
        .violated
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let smallest = measured.smallest.map_or(NOT_MEASURED.to_owned(), |small| {
        format!(
            "{} + {}, {} choices, {} events",
            small.switches,
            small.struck - small.switches,
            small.choices,
            small.events
        )
    });
    vec![
        median,
        range,
        format!("{} of {}", measured.runs.len(), measured.searches),
        violated.join(", "),
        smallest,
    ]
}

fn text_with(cells: &BTreeMap<String, Vec<String>>) -> String {
    let mut text = HEAD.to_owned() + "\n" + &how_deep(cells);
    for (family, bugs) in FAMILIES {
        let _ = write!(text, "\n## {family}\n\n{COLUMN_NAMES}\n");
        for bug in *bugs {
            let name = bug.defect.name;
            let figures = cells
                .get(name)
                .cloned()
                .unwrap_or_else(|| vec![NOT_MEASURED.to_owned(); COLUMNS]);
            let (figures, needs) = (figures.join(" | "), bug.needs.join("; "));
            let _ = writeln!(text, "| `{name}` | {figures} | {needs} | {} |", bug.source);
        }
    }
    text
}

const COLUMN_NAMES: &str = "| bug | median runs | from to | found | by | smallest case | needs | seen |\n|---|---|---|---|---|---|---|---|";

const HEAD: &str = "# Planted bugs

What the default world has to find, each a bug that was seen somewhere: in an incident behind this project, or in the project and
thread that is named. The list is `sim/src/catalogue`, one file for each family; it was committed before any search was tuned to it.

Each bug is searched ten times, over seeds that no two searches share: run 1 of each seed, as `lockstep run` sweeps. A search ends with the
first run that violates any invariant, and has 20,000 runs. *Median runs* is over the ten searches, *by* names the invariants that these runs
violated, and the *smallest case* is the smaller of the first two that were found, after shrinking: switches + faults, choices of the roles
(how many messages, which plan, how long work takes) that are not the quiet ones, and events up to the violation. Faults that a role draws
(a worker or a sender that stands still, a lease that is renewed late, an answer of the store that nobody hears, a failure of the
provider, a native session that is lost, locked for long or written down late, a refusal of the platform, a restore) are faults here, and their draws choices too. *Needs* was written beforehand: what has to
come together. A dash is a bug that was not searched ten times over.

The quiet run meets none of them. `cargo test` looks for those that each search found within 60 runs;
`LOCKSTEP_CATALOGUE=10 cargo test --release --test catalogue` looks for all, and writes this page.
";
