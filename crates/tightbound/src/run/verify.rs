//! Say whether a run folder is whole, what is damaged, and what can still be used.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;

use super::checkpoint::Checkpoint;
use super::description::RunDescription;
use super::digest::digest;
use super::error::{Damage, RunError};
use super::files::{
    CHECKPOINT, DESCRIPTION, EVALUATION, METRICS, MODEL, PREVIOUS, Unusable, read_checkpoint,
    read_description,
};
use super::log::{Log, read_log};
use super::metrics::Record;
use super::model::Model;

/// What was found out about a run folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verification {
    /// Whether nothing is damaged.
    pub whole: bool,
    /// One entry per file.
    pub files: Vec<FileReport>,
    /// What can be done with the folder, in sentences.
    pub usable: Vec<String>,
}

/// What was found out about one file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileReport {
    /// The file's name.
    pub file: &'static str,
    /// Its condition.
    pub condition: Condition,
    /// What is wrong or worth knowing.
    pub detail: String,
}

/// The condition of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// As it was written.
    Whole,
    /// Not there, and it need not be.
    Absent,
    /// What an interruption leaves; resuming repairs it.
    Interrupted,
    /// Lost or changed.
    Damaged,
}

/// Examines the run folder `path`. Changes nothing and takes no lock, so a run that is under way
/// may be seen between two of its writes.
///
/// # Errors
/// If `path` is no run folder.
pub fn verify(path: &Path) -> Result<Verification, RunError> {
    let description = match read_description(path) {
        Ok(description) => description,
        Err(error @ RunError::Description { .. }) => return Ok(without_description(path, error)),
        Err(_) if !path.join(DESCRIPTION).exists() => {
            return Err(RunError::NotARun(path.to_owned()));
        }
        Err(error) => return Err(error),
    };
    let checkpoints = [CHECKPOINT, PREVIOUS].map(|n| read_checkpoint(&path.join(n), &description));
    let log = read_log(&path.join(METRICS));
    let model = read_model(path);
    let best = checkpoints.iter().find_map(|c| c.as_ref().ok());

    let files = vec![
        FileReport::new(DESCRIPTION, Condition::Whole, ""),
        checkpoint_report(&checkpoints, &log),
        previous_report(&checkpoints),
        log_report(&log, best),
        model_report(&model, &description, best),
        evaluation_report(path),
    ];
    let usable = usable(&description, &checkpoints, &log, &model);
    Ok(Verification::new(files, usable))
}

type Read = Result<Checkpoint, Unusable>;

impl FileReport {
    fn new(file: &'static str, condition: Condition, detail: impl Into<String>) -> Self {
        Self { file, condition, detail: detail.into() }
    }
}

impl Verification {
    fn new(files: Vec<FileReport>, usable: Vec<String>) -> Self {
        let whole = files.iter().all(|f| f.condition != Condition::Damaged);
        Self { whole, files, usable }
    }
}

/// Without `run.toml` nothing else can be judged but the weights, which describe themselves.
fn without_description(path: &Path, error: RunError) -> Verification {
    let mut usable = Vec::new();
    if let Ok(Some(model)) = read_model(path) {
        usable.push(format!(
            "{MODEL} can be scored, and trained on with --from (epoch {})",
            model.info.epoch
        ));
    }
    let detail = match error {
        RunError::Description { reason, .. } => reason,
        other => other.to_string(),
    };
    let files = vec![FileReport::new(DESCRIPTION, Condition::Damaged, detail)];
    Verification::new(files, usable)
}

