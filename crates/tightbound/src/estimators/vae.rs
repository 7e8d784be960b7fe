//! Average log-weights outside the logarithm: the evidence lower bound (ELBO).

use super::estimator::{Bound, Coefficients, Definition, Estimator, Properties, SampleRule};
use super::reference::KINGMA_2014;

/// ELBO_M = (1/M) Σ_m log w_m, with a = b = 1/M and c = −1/M.
#[derive(Debug)]
struct Vae {
    m: usize,
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
        coefficients.score.fill(-weight);
        Bound::single(log_weights.iter().sum::<f64>() * weight)
    }
}

pub(super) static DEFINITION: Definition = Definition {
    name: "vae",
    title: "variational auto-encoder",
    formula: "ELBO_M = (1/M) Σ_m log w_m",
    when: "The baseline. Its encoder gradients are the least noisy of all; its bound is the loosest, \
           so the decoder is pulled towards models whose posterior the encoder can match.",
    properties: Properties {
        samples: SampleRule::OuterOnly,
        needs_beta: false,
        two_targets: false,
        unbiased: true,
    },
    reference: KINGMA_2014,
    equation: "Eq. 6",
    build: |s| Box::new(Vae { m: s.m }),
};
