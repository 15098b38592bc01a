//! Labels: causes and sites, with the hash that decisions are made of.

use std::fmt;
use std::rc::Rc;

/// A name with its hash. Causes name the delivery being handled, sites name the step.
///
/// Two labels are equal when their texts are; the hash is a pure function of the text, so a decision depends on
/// what happens and never on when in the run it happens.
#[derive(Clone)]
pub struct Label {
    text: Text,
    hash: u64,
}

#[derive(Clone)]
enum Text {
    Fixed(&'static str),
    Shared(Rc<str>),
}

impl Label {
    /// A label known at compile time; costs nothing at run time.
    pub const fn fixed(text: &'static str) -> Self {
        Self {
            text: Text::Fixed(text),
            hash: fnv(text.as_bytes()),
        }
    }

    /// A label made at run time.
    pub fn new(text: &str) -> Self {
        Self {
            text: Text::Shared(text.into()),
            hash: fnv(text.as_bytes()),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.text {
            Text::Fixed(text) => text,
            Text::Shared(text) => text,
        }
    }

    /// The hash of the text, the same on every machine.
    pub const fn hash(&self) -> u64 {
        self.hash
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.as_str() == other.as_str()
    }
}

impl Eq for Label {}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// FNV-1a, because it can run at compile time; `mix` makes up for its weak high bits.
pub(crate) const fn fnv(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    mix(hash, bytes.len() as u64)
}

/// Mixes two words into one whose every bit depends on every bit of both (the finaliser of SplitMix64).
pub const fn mix(a: u64, b: u64) -> u64 {
    let mut x = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Maps 64 random bits onto `0..n`; `n` must not be 0.
pub const fn below(bits: u64, n: u64) -> u64 {
    ((bits as u128 * n as u128) >> 64) as u64
}
