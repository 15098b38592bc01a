//! Where a run would come to that need not be made, because two steps that do not meet come to the same state in both orders.
//!
//! From a state, one actor goes on and then another. If what they touch does not meet, the other one could have gone on first, and
//! the two would have closed a diamond. Where the fourth side of a diamond ends is known as soon as three are: nobody has to go
//! there. That is what sleep sets know as well (Godefroid, LNCS 1032, chapter 5); told by states, it asks nothing of the order in
//! which a search comes to them.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::access::Access;
use crate::decide::Passed;

/// What an actor does from one state to the next at which somebody else could go on.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    /// The state that it comes to.
    pub(super) to: u128,
    /// Who goes on there by itself.
    pub(super) chosen: u64,
    /// What it touches.
    touched: Rc<[Access]>,
    /// Nothing but going on with somebody else can be done there.
    plain: bool,
    /// Nothing can be timed differently there.
    calm: bool,
    /// Nobody has gone there: it follows from others.
    follows: bool,
}

impl Leg {
    /// What was touched on the way to a point; `None` where its state cannot be told.
    pub(super) fn to(point: &Passed, touched: &[(u64, Access)]) -> Option<Self> {
        let touched = touched.iter().map(|(_, access)| access.clone());
        Some(Self {
            to: point.state?,
            chosen: point.chosen,
            touched: touched.collect(),
            plain: point.plain,
            calm: point.calm,
            follows: false,
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        let ids = |leg: &Self| leg.touched.iter().map(|it| it.id).collect::<Vec<_>>();
        ids(self) == ids(other)
    }
}

/// All legs that are known.
#[derive(Debug, Default)]
pub(super) struct Diamonds {
    /// By state and actor.
    legs: BTreeMap<(u128, u64), Leg>,
    /// Which legs come to a state.
    into: BTreeMap<u128, Vec<(u128, u64)>>,
}

impl Diamonds {
    /// An actor has gone on from a state, or would.
    pub(super) fn learn(&mut self, from: u128, actor: u64, leg: Leg) {
        let into = self.into.entry(leg.to).or_default();
        if self.legs.insert((from, actor), leg).is_none() {
            into.push((from, actor));
        }
    }

    /// Steps meet that did not: what followed from others may not follow.
    pub(super) fn forget(&mut self) {
        self.legs.retain(|_, leg| !leg.follows);
        let legs = &self.legs;
        self.into
            .values_mut()
            .for_each(|into| into.retain(|leg| legs.contains_key(leg)));
    }

    /// Where an actor would come to from a state, if three sides of diamonds say so. `meet` says whether steps do.
    pub(super) fn predict(
        &mut self,
        from: u128,
        actor: u64,
        meet: &mut dyn FnMut(&[Access], &[Access]) -> bool,
    ) -> Option<Leg> {
        self.close(from, actor, meet, FARTHEST)
    }

    /// The same, so many legs back at most. What it comes to know on the way is kept.
    fn close(
        &mut self,
        from: u128,
        actor: u64,
        meet: &mut dyn FnMut(&[Access], &[Access]) -> bool,
        back: usize,
    ) -> Option<Leg> {
        if let Some(known) = self.legs.get(&(from, actor)) {
            return Some(known.clone());
        }
        let into = self.into.get(&from)?.clone();
        for (base, other) in into.into_iter().filter(|(_, other)| *other != actor) {
            let Some(back) = back.checked_sub(1) else {
                break;
            };
            let Some(own) = self.close(base, actor, meet, back) else {
                continue;
            };
            let first = self.legs.get(&(base, other));
            let (Some(first), Some(then)) = (first, self.legs.get(&(own.to, other))) else {
                continue;
            };
            let closes = own.plain && then.calm && first.is_same(then);
            if closes && !meet(&own.touched, &then.touched) {
                let (to, calm) = (then.to, then.calm);
                let leg = Leg {
                    to,
                    calm,
                    follows: true,
                    ..own
                };
                self.learn(from, actor, leg.clone());
                return Some(leg);
            }
        }
        None
    }
}

/// Diamonds are closed side by side over at most so many legs.
const FARTHEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::{Diamonds, Leg};
    use crate::access::Access;
    use crate::decide::Passed;

    /// A step that touches one thing and comes to a state.
    fn leg(to: u128, thing: u64) -> Leg {
        let point = Passed {
            key: 1,
            chosen: 7,
            others: Vec::new(),
            deviations: Vec::new(),
            plain: true,
            calm: true,
            ended: Vec::new(),
            awaiting: Vec::new(),
            state: Some(to),
            now_ms: 0,
            touched: Vec::new(),
        };
        Leg::to(&point, &[(7, Access::thing(thing, true))]).expect("its state is told")
    }

    fn meet(one: &[Access], other: &[Access]) -> bool {
        one.iter()
            .any(|it| other.iter().any(|other| it.id == other.id))
    }

    /// From state 1, actors 1 and 2 go to 10 and 20, and from 10 actor 2 goes to 12; they touch these things.
    fn three_sides(one: u64, other: u64, other_then: u64) -> Diamonds {
        let mut diamonds = Diamonds::default();
        diamonds.learn(1, 1, leg(10, one));
        diamonds.learn(1, 2, leg(20, other));
        diamonds.learn(10, 2, leg(12, other_then));
        diamonds
    }

    fn fourth(mut diamonds: Diamonds) -> Option<u128> {
        diamonds.predict(20, 1, &mut meet).map(|leg| leg.to)
    }

    #[test]
    fn three_sides_tell_the_fourth_unless_the_steps_meet() {
        assert_eq!(fourth(three_sides(5, 6, 6)), Some(12));
        assert_eq!(fourth(three_sides(5, 5, 5)), None);
        // What the second does depends on the first.
        assert_eq!(fourth(three_sides(5, 6, 8)), None);
    }

    #[test]
    fn diamonds_are_closed_side_by_side() {
        let mut diamonds = three_sides(5, 6, 6);
        diamonds.learn(20, 2, leg(21, 9));
        diamonds.learn(12, 2, leg(13, 9));
        assert_eq!(
            diamonds.predict(21, 1, &mut meet).map(|leg| leg.to),
            Some(13)
        );
        diamonds.forget();
        let all_meet = &mut |_: &[Access], _: &[Access]| true;
        assert!(diamonds.predict(21, 1, all_meet).is_none());
    }
}
