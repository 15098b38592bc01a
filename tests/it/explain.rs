//! Explanations: what they claim is true, and they can be read without the scenario.

mod measured;

use std::rc::Rc;

use lockstep_sim::case::Decisions;
use lockstep_sim::decide::{Choice, Draw, Prefix, Profile, Quiet, Replay, run_hash};
use lockstep_sim::explain::{Explained, explain};
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report::{ExplainReport, Style, explain_text};
use lockstep_sim::run::{Ran, Stage};
use lockstep_sim::scenario::{self, Expect, Program};
use lockstep_sim::search::{Plan, of_seed, reduce, search};
use lockstep_sim::shrink;
use lockstep_sim::world::{SABOTEURS, StoreWorld};
use lockstep_store::verify;

use super::root;

/// Files and variants of different kinds: races, faults, time, two legs, what fails by itself.
const EXPLAINED: [(&str, &str); 10] = [
    ("001-c-two-first-messages.yaml", "bug"),
    ("000-a-orphaned-first-task.yaml", "bug"),
    ("000-d-stale-save.yaml", "bug"),
    ("000-j-double-click.yaml", "published_fix"),
    ("001-g-slow-click.yaml", "bug"),
    ("002-f-lost-reply.yaml", "fix_006"),
    ("003-d-shadow-session.yaml", "bug"),
    ("003-e-two-tabs.yaml", "bug"),
    ("004-g-lost-dispatch.yaml", "published_fix"),
    ("004-h-dead-daemon.yaml", "published_fix"),
];

/// A case that a search has found and made small, and what is said about it.
struct Case {
    program: Program,
    explained: Explained,
}

impl Case {
    fn of(file: &str, variant: &str) -> Self {
        let text = scenario::whole_text(&root().join("scenarios").join(file));
        let text = text.unwrap_or_else(|problems| panic!("{problems}"));
        let scenario = scenario::parse(file, &text);
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
        let mut variants = scenario.variants.into_iter();
        let found = variants.find(|found| found.name == variant);
        let found = found.unwrap_or_else(|| panic!("{file} has no variant {variant}"));
        let Expect::Violates(names) = &found.expect else {
            panic!("{file}: {variant} is not expected to fail");
        };
        let program = found.program;
        let mut stage = stage(&program);
        let plan = Plan {
            seed: 0,
            runs: program.runs,
            expect: Some(&found.expect),
        };
        let searched = search(&mut stage, &plan, &mut || false).expect("a search");
        let first = &searched.firsts[&names[0]];
        let small = reduce(&mut stage, first, shrink::BUDGET, &mut || false).expect("a case");
        let explained = explain(
            &mut stage,
            &small.ran.decisions,
            None,
            Some(&program),
            &mut || false,
        );
        let explained = explained.expect("runs").expect("it fails");
        Self { program, explained }
    }

    fn decisions(&self) -> &Decisions {
        &self.explained.ran.decisions
    }

    fn fails(&self, ran: &Ran) -> bool {
        self.explained.target.is_in(ran)
    }
}

fn stage(program: &Program) -> Stage {
    Stage::new(FlowWorld::new(Rc::new(program.clone()))).expect("the stage is set")
}

fn without(program: &Program, index: usize) -> Program {
    let mut program = program.clone();
    program.events[index].happens = false;
    program
}

#[test]
fn ten_explanations_read_without_their_scenarios() {
    for (file, variant) in EXPLAINED {
        let Case { program, explained } = Case::of(file, variant);
        let invariants = program.invariants.iter();
        let mut rules = invariants.filter(|rule| rule.name == explained.target.invariant);
        let rule = rules.next().expect("its invariant");
        let report = ExplainReport {
            title: format!("{file}, variant {variant}"),
            rule: (rule.place.clone(), rule.text()),
            explained,
            steps: Some(program),
            replay: "lockstep replay CASE".to_owned(),
        };
        snapshot(file.trim_end_matches(".yaml"), &report);
    }
}

fn snapshot(name: &str, report: &ExplainReport) {
    let text = explain_text(report, Style { colour: false });
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/it/explain/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.to_owned(), text));
}

