//! Events of a scenario that a case does without: what does not matter is not in the way of who reads it.

use std::rc::Rc;

use crate::decide::{Quiet, Replay};
use crate::flow::FlowWorld;
use crate::run::{Ran, Stage};
use crate::scenario::{Program, RuleKind};
use crate::shrink::{Target, events};

/// A case with fewer events.
#[derive(Debug)]
pub struct Fewer {
    /// Labels of the events that do not happen, in file order.
    pub absent: Vec<String>,
    /// The run without them: the same decisions, the same violation.
    pub ran: Ran,
}

impl Fewer {
    /// A case with all of its events.
    pub fn none(ran: Ran) -> Self {
        Self {
            absent: Vec::new(),
            ran,
        }
    }
}

/// Leaves out each event without which the same decisions violate the same, the last one first. `stop` is asked between runs.
///
/// What must happen *finally* may be missing because nobody did it: a case of such a rule keeps its events, and so does one that
/// fails by itself. In all others the quiet run without these events does not fail, so that it is still the decisions that do it.
///
/// # Errors
/// In words, when a stage cannot run.
pub fn fewer_events(
    program: &Program,
    ran: Ran,
    target: &Target,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Fewer, String> {
    let mut best = Fewer::none(ran);
    if best.ran.decisions.0.is_empty() || program.before.is_some() || !is_of_safety(program, target)
    {
        return Ok(best);
    }
    for event in program.events.iter().rev() {
        if stop() {
            break;
        }
        let mut absent = best.absent.clone();
        absent.insert(0, event.label.clone());
        if let Some(ran) = without(program, &absent, &best.ran, target)? {
            best = Fewer { absent, ran };
        }
    }
    Ok(best)
}

/// Whether it is violated by what happens, and not by what does not.
fn is_of_safety(program: &Program, target: &Target) -> bool {
    let mut rules = program.invariants.iter();
    let rule = rules.find(|rule| rule.name == target.invariant);
    rule.is_some_and(|rule| rule.kind != RuleKind::Finally)
}

/// The same decisions without these events, if they fail alike in a smaller run.
fn without(
    program: &Program,
    absent: &[String],
    before: &Ran,
    target: &Target,
) -> Result<Option<Ran>, String> {
    let mut program = program.clone();
    program.leave_out(absent);
    let mut stage = Stage::new(FlowWorld::new(Rc::new(program)))?;
    let ran = stage.run(&mut || Box::new(Replay::new(&before.decisions)))?;
    let all = ran.decisions == before.decisions && ran.internal.is_none();
    let smaller = events(&ran.trace) < events(&before.trace);
    if !all || !smaller || !target.is_in(&ran) {
        return Ok(None);
    }
    let quiet = stage.run(&mut || Box::<Quiet>::default())?;
    Ok((!target.is_in(&quiet)).then_some(ran))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::fewer_events;
    use crate::case::Decisions;
    use crate::decide::Replay;
    use crate::flow::FlowWorld;
    use crate::run::{Ran, Stage};
    use crate::scenario::{self, Program};
    use crate::shrink::Target;

    /// Two messages meet, a third one has nothing to do with it.
    fn program(rule: &str) -> Program {
        let text = format!(
            "version: 1
name: t
schema: CREATE TABLE t (id TEXT, user TEXT)
processes: {{ api: 2 }}
flows:
  open(user):
    - read: SELECT id FROM t WHERE user = :user
      none: [sql: \"INSERT INTO t VALUES (:event, :user)\"]
events:
  - bystander: {{ on: api.1, send: open, with: {{ user: v }} }}
  - one: {{ on: api.1, send: open, with: {{ user: u }}, after: bystander }}
  - two: {{ on: api.2, send: open, with: {{ user: u }}, after: bystander }}
invariants:
  one_row: {{ {rule}: SELECT user FROM t GROUP BY user HAVING count(*) > 1 }}
variants:
  bug: {{ expect: {{ violates: one_row }} }}
"
        );
        let scenario = scenario::parse("t.yaml", &text).expect("a scenario");
        scenario
            .variants
            .into_iter()
            .next()
            .expect("a variant")
            .program
    }

    fn case(program: &Program) -> Ran {
        let decisions: Decisions = "one @ sql t => switch two".parse().expect("decisions");
        let world = FlowWorld::new(Rc::new(program.clone()));
        let mut stage = Stage::new(world).expect("a stage");
        let ran = stage.run(&mut || Box::new(Replay::new(&decisions)));
        ran.expect("a run")
    }

    fn absent(rule: &str) -> Vec<String> {
        let program = program(rule);
        let ran = case(&program);
        let target = Target {
            invariant: "one_row".to_owned(),
            key: ran.violations[0].key.clone(),
        };
        let fewer = fewer_events(&program, ran, &target, &mut || false).expect("runs");
        assert!(target.is_in(&fewer.ran));
        fewer.absent
    }

    #[test]
    fn who_has_nothing_to_do_with_it_is_left_out() {
        assert_eq!(absent("never"), ["bystander"]);
    }

    /// What should happen in the end may be missing because nobody did it.
    #[test]
    fn a_rule_about_the_end_keeps_its_events() {
        assert!(absent("finally").is_empty());
    }
}
