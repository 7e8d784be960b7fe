//! Differentiate the jackknife of the importance-weighted bound.

use super::EstimatorSettings;
use super::estimator::{Bound, Coefficients, Definition, Estimator, Parameters, SampleRule};
use super::gradient::{Gradient, PLAIN_AND_DREG};
use super::jackknife::jackknife;
use super::reference::NOWOZIN_2018;
use super::weights::{leave_one_out, normalise};

/// J_K = K L_K − ((K−1)/K) Σ_j L^(−j), with L^(−j) the bound of the K−1 samples other than j.
///
/// a = K v − ((K−1)/K) Σ_j v^(−j); plain: b = a and c = −a; dreg: the weights squared inside, c = 0.
#[derive(Debug)]
struct Jvi {
    k: usize,
    gradient: Gradient,
}

impl Estimator for Jvi {
    fn m(&self) -> usize {
        1
    }

    fn k(&self) -> usize {
        self.k
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        let Coefficients { theta, path, score } = coefficients;
        let k = self.k as f64;
        normalise(log_weights, theta);
        let others = &mut *score;
        leave_one_out(log_weights, others);
        let shrink = (k - 1.0) / k;
        // Σ_j v_s^(−j) = w_s (Σ_j 1/W_j − 1/W_s) with W_j = Σ_{i≠j} w_i, in log space: 1/W of the
        // largest sample may be larger than all others by any factor, so nothing is subtracted.
        for (s, &l) in log_weights.iter().enumerate() {
            let (mut first, mut second) = (0.0, 0.0);
            for (_, other) in others.iter().enumerate().filter(|&(j, _)| j != s) {
                let v = libm::exp(l - other);
                first += v;
                second += v * v;
            }
            let v = theta[s];
            theta[s] = k * v - shrink * first;
            path[s] = match self.gradient {
                Gradient::Dreg => k * v * v - shrink * second,
                _ => theta[s],
            };
        }
        for (c, a) in score.iter_mut().zip(theta.iter()) {
            *c = if self.gradient == Gradient::Dreg { 0.0 } else { -a };
        }
        Bound::single(jackknife(log_weights).expect("checked: K is at least 2"))
    }
}

fn build(settings: &EstimatorSettings) -> Box<dyn Estimator> {
    Box::new(Jvi { k: settings.k, gradient: settings.gradient })
}

pub(super) static DEFINITION: Definition = Definition {
    name: "jvi",
    title: "jackknife variational inference, first order",
    formula: "J_K = K L_K − ((K−1)/K) Σ_j L^(−j),  K ≥ 2",
    when: "Closer to log p(x) than IWAE with the same samples: the error falls as 1/K² instead of 1/K. \
           Not a bound: it may lie above log p(x), so do not select models by it. Its cost grows as K².",
    samples: SampleRule::InnerOnly,
    least_k: 2,
    parameters: Parameters::NONE,
    two_targets: false,
    gradients: PLAIN_AND_DREG,
    refusal: "stl is biased where dreg is not; rws, vimco and ovis belong to log-means of weights",
    reference: NOWOZIN_2018,
    equation: "JVI with m = 1",
    build,
};
