//! Read what several commands need from a run folder.

use std::path::Path;

use tightbound::run::{DESCRIPTION, RunDescription, RunError};

/// Reads what a run folder says about its run.
pub fn read_description(run: &Path) -> anyhow::Result<RunDescription> {
    let path = run.join(DESCRIPTION);
    if !path.exists() {
        return Err(RunError::NotARun(run.to_owned()).into());
    }
    let text = fs_err::read_to_string(&path)?;
    RunDescription::from_toml(&text)
        .map_err(|reason| RunError::Description { path, reason }.into())
}
