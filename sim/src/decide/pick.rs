//! Draws out of a list, by the hash of a run.

use super::{Choice, stream};
use crate::label::{below, mix};

/// A strategy, each as likely as it weighs.
pub(crate) fn weighted(run: u64, members: &[(Choice, u64)]) -> Choice {
    let total: u64 = members.iter().map(|(_, weight)| weight).sum();
    let mut left = below(mix(run, stream::STRATEGY), total.max(1));
    for (choice, weight) in members {
        if left < *weight {
            return *choice;
        }
        left -= weight;
    }
    Choice::Random
}

/// A parent, every other time one of the newest.
pub(crate) fn parent<T>(run: u64, of: &[T]) -> Option<&T> {
    let bits = mix(run, stream::PARENT);
    let from = match bits & 1 {
        0 => of.len().saturating_sub(NEWEST),
        _ => 0,
    };
    let of = of.get(from..)?;
    of.get(below(bits, of.len() as u64) as usize)
}

const NEWEST: usize = 16;
