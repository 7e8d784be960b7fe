//! Interpolate between the ELBO and the importance-weighted bound.

use super::estimator::{Bound, Coefficients, Definition, Estimator, Properties, SampleRule};
use super::reference::RAINFORTH_2018;
use super::weights::normalise;

/// C_K(β) = β ELBO_K + (1−β) L_K, with a = b = β/K + (1−β) v and c the negative of it.
///
/// ∂C/∂β = ELBO_K − L_K, which Jensen's inequality keeps at or below zero for every draw.
#[derive(Debug)]
struct Ciwae {
    k: usize,
    beta: f64,
}

impl Estimator for Ciwae {
    fn m(&self) -> usize {
        1
    }

    fn k(&self) -> usize {
        self.k
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        let Coefficients { theta, path, score } = coefficients;
        let iwae = normalise(log_weights, theta);
        let elbo = log_weights.iter().sum::<f64>() / self.k as f64;
        let floor = self.beta / self.k as f64;
        for a in theta.iter_mut() {
            *a = floor + (1.0 - self.beta) * *a;
        }
        path.copy_from_slice(theta);
        for (c, a) in score.iter_mut().zip(theta.iter()) {
            *c = -a;
        }
        let value = if self.beta == 0.0 { iwae } else { self.beta * elbo + (1.0 - self.beta) * iwae };
        Bound { theta: value, phi: value, d_beta: elbo - iwae }
    }
}

pub(super) static DEFINITION: Definition = Definition {
    name: "ciwae",
    title: "combination importance-weighted auto-encoder",
    formula: "C_K(β) = β ELBO_K + (1−β) L_K,  0 ≤ β ≤ 1",
    when: "A continuous dial between IWAE (β = 0) and VAE (β = 1); a small β already lifts the \
           encoder's signal-to-noise ratio. β cannot be learned by maximising the bound: that ends at 0.",
    properties: Properties {
        samples: SampleRule::InnerOnly,
        needs_beta: true,
        two_targets: false,
        unbiased: true,
    },
    reference: RAINFORTH_2018,
    equation: "section “New Estimators”",
    build: |s| Box::new(Ciwae { k: s.k, beta: s.beta.expect("checked: the estimator needs a β") }),
};
