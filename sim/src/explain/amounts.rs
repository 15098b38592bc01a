//! Which other durations or numbers a decision could have had.

use super::Trials;
use crate::case::{Decisions, Deviation, Point};

/// What else would have done in the place of a duration or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// All that were tried: smaller and larger ones.
    Any,
    /// This and all larger ones that were tried; a smaller one does not.
    From(i64),
    /// This and all smaller ones that were tried; a larger one does not.
    UpTo(i64),
    /// Nearly none: both a smaller and a larger one do not.
    About(i64),
}

/// Tries smaller and larger ones. A bound is found by halving: what fails is taken to have one threshold.
pub(super) fn find(
    trials: &mut Trials<'_>,
    case: &Decisions,
    point: &Point,
    deviation: &Deviation,
) -> Result<Option<Amounts>, String> {
    let Some(amount) = deviation.amount().filter(|amount| *amount != 0) else {
        return Ok(None);
    };
    let (sign, size) = (amount.signum(), amount.unsigned_abs());
    let mut fails = |size: u64| {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let mut other = case.clone();
        other
            .0
            .insert(point.clone(), deviation.with_amount(sign * size));
        trials.fails(&other)
    };
    let (mut less, mut more) = (Vec::new(), Vec::new());
    for smaller in [1, size / 2, size - 1]
        .into_iter()
        .filter(|n| *n > 0 && *n < size)
    {
        less.extend(fails(smaller)?);
    }
    for larger in LARGER
        .map(|times| size.saturating_mul(times))
        .into_iter()
        .chain([size + 1])
    {
        more.extend(fails(larger)?);
    }
    let (less, more) = (
        less.iter().all(|fails| *fails),
        more.iter().all(|fails| *fails),
    );
    Ok(Some(match (less, more) {
        (true, true) => Amounts::Any,
        (false, true) => Amounts::From(sign * threshold(size, &mut fails)?),
        (true, false) => Amounts::UpTo(amount),
        (false, false) => Amounts::About(amount),
    }))
}

/// The smallest size that fails, when `size` does and 0 does not.
fn threshold(
    size: u64,
    fails: &mut dyn FnMut(u64) -> Result<Option<bool>, String>,
) -> Result<i64, String> {
    let (mut passes, mut known) = (0, size);
    while known - passes > 1 {
        let middle = u64::midpoint(passes, known);
        match fails(middle)? {
            Some(true) => known = middle,
            _ => passes = middle,
        }
    }
    Ok(i64::try_from(known).unwrap_or(i64::MAX))
}

/// How many times as large the larger ones are.
const LARGER: [u64; 3] = [2, 10, 100];
