//! How large a fault is and how long things take, drawn so that they meet.

use super::{Profile, View, stream};
use crate::case::Deviation;
use crate::label::{below, mix};

/// A duration between two bounds: often the longest, often round, often such that it ends when something happens in the quiet run.
pub(super) fn duration(
    bits: u64,
    shortest: u64,
    longest: u64,
    profile: &Profile,
    view: &dyn View,
) -> u64 {
    let drawn = shortest + below(mix(bits, stream::DURATION), longest - shortest) + 1;
    let chosen = match below(mix(bits, stream::SHAPE), 8) {
        0 | 1 => longest,
        2 => round(mix(bits, stream::ROUND), drawn),
        3..6 => aim(mix(bits, stream::AIM), longest, profile, view).unwrap_or(drawn),
        _ => drawn,
    };
    chosen.clamp(shortest, longest)
}

/// So long that it ends when something happens in the quiet run, or a millisecond before or after.
pub(super) fn aim(bits: u64, longest: u64, profile: &Profile, view: &dyn View) -> Option<u64> {
    let now = view.now_ms();
    let ahead = profile.survey.moments_within(now, now + longest);
    let moment = ahead.get(below(bits, ahead.len() as u64) as usize)? - now;
    Some(match mix(bits, stream::MOMENT) & 3 {
        0 => moment.saturating_sub(1),
        1 => moment + 1,
        _ => moment,
    })
}

/// The step that stands here ends just after what is due next, if a step may take that long.
pub(super) fn dawdling(view: &dyn View) -> Option<Deviation> {
    let ms = view.next_timer_ms()?.checked_sub(view.now_ms())? + 1;
    (ms <= view.slowest_ms()).then_some(Deviation::Take(ms))
}

/// Cuts a duration to whole seconds, tens of seconds, minutes or more: what is due at the same time as something else is where
/// they meet, and deadlines are round.
fn round(bits: u64, ms: u64) -> u64 {
    let grains = [1_000, 10_000, 60_000, 600_000, 3_600_000].map(|grain| ms / grain * grain);
    let fine = grains.iter().filter(|cut| **cut > 0).count() as u64;
    match fine {
        0 => ms,
        n => grains[below(bits, n) as usize],
    }
}

/// Spreads a duration over all magnitudes up to the longest: short and long ones alike.
pub(super) fn spread(bits: u64, longest: u64) -> u64 {
    let magnitude = below(
        mix(bits, stream::MAGNITUDE),
        u64::from(64 - longest.leading_zeros()),
    ) + 1;
    let top = if magnitude >= 64 {
        u64::MAX
    } else {
        (1 << magnitude) - 1
    };
    1 + below(mix(bits, stream::SIZE), top.min(longest).max(1))
}

pub(super) fn signed(bits: u64, longest: u64) -> i64 {
    let amount = i64::try_from(spread(bits, longest)).unwrap_or(i64::MAX);
    if mix(bits, stream::SIGN) & 1 == 0 {
        amount
    } else {
        -amount
    }
}
