//! What a run needs to know of the world that it runs.

use super::clock::SimClock;
use super::handle::{Db, Handle};
use super::{Kernel, Limits, Remembered};
use crate::check::Rules;
use crate::fault::Budget;
use crate::fold::Fold;

/// A world that can be run: a scenario's program or the default world.
pub trait World {
    /// Where virtual time starts, Unix milliseconds.
    fn start_ms(&self) -> i64;
    /// Opens a connection of the world on the disk.
    ///
    /// # Errors
    /// In words, when the database cannot be opened or migrated.
    fn open(&self, connection: rusqlite::Connection, clock: SimClock) -> Result<Db, String>;
    /// Names of further database files, each with tables of its own: in that order they are the files 1, 2 and so on.
    fn databases(&self) -> &[String] {
        &[]
    }
    /// Opens a connection to a further file.
    ///
    /// # Errors
    /// In words, when it cannot be opened.
    fn open_further(&self, _connection: rusqlite::Connection) -> Result<Db, String> {
        Err("this world has one database".to_owned())
    }
    /// Fills a database before the first run. Called once for each file, on its first handle.
    ///
    /// # Errors
    /// In words, when a statement fails.
    fn set_up(&self, handle: &mut Handle) -> Result<(), String>;
    /// Adds processes and first actors of a leg. Called at the start of each run, and of each later leg.
    fn build(&self, kernel: &Kernel);
    /// How many legs a run has: between two of them everything is deployed anew.
    fn legs(&self) -> usize {
        1
    }
    /// What a leg after the first one is, in the words of the trace.
    fn leg_name(&self, _leg: usize) -> String {
        "everything is deployed anew".to_owned()
    }
    /// The name of a version of the code, where there are several.
    fn version(&self, _code: usize) -> Option<&str> {
        None
    }
    /// Prepares a database for a leg after the first one, while nothing runs. Called for each file.
    ///
    /// # Errors
    /// In words, when it cannot be prepared: the leg does not begin.
    fn deploy(&self, _kernel: &Kernel, _handle: &mut Handle) -> Result<(), String> {
        Ok(())
    }
    /// Whether all that the world owes is done, so that the phase can end.
    fn settled(&self, kernel: &Kernel) -> bool;
    /// What may go wrong in a run.
    fn budget(&self) -> Budget;
    /// What of the history its rules look at; `None` if it cannot tell the state that it keeps itself.
    fn remembered(&self) -> Option<Remembered> {
        None
    }
    /// What the world keeps beside the database, of processes and outside.
    fn fold(&self, _into: &mut Fold) {}
    /// How long a run may last.
    fn limits(&self) -> Limits;
    /// What must hold, and what must be reached.
    fn rules(&self) -> Rules;
    /// Called once when a run is over, before its last judgement: violations that only the world can know.
    fn judge(&self, kernel: &Kernel);
}
