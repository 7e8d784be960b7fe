//! Train the decoder on one bound and the encoder on another.

use super::estimator::{Bound, Coefficients, Definition, Estimator, Properties, SampleRule};
use super::miwae::grouped_weights;
use super::reference::RAINFORTH_2018;
use super::weights::normalise;

/// θ follows L_{M·L} (a = v over all samples), φ follows L_{M,L} (b = v_ml/M, c = −v_ml/M).
#[derive(Debug)]
struct Piwae {
    m: usize,
    l: usize,
}

impl Estimator for Piwae {
    fn m(&self) -> usize {
        self.m
    }

    fn k(&self) -> usize {
        self.l
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        let Coefficients { theta, path, score } = coefficients;
        let theta_bound = normalise(log_weights, theta);
        let phi_bound = grouped_weights(log_weights, self.l, path);
        for (c, v) in score.iter_mut().zip(path.iter()) {
            *c = -v;
        }
        Bound { theta: theta_bound, phi: phi_bound, d_beta: 0.0 }
    }
}

pub(super) static DEFINITION: Definition = Definition {
    name: "piwae",
    title: "partially importance-weighted auto-encoder",
    formula: "θ: L_{M·K} = log (1/MK) Σ_mk w_mk;  φ: L_{M,K} = (1/M) Σ_m log (1/K) Σ_k w_mk",
    when: "The decoder gets the tightest bound, the encoder a less noisy gradient, from the same \
           M·K samples and one pass. A good default when a tight bound and a good encoder both count.",
    properties: Properties {
        samples: SampleRule::Both,
        needs_beta: false,
        two_targets: true,
        unbiased: true,
    },
    reference: RAINFORTH_2018,
    equation: "section “New Estimators”",
    build: |s| Box::new(Piwae { m: s.m, l: s.k }),
};
