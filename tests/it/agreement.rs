//! Judging: for the keys that a commit may concern, and whole, say the same, and neither changes what happens.

use std::rc::Rc;

use lockstep_sim::check::{Judging, Rule, Rules};
use lockstep_sim::decide::{Profile, Quiet};
use lockstep_sim::fault::Budget;
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::run::{Db, Handle, Kernel, Limits, Ran, SimClock, Stage, World};
use lockstep_sim::scenario::{self, RuleKind};
use lockstep_sim::search::of_seed;
use lockstep_sim::world::{SABOTEURS, StoreWorld};

use super::scenario_programs;

/// Run 1 of so many seeds, all judged so much.
fn runs(world: Rc<dyn World>, judging: Judging, seeds: u64) -> impl Iterator<Item = Ran> {
    let mut stage = Stage::new(world).expect("the stage is set");
    let quiet = stage
        .run(&mut || Box::<Quiet>::default())
        .expect("a quiet run");
    let profile: Rc<Profile> = Rc::new(quiet.profile);
    stage.judge(judging);
    (0..seeds).map(move |seed| {
        stage
            .run(&mut || of_seed(seed).strategy(&profile))
            .expect("a run")
    })
}

fn agree(name: &str, world: Rc<dyn World>, seeds: u64) {
    for (seed, ran) in runs(world, Judging::Twice, seeds).enumerate() {
        assert_eq!(ran.internal, None, "{name}, seed {seed}");
    }
}

#[test]
fn on_the_store() {
    agree("store", StoreWorld::new(), 300);
}

#[test]
fn on_what_is_wrong_with_the_store() {
    for saboteur in SABOTEURS {
        let world = StoreWorld::defective(saboteur.defect);
        agree(saboteur.defect.name, world, 30);
    }
}

#[test]
fn on_every_scenario() {
    for (name, program) in scenario_programs() {
        agree(&name, FlowWorld::new(Rc::new(program)), 20);
    }
}

#[test]
fn how_much_is_judged_changes_nothing_that_happens() {
    let [keyed, twice, off] = [Judging::Keyed, Judging::Twice, Judging::Off]
        .map(|judging| runs(StoreWorld::new(), judging, 40).collect::<Vec<_>>());
    for (seed, ran) in keyed.iter().enumerate() {
        assert_eq!(ran.hash, twice[seed].hash, "seed {seed}");
        assert_eq!(ran.hash, off[seed].hash, "seed {seed}");
    }
}

/// Two people, of whom each may be in one room; `mate` is the other's name, and also the key of a rule.
const ROOMS: &str = "
version: 1
name: rooms
source: { incident: none }
schema: |
  CREATE TABLE seat (id TEXT PRIMARY KEY, user TEXT NOT NULL, mate TEXT);
  CREATE TABLE note (id TEXT PRIMARY KEY, seat TEXT NOT NULL, user TEXT NOT NULL);
setup:
  - sql: INSERT INTO seat VALUES ('s1', 'ann', 'bob')
processes: { api: 2 }
flows:
  write(by):
    - new_id: note
    - sql: INSERT INTO note VALUES (:note, 's1', :by)
    - sql: DELETE FROM note WHERE id = :note
    - reply: { ok: ':note' }
events:
  - a: { on: api.1, send: write, with: { by: bob } }
invariants:
  RULE
variants: { bug: {} }
expect: { bug: { violates: written } }
";

/// In the middle of the run the rule has an offence, which is gone at its end: only the judgement of that commit sees it.
fn is_seen_at_once(rule: &str) {
    let text = ROOMS.replace("RULE", &format!("written: {rule}"));
    let scenario = scenario::parse("rooms.yaml", &text).unwrap_or_else(|words| panic!("{words}"));
    let program = Rc::new(scenario.variants[0].program.clone());
    let mut stage = Stage::new(FlowWorld::new(program)).expect("the stage is set");
    for judging in [Judging::Keyed, Judging::Twice] {
        stage.judge(judging);
        let ran = stage
            .run(&mut || Box::<Quiet>::default())
            .expect("a quiet run");
        assert_eq!(ran.internal, None, "{rule}");
        assert_eq!(ran.violated(), ["written"], "{rule}");
    }
}

#[test]
fn an_offence_whose_key_stands_elsewhere_is_seen_at_its_commit() {
    // The changed row has a column of the key's name, with another value than the offence's key.
    is_seen_at_once(
        "{ per: user, never: 'SELECT s.user FROM seat s WHERE EXISTS (SELECT 1 FROM note n WHERE n.seat = s.id AND n.user <> s.user)' }",
    );
    // The key is an alias of another column than the one of its name.
    is_seen_at_once("{ per: user, never: 'SELECT n.seat AS user FROM note n' }");
    // The changed table has no such column.
    is_seen_at_once(
        "{ per: mate, never: 'SELECT s.mate FROM seat s JOIN note n ON n.seat = s.id' }",
    );
    // An expression.
    is_seen_at_once("{ per: who, never: 'SELECT upper(user) AS who FROM note' }");
}

/// The store's world with a rule that never says the same twice.
struct Fickle(Rc<StoreWorld>);

impl World for Fickle {
    fn start_ms(&self) -> i64 {
        self.0.start_ms()
    }
    fn open(&self, connection: rusqlite::Connection, clock: SimClock) -> Result<Db, String> {
        self.0.open(connection, clock)
    }
    fn set_up(&self, handle: &mut Handle) -> Result<(), String> {
        self.0.set_up(handle)
    }
    fn build(&self, kernel: &Kernel) {
        self.0.build(kernel)
    }
    fn settled(&self, kernel: &Kernel) -> bool {
        self.0.settled(kernel)
    }
    fn budget(&self) -> Budget {
        self.0.budget()
    }
    fn limits(&self) -> Limits {
        self.0.limits()
    }
    fn rules(&self) -> Rules {
        let sql = "SELECT t.session_id, t.task_id FROM task t WHERE random() % 2 = 0";
        Rules {
            invariants: vec![Rule {
                name: "fickle".to_owned(),
                per: Some("session_id".to_owned()),
                kind: RuleKind::Never,
                sql: sql.to_owned(),
                place: String::new(),
            }],
            ..Rules::default()
        }
    }
    fn judge(&self, kernel: &Kernel) {
        self.0.judge(kernel)
    }
}

#[test]
fn a_disagreement_is_a_bug_in_lockstep() {
    let ran = runs(Rc::new(Fickle(StoreWorld::new())), Judging::Twice, 10);
    let told = ran.filter_map(|ran| ran.internal);
    let told: Vec<String> = told.collect();
    assert!(told.len() > 5, "{told:?}");
    assert!(
        told.iter().all(|words| words.contains("disagree")),
        "{told:?}"
    );
}
