//! Properties over generated worlds.

use std::rc::Rc;

use lockstep_sim::case::{Decisions, Deviation, Point};
use lockstep_sim::decide::{Quiet, Replay};
use lockstep_sim::report;
use lockstep_sim::run::Stage;
use lockstep_sim::search::of_seed;
use lockstep_sim::world::StoreWorld;
use proptest::prelude::*;

fn label() -> impl Strategy<Value = String> {
    "[a-z]{1,6}(\\.[0-9])?(/redelivery#[1-3])?"
}

fn deviation() -> impl Strategy<Value = Deviation> {
    prop_oneof![
        label().prop_map(Deviation::Switch),
        Just(Deviation::Crash),
        Just(Deviation::LostRequest),
        Just(Deviation::LostReply),
        any::<u32>().prop_map(|n| Deviation::Pause(n.into())),
        any::<u32>().prop_map(|n| Deviation::Duplicate(n.into())),
        any::<u32>().prop_map(|n| Deviation::Late(n.into())),
        any::<u32>().prop_map(|n| Deviation::Take(n.into())),
        any::<u32>().prop_map(|n| Deviation::Pick(n.into())),
        any::<i32>().prop_map(|n| Deviation::Jump(n.into())),
        any::<i32>().prop_map(|n| Deviation::Offset(n.into())),
    ]
}

fn point() -> impl Strategy<Value = Point> {
    (label(), "[a-z]{2,8}( [a-z]{2,6})?", 1_u32..9).prop_map(|(cause, site, occurrence)| Point {
        cause,
        site,
        occurrence,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn decisions_can_be_printed_and_pasted(all in proptest::collection::btree_map(point(), deviation(), 0..8)) {
        let decisions = Decisions(all);
        prop_assert_eq!(decisions.to_string().parse::<Decisions>(), Ok(decisions));
    }

    #[test]
    fn any_text_is_decisions_or_an_error_in_words(text in ".{0,60}") {
        if let Err(words) = text.parse::<Decisions>() {
            prop_assert!(!words.is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn generated_worlds_on_the_store_hold_and_replay(seeds in proptest::collection::vec(any::<u64>(), 1..4)) {
        let mut stage = Stage::new(StoreWorld::new()).expect("the stage is set");
        let quiet = stage.run(&mut || Box::<Quiet>::default()).expect("a quiet run");
        let profile = Rc::new(quiet.profile);
        for seed in seeds {
            let ran = stage.run(&mut || of_seed(seed).strategy(&profile)).expect("a run");
            prop_assert_eq!(&ran.internal, &None);
            prop_assert_eq!(ran.violated(), Vec::<String>::new(), "seed {}: {}", seed, ran.decisions);
            let again = stage.run(&mut || Box::new(Replay::new(&ran.decisions))).expect("a replay");
            let same = again.hash == ran.hash;
            prop_assert!(same, "seed {}: {:?}: {}", seed, again.counts, report::two_traces(&ran.trace, &again.trace));
        }
    }
}
