//! A variant that starts after another one: the programs of all legs of its runs, and what happens between two of them.

use std::rc::Rc;

use super::{FlowWorld, Shared, op};
use crate::label::Label;
use crate::run::{Handle, Kernel};
use crate::scenario::{Flow, Program, Step, StepKind};
use crate::trace::{Kind, Outcome};

/// Before the labels of events that are delivered again.
const AGAIN: &str = "again/";

/// The programs of a variant's legs, the first one first. Events of later legs have labels of their own.
pub(super) fn programs(program: Rc<Program>) -> Vec<Rc<Program>> {
    let Some(before) = program.before.clone() else {
        return vec![program];
    };
    let mut all = programs(before);
    let mut last = (*program).clone();
    for event in &mut last.events {
        event.label = format!("{}{}", AGAIN.repeat(all.len()), event.label);
    }
    all.push(Rc::new(last));
    all
}

impl FlowWorld {
    /// What is outside of the system lives on from one leg to the next. From now on this is what the state of the run is told by.
    pub(super) fn hand_over(&self, kernel: &Kernel, shared: &Rc<Shared>) {
        let before = self.last.replace(Some(Rc::clone(shared)));
        if let Some(before) = before.filter(|_| kernel.leg() > 0) {
            shared.resources.swap(&before.resources);
            shared.seen.swap(&before.seen);
        }
    }

    /// The repair, then the schema and the setup of this leg, as far as they concern the file of this connection.
    pub(super) fn prepare(&self, kernel: &Kernel, handle: &mut Handle) -> Result<(), String> {
        let program = &self.legs[kernel.leg()];
        for step in of_file(&program.repair, handle.file) {
            told(kernel, handle, "repair", step)?;
        }
        if handle.file == 0 && !program.schema.is_empty() {
            let done = handle.connection().execute_batch(&program.schema);
            let done = done.map_err(|error| format!("schema: {error}"));
            tell(kernel, "deploy", &Label::fixed("schema"), &done);
            done?;
        }
        for step in of_file(&program.setup, handle.file) {
            told(kernel, handle, "setup", step)?;
        }
        Ok(())
    }
}

/// The steps of a setup or a repair that are for this file.
pub(super) fn of_file(flow: &Flow, file: usize) -> impl Iterator<Item = &Step> {
    flow.steps.iter().filter(move |step| match &step.kind {
        StepKind::Sql { sql, .. } => sql.db.unwrap_or(0) == file,
        _ => file == 0,
    })
}

fn told(
    kernel: &Kernel,
    handle: &mut Handle,
    part: &'static str,
    step: &Step,
) -> Result<(), String> {
    let done = perform(handle, part, step);
    tell(kernel, part, &step.site, &done);
    done
}

fn tell(kernel: &Kernel, part: &'static str, site: &Label, done: &Result<(), String>) {
    let outcome = match done {
        Ok(()) => Outcome::Done,
        Err(words) => Outcome::Error(words.as_str().into()),
    };
    kernel.tell_of(&Label::fixed(part), Kind::Sql, site, outcome);
}

/// Performs a step of the setup or of a repair.
///
/// # Errors
/// In words, with the line of the step.
pub(super) fn perform(handle: &mut Handle, part: &str, step: &Step) -> Result<(), String> {
    let done = match &step.kind {
        StepKind::Sql { sql, .. } => handle
            .connection()
            .execute(&sql.text, [])
            .map(|_| ())
            .map_err(|error| error.to_string()),
        StepKind::Op { name, args, .. } => op::set_up(handle, name, args),
        _ => Err("only `sql` and `op` steps stand here".to_owned()),
    };
    done.map_err(|error| format!("{part}, line {}: {error}", step.at.line))
}
