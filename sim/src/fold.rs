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
        match value {
            Value::Null => self.0.update(&[0]),
            Value::Integer(n) => {
                self.0.update(&[1]);
                self.0.update(&n.to_le_bytes());
            }
            Value::Real(x) => {
                self.0.update(&[2]);
                self.number(x.to_bits());
            }
            Value::Text(text) => {
                self.0.update(&[3]);
                self.text(text);
            }
            Value::Blob(bytes) => {
                self.0.update(&[4]);
                self.number(bytes.len() as u64);
                self.0.update(bytes);
            }
        }
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

/// One value as a number.
pub(crate) fn bits_of(value: &Value) -> u64 {
    let mut fold = Fold::new();
    fold.value(value);
    fold.half()
}
