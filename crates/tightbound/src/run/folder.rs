//! Open, guard and change a run folder.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::atomic::{is_temporary_of, make_folder, publish, stage, write_atomic};
use super::checkpoint::{Checkpoint, Position};
use super::description::RunDescription;
use super::error::{Damage, RunError};
use super::files::{
    CHECKPOINT, DESCRIPTION, METRICS, MODEL, PREVIOUS, Unusable, read_checkpoint, read_description,
};
use super::log::read_log;
use super::metrics::MetricsLog;
use super::model::Model;
use super::storage::{Disk, Storage};

/// Where a damaged checkpoint is put aside.
pub(super) const DAMAGED: &str = "checkpoint.damaged.safetensors";
/// The file that is locked, and stays: removing it would let two processes hold "the" lock.
const LOCK: &str = ".lock";
/// The files that only the holder of the lock writes.
const GUARDED: [&str; 4] = [DESCRIPTION, CHECKPOINT, MODEL, METRICS];

/// A run folder that this process alone may change. The lock ends with the value or the process,
/// however it ends.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    storage: Arc<dyn Storage>,
    description: RunDescription,
    _lock: File,
}

/// The checkpoint to go on from.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// Its content.
    pub checkpoint: Checkpoint,
    /// Why the newest checkpoint was passed over, if the previous one is used.
    pub passed_over: Option<String>,
}

impl RunFolder {
    /// Whether `path` holds a run, whole or not.
    pub fn exists(path: &Path) -> bool {
        path.join(DESCRIPTION).exists()
    }

    /// Where the training in `path` stands, as far as its checkpoints tell somebody without the lock;
    /// nothing if they do not.
    pub fn position(path: &Path) -> Option<Position> {
        let description = read_description(path).ok()?;
        let read = |name| read_checkpoint(&path.join(name), &description).ok();
        Some([CHECKPOINT, PREVIOUS].into_iter().find_map(read)?.position)
    }

    /// Makes a new run folder; refuses a folder that holds a run or anything else.
    pub fn create(path: &Path, description: RunDescription) -> Result<Self, RunError> {
        Self::create_on(Arc::new(Disk), path, description)
    }

    /// The same on any storage.
    pub fn create_on(
        storage: Arc<dyn Storage>,
        path: &Path,
        description: RunDescription,
    ) -> Result<Self, RunError> {
        refuse_used(path)?;
        make_folder(&*storage, path)?;
        let lock = lock(&*storage, path)?;
        // Another process may have made the run between the first look and the lock.
        refuse_used(path)?;
        let run = Self { path: path.to_owned(), storage, description, _lock: lock };
        run.write_description(&run.description)?;
        Ok(run)
    }

