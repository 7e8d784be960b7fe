//! Average powers of weights inside one logarithm: the variational Rényi importance-weighted bound.

use super::EstimatorSettings;
use super::estimator::{Bound, Coefficients, Definition, Estimator, Parameters, SampleRule};
use super::gradient::{Gradient, PLAIN_AND_DREG};
use super::reference::DAUDEL_2023;
use super::weights::normalise;

/// L_K(α) = 1/(1−α) log (1/K) Σ_k w_k^(1−α), with a = u, u ∝ w^(1−α); plain: b = u and c = −u,
/// dreg: b = α u + (1−α) u² and c = 0. At α = 1 it is the ELBO, its limit.
#[derive(Debug)]
struct VrIwae {
    k: usize,
    alpha: f64,
    gradient: Gradient,
}

impl Estimator for VrIwae {
    fn m(&self) -> usize {
        1
    }

    fn k(&self) -> usize {
        self.k
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        let Coefficients { theta, path, score } = coefficients;
        let (alpha, power) = (self.alpha, 1.0 - self.alpha);
        let powers: Vec<f64> = log_weights.iter().map(|l| power * l).collect();
        let bound = match normalise(&powers, theta) {
            _ if power == 0.0 => log_weights.iter().sum::<f64>() / self.k as f64,
            log_mean => log_mean / power,
        };
        for ((u, b), c) in theta.iter().zip(path).zip(score) {
            (*b, *c) = match self.gradient {
                Gradient::Dreg => (alpha * u + power * u * u, 0.0),
                _ => (*u, -u),
            };
        }
        Bound::single(bound)
    }
}

fn build(settings: &EstimatorSettings) -> Box<dyn Estimator> {
    let alpha = settings.alpha.expect("checked: the estimator needs an α");
    Box::new(VrIwae { k: settings.k, alpha, gradient: settings.gradient })
}

pub(super) static DEFINITION: Definition = Definition {
    name: "vr-iwae",
    title: "variational Rényi importance-weighted auto-encoder",
    formula: "L_K(α) = 1/(1−α) log (1/K) Σ_k w_k^(1−α),  0 ≤ α ≤ 1",
    when: "Another dial between IWAE (α = 0) and VAE (α = 1): it tempers the weights instead of \
           mixing the bounds, so no single sample takes all of the gradient.",
    samples: SampleRule::InnerOnly,
    least_k: 1,
    parameters: Parameters { alpha: true, ..Parameters::NONE },
    two_targets: false,
    gradients: PLAIN_AND_DREG,
    refusal: "stl is biased where dreg is not; rws, vimco and ovis belong to log-means of weights",
    reference: DAUDEL_2023,
    equation: "the VR-IWAE bound",
    build,
};
