//! Read the file of an experiment, and say whether it could be read.

use std::path::Path;

use super::Experiment;

/// An experiment, with the settings of its cells where they are few.
pub(crate) fn experiment(file: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(file) else { return false };
    let Ok(experiment) = Experiment::parse(text, Path::new("experiment.toml")) else {
        return false;
    };
    experiment.combinations().is_none_or(|n| n > 8) || experiment.settings(&[]).is_ok()
}
