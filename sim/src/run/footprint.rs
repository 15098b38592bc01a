//! What actors touch while they run. What is not named is [`Access::ANYTHING`], which meets everything.
//!
//! A message needs no name: it goes from one actor to one other, who waits for it and for nobody else.

use super::actor::Actor;
use super::process::Process;
use super::{Ctx, Kernel};
use crate::access::{self, Access, Touched};
use crate::disk::capture::Change;

/// Whether a process lives, stands still, and what its clock says.
pub(super) fn life(process: &Process) -> u64 {
    access::name("life", &[process.name.hash()])
}

impl Ctx {
    /// This actor touches something.
    pub fn touches(&self, access: impl FnOnce() -> Access) {
        self.kernel.touches(&self.actor, access);
    }

    /// Something that nothing names.
    pub fn touches_anything(&self) {
        self.touches(|| Access::ANYTHING);
    }
}

impl Kernel {
    /// The actor touches something.
    pub(super) fn touches(&self, actor: &Actor, access: impl FnOnce() -> Access) {
        if let Some(kept) = &self.kept {
            let mut touched = kept.touched.borrow_mut();
            touched.push((actor.cause.hash(), access()));
        }
    }

    /// The same of the running actor, if anybody runs.
    pub(crate) fn touched(&self, access: impl FnOnce() -> Access) {
        if let Some(actor) = self.current.borrow().as_ref() {
            self.touches(actor, access);
        }
    }

    /// The running actor has committed rows.
    pub(super) fn touched_rows(&self, changes: &[Change]) {
        if self.kept.is_some() {
            let rows = changes.iter();
            rows.for_each(|change| self.touched(|| Access::row(change)));
        }
    }

    /// What was touched since somebody has asked, by whom.
    pub(super) fn take_touched(&self) -> Touched {
        let kept = self.kept.as_ref();
        kept.map_or_else(Vec::new, |kept| kept.touched.take())
    }
}
