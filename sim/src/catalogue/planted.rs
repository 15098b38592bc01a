//! One planted bug, and what most of them are made of.

use crate::world::{Defect, Edit, Quirk};

/// A bug in the reference store or in a role of the default world.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// The bug.
    pub defect: Defect,
    /// Where such a bug was seen: project and number, or an incident of `docs/invariants.md`.
    pub source: &'static str,
    /// What has to come together in a run before it shows.
    pub needs: &'static [&'static str],
}

/// A bug in the store's statements.
pub(super) const fn in_sql(
    name: &'static str,
    edits: &'static [Edit],
    drops: &'static str,
    source: &'static str,
    needs: &'static [&'static str],
) -> Planted {
    Planted {
        defect: Defect::of_statements(name, edits, drops),
        source,
        needs,
    }
}

/// A bad habit of a role.
pub(super) const fn in_roles(
    name: &'static str,
    quirks: &'static [Quirk],
    source: &'static str,
    needs: &'static [&'static str],
) -> Planted {
    Planted {
        defect: Defect::of_roles(name, quirks),
        source,
        needs,
    }
}

/// The end of a turn gives up whatever lease the session has: without the fence in the other statements, this one would
/// tell the bug by a lease that nobody works under.
pub(super) const RELEASED_BY_SESSION: Edit =
    ("lease_release", " AND fence = :fence", " AND :fence >= 0");

/// Whoever comes with any fence writes into the turn that runs now.
pub(super) const ITEMS_BY_STATE: Edit = (
    "item_of_turn",
    " AND t.fence = :fence",
    " AND t.state = 'running' AND :fence > 0",
);

/// The same for messages.
pub(super) const SENDS_BY_STATE: Edit = (
    "send_of_turn",
    " AND t.fence = :fence",
    " AND t.state = 'running' AND :fence > 0",
);
