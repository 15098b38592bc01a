//! Runs in two legs: a variant that finds what another one has left.

use std::rc::Rc;

use super::{quiet, seeded, stage};
use crate::case::Decisions;
use crate::check::Judging;
use crate::decide::Replay;
use crate::run::Ran;
use crate::scenario::{self, Program};
use crate::trace::Kind;

/// A job is done twice when two workers look at once. `first` has the bug; the others come after it.
const JOBS: &str = "\
version: 1
name: jobs
schema: |
  CREATE TABLE done (job TEXT NOT NULL, by TEXT NOT NULL);
setup:
  - sql: INSERT INTO done VALUES ('old', 'setup')
processes:
  worker: { count: 2, memory: { seen: 0 }, home: here }
resources:
  place: { home: true }
flows:
  work(job):
    - set: { memory.seen: ':memory.seen + 1' }
    - read: SELECT count(*) AS n FROM done WHERE job = :job
    - if: :n = 0
      then:
        - label: write
          sql: INSERT INTO done VALUES (:job, :event || '@' || :process || '#' || :incarnation)
          catch: { constraint: [] }
    - { effect: told, key: ':job' }
    - use: place(:job)
    - reply: { seen: ':memory.seen' }
events:
  - one: { on: worker, send: work, with: { job: j } }
  - two: { on: worker, send: work, with: { job: j } }
  - late: { on: worker, send: work, with: { job: k }, at: 10s }
faults: { crash: { worker: 1 }, lost_reply: 1 }
invariants:
  once:
    per: job
    never: SELECT job FROM done GROUP BY job HAVING count(*) > 1
  only_again:
    history: SELECT cause FROM event WHERE cause NOT LIKE '%again/%' AND kind IN ('deliver', 'effect')
      AND EXISTS (SELECT 1 FROM event WHERE cause LIKE 'again/%')
      UNION ALL SELECT cause FROM change WHERE cause IN ('setup', 'repair', 'world')
  at_home: { builtin: resource.home }
goals:
  told: SELECT 1 FROM effect WHERE cause = 'again/one'
variants:
  first: {}
  index:
    start: after(first)
    schema: CREATE UNIQUE INDEX one ON done (job)
    setup:
      - sql: INSERT INTO done VALUES ('new', 'setup')
  repaired:
    start: after(first)
    schema: CREATE UNIQUE INDEX one ON done (job)
    repair:
      - sql: DELETE FROM done WHERE rowid > (SELECT min(rowid) FROM done d WHERE d.job = done.job)
  elsewhere:
    start: after(first)
    processes: { worker: { home: there } }
  third:
    start: after(index)
    schema: |
      CREATE TABLE more (a);
      CREATE UNIQUE INDEX one ON done (job);
expect:
  first: { violates: once }
  index: { violates: migration_completes }
  repaired: holds
  elsewhere: { violates: [once, at_home] }
  third: holds
";

fn program(variant: &str) -> Program {
    let scenario = scenario::parse("x.yaml", JOBS).unwrap_or_else(|found| panic!("{found}"));
    let found = scenario.variants.iter().find(|found| found.name == variant);
    found.expect("a variant").program.clone()
}

fn causes(ran: &Ran, kind: Kind) -> Vec<&str> {
    let events = ran.trace.events.iter().filter(|event| event.kind == kind);
    events.map(|event| event.cause.as_str()).collect()
}

#[test]
fn everything_is_deployed_anew_over_what_is_on_the_disk() {
    let ran = quiet(&mut stage(program("index")));
    assert_eq!(ran.internal, None);
    assert_eq!(ran.violated(), Vec::<String>::new());
    assert_eq!(
        causes(&ran, Kind::Deliver),
        ["one", "two", "late", "again/one", "again/two", "again/late"]
    );
    let memory: Vec<String> = ran
        .trace
        .events
        .iter()
        .filter(|event| event.kind == Kind::Deliver)
        .map(|event| crate::trace::outcome_text(&event.outcome))
        .collect();
    let seen = |n: u32| format!("{{\"seen\":{n}}}");
    assert_eq!(memory, [1, 1, 2, 1, 1, 2].map(seen), "memory is volatile");
    let rows: Vec<String> = ran
        .trace
        .changes
        .iter()
        .map(|c| format!("{:?}", c.change.new))
        .collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows[0].contains("one@worker.1#1"), "{rows:?}");
    assert!(rows[2].contains("setup"), "only its own setup: {rows:?}");
    assert_eq!(
        ran.goals,
        ["told"],
        "nothing was broken, so nothing was inherited"
    );
    let deployed = ran
        .trace
        .events
        .iter()
        .find(|event| event.kind == Kind::Deploy);
    let shown = crate::report::human(&ran.trace);
    assert!(
        shown.contains("-- everything is deployed anew, after first --"),
        "{shown}"
    );
    let at = deployed.expect("a deployment").at_us;
    let late = ran
        .trace
        .events
        .iter()
        .rfind(|event| event.cause.as_str() == "again/late");
    assert!(
        late.expect("an event").at_us >= at + 10_000_000,
        "times count from the leg"
    );
}

