//! The smallest runs that there are: the yardstick of shrunk cases.

use std::collections::BTreeMap;

use super::Plan;
use super::exhaust::{Bounds, every};
use crate::run::{Ran, Stage};
use crate::shrink::{Target, events};

/// How large a case is: its deviations, then its events.
pub type Size = (usize, usize);

/// How large a run is.
pub fn size(ran: &Ran) -> Size {
    (ran.decisions.0.len(), events(&ran.trace))
}

/// The smallest run for each thing that any run violates.
#[derive(Debug)]
pub struct Smallest {
    sizes: BTreeMap<Target, Size>,
    /// Every run with so many deviations was tried, if any number was.
    done: Option<u64>,
}

/// Tries every run with up to so many deviations between steps, with nothing left out, as long as `most` runs are enough.
///
/// # Errors
/// In words, when the stage cannot run.
pub fn smallest(stage: &mut Stage, deviations: usize, most: u64) -> Result<Smallest, String> {
    let bounds = Bounds {
        deviations: deviations as u64,
        by_state: false,
        independence: false,
    };
    let plan = Plan {
        seed: 0,
        runs: most,
        expect: None,
    };
    let mut sizes: BTreeMap<Target, Size> = BTreeMap::new();
    let tried = every(stage, &plan, bounds, &mut |ran| {
        for violation in &ran.violations {
            let target = Target {
                invariant: violation.invariant.clone(),
                key: violation.key.clone(),
            };
            let size = size(ran);
            let known = sizes.entry(target).or_insert(size);
            *known = size.min(*known);
        }
    })?;
    let exhausted = tried.exhausted.unwrap_or_default();
    let done = match exhausted.complete {
        true => Some(u64::MAX),
        false => exhausted.deviations,
    };
    Ok(Smallest { sizes, done })
}

impl Smallest {
    /// The smallest size for what a case of this size shows, its own if there is nothing smaller; `None` where too few runs were
    /// tried to tell.
    pub fn up_to(&self, target: &Target, size: Size) -> Option<Size> {
        let is_done = |deviations: usize| self.done >= Some(deviations as u64);
        let known = self.sizes.get(target).copied();
        // What was seen with fewer deviations is smaller, whatever else was not tried.
        let known = known.filter(|known| known.0 < size.0 || is_done(known.0));
        match known {
            Some(known) => Some(known.min(size)),
            None => is_done(size.0).then_some(size),
        }
    }
}
