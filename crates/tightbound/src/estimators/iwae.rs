//! Average weights inside one logarithm: the importance-weighted bound.

use super::estimator::{Bound, Coefficients, Definition, Estimator, Properties, SampleRule};
use super::reference::BURDA_2016;
use super::weights::normalise;

/// L_K = log (1/K) Σ_k w_k, with a = b = v and c = −v, v = w / Σ w.
#[derive(Debug)]
struct Iwae {
    k: usize,
}

impl Estimator for Iwae {
    fn m(&self) -> usize {
        1
    }

    fn k(&self) -> usize {
        self.k
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        let Coefficients { theta, path, score } = coefficients;
        let bound = normalise(log_weights, theta);
        path.copy_from_slice(theta);
        for (c, v) in score.iter_mut().zip(theta.iter()) {
            *c = -v;
        }
        Bound::single(bound)
    }
}

pub(super) static DEFINITION: Definition = Definition {
    name: "iwae",
    title: "importance-weighted auto-encoder",
    formula: "L_K = log (1/K) Σ_k w_k",
    when: "The tightest bound for K samples, and the best decoder gradients. The signal-to-noise \
           ratio of the encoder's gradient falls as 1/√K: prefer MIWAE or PIWAE when K is large.",
    properties: Properties {
        samples: SampleRule::InnerOnly,
        needs_beta: false,
        two_targets: false,
        unbiased: true,
    },
    reference: BURDA_2016,
    equation: "Eq. 8",
    build: |s| Box::new(Iwae { k: s.k }),
};
