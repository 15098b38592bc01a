//! What a step touches: what it looks at and what it changes, so that a search can tell whose steps do not meet.

use std::rc::Rc;

use rusqlite::types::Value;

use crate::disk::capture::Change;
use crate::fold::Fold;

/// One thing that a step touches, with a number that no other has.
#[derive(Debug, Clone)]
pub struct Access {
    /// Its number.
    pub id: u128,
    /// What it is.
    pub what: What,
}

/// What actors have touched, each with its cause (hash).
pub type Touched = Vec<(u64, Access)>;

/// What a step can touch.
#[derive(Debug, Clone)]
pub enum What {
    /// Nobody knows what.
    Anything,
    /// Something with a name (its hash), to look at it or to change it.
    Thing {
        /// The hash.
        name: u64,
        /// It may be different afterwards.
        changes: bool,
    },
    /// The answer to a request (the hash of its cause), which somebody gives, or no longer waits for.
    Answer {
        /// The hash.
        to: u64,
        /// It is given.
        given: bool,
    },
    /// The rows that a statement finds, or would find if they were there. What it changes are rows of their own.
    Statement(Rc<Statement>),
    /// A row as it was and as it is.
    Row(Rc<Change>),
}

/// A statement with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its text.
    pub text: String,
    /// Its values, in the order of SQLite's parameter numbers.
    pub values: Vec<Value>,
}

impl Access {
    /// Nobody knows what.
    pub(crate) const ANYTHING: Self = Self {
        id: 0,
        what: What::Anything,
    };

    /// Something that has a name.
    pub(crate) fn thing(name: u64, changes: bool) -> Self {
        let mut fold = Fold::new();
        fold.text("thing");
        fold.number(name);
        fold.flag(changes);
        let id = fold.whole();
        let what = What::Thing { name, changes };
        Self { id, what }
    }

    /// The answer to a request is given, or nobody waits for it any more.
    pub(crate) fn answer(to: u64, given: bool) -> Self {
        let mut fold = Fold::new();
        fold.text("answer");
        fold.number(to);
        fold.flag(given);
        let id = fold.whole();
        let what = What::Answer { to, given };
        Self { id, what }
    }

    /// What a statement finds; of one that does more than look at rows and change them nobody knows.
    pub(crate) fn statement(text: &str, values: &[Value]) -> Self {
        let verb = text.trim_start().split(|c: char| !c.is_alphabetic()).next();
        let verb = verb.unwrap_or_default().to_ascii_uppercase();
        if !["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE"].contains(&verb.as_str()) {
            return Self::ANYTHING;
        }
        let mut fold = Fold::new();
        fold.text(text);
        values.iter().for_each(|value| fold.value(value));
        let id = fold.whole();
        let (text, values) = (text.to_owned(), values.to_vec());
        let what = What::Statement(Rc::new(Statement { text, values }));
        Self { id, what }
    }

    pub(crate) fn row(change: &Change) -> Self {
        let mut fold = Fold::new();
        fold.text("row");
        fold.text(&change.table);
        for image in [&change.old, &change.new] {
            fold.option(image.as_ref(), |fold, image| {
                image.iter().for_each(|value| fold.value(value))
            });
        }
        let id = fold.whole();
        let what = What::Row(Rc::new(change.clone()));
        Self { id, what }
    }
}

/// The name of a thing that several parts name.
pub(crate) fn name(kind: &str, parts: &[u64]) -> u64 {
    let mut fold = Fold::new();
    fold.text(kind);
    parts.iter().for_each(|part| fold.number(*part));
    fold.half()
}
