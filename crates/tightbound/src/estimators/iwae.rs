//! Average weights inside one logarithm: the importance-weighted bound.

use super::EstimatorSettings;
use super::estimator::{Bound, Coefficients, Definition, Estimator, Parameters, SampleRule};
use super::gradient::OF_LOG_MEANS;
use super::log_mean::LogMean;
use super::reference::BURDA_2016;

/// L_K = log (1/K) Σ_k w_k, with a = v, v = w / Σ w; plain: b = v and c = −v.
#[derive(Debug)]
struct Iwae {
    k: usize,
    rule: LogMean,
}

impl Estimator for Iwae {
    fn m(&self) -> usize {
        1
    }

    fn k(&self) -> usize {
        self.k
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        Bound::single(self.rule.evaluate(log_weights, coefficients))
    }
}

fn build(settings: &EstimatorSettings) -> Box<dyn Estimator> {
    Box::new(Iwae { k: settings.k, rule: settings.log_mean() })
}

pub(super) static DEFINITION: Definition = Definition {
    name: "iwae",
    title: "importance-weighted auto-encoder",
    formula: "L_K = log (1/K) Σ_k w_k",
    when: "The tightest bound for K samples, and the best decoder gradients. The signal-to-noise \
           ratio of the encoder's plain gradient falls as 1/√K: prefer MIWAE or PIWAE when K is \
           large, or the rule dreg.",
    samples: SampleRule::InnerOnly,
    least_k: 1,
    parameters: Parameters::NONE,
    two_targets: false,
    gradients: OF_LOG_MEANS,
    refusal: "covariance is the rule of tvo",
    reference: BURDA_2016,
    equation: "Eq. 8",
    build,
};
