//! The catalogue of planted bugs: what the default world has to find.
//!
//! Each bug is one that was seen somewhere. The list was committed before any search was tuned to it. To add a bug: one entry
//! in the file of its family; `docs/catalogue.md` tells how long each hides.

mod buttons;
mod cache;
mod cancel;
mod clock;
mod dedup;
mod fencing;
mod lost_update;
mod migration;
mod outbox;
mod planted;
mod queue;
mod recovery;
mod restore;
mod resume;
mod retention;
mod session;

pub use planted::Planted;

/// Every family with its bugs, in the order of the table.
pub const FAMILIES: &[(&str, &[Planted])] = &[
    ("lost_update", lost_update::BUGS),
    ("fencing", fencing::BUGS),
    ("dedup", dedup::BUGS),
    ("clock", clock::BUGS),
    ("recovery", recovery::BUGS),
    ("migration", migration::BUGS),
    ("resume", resume::BUGS),
    ("buttons", buttons::BUGS),
    ("outbox", outbox::BUGS),
    ("cache", cache::BUGS),
    ("queue", queue::BUGS),
    ("session", session::BUGS),
    ("cancel", cancel::BUGS),
    ("restore", restore::BUGS),
    ("retention", retention::BUGS),
];

/// Every bug with its family.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Planted)> {
    FAMILIES
        .iter()
        .flat_map(|(family, bugs)| bugs.iter().map(move |bug| (*family, bug)))
}
