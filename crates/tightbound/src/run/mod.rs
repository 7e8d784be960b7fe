//! Hold everything durable: the run folder, its checkpoint, its log, and the check of both.
//!
//! | file | content |
//! |---|---|
//! | `run.toml` | every setting resolved, and the run's identity: version, data with hashes, size |
//! | `metrics.jsonl` | one JSON record per line, append-only |
//! | `checkpoint.safetensors` | where the training stands, with a checksum of the whole file |
//! | `checkpoint.previous.safetensors` | the checkpoint before |
//! | `model.safetensors` | the weights alone, under PyTorch's names and in its layouts |
//! | `evaluation.json` | the last scores, written by whoever asked for them; `evaluation.csv` has every image |
//! | `snr.json` | the gradients' signal-to-noise ratios, likewise |
//!
//! What a training writes, but `metrics.jsonl`'s `timing` fields and `run.toml`'s `[machine]`, is a
//! function of the settings and the data: the same run made twice has the same bytes, interrupted
//! or not.

mod atomic;
mod checkpoint;
mod description;
mod digest;
mod error;
mod files;
mod folder;
mod log;
mod metrics;
mod model;
pub(crate) mod readers;
mod sealed;
mod storage;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod verify;
#[cfg(test)]
mod verify_tests;

pub(crate) use atomic::make_folder;
pub use atomic::write_atomic;
pub use checkpoint::{BetaState, Checkpoint, EpochSums, LearnedState, Position};
pub use description::{Identity, Machine, Origin, RunDescription};
pub use digest::{digest, sha256_hex, short_digest};
pub use error::{Damage, RunError};
pub use files::{
    CHECKPOINT, DESCRIPTION, EVALUATION, METRICS, MODEL, PREVIOUS, SNR, evaluation_files,
};
pub(crate) use folder::try_lock;
pub use folder::{Latest, RunFolder};
pub use log::{Log, read_log};
pub use metrics::{
    BetaEvidence, BetaRecord, EpochRecord, EvaluationRecord, MetricsLog, Record, SkipRecord,
    SnrFigures, SnrRecord, Timing,
};
pub use model::{Model, ModelInfo};
pub use storage::{Disk, Storage};
pub use verify::{Condition, FileReport, Verification, verify};