/// The default world is large: what is told of it is what those did who matter.
#[test]
fn explanations_of_the_default_world_are_short() {
    for name in SABOTAGED {
        let saboteur = SABOTEURS.iter().find(|it| it.defect.name == name);
        let saboteur = saboteur.expect("a saboteur");
        let world = StoreWorld::defective(saboteur.defect);
        let mut stage = Stage::new(world).expect("the world is set up");
        let small = found(&mut stage, saboteur.breaks);
        let explained = explain(&mut stage, &small.decisions, None, None, &mut || false);
        let explained = explained.expect("runs").expect("it fails");
        let rule = verify::RULES
            .iter()
            .find(|rule| rule.name == saboteur.breaks);
        let report = ExplainReport {
            title: format!("the default world, sabotaged: {name}"),
            rule: rule.map_or_else(Default::default, |rule| {
                let query = format!("never: {}", rule.sql);
                ("the store's invariants".to_owned(), query)
            }),
            explained,
            steps: None,
            replay: "lockstep replay CASE".to_owned(),
        };
        snapshot(&format!("store-{name}"), &report);
    }
}

/// What a sweep finds, made small.
fn found(stage: &mut Stage, invariant: &str) -> Ran {
    let quiet = stage.run(&mut || Box::<Quiet>::default()).expect("a run");
    let profile = Rc::new(quiet.profile);
    let is_it = |ran: &Ran| ran.violations.iter().any(|it| it.invariant == invariant);
    let mut runs = (0..300).map(|seed| {
        let ran = stage.run(&mut || of_seed(seed).strategy(&profile));
        ran.expect("a run")
    });
    let ran = runs.find(is_it).expect("the sweep finds it");
    drop(runs);
    let hit = ran.violations.iter().find(|it| it.invariant == invariant);
    let hit = hit.expect("it is violated");
    let target = shrink::Target {
        invariant: invariant.to_owned(),
        key: hit.key.clone(),
    };
    shrink::shrink(stage, ran, &target, shrink::BUDGET, &mut || false).expect("a case")
}

/// Each claim about a part is what comes of it when it is left out, in a fresh world.
#[test]
fn what_is_needed_is_what_the_case_does_not_fail_without() {
    for (file, variant) in EXPLAINED {
        let case = Case::of(file, variant);
        for tried in &case.explained.decisions {
            let mut fewer = case.decisions().clone();
            fewer.0.remove(&tried.point);
            let ran = stage(&case.program).run(&mut || Box::new(Replay::new(&fewer)));
            let fails = case.fails(&ran.expect("a run"));
            assert_eq!(tried.needed, !fails, "{file}: {:?}", tried.point);
        }
        for (index, happened) in case.explained.events.iter().enumerate() {
            let mut stage = stage(&without(&case.program, index));
            let ran = stage.run(&mut || Box::new(Replay::new(case.decisions())));
            let fails = case.fails(&ran.expect("a run"));
            assert_eq!(happened.needed, !fails, "{file}: {}", happened.event);
        }
    }
}

/// From the point of no return on ways fail that the explanation has not tried; and the run beside the case passes.
#[test]
fn nothing_helps_behind_the_point_of_no_return() {
    for (file, variant) in EXPLAINED {
        let case = Case::of(file, variant);
        let no_return = case
            .explained
            .no_return
            .as_ref()
            .expect("it was looked for");
        let mut stage = stage(&case.program);
        let quiet = stage.run(&mut || Box::<Quiet>::default()).expect("a run");
        let profile = Rc::new(quiet.profile);
        let until = no_return.moment.map_or(0, |moment| moment.n);
        let passes = (0..OTHER_WAYS).filter(|n| {
            let ran = stage.run(&mut || Box::new(goes_on(&case, until, *n, &profile)));
            !case.fails(&ran.expect("a run"))
        });
        let passes = passes.count();
        assert!(passes * 50 <= OTHER_WAYS as usize, "{file}: {passes} pass");
        let Some(passing) = &no_return.passing else {
            assert_eq!(until, 0, "{file}: only a beginning has nothing before it");
            continue;
        };
        let again = stage.run(&mut || Box::new(Replay::new(&passing.decisions)));
        let again = again.expect("a run");
        assert_eq!(again.hash, passing.hash, "{file}: it can be replayed");
        assert!(!case.fails(&again), "{file}");
    }
}

fn goes_on(case: &Case, until: u64, n: u64, profile: &Rc<Profile>) -> Prefix {
    let way = [Choice::Random, Choice::Preemptions, Choice::Priorities][n as usize % 3];
    let then = Draw::By(way, run_hash(1, n)).strategy(profile);
    Prefix::new(case.decisions(), until, then)
}

const SABOTAGED: [&str; 3] = ["second_session", "keys_by_attempt", "lost_drain"];

const OTHER_WAYS: u64 = 150;
