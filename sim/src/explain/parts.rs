//! Which decisions the case needs, and what else would do in their place.

use std::collections::BTreeSet;

use super::{Trials, Tried, amounts};
use crate::case::{Decisions, Deviation, Point};
use crate::run::Ran;

/// Takes each decision away, and of those that are needed tries others in their place.
pub(super) fn find(trials: &mut Trials<'_>, failing: &Ran) -> Result<Vec<Tried>, String> {
    let case = &failing.decisions;
    let causes = failing.trace.events.iter().map(|it| it.cause.as_str());
    let causes: BTreeSet<&str> = causes.collect();
    let mut all = Vec::new();
    for (point, deviation) in &case.0 {
        if (trials.stop)() {
            break;
        }
        let mut without = case.clone();
        without.0.remove(point);
        let ran = trials.run(&without)?;
        let mut tried = Tried {
            point: point.clone(),
            deviation: deviation.clone(),
            needed: !trials.target.is_in(&ran),
            amounts: None,
            others: Vec::new(),
        };
        if tried.needed {
            tried.amounts = amounts(trials, case, point, deviation)?;
            tried.others = others(trials, case, point, deviation, &causes)?;
        }
        all.push(tried);
    }
    Ok(all)
}

fn amounts(
    trials: &mut Trials<'_>,
    case: &Decisions,
    point: &Point,
    deviation: &Deviation,
) -> Result<Option<amounts::Amounts>, String> {
    let Some(amount) = deviation.amount() else {
        return Ok(None);
    };
    amounts::find(amount, &mut |other| {
        trials.fails_with(case, point, deviation.with_amount(other))
    })
}

/// Who else could go on, as far as anybody of them did anything in the failing run.
fn others(
    trials: &mut Trials<'_>,
    case: &Decisions,
    point: &Point,
    deviation: &Deviation,
    causes: &BTreeSet<&str>,
) -> Result<Vec<(String, bool)>, String> {
    let Deviation::Switch(to) = deviation else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    let others = causes.iter().filter(|other| *other != to);
    for other in others.take(MOST_OTHERS) {
        let switch = Deviation::Switch((*other).to_owned());
        if let Some(fails) = trials.fails_with(case, point, switch)? {
            all.push(((*other).to_owned(), fails));
        }
    }
    Ok(all)
}

impl Trials<'_> {
    /// Whether the case fails with another decision at a point; `None` when that cannot be carried out there.
    fn fails_with(
        &mut self,
        case: &Decisions,
        point: &Point,
        other: Deviation,
    ) -> Result<Option<bool>, String> {
        let mut edited = case.clone();
        edited.0.insert(point.clone(), other.clone());
        let ran = self.run(&edited)?;
        let done = ran.decisions.0.get(point) == Some(&other);
        Ok(done.then(|| self.target.is_in(&ran)))
    }
}

/// So many others are tried for one switch.
const MOST_OTHERS: usize = 24;
