//! Messages between actors: a request that may be lost, late or doubled, and its answer that may be lost.

use std::cell::RefCell;
use std::rc::Rc;

/// What a sender learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The handler replied.
    Reply(Rc<str>),
    /// The connection broke: the process is down, died, or ended without a reply. It may have happened.
    Broken,
}

/// Where the answer to a request arrives.
#[derive(Debug, Default)]
pub struct Mail {
    answer: RefCell<Option<Answer>>,
}

impl Mail {
    /// The answer, if it has arrived.
    pub fn get(&self) -> Option<Answer> {
        self.answer.borrow().clone()
    }

    /// Whether an answer has arrived.
    pub fn arrived(&self) -> bool {
        self.answer.borrow().is_some()
    }

    /// The first answer wins.
    pub(super) fn post(&self, answer: Answer) {
        self.answer.borrow_mut().get_or_insert(answer);
    }
}
