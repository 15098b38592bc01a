//! Statements that could ask one condition more.

use std::collections::BTreeSet;

use super::Repair;
use super::condition::{Condition, Origin, conditions, fits};
use super::statement::Statement;
use super::steps::{Spot, given, sql_of, visit};
use crate::scenario::{Flow, Program, Step, Var};

/// Each statement with each condition that fits it.
pub(super) fn guards(program: &Program, flows: &[(usize, &Flow)]) -> Vec<Repair> {
    let conditions = conditions(program);
    // What one process remembers is nothing to another one.
    let processes = program.processes.iter();
    let remembering = processes.filter(|process| !process.memory.is_empty());
    let shares_memory = remembering.count() <= 1;
    let mut found = Vec::new();
    for (flow, body) in flows {
        let mut before = Before {
            steps: Vec::new(),
            vars: (0..body.params).map(Var::Local).collect(),
        };
        visit(&body.steps, &mut |step| {
            let asks = asks(step, &conditions).into_iter().filter(|asks| {
                asks.flow.is_none_or(|of| of == *flow)
                    && before.knows(asks)
                    && (shares_memory || !remembers(asks))
            });
            found.extend(asks.map(|asks| Repair::Guard {
                flow: *flow,
                step: Spot::of(step),
                asks: asks.clone(),
            }));
            before.passes(step);
        });
    }
    let mut known = BTreeSet::new();
    found.retain(|repair| match repair {
        Repair::Guard { flow, step, asks } => {
            let at = (step.at, step.site.clone());
            known.insert((*flow, at, asks.sql.clone()))
        }
        _ => true,
    });
    found.sort_by_key(|repair| match repair {
        Repair::Guard { asks, .. } => asks.origin,
        _ => Origin::AsRead,
    });
    found
}

/// What stands before a step of its flow.
struct Before {
    steps: Vec<Spot>,
    /// Variables that have a value.
    vars: Vec<Var>,
}

impl Before {
    fn passes(&mut self, step: &Step) {
        self.steps.push(Spot::of(step));
        self.vars.extend(given(step));
    }

    /// Whether what a condition compares with is known there.
    fn knows(&self, condition: &Condition) -> bool {
        let mut vars = condition.vars.iter().map(|(_, var)| var);
        let has_value = |var: &Var| !matches!(var, Var::Local(_)) || self.vars.contains(var);
        let read = condition.read.as_ref();
        vars.all(has_value) && read.is_none_or(|read| self.steps.contains(read))
    }
}

/// What a step's statement could also ask.
fn asks<'a>(step: &Step, conditions: &'a [Condition]) -> Vec<&'a Condition> {
    let sql = sql_of(step);
    let Some(statement) = sql.and_then(|sql| Statement::of(&sql.text)) else {
        return Vec::new();
    };
    let asked = statement.conjuncts();
    let fitting = conditions.iter();
    fitting
        .filter(|condition| fits(condition, &statement, &asked))
        .collect()
}

fn remembers(condition: &Condition) -> bool {
    let mut vars = condition.vars.iter();
    vars.any(|(_, var)| matches!(var, Var::Memory(_)))
}
