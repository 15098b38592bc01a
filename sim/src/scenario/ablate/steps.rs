//! Steps of a flow against those of the file's own: which are new, which changed, and the flow with some of them dropped.

use super::super::fields::as_steps;
use super::super::node::{Entry, Kind, Node};
use super::{Knife, shape};

/// What a step is, against the steps that the file has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// One of them: its position among them.
    Same(usize),
    /// Stands for one of them.
    Changed(usize),
    /// None of them, nor anything inside of it.
    New,
    /// None of them, but around some.
    Around,
}

/// The steps of one patch or flow. They are numbered from top to bottom, those inside of a step after it.
pub(super) struct Body<'n> {
    flow: &'n str,
    of: &'n str,
    old: Vec<&'n Node>,
    plans: Vec<Plan>,
    first: usize,
    at: usize,
    /// The only step on top is no part of its own.
    pub(super) alone: bool,
}

/// The step with this label, wherever it stands.
pub(super) fn labelled(steps: &[Node], label: &str) -> Option<Node> {
    let all = flat(steps);
    let found = all
        .into_iter()
        .find(|step| step.get("label").and_then(Node::scalar) == Some(label));
    found.cloned()
}

/// Every step, those inside of one after it.
fn flat(steps: &[Node]) -> Vec<&Node> {
    let mut found = Vec::new();
    for step in steps {
        found.push(step);
        let inside = shape::bodies(step).into_iter().map(as_steps);
        found.extend(inside.flat_map(flat));
    }
    found
}

impl<'n> Body<'n> {
    /// Compares. `of` is the part that all of it belongs to, `first` is how many steps of the flow came before.
    pub(super) fn new(
        flow: &'n str,
        of: &'n str,
        old: &'n [Node],
        new: &[Node],
        first: usize,
    ) -> Self {
        let old = flat(old);
        let new = flat(new);
        Self {
            flow,
            of,
            plans: plans(&old, &new),
            old,
            first,
            at: 0,
            alone: false,
        }
    }

    /// How many steps of the flow came so far.
    pub(super) fn next(&self) -> usize {
        self.first + self.plans.len()
    }

    /// The steps without those that are dropped.
    pub(super) fn cut(&mut self, knife: &mut Knife<'_>, new: &[Node]) -> Vec<Node> {
        let of = self.of.to_owned();
        self.list(knife, new, &of, self.alone)
    }

    fn list(&mut self, knife: &mut Knife<'_>, new: &[Node], of: &str, alone: bool) -> Vec<Node> {
        let mut left = Vec::new();
        for step in new {
            left.extend(self.step(knife, step, of, alone));
        }
        left
    }

    fn step(&mut self, knife: &mut Knife<'_>, step: &Node, of: &str, alone: bool) -> Vec<Node> {
        let plan = self.plans.get(self.at).copied().unwrap_or(Plan::New);
        self.at += 1;
        let name = format!("{} step {}", self.flow, self.first + self.at);
        let is_part = !alone && !matches!(plan, Plan::Same(_));
        let dropped = is_part && knife.part(&name, Some(of), (step.start, step.end));
        // What is inside of a new step goes with it.
        let inner = if is_part && plan == Plan::New {
            &name
        } else {
            of
        };
        let kept = self.inside(knife, step, plan, &name, inner);
        match plan {
            _ if !dropped => vec![kept],
            Plan::Changed(old) => vec![self.reverted(old, &kept)],
            Plan::Around => shape::around(step)
                .and_then(|body| kept.get(body))
                .map_or(Vec::new(), |body| as_steps(body).to_vec()),
            Plan::New | Plan::Same(_) => Vec::new(),
        }
    }

    /// The step that stood there before, around what stands inside now.
    fn reverted(&self, old: usize, kept: &Node) -> Node {
        let Some(old) = self.old.get(old) else {
            return kept.clone();
        };
        let (Some(before), Some(now)) = (old.entries(), kept.entries()) else {
            return (*old).clone();
        };
        if shape::head(old) != shape::head(kept) {
            return (*old).clone();
        }
        let stays =
            |entry: &&Entry| !shape::is_own(kept, entry.name()) || shape::is_body(entry.name());
        let own =
            |entry: &&Entry| shape::is_own(old, entry.name()) && !shape::is_body(entry.name());
        let entries = before.iter().filter(own).chain(now.iter().filter(stays));
        let entries = entries.cloned().collect();
        map(kept, entries)
    }

