//! Take one image through a model and an estimator: the algorithm every engine computes.
//!
//! It is written once, against the trait [`LatentModel`], so that what holds for models with exact
//! answers holds for the networks too.

use crate::estimators::{Bound, Coefficients, Estimator};

/// q(z|x) = N(μ, diag σ²) of one image, with what the encoder needs on the way back.
#[derive(Clone, Debug)]
pub struct Encoded<T> {
    /// μ, `[L]`.
    pub mean: Vec<f64>,
    /// σ, `[L]`.
    pub sd: Vec<f64>,
    /// Whatever `encode_backward` wants to find again.
    pub trace: T,
}

/// A model with a Gaussian q(z|x), and the derivatives of its two halves.
///
/// Every `_backward` *adds* to a gradient with one element per parameter.
pub trait LatentModel {
    /// What the encoder remembers of an image.
    type EncoderTrace;
    /// What the decoder remembers of a sample.
    type Decoded;

    /// x → q(z|x).
    fn encode(&self, x: &[f64]) -> Encoded<Self::EncoderTrace>;

    /// Adds the gradient that arrives at μ and σ, times `scale`, to the gradient of φ.
    fn encode_backward(
        &self,
        encoded: &Encoded<Self::EncoderTrace>,
        d_mean: &[f64],
        d_sd: &[f64],
        scale: f64,
        gradient: &mut [f64],
    );

    /// z → p(x|z).
    fn decode(&self, z: &[f64]) -> Self::Decoded;

    /// log p(z), in nats.
    fn log_prior(&self, z: &[f64]) -> f64;

    /// Adds a · ∇θ log p(z) to the gradient of θ, and ∂z log p(z), unscaled, to `d_z` `[L]`.
    fn log_prior_backward(&self, z: &[f64], a: f64, gradient: &mut [f64], d_z: &mut [f64]);

    /// log p(x|z), in nats.
    fn log_likelihood(&self, x: &[f64], decoded: &Self::Decoded) -> f64;

    /// Adds a · ∇θ log p(x|z) to the gradient of θ and returns ∂z log p(x|z), unscaled.
    fn log_likelihood_backward(
        &self,
        x: &[f64],
        z: &[f64],
        decoded: &Self::Decoded,
        a: f64,
        gradient: &mut [f64],
    ) -> Vec<f64>;

    /// log p(x, z) = log p(x|z) + log p(z), in nats.
    fn log_joint(&self, x: &[f64], z: &[f64], decoded: &Self::Decoded) -> f64 {
        self.log_likelihood(x, decoded) + self.log_prior(z)
    }

    /// Adds a · ∇θ log p(x, z) to the gradient of θ and returns ∂z log p(x, z), unscaled.
    fn log_joint_backward(
        &self,
        x: &[f64],
        z: &[f64],
        decoded: &Self::Decoded,
        a: f64,
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let mut d_z = self.log_likelihood_backward(x, z, decoded, a, gradient);
        self.log_prior_backward(z, a, gradient, &mut d_z);
        d_z
    }
}

/// One sample z = μ + σ ε of q(z|x).
struct Draw<D> {
    /// z, `[L]`.
    z: Vec<f64>,
    decoded: D,
    /// log w = log p(x, z) − log q(z|x), in nats.
    log_weight: f64,
}

impl<D> Draw<D> {
    fn new<M: LatentModel<Decoded = D>>(
        model: &M,
        x: &[f64],
        posterior: &Encoded<M::EncoderTrace>,
        epsilon: &[f64],
    ) -> Self {
        let Encoded { mean, sd, .. } = posterior;
        let z: Vec<f64> = mean.iter().zip(sd).zip(epsilon).map(|((m, s), e)| m + s * e).collect();
        let decoded = model.decode(&z);
        let log_q: f64 =
            sd.iter().zip(epsilon).map(|(s, e)| standard_normal_log_density(*e) - s.ln()).sum();
        let log_weight = model.log_joint(x, &z, &decoded) - log_q;
        Self { z, decoded, log_weight }
    }
}

/// log N(e; 0, 1), in nats.
pub(super) fn standard_normal_log_density(e: f64) -> f64 {
    const HALF_LOG_2_PI: f64 = 0.918_938_533_204_672_7;
    -0.5 * e * e - HALF_LOG_2_PI
}

/// log w of one image's samples, whose noise is `epsilon` `[S, L]`.
pub fn image_log_weights<M: LatentModel>(model: &M, x: &[f64], epsilon: &[f64]) -> Vec<f64> {
    let encoded = model.encode(x);
    let rows = epsilon.chunks_exact(encoded.mean.len());
    rows.map(|epsilon| Draw::new(model, x, &encoded, epsilon).log_weight).collect()
}

/// log p(x|z), in nats, and ∂z log p(x|z) `[L]` of one image at one point z.
///
/// `gradient`, one element per parameter, stays as it is: the parameters' share has the factor 0.
pub(super) fn likelihood_gradient<M: LatentModel>(
    model: &M,
    x: &[f64],
    z: &[f64],
    gradient: &mut [f64],
) -> (f64, Vec<f64>) {
    let decoded = model.decode(z);
    let d_z = model.log_likelihood_backward(x, z, &decoded, 0.0, gradient);
    (model.log_likelihood(x, &decoded), d_z)
}

/// Adds `scale` times one image's gradient to `gradient`, and returns the image's bound.
///
/// `epsilon` `[S, L]` is the noise of the image's samples. With g = ∂z log p(x, z),
///
/// ```text
/// θ:  Σ a ∇θ log p(x, z)
/// μ:  Σ b (g + ε/σ)   + c ε/σ
/// σ:  Σ b (g + ε/σ) ε + c (ε² − 1)/σ
/// ```
///
/// If the bound is not finite, nothing is added.
pub fn image_gradient<M: LatentModel>(
    model: &M,
    x: &[f64],
    epsilon: &[f64],
    estimator: &dyn Estimator,
    scale: f64,
    gradient: &mut [f64],
) -> Bound {
    let encoded = model.encode(x);
    let (latents, samples) = (encoded.mean.len(), estimator.samples());
    assert_eq!(epsilon.len(), samples * latents, "S · L noise");
    let rows = epsilon.chunks_exact(latents);
    let draws: Vec<_> = rows.clone().map(|e| Draw::new(model, x, &encoded, e)).collect();
    let log_weights: Vec<f64> = draws.iter().map(|draw| draw.log_weight).collect();

    let (mut a, mut b, mut c) = (vec![0.0; samples], vec![0.0; samples], vec![0.0; samples]);
    let coefficients = Coefficients { theta: &mut a, path: &mut b, score: &mut c };
    let bound = estimator.evaluate(&log_weights, coefficients);
    if bound.first_non_finite().is_some() {
        return bound;
    }

    let (mut d_mean, mut d_sd) = (vec![0.0; latents], vec![0.0; latents]);
    for (s, (Draw { z, decoded, .. }, epsilon)) in draws.iter().zip(rows).enumerate() {
        let g = model.log_joint_backward(x, z, decoded, scale * a[s], gradient);
        for l in 0..latents {
            let (e, sd) = (epsilon[l], encoded.sd[l]);
            // −∂z log q(z|x) = ε/σ.
            let path = b[s] * (g[l] + e / sd);
            d_mean[l] += path + c[s] * e / sd;
            d_sd[l] += path * e + c[s] * (e * e - 1.0) / sd;
        }
    }
    model.encode_backward(&encoded, &d_mean, &d_sd, scale, gradient);
    bound
}
