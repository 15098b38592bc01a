//! The check of linearizability against histories that are right by construction, against brute force, and against
//! examples that anybody can judge.

#[path = "../../store/tests/it/model/command.rs"]
mod command;

mod brute;
mod dice;
mod examples;
mod made;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};

use lockstep_sim::check::linearizable::{Finding, check, check_whole};
use made::{Plan, beginning, history, make};

/// Histories of several conversations, with every operation.
const HISTORIES: u64 = 600;

#[test]
fn what_the_model_did_is_accepted_whatever_ran_beside_it() {
    let start = beginning();
    let (mut seen, mut lost) = (BTreeSet::new(), BTreeMap::<_, u64>::new());
    let (mut parts, mut searched) = (0, 0);
    for seed in 0..HISTORIES {
        let plan = Plan {
            alone: 10,
            together: 60,
            clients: 1 + seed as usize % 4,
            plain: false,
        };
        let made = make(seed, plan);
        for made in &made {
            match &made.answer {
                Some(Ok(_)) => drop(seen.insert(made.call.op.name())),
                Some(Err(_)) => {}
                None => *lost.entry(made.call.op.name()).or_default() += 1,
            }
        }
        let report = check(&start, &history(&made));
        assert_eq!(report.findings, Vec::<Finding>::new(), "seed {seed}");
        parts += report.parts;
        searched += report.searched;
    }
    assert_eq!(seen.len(), OPERATIONS, "each operation was done: {seen:?}");
    assert!(lost.len() > 20, "of many kinds some were lost: {lost:?}");
    assert!(
        parts > HISTORIES as usize * 2,
        "they were taken apart: {parts}"
    );
    assert!(searched > 20, "some were not explained at once: {searched}");
}

/// How many operations there are.
const OPERATIONS: usize = 49;

/// Small histories that are put to brute force, half of them with something changed.
const SMALL: u64 = 2_000;

#[test]
fn brute_force_agrees_on_small_histories() {
    let start = beginning();
    let mut missed = 0;
    let mut outcomes = BTreeMap::<(bool, bool), u64>::new();
    for seed in 0..SMALL {
        let plan = Plan {
            alone: 8,
            together: 3 + seed as usize % 5,
            clients: 2 + seed as usize % 2,
            plain: true,
        };
        let mut made = make(seed, plan);
        let spoilt = seed % 2 == 1;
        if spoilt {
            wrong::spoil(&mut made, plan.alone, seed);
        }
        let report = check_whole(&start, &history(&made));
        let accepted = report.findings.is_empty();
        assert_eq!(
            accepted,
            brute::is_linearizable(&start, &made),
            "seed {seed}: {:?}\n{made:#?}",
            report.findings
        );
        // Taken apart it may see less, and never more.
        let apart = check(&start, &history(&made));
        assert!(
            apart.findings.is_empty() || !accepted,
            "seed {seed}: {apart:?}"
        );
        missed += u64::from(apart.findings.is_empty() && !accepted);
        *outcomes.entry((spoilt, accepted)).or_default() += 1;
    }
    assert_eq!(
        outcomes.get(&(false, false)),
        None,
        "what is right is accepted"
    );
    let of_spoilt =
        [true, false].map(|accepted| outcomes.get(&(true, accepted)).copied().unwrap_or(0));
    assert!(
        of_spoilt.iter().all(|count| *count > SMALL / 20),
        "both outcomes are common: {of_spoilt:?}"
    );
    assert!(missed * 20 < of_spoilt[1], "and it misses few: {missed}");
}
