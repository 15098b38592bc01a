//! A second database file beside the one that everybody uses.

use std::rc::Rc;

use super::clock::SimClock;
use super::ctx::Ctx;
use super::death::unwind;
use super::handle::Handle;
use crate::disk::Conn;
use crate::disk::capture::Capture;
use crate::label::Label;

impl Ctx {
    /// Uses a second database file, which is created and migrated as the first one is, on a connection that is closed
    /// afterwards. Gates and death are those of [`Ctx::with_db`]; what is committed there is neither judged nor recorded.
    /// The file is gone at the end of the run.
    ///
    /// # Errors
    /// In words, when it cannot be opened.
    pub fn with_second_database<T>(
        &self,
        work: impl FnOnce(&mut Handle) -> T,
    ) -> Result<T, String> {
        self.gate(&SECOND);
        let conn = FIRST + self.kernel.second_conns.get();
        self.kernel.second_conns.set(conn - FIRST + 1);
        self.actor.conns.borrow_mut().push((BESIDE, conn));
        let result = self.open_second(conn).map(|mut handle| work(&mut handle));
        self.actor
            .conns
            .borrow_mut()
            .retain(|(file, _)| *file != BESIDE);
        self.kernel.disk.enter(self.actor.conn(0));
        if self.actor.is_dead() || self.kernel.over.get() {
            unwind();
        }
        result
    }

    fn open_second(&self, conn: Conn) -> Result<Handle, String> {
        let kernel = &self.kernel;
        let connection = kernel.disk.open(FILE, conn);
        let connection = connection.map_err(|error| error.to_string())?;
        let clock = SimClock::new(kernel.start_ms, Rc::clone(&kernel.now_us));
        if let Some(process) = &self.actor.process {
            clock.follow(&process.clock);
        }
        let capture = Rc::new(Capture::install(&connection));
        let db = kernel.world.open(connection, clock.clone())?;
        Ok(Handle::new(conn, BESIDE, db, capture, clock))
    }
}

/// Its name on the simulated disk.
const FILE: &str = "second.db";
/// The file is none of the world's.
const BESIDE: usize = usize::MAX;
/// Numbers of connections that no pool ever reaches.
const FIRST: Conn = 1 << 20;
const SECOND: Label = Label::fixed("second database");
