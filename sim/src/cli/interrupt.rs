//! Ctrl-C, and being asked to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lockstep_sim::exit::Exit;

use super::failure::Failure;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// A second signal this long after the first one ends the process at once. One key press may send two.
const PATIENCE: Duration = Duration::from_secs(1);

/// From now on the first signal is remembered instead of killing the process.
pub(crate) fn install() -> Result<(), Failure> {
    let mut first: Option<Instant> = None;
    let handler = move || {
        REQUESTED.store(true, Ordering::Relaxed);
        if first.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            std::process::exit(Exit::Interrupted.code().into());
        }
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Failure::Internal(format!("no signal handler: {error}")))
}

/// Whether somebody wants this to end.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// The same wish, by another way than a signal.
pub(crate) fn request() {
    REQUESTED.store(true, Ordering::Relaxed);
}
