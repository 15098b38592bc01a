//! The statements of a run with nothing around them: the floor of benchmarks.

use super::stage::Stage;
use crate::decide::Quiet;
use crate::disk::Conn;

impl Stage {
    /// The statements of a quiet run, with their values filled in, each with its connection: the floor of benchmarks.
    ///
    /// # Errors
    /// As [`Stage::run`].
    pub fn record_statements(&mut self) -> Result<Vec<(Conn, String)>, String> {
        self.run(&mut || Box::<Quiet>::default())?;
        for handle in &self.pool {
            // Texts with their values filled in are many.
            handle
                .connection()
                .set_prepared_statement_cache_capacity(4096);
        }
        self.observer.record(true);
        let ran = self.run(&mut || Box::<Quiet>::default());
        self.observer.record(false);
        let texts = self.observer.take();
        ran.map(|_| texts)
    }

    /// Executes statements on the pooled connections, from the template, with nothing around them.
    ///
    /// # Errors
    /// In words, when a statement fails.
    pub fn replay_statements(&mut self, statements: &[(Conn, String)]) -> Result<(), String> {
        self.put_back()?;
        for (conn, text) in statements {
            let Some(handle) = self.pool.iter().find(|handle| handle.conn == *conn) else {
                continue;
            };
            self.disk.enter(*conn);
            step_through(handle.connection(), text).map_err(|error| format!("{text}: {error}"))?;
        }
        Ok(())
    }
}

fn step_through(connection: &rusqlite::Connection, text: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(text)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
