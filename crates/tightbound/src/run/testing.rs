//! Make small run folders, and storages that fail, for tests.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use super::{
    Checkpoint, Disk, EpochRecord, Identity, Machine, Record, RunDescription, Storage, Timing,
};
use crate::engine::{Adam, Prune};
use crate::estimators::EstimatorSettings;
use crate::model::{Activation, Initialisation, OutputBias, ParameterTable, Sigma};
use crate::settings::{
    BetaObjective, Binarisation, DataSettings, ModelSettings, Monitor, NonFinite, Protocol,
    Settings, TrainSettings, Update,
};

/// What one epoch might be like.
pub(crate) fn record(epoch: usize) -> Record {
    Record::Epoch(EpochRecord {
        epoch,
        step: 3 * epoch as u64,
        rate: 1e-3,
        bound: Some(-0.1 - 0.2),
        bound_phi: None,
        kept: Some(0.5),
        beta: None,
        skipped: 0,
        timing: Timing { seconds: 0.25, images_per_second: 4.0 },
    })
}

/// Four pixels, 38 parameters, MIWAE(2, 3), four epochs of minibatches of three.
pub(crate) fn description() -> RunDescription {
    let settings = Settings {
        protocol: Protocol::Paper,
        seed: 7,
        data: DataSettings {
            name: "made-up".into(),
            limit: None,
            validation: 0,
            binarisation: Binarisation::Dynamic,
        },
        model: ModelSettings {
            encoder: vec![2],
            latents: 1,
            decoder: vec![3],
            activation: Activation::Tanh,
            sigma: Sigma::Exp,
            initialisation: Initialisation::Glorot,
            output_bias: OutputBias::Default,
        },
        estimator: EstimatorSettings::new("miwae", 2, 3),
        train: TrainSettings {
            epochs: 4,
            batch: 3,
            rate: 1e-3,
            stages: 8,
            update: Update::Joint,
            beta_objective: BetaObjective::Fixed,
            beta_target: 0.5,
            monitor: Monitor::Off,
            prune: Prune::Off,
            non_finite: NonFinite::Stop,
            eval_every: 0,
            eval_k: 64,
        },
        adam: Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-4 },
    };
    let identity = Identity {
        version: crate::VERSION.into(),
        data: "made-up".into(),
        pixels: 4,
        parameters: 38,
        sources: Vec::new(),
        from: None,
    };
    let machine = Machine { cpu: "portable".into(), threads: 1 };
    RunDescription { settings, identity, machine }
}

/// A checkpoint with no two numbers alike.
pub(crate) fn checkpoint(description: &RunDescription) -> Checkpoint {
    let total = ParameterTable::new(&description.architecture()).total();
    let numbers = |from: usize| (from..from + total).map(|i| i as f32 / 7.0 - 3.0).collect();
    let mut checkpoint = Checkpoint::start(numbers(0));
    checkpoint.first_moment = numbers(100);
    checkpoint.second_moment = numbers(200);
    checkpoint.position.epoch = 2;
    checkpoint.position.batch = 1;
    checkpoint.position.step = 7;
    checkpoint.position.sums.theta = -0.1;
    checkpoint
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails with this error number; later calls work.
    Once(i32),
    /// The call and all later ones fail with this error number: as if killed before the call.
    FromThenOn(i32),
    /// The call, if it is a write, takes half of the bytes; later calls work.
    ShortWrite,
    /// The call, if it is a write, takes half of the bytes; it and all later calls fail: as if
    /// killed in the middle of the write.
    TornWrite,
}

/// A disk on which one call goes wrong. Syncs are only noted: no test can cut the power.
#[derive(Debug)]
pub(crate) struct FaultyDisk {
    at: usize,
    fault: Fault,
    calls: Mutex<Vec<String>>,
}

impl FaultyDisk {
    /// Call number `at`, from 0, goes wrong.
    pub fn new(at: usize, fault: Fault) -> Self {
        Self { at, fault, calls: Mutex::new(Vec::new()) }
    }

    /// A disk that only keeps a list.
    pub fn sound() -> Self {
        Self::new(usize::MAX, Fault::ShortWrite)
    }

    /// The calls so far, as `operation file-name`.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// Notes a call; says whether it is to go wrong, and with what error.
    fn note(&self, call: String) -> io::Result<()> {
        let mut calls = self.calls.lock().unwrap();
        let number = calls.len();
        calls.push(call);
        match self.fault {
            Fault::Once(error) if number == self.at => Err(io::Error::from_raw_os_error(error)),
            Fault::FromThenOn(error) if number >= self.at => {
                Err(io::Error::from_raw_os_error(error))
            }
            Fault::TornWrite if number > self.at => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }
}

/// The file's name without the process number in temporary ones.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.replace(&format!(".{}.tmp", std::process::id()), ".tmp")
}

impl Storage for FaultyDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.note("create_folder".into())?;
        Disk.create_folder(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        self.note(format!("create {}", name(path)))?;
        Disk.create(path)
    }

    fn append(&self, path: &Path) -> io::Result<File> {
        self.note(format!("append {}", name(path)))?;
        Disk.append(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        let number = self.calls().len();
        self.note("write".into())?;
        match self.fault {
            Fault::ShortWrite if number == self.at && bytes.len() > 1 => {
                Disk.write(file, &bytes[..bytes.len() / 2])
            }
            Fault::TornWrite if number == self.at => {
                Disk.write(file, &bytes[..bytes.len() / 2])?;
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Disk.write(file, bytes),
        }
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.note("truncate".into())?;
        Disk.truncate(file, length)
    }

    fn sync(&self, _: &File) -> io::Result<()> {
        self.note("sync".into())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note(format!("rename {} {}", name(from), name(to)))?;
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.note(format!("remove {}", name(path)))?;
        Disk.remove(path)
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.note("sync_folder".into())
    }
}
