//! Why a command could not do its work: one clear message, and an exit code.

use std::io;
use std::path::{Path, PathBuf};

use lockstep_sim::exit::Exit;
use thiserror::Error;

use super::out;

#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("{name}={value:?}: {why}")]
    Environment {
        name: &'static str,
        value: String,
        why: String,
    },
    #[error("{}: {why}", .path.display())]
    Input { path: PathBuf, why: String },
    #[error("cannot write {}: {error}", .path.display())]
    Output { path: PathBuf, error: io::Error },
    #[error("cannot write the result to stdout: {0}")]
    Stdout(io::Error),
    #[error("this is a bug in lockstep, please report it with the command you ran: {0}")]
    Internal(String),
}

impl Failure {
    pub(crate) fn usage(words: impl Into<String>) -> Self {
        Self::Usage(words.into())
    }

    pub(crate) fn input(path: &Path, why: impl Into<String>) -> Self {
        Self::Input {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    /// Says it on stderr.
    pub(crate) fn told(&self) -> Exit {
        out::talk(&format!("lockstep: {self}"));
        match self {
            Self::Internal(_) => Exit::Internal,
            _ => Exit::Usage,
        }
    }
}
