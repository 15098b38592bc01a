//! Adequacy: what a sweep has put the world through, and how much it would still see for the first time.
//!
//! Three counts (faults and the sites they struck, roles at work; goals are counted by the sweep itself) and one estimate: the
//! chance that the next run shows an order of events that no run has shown. All of it is bounded in size, and parts of
//! a sweep may be added up in any order.

mod orders;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use orders::Orders;

use crate::fault::Fault;
use crate::label::{fnv, mix};
use crate::run::Ran;

/// A sweep of fewer runs is not judged: neither whether it reached every goal, nor whether anything was rare.
pub const JUDGED_FROM: u64 = 1000;

/// Sites of one fault that are told apart.
const MOST_SITES: usize = 256;

/// What the runs of a sweep were made of. Plain data: it crosses from one process to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adequacy {
    /// For each fault, the runs in which it struck at each site.
    pub sites: BTreeMap<String, BTreeMap<String, u64>>,
    /// Runs in which a process of each kind did anything.
    pub roles: BTreeMap<String, u64>,
    /// What followed what on the same thing.
    pub pairs: Orders,
    /// Whole runs, as sequences of steps.
    pub whole_runs: Orders,
}

impl Adequacy {
    /// Adds run `run` of this seed. No run may be added twice.
    pub fn take(&mut self, seed: u64, run: u64, ran: &Ran) {
        let struck: BTreeSet<(Fault, String)> = ran
            .strikes
            .iter()
            .map(|(fault, site)| (*fault, site_of(site.as_str())))
            .collect();
        for (fault, site) in struck {
            let sites = self.sites.entry(fault.name().to_owned()).or_default();
            *sites.entry(site).or_default() += 1;
            bound(sites);
        }
        let at_work = steps::roles(&ran.trace);
        for role in &ran.roles {
            let worked = u64::from(at_work.contains(role.as_str()));
            *self.roles.entry(role.as_str().to_owned()).or_default() += worked;
        }
        let me = mix(seed, run);
        let seen = steps::read(ran);
        self.whole_runs.add(me, seen.sequence);
        seen.pairs.iter().for_each(|pair| self.pairs.add(me, *pair));
    }

    /// Adds what another part of the sweep saw.
    pub fn absorb(&mut self, other: Self) {
        for (fault, others) in other.sites {
            let sites = self.sites.entry(fault).or_default();
            for (site, runs) in others {
                *sites.entry(site).or_default() += runs;
            }
            bound(sites);
        }
        for (role, runs) in other.roles {
            *self.roles.entry(role).or_default() += runs;
        }
        self.pairs.absorb(other.pairs);
        self.whole_runs.absorb(other.whole_runs);
    }
}

/// What a run shows: what followed what on the same thing, as hashes.
pub(super) fn shown(ran: &Ran) -> BTreeSet<u64> {
    steps::read(ran).pairs
}

/// A site without what tells one instance from another: numbers, and what only separates them.
fn site_of(label: &str) -> String {
    let words = label.split(' ').map(|word| {
        let plain = word.trim_matches(|c: char| c.is_ascii_digit());
        let bare = plain.split(|c: char| c.is_ascii_digit() || "#~+".contains(c));
        let bare: String = bare.collect();
        bare.trim_matches(['.', ':', '/']).to_owned()
    });
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Keeps the sites with the smallest hashes. Which those are, and how often they were struck, does not depend on the order
/// in which parts are added: a site that is among the smallest of all was so in every part.
fn bound(sites: &mut BTreeMap<String, u64>) {
    while sites.len() > MOST_SITES {
        let last = sites.keys().max_by_key(|site| mix(fnv(site.as_bytes()), 0));
        let last = last.cloned();
        last.and_then(|site| sites.remove(&site));
    }
}

#[cfg(test)]
mod tests {
    use super::site_of;

    #[test]
    fn a_site_has_no_instances() {
        for (label, site) in [
            ("xWrite wal", "xWrite wal"),
            ("op complete", "op complete"),
            ("start worker.2#1", "start worker"),
            (
                "send alice.msg#12/redelivery#3",
                "send alice.msg/redelivery",
            ),
            ("task:bob.msg#1 4 by worker.2#1/1", "task:bob.msg by worker"),
            ("reply sent", "reply sent"),
        ] {
            assert_eq!(site_of(label), site);
        }
    }
}
