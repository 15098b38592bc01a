//! Many things folded into one number, of 128 bits so that no two that differ are ever taken for the same.

use rusqlite::types::Value;
use xxhash_rust::xxh3::Xxh3;

/// Takes in one thing after the other: the order counts, and so does where each thing ends.
pub struct Fold(Xxh3);

impl Fold {
    /// Nothing so far.
    pub(crate) fn new() -> Self {
        Self(Xxh3::new())
    }

    /// A number.
    pub fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    /// Yes or no.
    pub fn flag(&mut self, flag: bool) {
        self.0.update(&[u8::from(flag)]);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    /// A value of SQLite, with its type.
    pub fn value(&mut self, value: &Value) {
        hash_value(value, &mut self.0);
    }

    /// What another fold has come to, or several of them in any order.
    pub fn sum(&mut self, sum: u128) {
        self.0.update(&sum.to_le_bytes());
    }

    /// Something or nothing.
    pub fn option<T>(&mut self, option: Option<T>, some: impl FnOnce(&mut Self, T)) {
        self.flag(option.is_some());
        if let Some(thing) = option {
            some(self, thing);
        }
    }

    /// What it has come to.
    pub(crate) fn whole(&self) -> u128 {
        self.0.digest128()
    }

    /// The same in 64 bits.
    pub(crate) fn half(&self) -> u64 {
        self.0.digest()
    }

    pub(crate) fn hash(&mut self) -> &mut Xxh3 {
        &mut self.0
    }
}

/// Feeds a value, with its type, to a hash.
pub(crate) fn hash_value(value: &Value, hash: &mut Xxh3) {
    match value {
        Value::Null => hash.update(&[0]),
        Value::Integer(n) => {
            hash.update(&[1]);
            hash.update(&n.to_le_bytes());
        }
        Value::Real(x) => {
            hash.update(&[2]);
            hash.update(&x.to_bits().to_le_bytes());
        }
        Value::Text(text) => {
            hash.update(&[3]);
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        Value::Blob(bytes) => {
            hash.update(&[4]);
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
    }
}

/// One value as a number.
pub(crate) fn bits_of(value: &Value) -> u64 {
    let mut fold = Fold::new();
    fold.value(value);
    fold.half()
}
