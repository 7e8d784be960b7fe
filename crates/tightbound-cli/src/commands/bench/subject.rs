//! Make what is measured: a model, its engine and its images.

use std::path::{Path, PathBuf};

use anyhow::bail;
use serde::Serialize;
use tightbound::data::Dataset;
use tightbound::engine::cpu::CpuEngine;
use tightbound::model::{Architecture, ParameterTable};
use tightbound::run::Model;
use tightbound::settings::Settings;

use super::meter::{Meter, Work};
use crate::args::{DataFolder, SettingsArgs};
use crate::machine::Threads;

/// The images where neither flag nor model names any: they need no file.
const DEFAULT_DATA: &str = "glyphs";

/// The flags that both measurements have.
#[derive(Clone, Debug, clap::Args)]
pub struct Common {
    /// A run folder or model.safetensors, whose settings hold where none are given [default: new
    /// weights; images: glyphs]
    #[arg(long, value_name = "RUN|FILE")]
    pub model: Option<PathBuf>,

    #[command(flatten)]
    pub folder: DataFolder,

    #[command(flatten)]
    pub threads: Threads,

    /// How long to measure; a fifth of it goes before, unmeasured
    #[arg(long, value_name = "N", default_value_t = 2.0, value_parser = seconds)]
    pub seconds: f64,

    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// A length of time that ends.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is wanted".to_owned())?;
    match seconds {
        0.0..=86_400.0 => Ok(seconds),
        _ => Err("between 0 and 86400 seconds".to_owned()),
    }
}

/// What is measured.
pub struct Subject {
    /// All settings, most of which do not matter.
    pub settings: Settings,
    /// The parameters.
    pub parameters: Vec<f32>,
    /// Names and places of the parameters.
    pub table: ParameterTable,
    /// Who computes.
    pub engine: CpuEngine,
    /// The images.
    pub dataset: Dataset,
    /// What is said about it.
    pub facts: Facts,
}

/// What is said about a model and its images.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// The networks, in words.
    pub architecture: String,
    /// Number of parameters.
    pub parameters: usize,
    /// Where the weights come from; nothing for new ones.
    pub model: Option<PathBuf>,
    /// Epochs the model was trained for.
    pub epoch: usize,
    /// The images.
    pub data: String,
}

impl Subject {
    /// Loads or makes everything that `args` and `common` describe.
    pub fn new(args: &SettingsArgs, common: &Common) -> anyhow::Result<Self> {
        let trained = common.model.as_deref().map(Model::load).transpose()?;
        let mut args = args.clone();
        if trained.is_none() && args.data.is_none() {
            args.data = Some(DEFAULT_DATA.to_owned());
        }
        let settings = args.resolve(trained.as_ref().map(|model| model.info.settings.clone()))?;
        let dataset = common.folder.load_for(&settings)?;
        let architecture = settings.architecture(dataset.train.pixel_count());
        architecture.validate()?;
        let engine = common.threads.engine(&architecture)?;
        let epoch = trained.as_ref().map_or(0, |model| model.info.epoch);
        let parameters = match (trained, &common.model) {
            (Some(model), Some(path)) => parameters_of(model, path, &architecture)?,
            _ => settings.first_parameters(&architecture, &dataset.train.mean_image()),
        };
        let facts = Facts {
            architecture: architecture.to_string(),
            parameters: parameters.len(),
            model: common.model.clone(),
            epoch,
            data: dataset.name.clone(),
        };
        let table = ParameterTable::new(&architecture);
        Ok(Self { settings, parameters, table, engine, dataset, facts })
    }

    /// The work of one pass.
    pub fn work(&self) -> Work {
        Work::of(&self.table)
    }

    /// A meter for repetitions of so many useful operations.
    pub fn meter(&self, common: &Common, operations: f64) -> Meter {
        let (path, threads) = (self.engine.path(), common.threads.count());
        Meter { path, threads, seconds: common.seconds, operations }
    }
}

/// The weights of a trained model, if it is the one that is asked for.
fn parameters_of(
    model: Model,
    path: &Path,
    architecture: &Architecture,
) -> anyhow::Result<Vec<f32>> {
    if model.info.architecture != *architecture {
        bail!(
            "`{}` holds the model `{}`, but `{architecture}` is asked for: leave out --model, or the \
             settings of the model",
            path.display(),
            model.info.architecture
        );
    }
    Ok(model.parameters)
}

impl Facts {
    /// The model and the images in words.
    pub fn describe(&self) -> String {
        let weights = match &self.model {
            Some(path) => format!("{} after {} epochs", path.display(), self.epoch),
            None => "new weights".to_owned(),
        };
        format!("{} ({weights}) on {}", self.architecture, self.data)
    }
}
