//! Same case, same bytes: the first thing to hold, or no other failure can be debugged.

use std::rc::Rc;

use lockstep_sim::decide::{Choice, Draw, Profile, Quiet, Replay, run_hash};
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report;
use lockstep_sim::run::{MAIN, Stage, World};
use lockstep_sim::search::of_seed;
use lockstep_sim::world::StoreWorld;

use super::scenario_programs;

fn profile(stage: &mut Stage) -> Rc<Profile> {
    Rc::new(
        stage
            .run(&mut || Box::<Quiet>::default())
            .expect("a quiet run")
            .profile,
    )
}

fn hashes(world: Rc<dyn World>, seed: u64, runs: std::ops::Range<u64>) -> Vec<u128> {
    let mut stage = Stage::new(world).expect("the stage is set");
    let profile = profile(&mut stage);
    runs.map(|run| {
        let choice = Choice::ALL[run as usize % Choice::ALL.len()];
        let draw = Draw::By(choice, run_hash(seed, run));
        stage
            .run(&mut || draw.strategy(&profile))
            .expect("a run")
            .hash
    })
    .collect()
}

#[test]
fn a_run_does_not_depend_on_the_runs_before_it() {
    let together = hashes(StoreWorld::new(), 3, 1..60);
    for run in [1_u64, 2, 17, 40, 59] {
        assert_eq!(
            hashes(StoreWorld::new(), 3, run..run + 1)[0],
            together[run as usize - 1],
            "run {run}"
        );
    }
}

#[test]
fn every_scenario_repeats_in_a_fresh_stage() {
    for (name, program) in scenario_programs() {
        let program = Rc::new(program);
        let one = hashes(FlowWorld::new(Rc::clone(&program)), 5, 1..40);
        let two = hashes(FlowWorld::new(program), 5, 1..40);
        assert_eq!(one, two, "{name}");
    }
}

#[test]
fn what_was_recorded_replays_to_the_same_trace() {
    let mut stage = Stage::new(StoreWorld::new()).expect("the stage is set");
    let profile = profile(&mut stage);
    for seed in 0..150 {
        let ran = stage
            .run(&mut || of_seed(seed).strategy(&profile))
            .expect("a run");
        let again = stage
            .run(&mut || Box::new(Replay::new(&ran.decisions)))
            .expect("a replay");
        let same = again.hash == ran.hash;
        assert!(
            same,
            "seed {seed}: {}",
            report::two_traces(&ran.trace, &again.trace)
        );
        assert_eq!(again.counts.used, ran.decisions.0.len(), "seed {seed}");
    }
}

#[test]
fn one_altered_byte_of_the_database_changes_the_hash() {
    let (_, program) = scenario_programs().remove(0);
    let mut stage = Stage::new(FlowWorld::new(Rc::new(program))).expect("the stage is set");
    let plain = stage
        .run(&mut || Box::<Quiet>::default())
        .expect("a run")
        .hash;
    assert_eq!(
        stage
            .run(&mut || Box::<Quiet>::default())
            .expect("a run")
            .hash,
        plain
    );
    let altered = stage
        .run_altered(&format!("{MAIN}-wal"), 100)
        .expect("an altered run");
    assert_ne!(altered, plain);
}
