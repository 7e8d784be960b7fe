//! Train the decoder on one bound and the encoder on another.

use super::EstimatorSettings;
use super::estimator::{Bound, Coefficients, Definition, Estimator, Parameters, SampleRule};
use super::gradient::OF_LOG_MEANS;
use super::log_mean::LogMean;
use super::miwae::mean_over_groups;
use super::reference::RAINFORTH_2018;
use super::weights::normalise;

/// θ follows L_{M·L} (a = v over all samples), φ follows L_{M,L} (plain: b = v_ml/M, c = −v_ml/M).
#[derive(Debug)]
struct Piwae {
    m: usize,
    l: usize,
    rule: LogMean,
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
        let of_phi = Coefficients { theta: &mut *theta, path, score };
        let phi = mean_over_groups(self.rule, log_weights, self.l, of_phi);
        // The decoder's coefficients of φ's bound go; its own bound sees all samples.
        let theta = normalise(log_weights, theta);
        Bound { theta, phi, d_beta: 0.0 }
    }
}

fn build(settings: &EstimatorSettings) -> Box<dyn Estimator> {
    Box::new(Piwae { m: settings.m, l: settings.k, rule: settings.log_mean() })
}

pub(super) static DEFINITION: Definition = Definition {
    name: "piwae",
    title: "partially importance-weighted auto-encoder",
    formula: "θ: L_{M·K} = log (1/MK) Σ_mk w_mk;  φ: L_{M,K} = (1/M) Σ_m log (1/K) Σ_k w_mk",
    when: "The decoder gets the tightest bound, the encoder a less noisy gradient, from the same \
           M·K samples and one pass. A good default when a tight bound and a good encoder both count.",
    samples: SampleRule::Both,
    least_k: 1,
    parameters: Parameters::NONE,
    two_targets: true,
    gradients: OF_LOG_MEANS,
    refusal: "covariance is the rule of tvo",
    reference: RAINFORTH_2018,
    equation: "section “New Estimators”",
    build,
};
