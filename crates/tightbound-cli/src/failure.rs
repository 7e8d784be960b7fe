//! Tell the user what went wrong, and the shell with which exit code.

use std::process::ExitCode;

use tightbound::diagnose::toy::ToyError;
use tightbound::estimators::EstimatorError;
use tightbound::settings::SettingsError;
use tightbound::sweep::ExperimentError;

use crate::output::{ClosedPipe, talk};

/// Exit code of a command that could not do its work.
const FAILED: u8 = 1;

/// Exit code of a command that was asked for something that cannot be meant.
const USAGE: u8 = 2;

/// A mistake in the arguments that clap does not know about.
#[derive(Debug)]
pub struct UsageError(pub String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Prints `error` with its causes and returns its exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if error.is::<ClosedPipe>() {
        // Whoever read our output has seen enough.
        return ExitCode::SUCCESS;
    }
    talk!("{}", describe(error));
    if error.chain().any(is_full_disk) {
        talk!(
            "  what was saved before is kept: make room, then go on with the same command, or a \
             training with --resume"
        );
    }
    let usage = error.chain().any(|e| {
        e.is::<UsageError>()
            || e.is::<SettingsError>()
            || e.is::<EstimatorError>()
            || e.is::<ToyError>()
            || e.is::<ExperimentError>()
    });
    ExitCode::from(if usage { USAGE } else { FAILED })
}

/// Whether there is no room left for a file.
fn is_full_disk(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|e| matches!(e.kind(), StorageFull | QuotaExceeded | FileTooLarge))
}

/// `error: ` and what [`explain`] says.
pub fn describe(error: &anyhow::Error) -> String {
    format!("error: {}", explain(error))
}

/// The error and its causes, one per line. A cause whose words were already said is left out.
pub fn explain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text += &format!("\n  because: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn causes_are_listed_once() {
        let error = anyhow!("disk full").context("cannot write x: disk full").context("no model");
        assert_eq!(describe(&error), "error: no model\n  because: cannot write x: disk full");
    }
}
