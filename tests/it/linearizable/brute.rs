//! The same question answered without any cleverness: all orders that the calls and returns permit, each indefinite
//! operation in or out, on the whole model.

use lockstep_sim::check::linearizable::Spec;
use lockstep_store::{Error, Op, Store};

use super::made::Made;

/// Whether some order explains all answers.
pub(super) fn is_linearizable(start: &Spec, made: &[Made]) -> bool {
    let without_effect = |made: &&Made| match made.answer {
        Some(Err(Error::Busy)) => true,
        _ => is_indefinite(made) && (made.readings.is_empty() || made.call.op.only_reads()),
    };
    let made: Vec<&Made> = made
        .iter()
        .filter(|made| !without_effect(made) && !matches!(made.call.op, Op::Verify { .. }))
        .collect();
    let mut left: Vec<usize> = (0..made.len()).collect();
    explains(start, &made, &mut left)
}

fn is_indefinite(made: &Made) -> bool {
    matches!(made.answer, None | Some(Err(Error::Unknown { .. })))
}

fn explains(model: &Spec, made: &[&Made], left: &mut Vec<usize>) -> bool {
    if left.iter().all(|index| is_indefinite(made[*index])) {
        return true;
    }
    for at in 0..left.len() {
        let next = made[left[at]];
        let comes_first = |other: &usize| {
            let other = made[*other];
            !is_indefinite(other) && other.to.is_some_and(|to| to < next.from)
        };
        if left.iter().any(comes_first) {
            continue;
        }
        let mut after = model.clone();
        after
            .clock()
            .set(next.readings.last().map_or(0, |reading| reading.at_ms));
        let answer = after.apply(&next.call);
        let agrees = match is_indefinite(next) {
            true => answer.is_ok(),
            false => Some(&answer) == next.answer.as_ref(),
        };
        if agrees {
            let index = left.remove(at);
            let found = explains(&after, made, left);
            left.insert(at, index);
            if found {
                return true;
            }
        }
    }
    false
}
