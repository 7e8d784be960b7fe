//! Define what every engine does, and the words in which it is asked.
//!
//! Dimension letters: B images, M outer samples, K inner samples, S = M·K, D pixels, L latents.

use std::fmt::Debug;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::prune::Prune;
use crate::estimators::{Bound, Estimator};
use crate::model::{Architecture, ParameterTable};
use crate::random::Stream;

/// The floating-point type of an engine's parameters and gradients.
pub trait Real: Copy + Debug + Default + PartialEq + Into<f64> + Send + Sync + 'static {
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
}

impl Real for f32 {
    fn from_f64(value: f64) -> Self {
        value as Self
    }
}

impl Real for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
}

/// B binarised images.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// `[B, D]`, every element 0 or 1.
    pub pixels: &'a [u8],
    /// `[B]`, the images' numbers in their data set: they address the noise.
    pub ids: &'a [u32],
}

/// Which latent noise to use: ε of image i, sample s is `stream.normals(time, ids[i], s)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// The stream of one seed and purpose.
    pub stream: Stream,
    /// The epoch in training, 0 in scoring.
    pub time: u32,
}

/// What to differentiate.
#[derive(Clone, Copy, Debug)]
pub struct Objective<'a> {
    /// The bound and its gradient rule.
    pub estimator: &'a dyn Estimator,
    /// The latent noise.
    pub noise: Noise,
    /// Which samples may skip the backward pass; the reference engine keeps all.
    pub prune: Prune,
}

/// What one gradient computation tells beside the gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepReport {
    /// Mean of the images' bounds, in nats.
    pub bound: Bound,
    /// Fraction of the B·S samples that took part in the backward pass.
    pub kept_fraction: f64,
}

/// q(z|x) of B images.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior<R> {
    /// μ, `[B, L]`.
    pub mean: Vec<R>,
    /// σ, `[B, L]`.
    pub sd: Vec<R>,
}

/// Points in the latent space, equally many for each of B images: C *chains* per image.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a, R> {
    /// `[B, D]`, every element 0 or 1.
    pub pixels: &'a [u8],
    /// z, `[B, C, L]`.
    pub latents: &'a [R],
}

/// What [`Engine::likelihood_gradient`] writes.
#[derive(Debug)]
pub struct LikelihoodGradient<'a, R> {
    /// log p(x|z), `[B, C]`, in nats.
    pub log_likelihood: &'a mut [f64],
    /// ∂z log p(x|z), `[B, C, L]`.
    pub d_z: &'a mut [R],
}

/// Settings of the optimiser Adam (Kingma & Ba 2015, Algorithm 1), learning rate apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// β₁ in [0, 1): decay of the first moment.
    pub beta1: f64,
    /// β₂ in [0, 1): decay of the second moment.
    pub beta2: f64,
    /// ε > 0, added to the root of the corrected second moment.
    pub epsilon: f64,
}

/// One Adam step that *increases* the objective; all slices have equal length.
#[derive(Debug)]
pub struct AdamUpdate<'a, R> {
    /// Changed in place.
    pub parameters: &'a mut [R],
    /// Gradient of the objective (ascent).
    pub gradient: &'a [R],
    /// Changed in place.
    pub first_moment: &'a mut [R],
    /// Changed in place.
    pub second_moment: &'a mut [R],
    /// β₁, β₂, ε.
    pub adam: Adam,
    /// α, the learning rate.
    pub rate: f64,
    /// t ≥ 1, the number of this step.
    pub step: u64,
}

/// Numbers that must not be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// An image's bound is NaN or infinite.
    #[error("the bound of image {image} is {value}")]
    NonFiniteBound {
        /// The image's number in its data set.
        image: u32,
        /// The value of the bound.
        value: f64,
    },
    /// The operating system gave no threads.
    #[error("cannot start {threads} threads: {reason}; try fewer with --threads")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// What the system said.
        reason: String,
    },
    /// An element of the gradient is NaN or infinite.
    #[error("the gradient of `{tensor}` is not finite")]
    NonFiniteGradient {
        /// The tensor's name in the parameter table.
        tensor: String,
    },
}

impl<R> Points<'_, R> {
    /// C for a model of `architecture`.
    ///
    /// # Panics
    /// If there is no image, or lengths do not fit the model or `out`.
    pub(super) fn chains(
        &self,
        architecture: &Architecture,
        out: &LikelihoodGradient<'_, R>,
    ) -> usize {
        let (d, l) = (architecture.pixels, architecture.latents);
        let images = self.pixels.len() / d;
        assert!(images > 0 && images * d == self.pixels.len(), "D pixels per image");
        let points = out.log_likelihood.len();
        assert_eq!(points % images, 0, "equally many points per image");
        assert!(self.latents.len() == points * l && out.d_z.len() == points * l, "L per point");
        points / images
    }
}

impl EngineError {
    /// The error of a gradient whose element `index` is not finite.
    pub(super) fn non_finite_gradient(table: &ParameterTable, index: usize) -> Self {
        let tensor = table.tensor_at(index).map_or_else(String::new, |p| p.name.clone());
        Self::NonFiniteGradient { tensor }
    }
}

/// Fused operations on one model. Implementations own their buffers and threads.
///
/// The parameters are passed to every call, in the order of the
/// [`ParameterTable`]. The results are a function of the arguments
/// alone: never of the number of threads, nor of earlier calls.
///
/// # Panics
/// Every operation panics if a slice's length does not fit the architecture, or a batch has no image.
pub trait Engine: Send {
    /// The type of parameters and gradients.
    type Real: Real;

    /// The model this engine was made for.
    fn architecture(&self) -> &Architecture;

    /// Computes the gradient of the batch's mean bound (ascent) into `gradient`, one element per
    /// parameter. On an error `gradient` is unspecified.
    fn gradient(
        &mut self,
        parameters: &[Self::Real],
        batch: Batch<'_>,
        objective: Objective<'_>,
        gradient: &mut [Self::Real],
    ) -> Result<StepReport, EngineError>;

    /// Computes log w of the numbered `samples` of every image into `log_weights`,
    /// `[B, samples.len()]`. May contain −∞ or NaN where the model does.
    fn log_weights(
        &mut self,
        parameters: &[Self::Real],
        batch: Batch<'_>,
        noise: Noise,
        samples: Range<u32>,
        log_weights: &mut [f64],
    );

    /// Computes q(z|x) of every image.
    fn encode(&mut self, parameters: &[Self::Real], batch: Batch<'_>) -> Posterior<Self::Real>;

    /// Computes the pixel probabilities `[n, D]` of `latents` `[n, L]`.
    fn decode(&mut self, parameters: &[Self::Real], latents: &[Self::Real]) -> Vec<Self::Real>;

    /// Computes log p(x|z) and ∂z log p(x|z) at given points, without the prior. What a point gets
    /// does not depend on the other points. May write −∞ or NaN where the model does.
    fn likelihood_gradient(
        &mut self,
        parameters: &[Self::Real],
        points: Points<'_, Self::Real>,
        out: LikelihoodGradient<'_, Self::Real>,
    );

    /// Applies one step of Adam.
    fn adam(&mut self, update: AdamUpdate<'_, Self::Real>);
}
