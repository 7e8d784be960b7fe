//! Say what can go wrong with a run folder, where, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::Architecture;

/// Why a run folder cannot be used as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Storage {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A new run was to be made where one is.
    #[error(
        "{} already holds a run: give --resume to continue it, or another folder with --out",
        .0.display()
    )]
    Exists(PathBuf),
    /// A new run was to be made in a folder that holds other files.
    #[error(
        "{} is not empty (it holds `{found}`) and is no run folder: give a new folder with --out",
        path.display()
    )]
    NotEmpty {
        /// The folder.
        path: PathBuf,
        /// One of the files in it.
        found: String,
    },
    /// There is no run.
    #[error("{} is no run folder: it has no run.toml", .0.display())]
    NotARun(PathBuf),
    /// Another process holds the folder's lock.
    #[error(
        "another process is using {}: wait until it has ended, or give another folder with --out",
        .0.display()
    )]
    Locked(PathBuf),
    /// `run.toml` cannot be understood.
    #[error("{}: {reason}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What was wrong, with the key or line.
        reason: String,
    },
    /// A run can only be continued as it was begun.
    #[error(
        "{} was begun with other settings ({}); only train.epochs may grow. Leave these settings \
         as they were, or start a new run from this one's weights with --from",
        path.display(), differences.join("; ")
    )]
    SettingsDiffer {
        /// The run folder.
        path: PathBuf,
        /// One `key: was X, now Y` per setting.
        differences: Vec<String>,
    },
    /// No checkpoint can be used.
    #[error(
        "no checkpoint of {} can be used: {}. `tightbound verify` says what is left",
        path.display(), reasons.join("; ")
    )]
    NoCheckpoint {
        /// The run folder.
        path: PathBuf,
        /// One `file: reason` per candidate.
        reasons: Vec<String>,
    },
    /// A file is damaged or is not what it should be.
    #[error("{}: {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
}

/// Why the content of a checkpoint or model file is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file does not begin as ours do.
    #[error("the file is not one that tightbound wrote, or its first bytes are damaged")]
    NotOurs,
    /// The file ends too early or too late.
    #[error(
        "the file has {found} bytes where its header announces {announced}: it was cut short or extended"
    )]
    Length {
        /// Bytes in the file.
        found: u64,
        /// Bytes by the header.
        announced: u64,
    },
    /// Bytes have changed.
    #[error("the checksum does not match: some of its bytes have changed since it was written")]
    Checksum,
    /// The file is a model where a checkpoint is wanted, or the other way round.
    #[error("the file is a {found}, not a {wanted}")]
    Kind {
        /// What it is.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// Written by another version of the format.
    #[error(
        "the file has format {found}, and this program reads format {known}: use the version of tightbound that wrote it"
    )]
    Format {
        /// The file's.
        found: u64,
        /// The one that this program knows.
        known: u32,
    },
    /// The header's JSON is not what it should be.
    #[error("its header cannot be understood: {0}")]
    Header(String),
    /// The model is another one.
    #[error("it holds the model `{found}`, but `{wanted}` is asked for")]
    Architecture {
        /// The file's model.
        found: Box<Architecture>,
        /// The model asked for.
        wanted: Box<Architecture>,
    },
    /// The checkpoint belongs to other settings or data.
    #[error(
        "it belongs to another run: run.toml's settings or data are not those it was written under"
    )]
    OtherRun,
    /// A tensor is missing, has another shape or type, or holds NaN or ∞.
    #[error("its tensor `{name}` {problem}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The log has lost records that were there when the checkpoint was written.
    #[error("metrics.jsonl has {found} whole records where the checkpoint counted {wanted}")]
    LogShort {
        /// Records in the log.
        found: u64,
        /// Records when the checkpoint was written.
        wanted: u64,
    },
}

impl RunError {
    /// Wraps what the operating system said about `action` on `path`.
    pub(crate) fn storage(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Storage { action, path, source }
    }
}
