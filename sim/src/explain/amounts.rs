//! Which other durations or numbers a decision could have had.

/// What else would have done in the place of a duration or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// All that were tried: smaller and larger ones.
    Any,
    /// This and all larger ones that were tried; a smaller one does not.
    From(i64),
    /// This and all smaller ones that were tried; a larger one does not.
    UpTo(i64),
    /// What lies between the two; both a smaller and a larger one do not.
    Between(i64, i64),
}

/// Tells whether the case fails with another amount; `None` when that cannot be.
pub(super) type Fails<'a> = &'a mut dyn FnMut(i64) -> Result<Option<bool>, String>;

/// Tries smaller and larger ones than `amount`, with which it fails. Bounds are found by halving, between what fails and the nearest
/// that does not. `None` if it is 0.
pub(super) fn find(amount: i64, fails: Fails<'_>) -> Result<Option<Amounts>, String> {
    if amount == 0 {
        return Ok(None);
    }
    let (sign, size) = (amount.signum(), amount.unsigned_abs());
    let mut fails = |size: u64| fails(sign * i64::try_from(size).unwrap_or(i64::MAX));
    let smaller = [size - 1, size - size / 4].into_iter();
    let smaller = smaller.chain(PARTS.map(|part| size / part)).chain([1]);
    let less = nearest(smaller.filter(|n| *n > 0 && *n < size), &mut fails)?;
    let larger = LARGER.map(|times| size.saturating_mul(times) / 2);
    let more = nearest([size + 1].into_iter().chain(larger), &mut fails)?;
    let mut bound = |passes: u64| threshold(passes, size, &mut fails).map(|size| sign * size);
    Ok(Some(match (less, more) {
        (None, None) => Amounts::Any,
        (Some(less), None) => Amounts::From(bound(less)?),
        (None, Some(more)) => Amounts::UpTo(bound(more)?),
        (Some(less), Some(more)) => Amounts::Between(bound(less)?, bound(more)?),
    }))
}

/// The first of these sizes with which it does not fail.
fn nearest(
    sizes: impl Iterator<Item = u64>,
    fails: &mut dyn FnMut(u64) -> Result<Option<bool>, String>,
) -> Result<Option<u64>, String> {
    for size in sizes {
        if fails(size)? == Some(false) {
            return Ok(Some(size));
        }
    }
    Ok(None)
}

/// The last size that fails on the way from `fails_at` to `passes`, as if there were one threshold between them.
fn threshold(
    mut passes: u64,
    mut fails_at: u64,
    fails: &mut dyn FnMut(u64) -> Result<Option<bool>, String>,
) -> Result<i64, String> {
    while fails_at.abs_diff(passes) > 1 {
        let middle = u64::midpoint(passes, fails_at);
        match fails(middle)? {
            Some(true) => fails_at = middle,
            _ => passes = middle,
        }
    }
    Ok(i64::try_from(fails_at).unwrap_or(i64::MAX))
}

/// Which parts of it the smaller ones are.
const PARTS: [u64; 6] = [2, 3, 4, 8, 16, 64];

/// How many times half of it the larger ones are.
const LARGER: [u64; 9] = [3, 4, 5, 6, 8, 12, 20, 60, 200];
