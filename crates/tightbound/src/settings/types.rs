//! Describe one training completely; what stands here is what `run.toml` holds.

use serde::{Deserialize, Serialize};

use crate::engine::{Adam, Prune};
use crate::estimators::EstimatorSettings;
use crate::model::{Activation, Initialisation, OutputBias, Sigma};

/// Whose protocol the defaults follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Burda et al. 2016 and Rainforth et al. 2018.
    #[default]
    Paper,
    /// The code of the reproduction report.
    Report,
}

/// How grey images become binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Binarisation {
    /// Training pixels are redrawn at every use.
    Dynamic,
    /// Training pixels are drawn once, by the seed.
    Fixed,
}

/// How the two networks are updated in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Update {
    /// Both from one pass.
    Joint,
    /// First the encoder; then the decoder, from a fresh pass through the updated encoder.
    EncoderFirst,
    /// One network first, then the other from a fresh pass; a fair coin decides at every step.
    Random,
}

/// What moves β, for estimators that have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BetaObjective {
    /// Nothing: β stays where it is.
    Fixed,
    /// β = sigmoid(ξ) climbs the bound. The bound is largest at β = 0, so it ends there.
    Maximise,
    /// β = sigmoid(ξ) descends the bound, as Eq. 16 of the reproduction report prints it. Ends at 1.
    Eq16,
    /// Before every epoch the smallest β is chosen at which the encoder's gradient has the
    /// signal-to-noise ratio `beta_target`.
    Snr,
    /// Before epochs 1, 2, 4, 8, … the β is chosen that does best on held-out images in a short trial.
    Validation,
}

impl BetaObjective {
    /// Whether β is learned step by step, by its own gradient.
    pub fn learns(self) -> bool {
        matches!(self, Self::Maximise | Self::Eq16)
    }
}

/// What is measured beside the training, at the end of every epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Monitor {
    /// Nothing.
    #[default]
    Off,
    /// Signal and noise of the gradients, and the effective sample size.
    Snr,
}

/// What happens when a step's bound or gradient is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NonFinite {
    /// The run stops; the last good checkpoint stays.
    Stop,
    /// The step is left out, counted and logged.
    Skip,
}

impl Monitor {
    /// Whether nothing is measured. Settings do not write what stands as if it did not exist: runs begun
    /// by a version that did not know it keep their fingerprint.
    fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

/// Everything that determines a training, down to the bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the defaults came from.
    pub protocol: Protocol,
    /// The seed of every random number of the training, below 2⁶³ (the largest TOML integer).
    pub seed: u64,
    /// The images.
    pub data: DataSettings,
    /// The networks.
    pub model: ModelSettings,
    /// The bound.
    pub estimator: EstimatorSettings,
    /// The loop.
    pub train: TrainSettings,
    /// The optimiser.
    pub adam: Adam,
}

/// Which images, and how they are used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    /// `mnist`, `omniglot`, `binarized-mnist`, `glyphs` or a path.
    pub name: String,
    /// Only the first so many training images, for quick trials; all of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// How many training images are held out for validation.
    pub validation: usize,
    /// How training pixels are made binary.
    pub binarisation: Binarisation,
}

/// The networks and their first parameters; the number of pixels comes from the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Widths of the encoder's hidden layers.
    pub encoder: Vec<usize>,
    /// L, dimensions of the latent space.
    pub latents: usize,
    /// Widths of the decoder's hidden layers.
    pub decoder: Vec<usize>,
    /// Nonlinearity of the hidden layers.
    pub activation: Activation,
    /// Transformation of the σ head.
    pub sigma: Sigma,
    /// Distribution of the first weights.
    pub initialisation: Initialisation,
    /// First value of the output bias.
    pub output_bias: OutputBias,
}

/// The training loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    /// Epochs in all, ≥ 1. The ladder is cut there.
    pub epochs: usize,
    /// B, images per minibatch, ≥ 1. The last one of an epoch may be smaller.
    pub batch: usize,
    /// Learning rate of the ladder's first stage, > 0.
    pub rate: f64,
    /// Stages of the ladder, ≥ 1: stage i lasts 3^i epochs at rate · 10^(−i/(stages−1)); epochs
    /// beyond the last stage keep its rate.
    pub stages: usize,
    /// How the networks are updated.
    pub update: Update,
    /// What moves β.
    pub beta_objective: BetaObjective,
    /// The debiased signal-to-noise ratio ‖E g‖/√tr Cov g of the encoder's gradient that
    /// `beta_objective = "snr"` asks for, > 0.
    #[serde(default = "beta_target", skip_serializing_if = "is_beta_target")]
    pub beta_target: f64,
    /// What is measured beside the training; it changes no bit of the result.
    #[serde(default, skip_serializing_if = "Monitor::is_off")]
    pub monitor: Monitor,
    /// Which samples may skip the backward pass.
    pub prune: Prune,
    /// What happens when a number is not finite.
    pub non_finite: NonFinite,
    /// Test scores every so many epochs; 0: at epochs 1, 2, 4, 8, … and at the ends of stages.
    pub eval_every: usize,
    /// Samples per image of these scores, ≥ 1; 64 where nothing is written. 5000 gives log p̂, at the
    /// price of many epochs of training.
    #[serde(default = "eval_k", skip_serializing_if = "is_eval_k")]
    pub eval_k: u32,
}

/// Where nobody says: what IWAE-64 needs.
pub(super) fn eval_k() -> u32 {
    64
}

/// Whether K of the scores goes without saying, as [`Monitor::Off`] does.
fn is_eval_k(k: &u32) -> bool {
    *k == eval_k()
}

/// Where nobody says: a mean gradient of half the size of its noise.
pub(super) fn beta_target() -> f64 {
    0.5
}

/// Whether the target goes without saying, as [`Monitor::Off`] does.
fn is_beta_target(target: &f64) -> bool {
    *target == beta_target()
}
