//! Write a model's weights as `torch.nn` knows them, and read them back.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::description::{Origin, RunDescription};
use super::digest::digest;
use super::error::{Damage, RunError};
use super::files::{CHECKPOINT, DESCRIPTION, MODEL, PREVIOUS, read_checkpoint, read_description};
use super::sealed::{Buffer, seal, unseal};
use crate::model::{Architecture, ParameterTable};
use crate::settings::Settings;

const KIND: &str = "model";

/// A trained model: its parameters and where they come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What is known about them.
    pub info: ModelInfo,
    /// One element per parameter, in the order of the table.
    pub parameters: Vec<f32>,
}

/// What a model file tells beside the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// The networks.
    pub architecture: Architecture,
    /// How it was trained.
    pub settings: Settings,
    /// The model that the training began with, if not with new weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
    /// Epochs that were complete.
    pub epoch: usize,
    /// The [`digest`] of the parameters.
    pub digest: String,
}

impl Model {
    /// A model as `description`'s training left it after `epoch` epochs.
    pub fn new(description: &RunDescription, epoch: usize, parameters: Vec<f32>) -> Self {
        let info = ModelInfo {
            architecture: description.architecture(),
            settings: description.settings.clone(),
            from: description.identity.from.clone(),
            epoch,
            digest: digest(&parameters),
        };
        Self { info, parameters }
    }

    /// Reads the model of a run folder, or a `model.safetensors` itself.
    ///
    /// In a run folder the newest whole checkpoint counts, so a training that is under way or was
    /// interrupted can be looked at; `model.safetensors` is read where there is no checkpoint.
    /// Takes no lock.
    pub fn load(path: &Path) -> Result<Self, RunError> {
        if !path.is_dir() {
            return Self::read(path);
        }
        if !path.join(DESCRIPTION).exists() {
            return Self::read(&path.join(MODEL));
        }
        let description = read_description(path)?;
        let mut reasons = Vec::new();
        for name in [CHECKPOINT, PREVIOUS] {
            match read_checkpoint(&path.join(name), &description) {
                Ok(c) => return Ok(Self::new(&description, c.position.epoch, c.parameters)),
                Err(reason) => reasons.push(format!("{name}: {reason}")),
            }
        }
        Self::read(&path.join(MODEL)).map_err(|error| {
            reasons.push(error.to_string());
            RunError::NoCheckpoint { path: path.to_owned(), reasons }
        })
    }

    /// Reads a `model.safetensors`.
    fn read(path: &Path) -> Result<Self, RunError> {
        let bytes = fs::read(path).map_err(RunError::storage("read", path))?;
        Self::decode(&bytes).map_err(|damage| RunError::Damaged { path: path.to_owned(), damage })
    }

    /// Makes the bytes of the file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let table = ParameterTable::new(&self.info.architecture);
        let buffers = [Buffer { prefix: "", values: &self.parameters }];
        seal(KIND, &self.info, &table, &buffers)
    }

    /// Reads the bytes of a file.
    pub(super) fn decode(file: &[u8]) -> Result<Self, Damage> {
        let unsealed = unseal::<ModelInfo>(file, KIND)?;
        let table = unsealed.table(&unsealed.content.architecture)?;
        let parameters = unsealed.buffer(&table, "")?;
        Ok(Self { parameters, info: unsealed.content })
    }
}