    /// Opens a run folder to go on with the run.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        Self::open_on(Arc::new(Disk), path)
    }

    /// The same on any storage.
    pub fn open_on(storage: Arc<dyn Storage>, path: &Path) -> Result<Self, RunError> {
        if !Self::exists(path) {
            return Err(RunError::NotARun(path.to_owned()));
        }
        let lock = lock(&*storage, path)?;
        let description = read_description(path)?;
        for name in names(path)? {
            if GUARDED.iter().any(|target| is_temporary_of(&name, target)) {
                // Left by a crash. One that cannot be removed does no harm.
                storage.remove(&path.join(name)).ok();
            }
        }
        Ok(Self { path: path.to_owned(), storage, description, _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What `run.toml` says.
    pub fn description(&self) -> &RunDescription {
        &self.description
    }

    /// Agrees to continue the run as `wanted`: all settings and the data must be the same, but
    /// there may be more epochs, which `run.toml` then records.
    pub fn continue_as(&mut self, wanted: &RunDescription) -> Result<(), RunError> {
        let differences = self.description.differences(wanted);
        if !differences.is_empty() {
            return Err(RunError::SettingsDiffer { path: self.path.clone(), differences });
        }
        let epochs = wanted.settings.train.epochs;
        if epochs > self.description.settings.train.epochs {
            self.write_epochs(epochs)?;
        }
        Ok(())
    }

    /// Agrees to end after `epochs`, fewer than before, unless the training has gone beyond them:
    /// [`continue_as`](Self::continue_as) then refuses.
    pub fn end_after(&mut self, epochs: usize) -> Result<(), RunError> {
        let came = Self::position(&self.path).unwrap_or_default();
        if epochs < self.description.settings.train.epochs && !came.is_beyond(epochs) {
            self.write_epochs(epochs)?;
        }
        Ok(())
    }

    /// Finds the checkpoint to go on from; nothing if the run has not begun.
    ///
    /// If the newest one cannot be used, the previous one is taken: the training is a function of
    /// its settings, so the steps between are made again with the same result. The newest one is
    /// then put aside, lest the next checkpoint push out the good one.
    pub fn latest(&mut self) -> Result<Option<Latest>, RunError> {
        let records = read_log(&self.path.join(METRICS))?.written();
        let mut reasons = Vec::new();
        for name in [CHECKPOINT, PREVIOUS] {
            let checkpoint = read_checkpoint(&self.path.join(name), &self.description);
            let checkpoint = checkpoint.and_then(|checkpoint| match checkpoint.position.records {
                wanted if wanted > records => {
                    Err(Unusable::Damaged(Damage::LogShort { found: records, wanted }))
                }
                _ => Ok(checkpoint),
            });
            match checkpoint {
                Ok(checkpoint) => {
                    let passed_over = reasons.pop();
                    if passed_over.is_some() {
                        self.put_aside()?;
                    }
                    return Ok(Some(Latest { checkpoint, passed_over }));
                }
                Err(reason) => reasons.push(format!("{name}: {reason}")),
            }
        }
        let begun = records > 0 || [CHECKPOINT, PREVIOUS].iter().any(|n| self.has(n));
        if begun {
            return Err(RunError::NoCheckpoint { path: self.path.clone(), reasons });
        }
        Ok(None)
    }

    /// Opens the log after its first `records` records; cuts off what follows.
    pub fn log(&self, records: u64) -> Result<MetricsLog, RunError> {
        MetricsLog::open(Arc::clone(&self.storage), &self.path.join(METRICS), records)
    }

    /// Makes `checkpoint` the newest one and keeps the one before. After an error at least one of
    /// the two is whole.
    pub fn save_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        let path = self.path.join(CHECKPOINT);
        let description = &self.description;
        let bytes = checkpoint.encode(&description.architecture(), &description.fingerprint());
        let staged = stage(&*self.storage, &path, &bytes)?;
        if self.has(CHECKPOINT)
            && let Err(source) = self.storage.rename(&path, &self.path.join(PREVIOUS))
        {
            self.storage.remove(&staged).ok();
            return Err(RunError::storage("rename", &path)(source));
        }
        publish(&*self.storage, &staged, &path)
    }

    /// Writes the weights after `epoch` complete epochs, unless the file holds them already.
    pub fn save_model(&mut self, epoch: usize, parameters: &[f32]) -> Result<Model, RunError> {
        let path = self.path.join(MODEL);
        let model = Model::new(&self.description, epoch, parameters.to_vec());
        let bytes = model.encode();
        if fs::read(&path).is_ok_and(|present| present == bytes) {
            return Ok(model);
        }
        write_atomic(&*self.storage, &path, &bytes)?;
        Ok(model)
    }

    fn has(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    fn put_aside(&self) -> Result<(), RunError> {
        if !self.has(CHECKPOINT) {
            return Ok(());
        }
        let path = self.path.join(CHECKPOINT);
        self.storage
            .rename(&path, &self.path.join(DAMAGED))
            .map_err(RunError::storage("rename", &path))
    }

    fn write_epochs(&mut self, epochs: usize) -> Result<(), RunError> {
        let mut description = self.description.clone();
        description.settings.train.epochs = epochs;
        self.write_description(&description)?;
        self.description = description;
        Ok(())
    }

    fn write_description(&self, description: &RunDescription) -> Result<(), RunError> {
        let path = self.path.join(DESCRIPTION);
        let text = description.to_toml();
        let text = text.map_err(|reason| RunError::Description { path: path.clone(), reason })?;
        write_atomic(&*self.storage, &path, text.as_bytes())
    }
}

/// Takes the folder's lock.
fn lock(storage: &dyn Storage, path: &Path) -> Result<File, RunError> {
    let held = try_lock(storage, &path.join(LOCK))?;
    held.ok_or_else(|| RunError::Locked(path.to_owned()))
}

/// Locks the file `name`, made if need be, for as long as the result lives; none if another process
/// holds it.
pub(crate) fn try_lock(storage: &dyn Storage, name: &Path) -> Result<Option<File>, RunError> {
    let file = storage.append(name).map_err(RunError::storage("open", name))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(RunError::storage("lock", name)(source)),
    }
}

/// Refuses a folder in which a new run cannot be made. What a crash during the making of a run
/// leaves is no obstacle.
fn refuse_used(path: &Path) -> Result<(), RunError> {
    if RunFolder::exists(path) {
        return Err(RunError::Exists(path.to_owned()));
    }
    if !path.is_dir() {
        return Ok(());
    }
    let leftover = |name: &String| name == LOCK || is_temporary_of(name, DESCRIPTION);
    match names(path)?.into_iter().find(|name| !leftover(name)) {
        Some(found) => Err(RunError::NotEmpty { path: path.to_owned(), found }),
        None => Ok(()),
    }
}

/// The names in a folder, sorted.
fn names(path: &Path) -> Result<Vec<String>, RunError> {
    let entries = fs::read_dir(path).map_err(RunError::storage("list", path))?;
    let mut names: Vec<String> =
        entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}
