//! Keep everything a training needs to go on as if it had never stopped.

use serde::{Deserialize, Serialize};

use super::error::Damage;
use super::sealed::{Buffer, seal, unseal};
use crate::model::{Architecture, ParameterTable};

const KIND: &str = "checkpoint";

/// A training between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Where it stands.
    pub position: Position,
    /// One element per parameter, in the order of the table.
    pub parameters: Vec<f32>,
    /// Adam's first moments, likewise.
    pub first_moment: Vec<f32>,
    /// Adam's second moments, likewise.
    pub second_moment: Vec<f32>,
}

/// Where a training stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Epochs that are complete.
    pub epoch: usize,
    /// Minibatches of the next epoch that are done.
    pub batch: usize,
    /// Steps of Adam that were made.
    pub step: u64,
    /// Steps that were left out because a number was not finite.
    pub skipped: u64,
    /// Whether the epoch just completed still has to be scored.
    pub evaluation_due: bool,
    /// Whole records in the log. Counted rather than measured in bytes, because the records'
    /// times differ in length between two runs of the same training.
    pub records: u64,
    /// Sums over the minibatches of the next epoch that are done.
    pub sums: EpochSums,
    /// β, where it is learned.
    pub beta: Option<BetaState>,
}

/// Sums over images, for an epoch's means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochSums {
    /// Images that took part in a step.
    pub images: u64,
    /// Sum of the bounds that θ follows, in nats.
    pub theta: f64,
    /// Sum of the bounds that φ follows, in nats.
    pub phi: f64,
    /// Sum of the kept fractions.
    pub kept: f64,
    /// Steps of this epoch that were left out.
    pub skipped: u64,
}

/// A learned β = sigmoid(ξ) and its optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BetaState {
    /// ξ.
    pub xi: f64,
    /// Adam's first moment of ξ.
    pub first_moment: f64,
    /// Adam's second moment of ξ.
    pub second_moment: f64,
    /// Steps of Adam that ξ has made.
    pub step: u64,
}

/// What the header tells.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    architecture: Architecture,
    run: String,
    position: Position,
}

impl Checkpoint {
    /// The start of a training from `parameters`.
    pub fn start(parameters: Vec<f32>) -> Self {
        let zeros = vec![0.0; parameters.len()];
        Self {
            position: Position::default(),
            first_moment: zeros.clone(),
            second_moment: zeros,
            parameters,
        }
    }

    /// Makes the bytes of the file. `run` is the run's fingerprint.
    pub(super) fn encode(&self, architecture: &Architecture, run: &str) -> Vec<u8> {
        let content = Content {
            architecture: architecture.clone(),
            run: run.to_owned(),
            position: self.position.clone(),
        };
        let buffers = [
            Buffer { prefix: "", values: &self.parameters },
            Buffer { prefix: "adam.m.", values: &self.first_moment },
            Buffer { prefix: "adam.v.", values: &self.second_moment },
        ];
        seal(KIND, &content, &ParameterTable::new(architecture), &buffers)
    }

    /// Reads the bytes of a file; refuses damage, another architecture and another run.
    pub(super) fn decode(
        file: &[u8],
        architecture: &Architecture,
        run: &str,
    ) -> Result<Self, Damage> {
        let unsealed = unseal::<Content>(file, KIND)?;
        let content = &unsealed.content;
        if content.architecture != *architecture {
            return Err(Damage::Architecture {
                found: Box::new(content.architecture.clone()),
                wanted: Box::new(architecture.clone()),
            });
        }
        if content.run != run {
            return Err(Damage::OtherRun);
        }
        let table = unsealed.table(architecture)?;
        Ok(Self {
            parameters: unsealed.buffer(&table, "")?,
            first_moment: unsealed.buffer(&table, "adam.m.")?,
            second_moment: unsealed.buffer(&table, "adam.v.")?,
            position: unsealed.content.position,
        })
    }
}
