//! Every invariant of the default world can fail: each has a saboteur, which the sweep finds, and which no other invariant
//! catches.

use std::collections::BTreeMap;
use std::rc::Rc;

use lockstep_sim::decide::{Profile, Quiet, default_for};
use lockstep_sim::run::{Stage, World};
use lockstep_sim::world::{SABOTEURS, Saboteur, StoreWorld};

/// Seeds within which a sweep must find each of them.
const SEEDS: u64 = 300;

fn stage(world: Rc<dyn World>) -> (Stage, Rc<Profile>) {
    let mut stage = Stage::new(world).expect("the world is set up");
    let quiet = stage.run(&mut || Box::new(Quiet)).expect("the quiet run");
    assert_eq!(
        quiet.violated(),
        Vec::<String>::new(),
        "the quiet run meets no defect"
    );
    (stage, Rc::new(quiet.profile))
}

/// In how many of the seeds each invariant is violated.
fn violated(saboteur: &Saboteur) -> BTreeMap<String, u64> {
    let (mut stage, profile) = stage(StoreWorld::defective(saboteur.defect));
    let mut violated = BTreeMap::new();
    for seed in 0..SEEDS {
        let ran = stage
            .run(&mut || default_for(seed, 1, &profile))
            .expect("a run");
        assert_eq!(
            ran.internal, None,
            "{} at seed {seed}",
            saboteur.defect.name
        );
        for name in ran.violated() {
            *violated.entry(name).or_default() += 1;
        }
    }
    violated
}

#[test]
fn each_invariant_has_a_saboteur_that_only_it_catches() {
    let mut wrong = Vec::new();
    for saboteur in SABOTEURS {
        let violated = violated(saboteur);
        let only = violated.keys().eq([saboteur.breaks]);
        if !only {
            wrong.push(format!(
                "{}: {violated:?}, to break {}",
                saboteur.defect.name, saboteur.breaks
            ));
        }
        println!("{}: {violated:?}", saboteur.defect.name);
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_invariant_is_without_a_saboteur() {
    let broken: Vec<&str> = SABOTEURS.iter().map(|saboteur| saboteur.breaks).collect();
    assert_eq!(broken, StoreWorld::invariants());
}

#[test]
fn the_world_without_a_saboteur_holds_over_the_same_seeds() {
    let (mut stage, profile) = stage(StoreWorld::new());
    for seed in 0..SEEDS {
        let ran = stage
            .run(&mut || default_for(seed, 1, &profile))
            .expect("a run");
        assert_eq!(
            (ran.violations, ran.internal),
            (Vec::new(), None),
            "seed {seed}"
        );
    }
}
