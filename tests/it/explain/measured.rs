//! Explanations against an independent check: a slice of what `cargo bench --bench explain` measures.

#[path = "../../../sim/benches/explain/cases.rs"]
mod cases;
#[path = "../../../sim/benches/explain/flip.rs"]
mod flip;
#[path = "../../../sim/benches/explain/measure.rs"]
mod measure;
#[path = "../../../sim/benches/explain/onward.rs"]
mod onward;
#[path = "../../../sim/benches/explain/tally.rs"]
mod tally;

use measure::Measured;

use super::root;

/// Every so many files are taken.
const EVERY: usize = 7;

/// Runs without which it is not known what all ways to go on from a moment come to.
const MOST: u64 = 400;

#[test]
fn what_is_said_is_what_comes_of_flipping_and_of_going_on() {
    let mut measured = Measured::default();
    let mut said = Vec::new();
    let files = cases::files(&root().join("scenarios"));
    for file in files.iter().step_by(EVERY) {
        for case in &cases::of(file, 1) {
            measured.take(case, MOST, &mut |words| said.push(words));
        }
    }
    let said = said.join("\n");
    let told = [
        ("for the same key", &measured.dropped),
        ("for any key", &measured.any_key),
        ("flipped", &measured.flipped),
    ];
    for (what, tally) in told {
        let (precision, recall) = tally.measures();
        assert!(
            precision >= ENOUGH && recall >= ENOUGH,
            "{what}: {measured}\n{said}"
        );
    }
    let (_, near) = measured.points.shares();
    assert!(near >= ENOUGH, "{measured}\n{said}");
    assert!(measured.points.compared() >= FEWEST, "{measured}");
}

const ENOUGH: f64 = 0.9;

/// Points of no return that are compared at least.
const FEWEST: usize = 15;
