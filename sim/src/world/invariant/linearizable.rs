//! What the store answered can be explained by doing its operations one after the other.

use std::rc::Rc;

use crate::check::linearizable::{Answer, Finding, Operation, check, operations};
use crate::run::Kernel;
use crate::trace::{self, Arg, Outcome};
use crate::world::StoreWorld;

pub(super) const NAME: &str = "linearizable";

/// Each operation took effect at one moment between its call and its return, and the model answers the same. A part of the
/// history that was too hard to search is neither right nor wrong: the run does not count. What came after a backup that was
/// put back is not judged: the model cannot go back.
pub(super) fn judge(kernel: &Kernel) {
    let found = {
        let trace = kernel.trace.borrow();
        let history = before_the_first_backup(kernel, operations(&trace));
        let findings = check(&StoreWorld::beginning(), &history).findings;
        let tell = |finding| tell(&history, finding);
        findings.into_iter().map(tell).collect::<Vec<_>>()
    };
    for (key, row) in found {
        match row {
            Some(row) => kernel.violated(NAME, &key, &row),
            None if kernel.violation_count() == 0 => {
                kernel.internal(format!("{NAME}: the search for {key} was given up"));
            }
            None => {}
        }
    }
}

fn before_the_first_backup<'t>(
    kernel: &Kernel,
    mut history: Vec<Operation<'t>>,
) -> Vec<Operation<'t>> {
    let Some(end) = kernel.undone().first().map(|undone| undone.start) else {
        return history;
    };
    history.retain(|operation| operation.from < end);
    for operation in &mut history {
        if operation.to.is_none_or(|to| to > end) {
            (operation.answer, operation.to) = (None, None);
        }
    }
    history
}

fn tell(history: &[Operation<'_>], finding: Finding) -> (String, Option<String>) {
    match finding {
        Finding::GaveUp { conversation } => (conversation, None),
        Finding::Misfit {
            conversation,
            operation,
            explained,
            model,
        } => {
            let misfit = &history[operation];
            let said = misfit.answer.map_or_else(|| "nothing".to_owned(), words);
            let row = format!(
                "op={} at={} said={said} model={} after={explained} others",
                trace::arg_text(&Arg::Op(Rc::new(misfit.call.clone()))),
                misfit.from,
                words(&model),
            );
            (conversation, Some(row))
        }
    }
}

fn words(answer: &Answer) -> String {
    trace::outcome_text(&Outcome::Op(Rc::new(answer.clone())))
}
