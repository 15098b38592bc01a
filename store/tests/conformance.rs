//! The kit against the reference store, against the model, and against stores that are weak on purpose.

#[path = "mutants/mutant.rs"]
mod mutant;
#[path = "conformance/shared.rs"]
mod shared;
#[path = "conformance/weak.rs"]
mod weak;

use lockstep_store::conformance::{self, Capability, Conformance, Database, Factory, Pause};
use lockstep_store::{Error, ManualClock, SqliteStore, Store};
use rusqlite::Connection;
use shared::Shared;
use std::sync::Arc;
use tempfile::TempDir;

/// SQLite files in folders of their own.
struct Files;

struct InFile {
    folder: TempDir,
    clock: Arc<ManualClock>,
}

impl Factory for Files {
    fn fresh(&self) -> Box<dyn Database> {
        Box::new(InFile {
            folder: TempDir::new().expect("a folder"),
            clock: Arc::new(ManualClock::at(1_000_000)),
        })
    }
}

impl Database for InFile {
    fn open(&self, pause: Pause) -> Result<Box<dyn Store + '_>, Error> {
        let conn = Connection::open(self.folder.path().join("store.db")).expect("opens");
        let statements = mutant::statements().pausing(pause);
        let store = SqliteStore::from_connection_with(conn, self.clock.clone(), statements)?;
        mutant::mutate_trigger(store.connection());
        // No machine dies here, only processes: their files need no fsync.
        let off = store.connection().pragma_update(None, "synchronous", "OFF");
        off.expect("a pragma");
        Ok(Box::new(store))
    }

    fn kill(&self) {}

    fn advance(&self, by_ms: i64) {
        self.clock.advance(by_ms);
    }
}

fn broken(conformance: &Conformance) -> Vec<Capability> {
    assert!(!conformance.findings.is_empty());
    conformance.broken()
}

#[test]
fn the_reference_store_passes() {
    let conformance = conformance::check(&Files);
    assert!(conformance.is_full(), "{conformance}");
}

#[test]
fn the_model_passes() {
    let conformance = conformance::check(&Shared);
    assert!(conformance.is_full(), "{conformance}");
}

#[test]
fn a_store_that_reads_changes_and_writes_back_fails_beside_others() {
    let conformance = conformance::check(&weak::ReadModifyWrite);
    assert_eq!(
        broken(&conformance),
        [Capability::Concurrency],
        "{conformance}"
    );
}

#[test]
fn a_store_without_fences_lets_the_dead_speak() {
    let conformance = conformance::check(&weak::NoFence);
    assert_eq!(broken(&conformance), [Capability::Fencing], "{conformance}");
}

#[test]
fn a_store_that_remembers_events_in_memory_forgets_them_with_its_process() {
    let conformance = conformance::check(&weak::DedupInMemory);
    assert_eq!(broken(&conformance), [Capability::Crashes], "{conformance}");
}

#[test]
fn a_store_that_lacks_operations_is_not_broken() {
    let conformance = conformance::check(&weak::WithoutPrompts);
    assert!(broken(&conformance).is_empty(), "{conformance}");
    assert!(!conformance.is_full());
}

#[test]
fn a_store_that_panics_is_not_taken_for_one_that_was_killed() {
    let checked = std::panic::catch_unwind(|| conformance::check(&weak::PanicsElsewhere));
    let why = checked.expect_err("the panic goes on");
    let why = why.downcast_ref::<String>().expect("words");
    assert!(why.contains("far from home"), "{why}");
}
