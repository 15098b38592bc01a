//! How fast the bugs of the scenarios are found.

use std::rc::Rc;

use lockstep_sim::decide::Quiet;
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{Expect, Program};
use lockstep_sim::search::{Plan, search};

use super::scenario_programs;

/// Incidents whose bug needs no race and no fault.
const IN_THE_QUIET_RUN: [&str; 25] = [
    "two_first_messages_of_a_chat",
    "local_time_read_as_utc",
    "busy_counts_as_completed",
    "recovery_eats_the_approval",
    "double_click",
    "merge_of_two_sessions",
    "rejection_clears_the_queue",
    "hour_rule",
    "day_boundary",
    "own_id",
    "leaked_id",
    "task_raises",
    "lock_released_late",
    "task_inside_an_epic",
    "missing_column",
    "topic_in_memory",
    "two_tabs",
    "late_finally",
    "upgraded_user",
    "ping_storm",
    "request_evicted",
    "moved_agent",
    "legacy_rows",
    "queued_before_move",
    "work_dir",
];

fn bugs() -> Vec<(String, Program)> {
    let programs = scenario_programs().into_iter();
    programs
        .filter(|(name, _)| name.ends_with("::bug"))
        .collect()
}

#[test]
fn a_bug_hides_in_the_quiet_run_and_is_found_in_a_median_of_50_runs() {
    let found = bugs();
    assert!(found.len() >= 4, "four incidents have a bug");
    for (name, program) in found {
        let runs = program.runs;
        let mut stage = Stage::new(FlowWorld::new(Rc::new(program))).expect("the stage is set");
        let quiet = stage
            .run(&mut || Box::<Quiet>::default())
            .expect("a quiet run")
            .violated();
        assert_eq!(
            quiet.is_empty(),
            !IN_THE_QUIET_RUN
                .iter()
                .any(|quiet| name == format!("{quiet}::bug")),
            "{name}: {quiet:?}"
        );
        let mut to_find: Vec<u64> = (0..20)
            .map(|seed| {
                let plan = Plan {
                    seed,
                    runs,
                    expect: Some(&Expect::Holds),
                };
                let found = search(&mut stage, &plan, &mut || false).expect("a search");
                found.runs_to_find().unwrap_or(2 * runs)
            })
            .collect();
        to_find.sort_unstable();
        let median = u64::midpoint(to_find[9], to_find[10]);
        assert!(median <= 50, "{name}: {to_find:?}");
    }
}
