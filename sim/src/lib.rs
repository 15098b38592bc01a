//! Lockstep: a deterministic simulation test harness for session stores, on real SQLite.
//!
//! The rooms, in the order in which a case passes them: [`scenario`] turns YAML into a program, [`case`] is the whole
//! input of a run, [`decide`] makes decisions, [`run`] carries them out on a simulated [`disk`], [`flow`] executes a
//! scenario's steps, [`trace`] is what happened, [`check`] judges it, [`search`] runs many, [`shrink`] makes a failure
//! small, [`explain`] finds out what it needs, [`suggest`] what
//! would cure it, [`report`] tells about it.

pub mod access;
pub mod case;
pub mod catalogue;
pub mod check;
pub mod decide;
pub mod disk;
pub mod exit;
pub mod explain;
pub mod fault;
pub mod fewer;
pub mod flow;
pub mod fold;
pub mod label;
pub mod ledger;
pub mod report;
mod role;
pub mod run;
pub mod scenario;
pub mod search;
pub mod shrink;
pub mod suggest;
pub mod trace;
pub mod world;

/// Keeps glibc from handing memory back and faulting it in again between runs, which costs a factor of two.
fn tame_allocator() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(disk::externs::tame_allocator);
}
