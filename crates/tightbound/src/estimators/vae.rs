//! Average log-weights outside the logarithm: the evidence lower bound (ELBO).

use super::EstimatorSettings;
use super::estimator::{Bound, Coefficients, Definition, Estimator, Parameters, SampleRule};
use super::gradient::{Claim, Gradient, Rule};
use super::reference::KINGMA_2014;

/// ELBO_M = (1/M) Σ_m log w_m, with a = b = 1/M; plain: c = −1/M, stl: c = 0.
#[derive(Debug)]
struct Vae {
    m: usize,
    gradient: Gradient,
}

impl Estimator for Vae {
    fn m(&self) -> usize {
        self.m
    }

    fn k(&self) -> usize {
        1
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        let weight = 1.0 / self.m as f64;
        coefficients.theta.fill(weight);
        coefficients.path.fill(weight);
        coefficients.score.fill(if self.gradient == Gradient::Stl { 0.0 } else { -weight });
        Bound::single(log_weights.iter().sum::<f64>() * weight)
    }
}

fn build(settings: &EstimatorSettings) -> Box<dyn Estimator> {
    Box::new(Vae { m: settings.m, gradient: settings.gradient })
}

pub(super) static DEFINITION: Definition = Definition {
    name: "vae",
    title: "variational auto-encoder",
    formula: "ELBO_M = (1/M) Σ_m log w_m",
    when: "The baseline. Its encoder gradients are the least noisy of all; its bound is the loosest, \
           so the decoder is pulled towards models whose posterior the encoder can match.",
    samples: SampleRule::OuterOnly,
    least_k: 1,
    parameters: Parameters::NONE,
    two_targets: false,
    gradients: &[
        Rule { gradient: Gradient::Plain, claim: Claim::Unbiased },
        // The score's mean is zero for every single sample.
        Rule { gradient: Gradient::Stl, claim: Claim::Unbiased },
    ],
    refusal: "with one sample under each logarithm dreg is stl, and the rules that weigh or leave \
              out samples have nothing to compare",
    reference: KINGMA_2014,
    equation: "Eq. 6",
    build,
};
