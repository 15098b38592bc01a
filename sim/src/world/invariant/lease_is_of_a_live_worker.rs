//! A lease is only given to a worker that is alive and whose build is in service.

use std::collections::BTreeMap;

use super::Found;
use crate::world::facts::Facts;
use crate::world::row::{self, build, lease, worker};

/// When a lease is granted, its worker is neither draining nor gone, and its build is not retired.
pub(super) fn judge(facts: &Facts<'_>, found: &mut Found) {
    let mut workers: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let mut builds: BTreeMap<&str, &str> = BTreeMap::new();
    for commit in &facts.commits {
        for (old, new) in commit.of(lease::TABLE) {
            let (None, Some(new)) = (old, new) else {
                continue;
            };
            let id = row::text(new, lease::WORKER);
            let (state, build) = workers.get(id).copied().unwrap_or(("unknown", ""));
            let served = builds.get(build).copied().unwrap_or("current");
            if state != "live" || served == "retired" {
                let session = row::text(new, 0);
                found.add(
                    session,
                    format!("session={session} worker={id} is={state} build={build} is={served}"),
                );
            }
        }
        for (_, new) in commit.of(worker::TABLE) {
            let Some(new) = new else { continue };
            let now = (row::text(new, worker::STATE), row::text(new, worker::BUILD));
            workers.insert(row::text(new, worker::ID), now);
        }
        for (_, new) in commit.of(build::TABLE) {
            let Some(new) = new else { continue };
            builds.insert(row::text(new, build::ID), row::text(new, build::STATE));
        }
    }
}
