//! Refactors that give things other names.

use lockstep_sim::case::Decisions;
use lockstep_sim::label::Label;
use lockstep_sim::scenario::{Program, Step};

use super::steps::{each_flow, each_leg, each_step};

/// Each local variable, with the steps and ids that are called after them.
pub(crate) fn variables(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        each_flow(program, &mut |_, flow| {
            let locals = flow.locals.clone();
            flow.locals
                .iter_mut()
                .for_each(|name| name.push_str("_of_it"));
            each_step(&mut flow.steps, &mut |step| {
                called_after(step, &["set", "new_id", "choose"], &locals);
            });
        });
        true
    })
}

/// Each flow, with the steps and causes that are called after them.
pub(crate) fn flows(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        let flows = program.versions[0].flows.iter();
        let names: Vec<String> = flows.map(|flow| flow.name.clone()).collect();
        each_flow(program, &mut |_, flow| {
            flow.name.push_str("_of_it");
            each_step(&mut flow.steps, &mut |step| {
                called_after(step, &["call", "spawn", "request"], &names);
            });
        });
        true
    })
}

fn called_after(step: &mut Step, verbs: &[&str], names: &[String]) {
    let called = |verb: &&str| {
        names
            .iter()
            .any(|name| step.site.as_str() == format!("{verb} {name}"))
    };
    if verbs.iter().any(called) {
        step.site = Label::new(&format!("{}_of_it", step.site));
    }
}

/// Each step, as if each had got a label.
pub(crate) fn steps(program: &mut Program, _: &Decisions) -> bool {
    rename_steps(program, &|_| true)
}

/// The step at which the case deviates first.
pub(crate) fn one_step(program: &mut Program, case: &Decisions) -> bool {
    let sites: Vec<&str> = case.0.keys().map(|point| point.site.as_str()).collect();
    let Some(site) = sites.into_iter().find(|site| is_step(program, site)) else {
        return false;
    };
    rename_steps(program, &|step| step.site.as_str() == site)
}

fn is_step(program: &Program, site: &str) -> bool {
    rename_steps(&mut program.clone(), &|step| step.site.as_str() == site)
}

fn rename_steps(program: &mut Program, these: &dyn Fn(&Step) -> bool) -> bool {
    let mut found = false;
    each_leg(program, &mut |program| {
        each_flow(program, &mut |_, flow| {
            each_step(&mut flow.steps, &mut |step| {
                if these(step) {
                    found = true;
                    // An id is called after the last word of the step that makes it: what it is called is told elsewhere.
                    step.site = Label::new(&format!("new {}", step.site));
                }
            });
        });
        true
    });
    found
}

/// Each kind of process. Not where a rule or a statement names one.
pub(crate) fn processes(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        let texts = texts(program);
        let named = |name: &str| texts.iter().any(|text| text.contains(&format!("'{name}")));
        let free = !program.processes.iter().any(|process| named(&process.name));
        if free {
            let processes = program.processes.iter_mut();
            processes.for_each(|process| process.name.push_str("_of_it"));
        }
        free
    })
}

/// Each event. Not where a rule or a statement names one.
pub(crate) fn events(program: &mut Program, _: &Decisions) -> bool {
    each_leg(program, &mut |program| {
        let texts = texts(program);
        let named = |name: &str| texts.iter().any(|text| text.contains(name));
        let free = !program
            .events
            .iter()
            .any(|event| named(&format!("'{}", event.label)));
        if free {
            let events = program.events.iter_mut();
            events.for_each(|event| event.label.push_str("_of_it"));
        }
        free
    })
}

/// Everything that is SQL, with what events hand over.
fn texts(program: &Program) -> Vec<String> {
    let rules = program.invariants.iter().map(|rule| rule.sql.clone());
    let goals = program.goals.iter().map(|goal| goal.sql.clone());
    let versions = program
        .versions
        .iter()
        .map(|version| format!("{version:?}"));
    rules.chain(goals).chain(versions).collect()
}
