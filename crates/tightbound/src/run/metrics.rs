//! Log a training in JSON lines that survive a crash in the middle of one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::atomic::{folder_of, write_all, write_atomic};
use super::error::RunError;
use super::log::{end_of, read_or_empty};
use super::storage::Storage;
use crate::statistics::Ratio;

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Record {
    /// An epoch is complete.
    Epoch(EpochRecord),
    /// The model was scored.
    Evaluation(EvaluationRecord),
    /// A step was left out.
    Skip(SkipRecord),
    /// β was chosen for the epochs to come.
    Beta(BetaRecord),
    /// Signal and noise of the gradients were measured.
    Snr(SnrRecord),
}

/// What one epoch was like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch's number, from 1.
    pub epoch: usize,
    /// Steps of Adam so far.
    pub step: u64,
    /// The learning rate.
    pub rate: f64,
    /// Mean over the epoch's images of the bound that θ follows, in nats, each under the
    /// parameters of its own step; absent if every step was left out.
    pub bound: Option<f64>,
    /// The same for the bound that φ follows.
    pub bound_phi: Option<f64>,
    /// Mean fraction of the samples that took part in the backward pass.
    pub kept: Option<f64>,
    /// β at the epoch's end, for estimators that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// Steps of this epoch that were left out because a number was not finite.
    pub skipped: u64,
    /// How long it took; the only part that differs between two runs.
    pub timing: Timing,
}

/// What the model scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// Epochs that were complete.
    pub epoch: usize,
    /// Steps of Adam so far.
    pub step: u64,
    /// The scores.
    pub scores: serde_json::Value,
    /// How long it took; the only part that differs between two runs.
    pub timing: Timing,
}

/// Which step was left out, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkipRecord {
    /// The epoch's number, from 1.
    pub epoch: usize,
    /// The minibatch's number in the epoch, from 1; 0 for a choice of β before the first.
    pub batch: usize,
    /// What was not finite.
    pub reason: String,
}

/// Which β was chosen, and on what evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BetaRecord {
    /// The first epoch that it is used in.
    pub epoch: usize,
    /// β in [0, 1].
    pub beta: f64,
    /// The signal-to-noise ratio that was asked for; absent where β is chosen by a held-out bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// Whether the target was reached.
    pub reached: bool,
    /// What was found for each β that was tried.
    pub evidence: Vec<BetaEvidence>,
}

/// What was found for one β.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BetaEvidence {
    /// β.
    pub beta: f64,
    /// The debiased signal-to-noise ratio of the encoder's gradient, or the held-out L_64 in nats;
    /// absent if trial steps failed.
    pub value: Option<f64>,
}

/// How clear the gradients were at the end of an epoch, on one of its minibatches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnrRecord {
    /// Epochs that were complete.
    pub epoch: usize,
    /// Steps of Adam so far.
    pub step: u64,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<SnrFigures>,
    /// Why nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took; the only part that differs between two runs.
    pub timing: Timing,
}

/// What was measured of the gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnrFigures {
    /// R, how many gradients were drawn.
    pub draws: u32,
    /// ‖E g‖ / √tr Cov g of φ, debiased.
    pub encoder: Ratio,
    /// The same of θ.
    pub decoder: Ratio,
    /// Mean effective sample size of the K weights under one logarithm.
    pub effective_samples: f64,
}

/// Wall-clock time. An epoch that was interrupted counts from where it was resumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Seconds.
    pub seconds: f64,
    /// Images per second.
    pub images_per_second: f64,
}

impl Record {
    /// The record without its times: equal between two runs of the same training.
    pub fn without_timing(mut self) -> Self {
        match &mut self {
            Self::Epoch(r) => r.timing = Timing::default(),
            Self::Evaluation(r) => r.timing = Timing::default(),
            Self::Snr(r) => r.timing = Timing::default(),
            Self::Skip(_) | Self::Beta(_) => {}
        }
        self
    }
}

/// A log that is being written.
#[derive(Debug)]
pub struct MetricsLog {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    file: File,
    records: u64,
}

impl MetricsLog {
    /// Opens the log for writing after its first `keep` records, and cuts off what follows them.
    pub(super) fn open(
        storage: Arc<dyn Storage>,
        path: &Path,
        keep: u64,
    ) -> Result<Self, RunError> {
        let bytes = read_or_empty(path)?;
        let kept = &bytes[..end_of(&bytes, keep)];
        let whole = kept.is_empty() || kept.ends_with(b"\n");
        if !whole {
            // The line end between what is kept and what is not is damaged.
            write_atomic(&*storage, path, &[kept, b"\n"].concat())?;
        }
        let new = !path.exists();
        let file = storage.append(path).map_err(RunError::storage("open", path))?;
        if new {
            let folder = folder_of(path);
            storage.sync_folder(folder).map_err(RunError::storage("sync the folder", folder))?;
        }
        if whole && kept.len() < bytes.len() {
            let length = kept.len() as u64;
            storage.truncate(&file, length).map_err(RunError::storage("shorten", path))?;
        }
        Ok(Self { storage, path: path.to_owned(), file, records: keep })
    }

    /// Number of records so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Writes one record.
    pub fn append(&mut self, record: &Record) -> Result<(), RunError> {
        let mut line = serde_json::to_vec(record).expect("plain structures become JSON");
        line.push(b'\n');
        write_all(&*self.storage, &mut self.file, &line)
            .map_err(RunError::storage("write", &self.path))?;
        self.records += 1;
        Ok(())
    }

