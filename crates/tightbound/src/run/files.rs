//! Name the files of a run folder, and read them without its lock.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::description::RunDescription;
use super::error::{Damage, RunError};

/// The name of the file that describes a run.
pub const DESCRIPTION: &str = "run.toml";
/// The name of the log.
pub const METRICS: &str = "metrics.jsonl";
/// The name of the newest checkpoint.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// The name of the checkpoint before.
pub const PREVIOUS: &str = "checkpoint.previous.safetensors";
/// The name of the weights.
pub const MODEL: &str = "model.safetensors";
/// The name of the scores.
pub const EVALUATION: &str = "evaluation.json";
/// The name of the gradients' signal-to-noise ratios.
pub const SNR: &str = "snr.json";

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// There is none.
    #[error("there is no such file")]
    Missing,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// It can be read but not used.
    #[error(transparent)]
    Damaged(#[from] Damage),
}

/// Reads and verifies one checkpoint file.
pub(super) fn read_checkpoint(
    path: &Path,
    description: &RunDescription,
) -> Result<Checkpoint, Unusable> {
    let bytes = fs::read(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Unusable::Missing,
        _ => Unusable::Unreadable(e),
    })?;
    let architecture = description.architecture();
    Ok(Checkpoint::decode(&bytes, &architecture, &description.fingerprint())?)
}

/// The scores in the run folder `run`, sorted by name: `evaluation.json` for the test images of the
/// training's data, and those that are named after other images.
pub fn evaluation_files(run: &Path) -> Result<Vec<PathBuf>, RunError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(run).map_err(RunError::storage("read", run))? {
        let path = entry.map_err(RunError::storage("read", run))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("evaluation") && name.ends_with(".json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads `run.toml` of the run folder `path`.
pub(super) fn read_description(path: &Path) -> Result<RunDescription, RunError> {
    let path = path.join(DESCRIPTION);
    let text = fs::read(&path).map_err(RunError::storage("read", &path))?;
    let description = String::from_utf8(text)
        .map_err(|e| format!("byte {} is not UTF-8", e.utf8_error().valid_up_to()))
        .and_then(|text| RunDescription::from_toml(&text));
    description.map_err(|reason| RunError::Description { path, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_found_and_nothing_else() {
        let run = tempfile::TempDir::new().unwrap();
        for name in
            ["snr.json", "evaluation.csv", "evaluation.json", "evaluation-a.json", "model.json"]
        {
            fs::write(run.path().join(name), "").unwrap();
        }
        let files = evaluation_files(run.path()).unwrap();
        assert_eq!(files, ["evaluation-a.json", "evaluation.json"].map(|f| run.path().join(f)));
        assert!(evaluation_files(&run.path().join("none")).is_err());
    }
}