fn read_model(path: &Path) -> Result<Option<Model>, Unusable> {
    match fs::read(path.join(MODEL)) {
        Ok(bytes) => Ok(Some(Model::decode(&bytes)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unusable::Unreadable(error)),
    }
}

fn checkpoint_report(checkpoints: &[Read; 2], log: &Result<Log, RunError>) -> FileReport {
    let [newest, previous] = checkpoints;
    let begun = !matches!(previous, Err(Unusable::Missing))
        || log.as_ref().is_ok_and(|log| !log.records.is_empty());
    match newest {
        Ok(checkpoint) => FileReport::new(CHECKPOINT, Condition::Whole, standing(checkpoint)),
        Err(Unusable::Missing) if previous.is_ok() => FileReport::new(
            CHECKPOINT,
            Condition::Interrupted,
            "missing, as after a crash while it was being replaced",
        ),
        Err(Unusable::Missing) if !begun => {
            FileReport::new(CHECKPOINT, Condition::Absent, "the run has not begun")
        }
        Err(reason) => FileReport::new(CHECKPOINT, Condition::Damaged, reason.to_string()),
    }
}

fn previous_report([_, previous]: &[Read; 2]) -> FileReport {
    match previous {
        Ok(checkpoint) => FileReport::new(PREVIOUS, Condition::Whole, standing(checkpoint)),
        Err(Unusable::Missing) => FileReport::new(PREVIOUS, Condition::Absent, ""),
        Err(reason) => FileReport::new(PREVIOUS, Condition::Damaged, reason.to_string()),
    }
}

fn standing(checkpoint: &Checkpoint) -> String {
    let position = &checkpoint.position;
    match position.batch {
        0 => format!("after epoch {}", position.epoch),
        batch => format!("in epoch {}, after minibatch {batch}", position.epoch + 1),
    }
}

/// Every epoch up to the checkpoint's must stand in the log once.
fn log_report(log: &Result<Log, RunError>, checkpoint: Option<&Checkpoint>) -> FileReport {
    let log = match log {
        Ok(log) => log,
        Err(error) => return FileReport::new(METRICS, Condition::Damaged, error.to_string()),
    };
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    for record in &log.records {
        if let Record::Epoch(epoch) = record {
            *times.entry(epoch.epoch).or_default() += 1;
        }
    }
    let position = checkpoint.map(|c| &c.position);
    let epochs = position.map_or(0, |p| p.epoch);
    let wrong: Vec<String> = (1..=epochs)
        .filter(|epoch| times.get(epoch) != Some(&1))
        .map(|epoch| epoch.to_string())
        .take(10)
        .collect();
    let lines = log.written();
    let wanted = position.map_or(0, |p| p.records);
    let newer = lines.saturating_sub(wanted);
    if !log.corrupt.is_empty() {
        let detail = format!(
            "{} lines cannot be read; the first is line {}",
            log.corrupt.len(),
            log.corrupt[0]
        );
        return FileReport::new(METRICS, Condition::Damaged, detail);
    }
    if lines < wanted {
        let detail = Damage::LogShort { found: lines, wanted }.to_string();
        return FileReport::new(METRICS, Condition::Damaged, detail);
    }
    if !wrong.is_empty() {
        let detail = format!("these epochs do not stand in it once: {}", wrong.join(", "));
        return FileReport::new(METRICS, Condition::Damaged, detail);
    }
    if log.torn > 0 || newer > 0 {
        let detail = format!(
            "{newer} records are newer than the checkpoint and {} bytes belong to none; \
             resuming cuts them off and makes them again",
            log.torn
        );
        return FileReport::new(METRICS, Condition::Interrupted, detail);
    }
    FileReport::new(METRICS, Condition::Whole, format!("{lines} records"))
}

fn model_report(
    model: &Result<Option<Model>, Unusable>,
    description: &RunDescription,
    checkpoint: Option<&Checkpoint>,
) -> FileReport {
    let complete =
        checkpoint.is_some_and(|c| c.position.epoch >= description.settings.train.epochs);
    match model {
        Err(reason) => FileReport::new(MODEL, Condition::Damaged, reason.to_string()),
        Ok(None) if complete => FileReport::new(
            MODEL,
            Condition::Interrupted,
            "missing although the training is complete; resuming writes it",
        ),
        Ok(None) => FileReport::new(MODEL, Condition::Absent, "the training is not complete"),
        Ok(Some(model)) if model.info.digest != digest(&model.parameters) => {
            FileReport::new(MODEL, Condition::Damaged, "its digest is not that of its weights")
        }
        Ok(Some(model)) if model.info.architecture != description.architecture() => {
            let detail = format!("it holds another model, `{}`", model.info.architecture);
            FileReport::new(MODEL, Condition::Damaged, detail)
        }
        Ok(Some(model))
            if complete
                && checkpoint.is_some_and(|c| digest(&c.parameters) != model.info.digest) =>
        {
            let detail = format!(
                "it holds the weights of an earlier stop (epoch {}), although the training is \
                 complete; resuming writes it again",
                model.info.epoch
            );
            FileReport::new(MODEL, Condition::Interrupted, detail)
        }
        Ok(Some(model)) => {
            let (epoch, digest) = (model.info.epoch, &model.info.digest);
            let detail = format!("epoch {epoch}, digest {digest}");
            FileReport::new(MODEL, Condition::Whole, detail)
        }
    }
}

fn evaluation_report(path: &Path) -> FileReport {
    match fs::read(path.join(EVALUATION)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            FileReport::new(EVALUATION, Condition::Absent, "")
        }
        Err(error) => {
            let detail = Unusable::Unreadable(error).to_string();
            FileReport::new(EVALUATION, Condition::Damaged, detail)
        }
        Ok(bytes) => match serde_json::from_slice::<serde_json::Value>(&bytes) {
            Ok(_) => FileReport::new(EVALUATION, Condition::Whole, ""),
            Err(error) => FileReport::new(EVALUATION, Condition::Damaged, error.to_string()),
        },
    }
}

fn usable(
    description: &RunDescription,
    checkpoints: &[Read; 2],
    log: &Result<Log, RunError>,
    model: &Result<Option<Model>, Unusable>,
) -> Vec<String> {
    let mut usable = Vec::new();
    let epochs = description.settings.train.epochs;
    let lines = log.as_ref().map_or(0, Log::written);
    let candidates = checkpoints.iter().zip([CHECKPOINT, PREVIOUS]);
    let resumable = candidates
        .filter_map(|(c, name)| Some((c.as_ref().ok()?, name)))
        .find(|(c, _)| c.position.records <= lines);
    match resumable {
        Some((c, _)) if c.position.epoch >= epochs => {
            usable.push(format!("the training is complete: {epochs} epochs"));
        }
        Some((c, name)) => usable.push(format!("--resume goes on from {name}, {}", standing(c))),
        None if checkpoints.iter().all(|c| matches!(c, Err(Unusable::Missing))) && lines == 0 => {
            usable.push("--resume begins the training".into());
        }
        None => {}
    }
    if let Ok(Some(model)) = model {
        usable.push(format!(
            "{MODEL} can be scored, and trained on with --from (epoch {})",
            model.info.epoch
        ));
    }
    usable
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for FileReport { file, condition, detail } in &self.files {
            let condition = match condition {
                Condition::Whole => "whole",
                Condition::Absent => "absent",
                Condition::Interrupted => "interrupted",
                Condition::Damaged => "DAMAGED",
            };
            let line = format!("{file:32} {condition:12} {detail}");
            writeln!(f, "{}", line.trim_end())?;
        }
        for line in &self.usable {
            writeln!(f, "{line}")?;
        }
        let verdict = if self.whole { "nothing is damaged" } else { "the run folder is damaged" };
        write!(f, "{verdict}")
    }
}
