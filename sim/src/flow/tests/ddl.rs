//! Flows that change the schema beside live traffic.

use super::{quiet, seeded, stage};
use crate::check::Judging;
use crate::run::Ran;
use crate::scenario::{self, Program};
use crate::trace::{self, Kind};
use std::rc::Rc;

/// Payments, and a migration that adds a column and an index, then rebuilds another table as SQLite wants it done.
const MIGRATION: &str = "\
version: 1
name: migration
schema: |
  CREATE TABLE charge (buy TEXT NOT NULL, click TEXT NOT NULL);
  CREATE TABLE note (click TEXT, odd TEXT, words TEXT);
processes: { api: 2, admin: 1 }
flows:
  pay(buy):
    - sql: INSERT INTO charge (buy, click) VALUES (:buy, :event)
      catch: { constraint: [reply: { paid: 0 }, return] }
    - label: mark
      sql: UPDATE charge SET kind = 'card' WHERE click = :event
      catch:
        error:
          - sql: INSERT INTO note (click, words) VALUES (:event, :error)
    - reply: { paid: 1 }
  migrate():
    - sql: ALTER TABLE charge ADD COLUMN kind TEXT NOT NULL DEFAULT 'cash'
    - transaction:
        - sql: CREATE TABLE note_new (words TEXT, click TEXT)
        - sql: INSERT INTO note_new SELECT words, click FROM note
        - sql: DROP TABLE note
        - sql: ALTER TABLE note_new RENAME TO note
    - label: index
      sql: CREATE UNIQUE INDEX one_charge ON charge (buy)
      catch: { constraint: [effect: dirty] }
    - reply
events:
  - first: { on: api, send: pay, with: { buy: b1 } }
  - migration: { on: admin, send: migrate }
  - second: { on: api, send: pay, with: { buy: b1 } }
  - third: { on: api, send: pay, with: { buy: b2 }, at: 1s }
faults: { crash: { admin: 1, api: 1 } }
invariants:
  charged_once:
    per: buy
    never: SELECT buy FROM charge GROUP BY buy HAVING count(*) > 1
  paid_by_card:
    finally: SELECT click FROM charge WHERE kind IS NULL
  marked_as_read:
    history: SELECT key FROM change WHERE tab = 'charge' AND old ->> 'kind' = 'cash' AND new ->> 'kind' IS NOT 'card'
goals:
  indexed: SELECT 1 FROM sqlite_schema WHERE name = 'one_charge'
  marked: SELECT 1 FROM change WHERE old ->> 'kind' = 'cash' AND new ->> 'kind' = 'card'
variants: { bug: {} }
expect: { bug: { violates: charged_once } }
";

fn program() -> Program {
    let scenario = scenario::parse("x.yaml", MIGRATION).unwrap_or_else(|found| panic!("{found}"));
    scenario.variants[0].program.clone()
}

fn outcomes(ran: &Ran, site: &str) -> Vec<String> {
    let events = ran.trace.events.iter();
    let here = events.filter(|event| trace::arg_text(&event.arg).starts_with(site));
    here.map(|event| trace::outcome_text(&event.outcome))
        .collect()
}

#[test]
fn a_missing_column_is_sqlites_own_error_until_it_is_there() {
    let ran = quiet(&mut stage(program()));
    assert_eq!(ran.internal, None);
    assert_eq!(ran.violated(), Vec::<String>::new());
    let marks = outcomes(&ran, "mark");
    assert_eq!(
        marks.len(),
        2,
        "the second charge of b1 is refused: {marks:?}"
    );
    assert!(marks[0].contains("no such column: kind"), "{marks:?}");
    assert_eq!(marks[1], "1 row");
    // A change of the schema changes no row, whatever the connection did before.
    assert_eq!(outcomes(&ran, "sql one_charge"), Vec::<String>::new());
    assert_eq!(outcomes(&ran, "index"), ["0 rows"]);
    assert_eq!(ran.goals, ["indexed", "marked"]);
}

#[test]
fn nothing_of_a_new_schema_leaks_into_the_next_run() {
    let mut used = stage(program());
    let profile = Rc::new(quiet(&mut used).profile);
    let hashes: Vec<(u128, Vec<String>)> = (1..200)
        .map(|run| seeded(&mut used, 3, run, &profile))
        .map(|ran| (ran.hash, ran.violated()))
        .collect();
    for run in [1_u64, 5, 60, 61, 120, 199] {
        let ran = seeded(&mut stage(program()), 3, run, &profile);
        assert_eq!(
            (ran.hash, ran.violated()),
            hashes[run as usize - 1],
            "run {run}"
        );
    }
    assert!(
        hashes
            .iter()
            .any(|(_, violated)| *violated == ["charged_once"])
    );
}

#[test]
fn keyed_and_whole_judgement_agree_over_every_schema() {
    let mut stage = stage(program());
    let profile = Rc::new(quiet(&mut stage).profile);
    stage.judge(Judging::Twice);
    let mut broken = 0;
    for run in 1..300 {
        let ran = seeded(&mut stage, 4, run, &profile);
        let refused = ran
            .trace
            .events
            .iter()
            .any(|event| event.kind == Kind::Effect);
        assert!(!refused || ran.violated() == ["charged_once"], "run {run}");
        broken += u32::from(refused);
    }
    assert!(broken > 0, "some migration met two charges of one buy");
}
