//! What the store answered can be explained by doing its operations one after the other.

use std::rc::Rc;

use crate::check::linearizable::{Answer, Finding, Operation, Undone, check, lives, operations};
use crate::run::Kernel;
use crate::trace::{self, Arg, Outcome};
use crate::world::StoreWorld;

pub(super) const NAME: &str = "linearizable";

/// Each operation took effect at one moment between its call and its return, and the model answers the same. A part of the
/// history that was too hard to search is neither right nor wrong: the run is undecided. After a backup was put back, the
/// store goes on from what was done before the backup.
pub(super) fn judge(kernel: &Kernel) {
    let found = {
        let trace = kernel.trace.borrow();
        let gaps = kernel.undone().into_iter().map(|undone| Undone {
            backup: undone.start,
            restore: undone.end,
        });
        let lives = lives(&operations(&trace), &gaps.collect::<Vec<_>>());
        lives
            .iter()
            .flat_map(|life| tell_all(life))
            .collect::<Vec<_>>()
    };
    for (key, row) in found {
        match row {
            Some(row) => kernel.violated(NAME, &key, &row),
            None => kernel.undecided(format!("{NAME}: the search for {key} was given up")),
        }
    }
}

fn tell_all(history: &[Operation<'_>]) -> Vec<(String, Option<String>)> {
    let findings = check(&StoreWorld::beginning(), history).findings;
    let told = findings.into_iter().map(|finding| tell(history, finding));
    told.collect()
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