#[test]
fn incarnations_go_on_so_that_no_name_comes_twice() {
    let mut stage = stage(program("repaired"));
    let profile = Rc::new(quiet(&mut stage).profile);
    for run in 1..200 {
        let ran = seeded(&mut stage, 5, run, &profile);
        let mut names: Vec<_> = ran
            .trace
            .changes
            .iter()
            .filter_map(|c| c.change.new.clone())
            .collect();
        let all = names.len();
        names.sort_by_key(|row| format!("{row:?}"));
        names.dedup();
        assert_eq!(names.len(), all, "run {run}");
        assert_eq!(ran.violated(), Vec::<String>::new(), "run {run}");
    }
}

#[test]
fn dirt_counts_from_the_second_leg_on() {
    for (variant, wanted) in [("index", "migration_completes"), ("elsewhere", "once")] {
        let mut stage = stage(program(variant));
        let profile = Rc::new(quiet(&mut stage).profile);
        stage.judge(Judging::Twice);
        let (mut dirty, mut clean) = (0, 0);
        for run in 1..200 {
            let ran = seeded(&mut stage, 6, run, &profile);
            let deploy = ran
                .trace
                .events
                .iter()
                .find(|event| event.kind == Kind::Deploy);
            let deploy = deploy.expect("a second leg").n;
            assert!(
                ran.violations.iter().all(|violation| violation.n > deploy),
                "run {run}"
            );
            let found = ran.violated().contains(&wanted.to_owned());
            if variant == "index" && found {
                assert_eq!(ran.violated(), [wanted], "run {run}: it ends there");
                assert!(
                    !causes(&ran, Kind::Deliver).contains(&"again/one"),
                    "run {run}"
                );
            }
            dirty += u32::from(found);
            clean += u32::from(!found);
        }
        assert!(dirty > 5 && clean > 5, "{variant}: {dirty} and {clean}");
    }
}

#[test]
fn what_is_outside_remembers() {
    let ran = quiet(&mut stage(program("elsewhere")));
    assert_eq!(
        ran.violated(),
        ["at_home"],
        "a place made in the first leg has its home"
    );
}

#[test]
fn both_legs_replay_and_leave_nothing_behind() {
    let mut used = stage(program("repaired"));
    let profile = Rc::new(quiet(&mut used).profile);
    let mut inherited = 0;
    for run in 1..120 {
        let ran = seeded(&mut used, 7, run, &profile);
        inherited += usize::from(ran.goals.iter().any(|goal| goal == "after(first)"));
        let text = ran.decisions.to_string();
        let parsed: Decisions = text.parse().expect("what is printed can be pasted");
        let again = used
            .run(&mut || Box::new(Replay::new(&parsed)))
            .expect("a replay");
        assert_eq!(again.hash, ran.hash, "run {run}: {text}");
        assert_eq!(again.counts.used, parsed.0.len(), "run {run}");
        if run % 40 == 0 {
            let fresh = seeded(&mut stage(program("repaired")), 7, run, &profile);
            assert_eq!(fresh.hash, ran.hash, "run {run}");
        }
    }
    assert_eq!(inherited, 1, "a goal is reached once");
}

/// The third leg comes after a second one that may not have begun.
#[test]
fn legs_may_follow_each_other() {
    let mut stage = stage(program("third"));
    let ran = quiet(&mut stage);
    assert_eq!(ran.violated(), Vec::<String>::new());
    assert_eq!(
        causes(&ran, Kind::Deliver).last(),
        Some(&"again/again/late")
    );
    let profile = Rc::new(ran.profile);
    let legs = |ran: &Ran| {
        ran.trace
            .events
            .iter()
            .filter(|event| event.kind == Kind::Deploy)
            .count()
    };
    assert!((1..60).all(|run| legs(&seeded(&mut stage, 8, run, &profile)) == 2));
}