    /// The step with its bodies cut, without the guards that are dropped.
    fn inside(
        &mut self,
        knife: &mut Knife<'_>,
        step: &Node,
        plan: Plan,
        name: &str,
        of: &str,
    ) -> Node {
        let Some(entries) = step.entries() else {
            return step.clone();
        };
        let old = match plan {
            Plan::Same(old) | Plan::Changed(old) => self.old.get(old).copied(),
            Plan::New | Plan::Around => None,
        };
        let mut gone: Vec<&str> = Vec::new();
        let mut left: Vec<(&Entry, Node)> = Vec::new();
        for entry in entries {
            let key = entry.name();
            if key == "catch" {
                let before = old.and_then(|old| old.get(key));
                left.push((entry, self.catch(knife, &entry.value, before, name, of)));
                continue;
            }
            let guard = shape::guard(step, key).filter(|guard| is_new(step, guard, old));
            let own = format!("{name} {}", guard.unwrap_or(key));
            if guard == Some(key) && knife.entry(&own, Some(of), entry) {
                gone.push(key);
            }
            let value = match (shape::is_body(key), guard) {
                (false, _) => entry.value.clone(),
                (true, None) => self.body(knife, &entry.value, of, false),
                (true, Some(_)) => self.body(knife, &entry.value, &own, true),
            };
            left.push((entry, value));
        }
        let entries = left.into_iter().filter_map(|(entry, value)| {
            let guard = shape::guard(step, entry.name());
            if guard.is_none_or(|guard| !gone.contains(&guard)) {
                return Some(with_value(entry, value));
            }
            let before = old.and_then(|old| old.get(entry.name()));
            before.map(|before| with_value(entry, before.clone()))
        });
        map(step, entries.collect())
    }

    /// Each class of errors that is caught is a guard of its own.
    fn catch(
        &mut self,
        knife: &mut Knife<'_>,
        catch: &Node,
        old: Option<&Node>,
        name: &str,
        of: &str,
    ) -> Node {
        let mut left = Vec::new();
        for class in catch.entries().unwrap_or(&[]) {
            let before = old.and_then(|old| old.get(class.name()));
            let own = format!("{name} catch {}", class.name());
            let is_part = before.map(shape::whole) != Some(shape::whole(&class.value));
            let dropped = is_part && knife.entry(&own, Some(of), class);
            let value = self.body(
                knife,
                &class.value,
                if is_part { &own } else { of },
                is_part,
            );
            match dropped {
                true => left.extend(before.map(|before| with_value(class, before.clone()))),
                false => left.push(with_value(class, value)),
            }
        }
        map(catch, left)
    }

    /// A body; the only step of one that belongs to a guard is no part beside the guard.
    fn body(&mut self, knife: &mut Knife<'_>, value: &Node, of: &str, guards: bool) -> Node {
        let steps = as_steps(value).to_vec();
        let alone = guards && steps.len() == 1;
        let kind = Kind::List(self.list(knife, &steps, of, alone));
        Node { kind, ..*value }
    }
}

/// A mapping in the place of a node.
fn map(place: &Node, entries: Vec<Entry>) -> Node {
    let kind = Kind::Map {
        entries,
        flow: false,
    };
    Node { kind, ..*place }
}

/// Whether the step has a guard that the other does not have, or not like this.
fn is_new(step: &Node, guard: &str, old: Option<&Node>) -> bool {
    let keys: &[&str] = if guard == "rows" {
        &["rows", "else"]
    } else {
        &[guard]
    };
    let text = |node: Option<&Node>, key| node.and_then(|node| node.get(key)).map(shape::whole);
    keys.iter()
        .any(|key| text(old, key) != text(Some(step), key))
}

fn with_value(entry: &Entry, value: Node) -> Entry {
    Entry {
        key: entry.key.clone(),
        value,
    }
}

/// Pairs equal steps first, then those with one label, then those about the same thing, each in file order.
fn plans(old: &[&Node], new: &[&Node]) -> Vec<Plan> {
    let mut plans = vec![Plan::New; new.len()];
    let mut taken = vec![false; old.len()];
    let label = |step: &Node| step.get("label").and_then(Node::scalar).map(str::to_owned);
    let equal = |old: &Node, new: &Node| shape::own(old) == shape::own(new);
    let named = |old: &Node, new: &Node| label(old).is_some() && label(old) == label(new);
    let about = |old: &Node, new: &Node| shape::head(old) == shape::head(new);
    let mut pair = |alike: &dyn Fn(&Node, &Node) -> bool, plan: fn(usize) -> Plan| {
        for (n, step) in new.iter().enumerate() {
            let mut free = (0..old.len()).filter(|o| !taken[*o] && alike(old[*o], step));
            if plans[n] == Plan::New
                && let Some(o) = free.next()
            {
                taken[o] = true;
                plans[n] = plan(o);
            }
        }
    };
    pair(&equal, Plan::Same);
    pair(&named, Plan::Changed);
    pair(&about, Plan::Changed);
    for (n, step) in new.iter().enumerate() {
        let inside = flat(std::slice::from_ref(*step)).len() - 1;
        let known = plans[n + 1..=n + inside]
            .iter()
            .any(|plan| *plan != Plan::New);
        if plans[n] == Plan::New && known && shape::around(step).is_some() {
            plans[n] = Plan::Around;
        }
    }
    plans
}