    /// Waits until all records would survive a power cut.
    pub fn sync(&self) -> Result<(), RunError> {
        self.storage.sync(&self.file).map_err(RunError::storage("sync", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::super::log::{Log, read_log};
    use super::super::storage::Disk;
    use super::super::testing::{Fault, FaultyDisk, record};
    use super::*;

    fn write(path: &Path, epochs: std::ops::RangeInclusive<usize>) {
        let mut log = MetricsLog::open(Arc::new(Disk), path, *epochs.start() as u64 - 1).unwrap();
        for epoch in epochs {
            log.append(&record(epoch)).unwrap();
        }
        log.sync().unwrap();
    }

    #[test]
    fn records_come_back_and_timing_has_one_key() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log");
        assert_eq!(read_log(&path).unwrap(), Log::default());
        write(&path, 1..=3);
        let log = read_log(&path).unwrap();
        assert_eq!(log.records, [record(1), record(2), record(3)]);
        let text = fs::read_to_string(&path).unwrap();
        let line = r#"{"kind":"epoch","epoch":1,"step":3,"rate":0.001,"bound":-0.30000000000000004,"bound_phi":null,"kept":0.5,"skipped":0,"timing":{"seconds":0.25,"images_per_second":4.0}}"#;
        assert_eq!(text.lines().next(), Some(line));
    }

    #[test]
    fn a_log_cut_anywhere_keeps_its_whole_lines_and_is_continued() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log");
        write(&path, 1..=3);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let log = read_log(&path).unwrap();
            let lines = whole[..length].iter().filter(|&&b| b == b'\n').count();
            assert_eq!((log.records.len(), log.corrupt.len()), (lines, 0));
            assert_eq!(log.torn == 0, length == 0 || whole[length - 1] == b'\n');
            write(&path, lines + 1..=3);
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn what_fails_while_a_damaged_line_end_is_mended_loses_no_record() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log");
        write(&path, 1..=3);
        let mut damaged = fs::read(&path).unwrap();
        let end = damaged.len() / 3 * 2 - 1;
        assert_eq!(std::mem::replace(&mut damaged[end], b'x'), b'\n');
        let open = |disk: FaultyDisk| {
            fs::write(&path, &damaged).unwrap();
            let disk = Arc::new(disk);
            let opened = MetricsLog::open(disk.clone(), &path, 2).is_ok();
            (opened, disk.calls().len())
        };
        let (opened, calls) = open(FaultyDisk::sound());
        assert!(opened && calls > 5, "{calls}");
        for at in 0..calls {
            for fault in [Fault::Once(5), Fault::FromThenOn(28), Fault::TornWrite] {
                open(FaultyDisk::new(at, fault));
                assert!(read_log(&path).unwrap().written() >= 2, "{fault:?} at {at}");
                MetricsLog::open(Arc::new(Disk), &path, 2).unwrap();
                let log = read_log(&path).unwrap();
                assert_eq!((log.written(), log.records.len(), log.torn), (2, 1, 0));
            }
        }
    }

    #[test]
    fn newer_records_are_cut() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log");
        write(&path, 1..=5);
        let mut log = MetricsLog::open(Arc::new(Disk), &path, 2).unwrap();
        assert_eq!(log.records(), 2);
        assert_eq!(read_log(&path).unwrap().records, [record(1), record(2)]);
        log.append(&record(3)).unwrap();
        assert_eq!(log.records(), 3);
    }

    #[test]
    fn lines_that_cannot_be_read_are_counted_and_passed_over() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log");
        write(&path, 1..=3);
        let mut bytes = fs::read(&path).unwrap();
        let second = bytes.iter().position(|&b| b == b'\n').unwrap() + 1;
        bytes[second + 5] = 0xff;
        bytes.extend(b"\0\0\0\n{\"kind\":\"other\"}\ntorn");
        fs::write(&path, bytes).unwrap();
        let log = read_log(&path).unwrap();
        assert_eq!(log.records, [record(1), record(3)]);
        assert_eq!(log.written(), 5);
        assert_eq!((log.corrupt, log.lost, log.torn), (vec![2, 4, 5], 3, 4));
    }

    /// No fewer records are counted, and as many kept, whichever byte changes, and if it is a line end.
    #[test]
    fn a_changed_byte_makes_no_record_more_or_less() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log");
        write(&path, 1..=4);
        let whole = fs::read(&path).unwrap();
        for (at, byte) in (0..whole.len() - 1).flat_map(|at| [(at, whole[at] ^ 1), (at, b'\n')]) {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            fs::write(&path, &bytes).unwrap();
            assert!(read_log(&path).unwrap().written() >= 4, "byte {at} became {byte}");
            let log = MetricsLog::open(Arc::new(Disk), &path, 2).unwrap();
            assert_eq!(log.records(), 2);
            let kept = fs::read(&path).unwrap();
            let log = read_log(&path).unwrap();
            assert!(log.written() >= 2 && log.torn == 0, "byte {at} became {byte}");
            // A line end between what is kept and what is not is written again.
            assert!([0, 1].map(|end| whole.len() / 2 + end).contains(&kept.len()));
        }
    }
}
