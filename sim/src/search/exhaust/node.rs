//! The runs of an exhaustive search: each deviates once more than its parent, somewhere behind all of the parent's deviations.

use std::rc::Rc;

use crate::decide::{Act, Passed, Single};

/// A run: that of its parent, and one deviation behind all of the parent's. The quiet run has neither.
pub(super) struct Node(Option<Deviated>);

struct Deviated {
    parent: Rc<Node>,
    single: Single,
    /// If it was a switch.
    switched: Option<Rc<Switched>>,
}

/// Somebody goes on from a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departure {
    pub(super) state: u128,
    pub(super) actor: u64,
    /// Virtual time, milliseconds.
    pub(super) now_ms: u64,
}

/// The point of a switch.
struct Switched {
    state: Option<u128>,
    now_ms: u64,
    /// Who could have gone on there.
    could_go: Vec<u64>,
}

impl Node {
    /// The quiet run.
    pub(super) const fn quiet() -> Self {
        Self(None)
    }

    /// Its deviations, in their order.
    pub(super) fn plan(&self) -> Vec<Single> {
        let mut plan = Vec::new();
        let mut node = self;
        while let Some(deviated) = &node.0 {
            plan.push(deviated.single.clone());
            node = &deviated.parent;
        }
        plan.reverse();
        plan
    }

    /// Where its last deviation lets somebody go on, if it is a switch in a state that can be told.
    pub(super) fn departure(&self) -> Option<Departure> {
        let deviated = self.0.as_ref()?;
        let switched = deviated.switched.as_deref()?;
        match deviated.single.act {
            Act::Switch(actor) => Some(Departure {
                state: switched.state?,
                actor,
                now_ms: switched.now_ms,
            }),
            Act::Do(_) => None,
        }
    }

    pub(super) fn deviations(&self) -> u64 {
        self.0.as_ref().map_or(0, |it| 1 + it.parent.deviations())
    }

    /// Those who could have gone on at the last switch, if time stands still since.
    pub(super) fn could_go(&self, now_ms: u64) -> &[u64] {
        let switched = self.0.as_ref().and_then(|it| it.switched.as_deref());
        match switched {
            Some(switched) if switched.now_ms == now_ms => &switched.could_go,
            _ => &[],
        }
    }
}

/// The run that does something else than switch at a point of its parent.
pub(super) fn deviates(parent: &Rc<Node>, point: &Passed, act: Act) -> Rc<Node> {
    child(parent, point.key, act, None)
}

fn child(parent: &Rc<Node>, key: u64, act: Act, switched: Option<&Rc<Switched>>) -> Rc<Node> {
    Rc::new(Node(Some(Deviated {
        parent: Rc::clone(parent),
        single: Single { key, act },
        switched: switched.cloned(),
    })))
}

/// The runs that switch to these at a point of their parent.
pub(super) fn switches(parent: &Rc<Node>, point: &Passed, to: &[u64]) -> Vec<Rc<Node>> {
    let mut could_go = point.others.clone();
    could_go.push(point.chosen);
    let switched = Rc::new(Switched {
        state: point.state,
        now_ms: point.now_ms,
        could_go,
    });
    let node = |actor: &u64| child(parent, point.key, Act::Switch(*actor), Some(&switched));
    to.iter().map(node).collect()
}
