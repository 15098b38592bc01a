//! The only writer: stdout is the result, stderr the talk. A full disk is an error, never a panic.

use std::io::{self, ErrorKind, IsTerminal, Write};

use lockstep_sim::report::Style;

use super::failure::Failure;

/// Writes a result to stdout. A reader that has gone away, as `head` does, has seen what it wanted.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match write!(stdout, "{text}{newline}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Stdout(error)),
        _ => Ok(()),
    }
}

/// Says something on stderr. If nobody can hear it, that is no reason to stop.
pub(crate) fn talk(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

/// Rewrites the progress line on stderr.
pub(crate) fn progress(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
}

/// Whether progress would be seen as such.
pub(crate) fn shows_progress() -> bool {
    io::stderr().is_terminal()
}

/// Colours only for a terminal whose owner does not mind.
pub(crate) fn style() -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Style {
        colour: io::stdout().is_terminal() && !plain,
    }
}
