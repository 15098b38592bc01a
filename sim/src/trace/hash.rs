//! The hash of a trace: equal for runs in which the same happened, and in the same order.

use std::fmt::Write as _;

use xxhash_rust::xxh3::Xxh3;

use super::{Arg, Event, Outcome, Trace};
use crate::fold::hash_value;

impl Trace {
    /// Feeds the whole trace, returned rows, errors and changed rows included, to a hash.
    pub fn hash_into(&self, hash: &mut Xxh3) {
        for event in &self.events {
            hash_event(event, hash);
        }
        for committed in &self.changes {
            hash.update(&committed.n.to_le_bytes());
            hash.update(committed.change.table.as_bytes());
            for image in [&committed.change.old, &committed.change.new] {
                hash.update(&[u8::from(image.is_some())]);
                image
                    .iter()
                    .flatten()
                    .for_each(|value| hash_value(value, hash));
            }
        }
    }
}

fn hash_event(event: &Event, hash: &mut Xxh3) {
    hash.update(&event.n.to_le_bytes());
    hash.update(&event.end.unwrap_or(0).to_le_bytes());
    hash.update(&event.at_us.to_le_bytes());
    event_but_its_place(event, hash);
}

/// An outcome as a number.
pub(crate) fn of_outcome(outcome: &Outcome) -> u64 {
    let mut hash = Xxh3::new();
    hash_outcome(outcome, &mut hash);
    hash.digest()
}

/// An event without its position and its time.
pub(crate) fn event_but_its_place(event: &Event, hash: &mut Xxh3) {
    hash.update(&event.cause.hash().to_le_bytes());
    if let Some((process, incarnation)) = &event.process {
        hash.update(&process.hash().to_le_bytes());
        hash.update(&incarnation.to_le_bytes());
    }
    hash.update(&[event.kind as u8]);
    match &event.arg {
        Arg::Text(text) => hash.update(text.as_bytes()),
        Arg::Word(word) => hash.update(word.as_bytes()),
        Arg::Bound(site, values) => {
            hash.update(&site.hash().to_le_bytes());
            values.iter().for_each(|value| hash_value(value, hash));
        }
        Arg::Op(call) => hash_debug(call, hash),
    }
    hash_outcome(&event.outcome, hash);
}

fn hash_outcome(outcome: &Outcome, hash: &mut Xxh3) {
    match outcome {
        Outcome::Open => hash.update(&[0]),
        Outcome::Done => hash.update(&[1]),
        Outcome::Text(text) => {
            hash.update(&[2]);
            hash.update(text.as_bytes());
        }
        Outcome::Row(row) => {
            hash.update(&[3, u8::from(row.is_some())]);
            row.iter()
                .flatten()
                .for_each(|value| hash_value(value, hash));
        }
        Outcome::Count(count) => hash.update(&count.to_le_bytes()),
        Outcome::Error(text) => {
            hash.update(&[5]);
            hash.update(text.as_bytes());
        }
        Outcome::Op(result) => hash_debug(result, hash),
    }
}

/// Hashes the debug form without building it: operations and replies are plain data whose debug form shows every field.
fn hash_debug(value: &impl std::fmt::Debug, hash: &mut Xxh3) {
    struct Into<'a>(&'a mut Xxh3);
    impl std::fmt::Write for Into<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.update(text.as_bytes());
            Ok(())
        }
    }
    let _ = write!(Into(hash), "{value:?}");
}
