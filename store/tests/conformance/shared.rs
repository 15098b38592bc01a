//! Stores in memory that several connections share, for the kit.

use lockstep_store::conformance::{Database, Factory, Pause};
use lockstep_store::model::Model;
use lockstep_store::{Call, Error, ManualClock, Reply, Store};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) type Memory = Model<Arc<ManualClock>>;

/// What all connections see.
pub(crate) struct Base {
    pub(crate) model: Mutex<Memory>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Base {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(1_000_000));
        Self {
            model: Mutex::new(Model::new(clock.clone())),
            clock,
        }
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Memory> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The model, right.
pub(crate) struct Shared;

impl Factory for Shared {
    fn fresh(&self) -> Box<dyn Database> {
        Box::new(Base::new())
    }
}

impl Database for Base {
    fn open(&self, pause: Pause) -> Result<Box<dyn Store + '_>, Error> {
        Ok(Box::new(Whole { base: self, pause }))
    }

    fn kill(&self) {}

    fn advance(&self, by_ms: i64) {
        self.clock.advance(by_ms);
    }
}

/// One step for each operation.
struct Whole<'b> {
    base: &'b Base,
    pause: Pause,
}

impl Store for Whole<'_> {
    fn apply(&mut self, call: &Call) -> Result<Reply, Error> {
        self.pause.point();
        self.base.model().apply(call)
    }
}
