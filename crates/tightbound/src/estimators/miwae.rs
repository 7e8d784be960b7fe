//! Average M importance-weighted bounds of K samples each.

use super::EstimatorSettings;
use super::estimator::{Bound, Coefficients, Definition, Estimator, Parameters, SampleRule};
use super::gradient::OF_LOG_MEANS;
use super::log_mean::LogMean;
use super::reference::RAINFORTH_2018;

/// L_{M,K} = (1/M) Σ_m log (1/K) Σ_k w_mk, with a = v_mk/M; plain: b = v_mk/M and c = −v_mk/M.
#[derive(Debug)]
struct Miwae {
    m: usize,
    k: usize,
    rule: LogMean,
}

impl Estimator for Miwae {
    fn m(&self) -> usize {
        self.m
    }

    fn k(&self) -> usize {
        self.k
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        Bound::single(mean_over_groups(self.rule, log_weights, self.k, coefficients))
    }
}

/// Fills in the coefficients of (1/M) Σ_m L_m, each group of `k` under `rule`, and returns the bound.
pub(super) fn mean_over_groups(
    rule: LogMean,
    log_weights: &[f64],
    k: usize,
    out: Coefficients<'_>,
) -> f64 {
    let m = (log_weights.len() / k) as f64;
    let Coefficients { theta, path, score } = out;
    let groups = theta.chunks_exact_mut(k).zip(path.chunks_exact_mut(k)).zip(score.chunks_exact_mut(k));
    let mut sum = 0.0;
    for (group, ((theta, path), score)) in log_weights.chunks_exact(k).zip(groups) {
        let out = Coefficients { theta: &mut *theta, path: &mut *path, score: &mut *score };
        sum += rule.evaluate(group, out);
        for coefficients in [theta, path, score] {
            coefficients.iter_mut().for_each(|coefficient| *coefficient /= m);
        }
    }
    sum / m
}

fn build(settings: &EstimatorSettings) -> Box<dyn Estimator> {
    Box::new(Miwae { m: settings.m, k: settings.k, rule: settings.log_mean() })
}

pub(super) static DEFINITION: Definition = Definition {
    name: "miwae",
    title: "multiply importance-weighted auto-encoder",
    formula: "L_{M,K} = (1/M) Σ_m log (1/K) Σ_k w_mk",
    when: "A dial between VAE (K = 1) and IWAE (M = 1) at the same cost M·K. With M around √(M·K) \
           the encoder learns faster than IWAE's and the bound is still tight.",
    samples: SampleRule::Both,
    least_k: 1,
    parameters: Parameters::NONE,
    two_targets: false,
    gradients: OF_LOG_MEANS,
    refusal: "covariance is the rule of tvo",
    reference: RAINFORTH_2018,
    equation: "section “New Estimators”",
    build,
};
