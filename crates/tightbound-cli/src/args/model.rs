//! Load the model that a command works with, and images for it.

use std::path::{Path, PathBuf};

use anyhow::bail;
use tightbound::data::{Dataset, Images};
use tightbound::engine::cpu::CpuEngine;
use tightbound::run::{MODEL, Model, RunError, RunFolder};

use super::data::DataFolder;
use crate::machine::Threads;

/// The seed of pixels and draws where none is given: the same for every run, whatever its own seed,
/// so that scores are about the same pixels.
pub const EVALUATION_SEED: u64 = 0;

/// The trained model that a command works with.
#[derive(Clone, Debug, clap::Args)]
pub struct ModelArgs {
    /// A run folder or model.safetensors
    pub run: PathBuf,

    #[command(flatten)]
    threads: Threads,

    /// Seed of pixels and draws. Independent of the training's: the same for every model
    #[arg(long, value_name = "N", default_value_t = EVALUATION_SEED)]
    pub seed: u64,
}

impl ModelArgs {
    /// Reads the model.
    pub fn load(&self) -> anyhow::Result<Loaded> {
        Loaded::read(&self.run, &self.threads)
    }
}

/// The images that a model is shown.
#[derive(Clone, Debug, clap::Args)]
pub struct ImageArgs {
    /// Other images than the model was trained on
    #[arg(long, value_name = "NAME|PATH")]
    pub data: Option<String>,

    #[command(flatten)]
    pub folder: DataFolder,

    /// Which images
    #[arg(long, value_name = "PART", value_enum, default_value_t = Part::Test)]
    pub part: Part,
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// What the model was trained on
    Train,
    /// What `train --validation` held out, or the set's own validation images
    Validation,
    /// What nothing is ever selected on
    Test,
}

impl Part {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// The images of one part of a data set.
pub struct Shown {
    /// The set's name, such as `omniglot (derived)`.
    pub name: String,
    /// The set's hash.
    pub hash: String,
    /// The images.
    pub images: Images,
}

impl ImageArgs {
    /// Loads the images for `model`.
    ///
    /// # Errors
    /// If there are none, or if they have another size than the model takes.
    pub fn load(&self, model: &Loaded) -> anyhow::Result<Shown> {
        let dataset = model.dataset(self.data.as_deref(), &self.folder)?;
        let (name, hash) = (dataset.name.clone(), dataset.hash());
        let images = match self.part {
            Part::Train => Some(dataset.train),
            Part::Validation => dataset.validation,
            Part::Test => Some(dataset.test),
        };
        let Some(images) = images.filter(|images| !images.is_empty()) else {
            bail!(
                "there are no {} images of {name}: train with --validation N to hold some out, \
                 or choose another --part",
                self.part.name()
            );
        };
        Ok(Shown { name, hash, images })
    }
}

/// A trained model and the engine that runs it.
pub struct Loaded {
    /// The weights, and where they come from.
    pub model: Model,
    /// Made for the model.
    pub engine: CpuEngine,
}

impl Loaded {
    /// Reads the model of a run folder, or a `model.safetensors`.
    pub fn read(run: &Path, threads: &Threads) -> anyhow::Result<Self> {
        if run.is_dir() && !RunFolder::exists(run) && !run.join(MODEL).exists() {
            return Err(RunError::NotARun(run.to_owned()).into());
        }
        let model = Model::load(run)?;
        let engine = threads.engine(&model.info.architecture)?;
        Ok(Self { model, engine })
    }

    /// Loads `name`, else the data the model was trained on, with training images limited and held
    /// out as they were then; refuses images of another size.
    pub fn dataset(&self, name: Option<&str>, folder: &DataFolder) -> anyhow::Result<Dataset> {
        let settings = &self.model.info.settings;
        let dataset = match name {
            Some(name) if name != settings.data.name => folder.load(name)?,
            _ => folder.load_for(settings)?,
        };
        let (found, wanted) = (dataset.test.pixel_count(), self.model.info.architecture.pixels);
        if found != wanted {
            bail!(
                "the images of {} have {found} pixels and the model takes {wanted}: choose other \
                 images with --data, or a model trained on this size",
                dataset.name
            );
        }
        Ok(dataset)
    }
}
