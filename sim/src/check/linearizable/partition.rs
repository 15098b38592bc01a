//! Which operations belong to the same conversation: those that are tied by a name that they have in common.
//!
//! Two keys that were linked, an event that was delivered to two chats, a native token that was brought to two sessions:
//! whatever could let one conversation feel the other makes them one. So what is left apart depends on nothing of the
//! others but the builds, edges and workers, and how much of a limit the others used up.

use std::collections::{BTreeMap, BTreeSet};

use lockstep_store::Op;

use super::Operation;
use super::names::{Account, Name, Reach, names, ordered_in, reach};

/// The conversations of a history.
pub(super) struct Partition<'t> {
    numbers: BTreeMap<Name<'t>, usize>,
    parents: Vec<usize>,
    /// The part of each number that stands for its conversation; `None` for all other numbers.
    parts: Vec<Option<usize>>,
    count: usize,
}

impl<'t> Partition<'t> {
    /// Of a history.
    pub(super) fn of(history: &[Operation<'t>]) -> Self {
        let mut partition = Self {
            numbers: BTreeMap::new(),
            parents: Vec::new(),
            parts: Vec::new(),
            count: 0,
        };
        let ordered: BTreeSet<Account<'_>> = history.iter().filter_map(declared).collect();
        for operation in history
            .iter()
            .filter(|operation| reach(&operation.call.op) == Reach::One)
        {
            let mut names = names(operation.call);
            let account =
                ordered_in(&operation.call.op).filter(|account| ordered.contains(account));
            names.extend(account.map(Name::Account));
            partition.unite(&names);
        }
        partition.settle();
        partition
    }

    /// Of a history that is not to be taken apart.
    pub(super) fn whole() -> Self {
        Self {
            numbers: BTreeMap::new(),
            parents: Vec::new(),
            parts: Vec::new(),
            count: 1,
        }
    }

    fn number(&mut self, name: Name<'t>) -> usize {
        let fresh = self.parents.len();
        let number = *self.numbers.entry(name).or_insert(fresh);
        if number == fresh {
            self.parents.push(fresh);
        }
        number
    }

    fn root(&self, mut number: usize) -> usize {
        while self.parents[number] != number {
            number = self.parents[number];
        }
        number
    }

    fn unite(&mut self, names: &[Name<'t>]) {
        let mut first = None;
        for name in names {
            let number = self.number(*name);
            let root = self.root(number);
            // Paths stay short: what was passed now hangs at the top.
            self.parents[number] = root;
            match first {
                None => first = Some(root),
                Some(first) => self.parents[root] = first,
            }
        }
    }

    fn settle(&mut self) {
        self.parts = vec![None; self.parents.len()];
        for number in 0..self.parents.len() {
            let root = self.root(number);
            self.parents[number] = root;
            if self.parts[root].is_none() {
                self.parts[root] = Some(self.count);
                self.count += 1;
            }
        }
    }

    /// How many conversations there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The part that a name belongs to; `None` when no call names it.
    pub(super) fn part(&self, name: Name<'_>) -> Option<usize> {
        let number = *self.numbers.get(&name)?;
        self.parts[self.parents[number]]
    }

    /// How a part is called: after its first conversation, or whatever else it has. What comes after the last belongs to
    /// no conversation.
    pub(super) fn name(&self, part: usize) -> String {
        let mut names = self.numbers.keys();
        let of_part = names.find(|name| self.part(**name) == Some(part));
        of_part.map_or_else(|| "registry".to_owned(), Name::text)
    }
}

fn declared<'t>(operation: &Operation<'t>) -> Option<Account<'t>> {
    match &operation.call.op {
        Op::OrderedIds {
            tenant,
            channel,
            account,
            ..
        } => Some([tenant, channel, account]),
        _ => None,
    }
}
