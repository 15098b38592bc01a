//! Streams of random bits: what is drawn for one run or at one point, a number for each.
//!
//! No two draws share a stream. Where they do they are one draw: a clock jump that struck only where a number was small, and
//! took its size from the same number, was a millisecond for as long as that stood so.

// Of a run.
pub(super) const SWITCHES: u64 = 1;
pub(super) const STRETCH: u64 = 2;
pub(super) const EXPLORE: u64 = 3;
pub(super) const DAWDLES: u64 = 4;
pub(super) const WALK: u64 = 5;
pub(super) const HOW_MANY: u64 = 6;
pub(super) const SWARM: u64 = 7;
pub(super) const INSIDE: u64 = 8;
pub(super) const PRIORITY: u64 = 9;
pub(super) const KEEPS: u64 = 10;
pub(super) const BESIDE: u64 = 11;
pub(super) const STRATEGY: u64 = 12;
pub(super) const PARENT: u64 = 13;
/// One for each of a few, from here on.
pub(super) const CHOSEN: u64 = 100;
/// One for each kind of fault, from here on.
pub(super) const KIND: u64 = 200;

// Of a point, or of what is drawn there.
pub(super) const SWITCH_TO: u64 = 20;
pub(super) const DAWDLE: u64 = 21;
pub(super) const PICK: u64 = 22;
pub(super) const MAY: u64 = 23;
pub(super) const AIMS: u64 = 24;
pub(super) const AIM: u64 = 25;
pub(super) const MOMENT: u64 = 26;
pub(super) const DURATION: u64 = 27;
pub(super) const SHAPE: u64 = 28;
pub(super) const ROUND: u64 = 29;
pub(super) const MAGNITUDE: u64 = 30;
pub(super) const SIZE: u64 = 31;
pub(super) const SIGN: u64 = 32;
pub(super) const PPM: u64 = 33;
pub(super) const HOURS: u64 = 34;
pub(super) const GATES: u64 = 35;
pub(super) const RESIZE: u64 = 36;
pub(super) const CLASS: u64 = 37;
pub(super) const DEPTH: u64 = 38;
pub(super) const SITE: u64 = 39;
pub(super) const FIRST: u64 = 40;
pub(super) const PASSAGE: u64 = 41;
/// One for each kind of fault, from here on.
pub(super) const STRIKE: u64 = 300;
/// One for each deviation of another run, from here on.
pub(super) const KEPT: u64 = 1000;
