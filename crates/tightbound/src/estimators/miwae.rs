//! Average M importance-weighted bounds of K samples each.

use super::estimator::{Bound, Coefficients, Definition, Estimator, Properties, SampleRule};
use super::reference::RAINFORTH_2018;
use super::weights::normalise;

/// L_{M,K} = (1/M) Σ_m log (1/K) Σ_k w_mk, with a = b = v_mk/M and c = −v_mk/M.
#[derive(Debug)]
struct Miwae {
    m: usize,
    k: usize,
}

impl Estimator for Miwae {
    fn m(&self) -> usize {
        self.m
    }

    fn k(&self) -> usize {
        self.k
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        let Coefficients { theta, path, score } = coefficients;
        let bound = grouped_weights(log_weights, self.k, path);
        theta.copy_from_slice(path);
        for (c, v) in score.iter_mut().zip(path.iter()) {
            *c = -v;
        }
        Bound::single(bound)
    }
}

/// Fills `weights` with v_mk/M (v normalised within each group of `k`) and returns the bound.
pub(super) fn grouped_weights(log_weights: &[f64], k: usize, weights: &mut [f64]) -> f64 {
    let m = (log_weights.len() / k) as f64;
    let mut sum = 0.0;
    for (group, v) in log_weights.chunks_exact(k).zip(weights.chunks_exact_mut(k)) {
        sum += normalise(group, v);
        for weight in v {
            *weight /= m;
        }
    }
    sum / m
}

pub(super) static DEFINITION: Definition = Definition {
    name: "miwae",
    title: "multiply importance-weighted auto-encoder",
    formula: "L_{M,K} = (1/M) Σ_m log (1/K) Σ_k w_mk",
    when: "A dial between VAE (K = 1) and IWAE (M = 1) at the same cost M·K. With M around √(M·K) \
           the encoder learns faster than IWAE's and the bound is still tight.",
    properties: Properties {
        samples: SampleRule::Both,
        needs_beta: false,
        two_targets: false,
        unbiased: true,
    },
    reference: RAINFORTH_2018,
    equation: "section “New Estimators”",
    build: |s| Box::new(Miwae { m: s.m, k: s.k }),
};
