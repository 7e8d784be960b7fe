//! Read what several commands need from a run folder.

use std::ops::Range;
use std::path::Path;

use anyhow::bail;
use tightbound::data::{Dataset, Images};
use tightbound::engine::cpu::CpuEngine;
use tightbound::random::{Purpose, Stream};
use tightbound::run::{DESCRIPTION, MODEL, Model, RunDescription, RunError, RunFolder};

use crate::args::DataFolder;
use crate::machine::Threads;

/// The seed of test pixels and noise where none is given: the same for every run, whatever its own
/// seed, so that scores are about the same pixels.
pub const EVALUATION_SEED: u64 = 0;

/// Reads what a run folder says about its run.
pub fn read_description(run: &Path) -> anyhow::Result<RunDescription> {
    let path = run.join(DESCRIPTION);
    if !path.exists() {
        return Err(RunError::NotARun(run.to_owned()).into());
    }
    let text = fs_err::read_to_string(&path)?;
    RunDescription::from_toml(&text).map_err(|reason| RunError::Description { path, reason }.into())
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

/// Binary pixels of the images `range`, drawn once by `seed`: `[range.len(), D]`.
pub fn frozen_pixels(images: &Images, range: Range<usize>, seed: u64) -> Vec<u8> {
    let stream = Stream::new(seed, Purpose::TestPixels);
    let d = images.pixel_count();
    let mut pixels = vec![0; range.len() * d];
    for (index, out) in range.zip(pixels.chunks_exact_mut(d)) {
        images.binarise(index, &stream, 0, out);
    }
    pixels
}
