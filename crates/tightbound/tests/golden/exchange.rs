//! Say what stands in a file that is exchanged with `torch_gradients.py`; its head lists the tensors.

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use tightbound::estimators::EstimatorSettings;
use tightbound::model::Architecture;

/// The JSON in the header entry `case`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The model.
    pub architecture: Architecture,
    /// Seed of the noise, which has the purpose `Noise`.
    pub seed: u64,
    /// Time of the noise.
    pub time: u32,
    /// `[B]`, the images' numbers.
    pub ids: Vec<u32>,
    /// The bounds to differentiate; all have the same S.
    pub systems: Vec<System>,
}

/// One bound, under a name of its own: CIWAE occurs with more than one β.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Prefix of its tensors.
    pub label: String,
    /// The bound.
    pub estimator: EstimatorSettings,
}

/// The elements of the f32 tensor called `name`.
///
/// # Panics
/// If there is no such tensor, or its elements are not f32.
pub fn read_f32(tensors: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let tensor = tensors.tensor(name).unwrap_or_else(|e| panic!("`{name}`: {e}"));
    assert_eq!(tensor.dtype(), safetensors::Dtype::F32, "{name}");
    let (words, _) = tensor.data().as_chunks();
    words.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}
