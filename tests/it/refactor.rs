//! Kept cases outlive changes of the code that cure nothing, and a bug that is cured is not said to fail. `cargo bench -p lockstep-sim --bench
//! refactor` asks of all cases and all changes; here each case meets some of the changes, and each change some of the cases.

#[path = "../../sim/benches/refactor/added.rs"]
mod added;
#[path = "../../sim/benches/refactor/cases.rs"]
mod cases;
#[path = "../../sim/benches/refactor/measure.rs"]
mod measure;
#[path = "../../sim/benches/refactor/names.rs"]
mod names;
#[path = "../../sim/benches/refactor/order.rs"]
mod order;
#[path = "../../sim/benches/refactor/shape.rs"]
mod shape;
#[path = "../../sim/benches/refactor/steps.rs"]
mod steps;
#[path = "../../sim/benches/refactor/town.rs"]
mod town;

use lockstep_sim::catalogue;
use lockstep_sim::search::Kept;

use self::cases::Case;
use self::measure::{Fate, REFACTORS};
use self::town::CHANGES;

/// Each case meets one of so many refactors.
const ONE_OF: usize = 3;

/// One variant of so many that hold is asked about its cases: to say that a bug is fixed takes hundreds of runs.
const CURED: usize = 20;

/// One planted bug of so many, if it is found within so many runs.
const PLANTED: (usize, u64) = (30, 60);

fn reviewed() -> Vec<Case> {
    let mut all = Vec::new();
    for (stem, variant, invariants) in cases::failing() {
        let invariants = invariants.iter();
        all.extend(invariants.map(|invariant| cases::reviewed(&stem, &variant, invariant)));
    }
    all
}

/// At least 98 of 100 fail as before, and where one does not, it says that it says nothing.
fn outlives(fates: &[(String, Fate)], at_least: usize) {
    let there = fates.iter().filter(|(_, fate)| *fate != Fate::Cured);
    let there: Vec<&(String, Fate)> = there.collect();
    let lost = there.iter().copied();
    let lost: Vec<_> = lost
        .filter(|(_, fate)| !matches!(fate, Fate::AsItWas | Fate::Nearby))
        .collect();
    assert!(there.len() >= at_least, "only {}", there.len());
    assert!(
        !lost.iter().any(|(_, fate)| *fate == Fate::Fixed),
        "{lost:?}"
    );
    assert!(lost.len() * 50 <= there.len(), "{lost:?}");
}

#[test]
fn cases_of_scenarios_outlive_refactors() {
    let mut fates = Vec::new();
    for (n, case) in reviewed().iter().enumerate() {
        let refactors = REFACTORS.iter().skip(n % ONE_OF).step_by(ONE_OF);
        for (refactor, change) in refactors {
            let fate = measure::fate(case, *change);
            fates.extend(fate.map(|fate| (format!("{refactor}: {}", case.name), fate)));
        }
    }
    outlives(&fates, 1_000);
}

#[test]
fn cases_of_planted_bugs_outlive_changes_of_the_world() {
    let (one_of, runs) = PLANTED;
    let bugs = catalogue::all().map(|(_, bug)| bug).step_by(one_of);
    let mut fates = Vec::new();
    for known in bugs.filter_map(|bug| town::known(bug, runs)) {
        for (name, change) in &CHANGES {
            let fate = town::fate(&known, change);
            fates.extend(fate.map(|fate| (format!("{name}: {}", known.bug.defect.name), fate)));
        }
    }
    outlives(&fates, 40);
}

#[test]
fn a_bug_that_is_cured_is_not_said_to_fail() {
    let (reviewed, mut asked) = (reviewed(), 0);
    for (stem, variant) in cases::cured().into_iter().step_by(CURED) {
        for case in reviewed.iter().filter(|case| case.stem == stem) {
            let kept = measure::under(case, &variant.program);
            let is_cured = matches!(kept, Kept::Fixed | Kept::Drifted { .. });
            assert!(is_cured, "{} under {}: {kept:?}", case.name, variant.name);
            asked += 1;
        }
    }
    assert!(asked >= 10, "only {asked}");
}
