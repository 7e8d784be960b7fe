//! Read what a report needs from a run folder, and note what is wrong with it.

use std::path::{Path, PathBuf};

use tightbound::diagnose::live::SnrReport;
use tightbound::evaluate::{Evaluation, ImageRow, read_rows};
use tightbound::run::{
    DESCRIPTION, EVALUATION, EpochRecord, EvaluationRecord, METRICS, Model, ModelInfo, Record,
    RunDescription, RunError, SNR, SnrRecord, evaluation_files, read_log, sha256_hex, short_digest,
};

use crate::shell::shell_path;

/// A run folder as a report sees it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder.
    pub path: PathBuf,
    /// Settings, data and size.
    pub description: RunDescription,
    /// What is known of the weights; none where there are none that can be read.
    pub model: Option<ModelInfo>,
    /// What every epoch was like.
    pub epochs: Vec<EpochRecord>,
    /// The quick scores of the training's log.
    pub scored: Vec<EvaluationRecord>,
    /// Signal and noise of the gradients in the training's log.
    pub monitored: Vec<SnrRecord>,
    /// All scores of the model as it is now.
    pub evaluations: Vec<Evaluation>,
    /// The single images of the model's own test images; empty where there is no file of them.
    pub images: Vec<ImageRow>,
    /// Signal-to-noise ratios by M and K, if they were measured.
    pub snr: Vec<SnrReport>,
    /// What a reader of the report must know: missing, damaged or outdated parts.
    pub problems: Vec<String>,
}

/// The part of `snr.json` that is drawn.
#[derive(serde::Deserialize)]
struct Snr {
    epoch: usize,
    digest: String,
    grid: Vec<SnrReport>,
}

impl Run {
    /// Reads a run folder, trained to its end or not, scored or not.
    ///
    /// # Errors
    /// If it is no run folder, or its `run.toml` cannot be read. Anything else that is missing or
    /// damaged is noted in `problems`.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let description = RunDescription::read(path)?;
        let mut run = Self {
            path: path.to_owned(),
            description,
            model: Model::load(path).ok().map(|model| model.info),
            epochs: Vec::new(),
            scored: Vec::new(),
            monitored: Vec::new(),
            evaluations: Vec::new(),
            images: Vec::new(),
            snr: Vec::new(),
            problems: Vec::new(),
        };
        run.read_log();
        run.read_evaluations()?;
        run.read_snr();
        Ok(run)
    }

    /// The folder's name; of a run of a sweep, whose folder is called `seed-1` or the like in every
    /// sweep, with the sweep's name before it.
    pub fn name(&self) -> String {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let word = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
        let Some(name) = word(&path) else { return self.path.display().to_string() };
        let number = name.strip_prefix("seed-").unwrap_or_default();
        let of_sweep = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        match path.parent().and_then(word) {
            Some(sweep) if of_sweep => format!("{sweep}/{name}"),
            _ => name,
        }
    }

    /// Epochs that are complete, as the weights say, or else the log.
    pub fn epoch(&self) -> usize {
        let logged = || self.epochs.last().map_or(0, |record| record.epoch);
        self.model.as_ref().map_or_else(logged, |model| model.epoch)
    }

    /// Whether what was measured after `epoch` epochs with the weights of `digest` is of the model as it
    /// is now.
    fn is_current(&self, epoch: usize, digest: &str) -> bool {
        epoch == self.epoch() && self.model.as_ref().is_none_or(|model| model.digest == digest)
    }

    /// The scores on the test images of the data it was trained on.
    pub fn own(&self) -> Option<&Evaluation> {
        self.on(&self.description.identity.data)
    }

    /// The scores on the test images of `data`.
    pub fn on(&self, data: &str) -> Option<&Evaluation> {
        self.evaluations.iter().find(|e| e.on.part == "test" && e.on.data == data)
    }

    fn read_log(&mut self) {
        let log = match read_log(&self.path.join(METRICS)) {
            Ok(log) => log,
            Err(error) => return self.problems.push(error.to_string()),
        };
        if !log.corrupt.is_empty() {
            let lines: Vec<_> = log.corrupt.iter().map(ToString::to_string).collect();
            let (count, plural) = (lines.len(), if lines.len() == 1 { "" } else { "s" });
            self.problems.push(format!(
                "{count} line{plural} of {METRICS} cannot be read and {} left out: {}",
                if count == 1 { "is" } else { "are" },
                lines.join(", ")
            ));
        }
        for record in log.records {
            match record {
                Record::Epoch(record) => self.epochs.push(record),
                Record::Evaluation(record) => self.scored.push(record),
                Record::Snr(record) => self.monitored.push(record),
                _ => {}
            }
        }
        let wanted = self.description.settings.train.epochs;
        if self.epoch() < wanted {
            self.problems.push(format!("trained for {} of {wanted} epochs", self.epoch()));
        }
    }

    fn read_evaluations(&mut self) -> Result<(), RunError> {
        let mut files = evaluation_files(&self.path)?;
        // What was scored without naming any images counts, should the same ones have been named too.
        files.sort_by_key(|path| !path.ends_with(EVALUATION));
        for path in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let evaluation =
                std::fs::read(&path).map_err(|error| error.to_string()).and_then(|bytes| {
                    serde_json::from_slice::<Evaluation>(&bytes).map_err(|e| e.to_string())
                });
            match evaluation {
                Ok(evaluation) if evaluation.epoch != self.epoch() => self.problems.push(format!(
                    "{name} is of epoch {}, and the training has gone on: score it again",
                    evaluation.epoch
                )),
                Ok(evaluation) if !self.is_current(evaluation.epoch, &evaluation.digest) => {
                    self.problems.push(format!(
                        "{name} is of other weights than the run has now: score it again"
                    ))
                }
                Ok(evaluation) => {
                    if evaluation.on.data == self.description.identity.data
                        && evaluation.on.part == "test"
                        && self.own().is_none()
                    {
                        self.read_images(&path.with_extension("csv"), &evaluation);
                    }
                    self.evaluations.push(evaluation);
                }
                Err(reason) => {
                    self.problems.push(format!("{name} cannot be read ({reason}): score it again"));
                }
            }
        }
        if self.own().is_none() {
            let path = shell_path(&self.path);
            self.problems.push(format!("not scored: run `tightbound eval {path}`"));
        }
        Ok(())
    }

    fn read_images(&mut self, path: &Path, evaluation: &Evaluation) {
        let rows = std::fs::read(path).map_err(|error| error.to_string()).and_then(|bytes| {
            if short_digest(&sha256_hex(&bytes)) != evaluation.per_image {
                return Err("it does not belong to the scores".to_owned());
            }
            read_rows(&bytes).map_err(|error| error.to_string())
        });
        match rows {
            Ok(rows) => self.images = rows,
            Err(reason) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                self.problems.push(format!("{name} is left out: {reason}"));
            }
        }
    }

    fn read_snr(&mut self) {
        let Ok(bytes) = std::fs::read(self.path.join(SNR)) else { return };
        match serde_json::from_slice::<Snr>(&bytes) {
            Ok(snr)
                if !self.is_current(snr.epoch, &snr.digest)
                    || self.evaluations.iter().any(|e| e.digest != snr.digest) =>
            {
                self.problems
                    .push(format!("{SNR} is of another state of the model and is left out"));
            }
            Ok(snr) => self.snr = snr.grid,
            Err(error) => self.problems.push(format!("{SNR} cannot be read: {error}")),
        }
    }
}

/// Whether `path` is a run folder.
pub fn is_run(path: &Path) -> bool {
    path.join(DESCRIPTION).exists()
}
