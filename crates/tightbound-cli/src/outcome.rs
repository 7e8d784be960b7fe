//! Say how a command ended that did not fail.

use std::process::ExitCode;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was asked.
    Done,
    /// It looked, and what it found is not in order.
    Unsound,
    /// A signal stopped it, and everything was saved.
    Interrupted {
        /// The signal's number.
        signal: u8,
    },
}

impl Outcome {
    /// What the shell is told.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Unsound => ExitCode::FAILURE,
            Self::Interrupted { signal } => ExitCode::from(128 + signal),
        }
    }
}
