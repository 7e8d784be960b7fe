//! Give the coefficients of one log-mean-weight under every gradient rule of φ.

use super::estimator::Coefficients;
use super::gradient::Gradient;
use super::weights::{leave_one_out, normalise};

/// φ's rule for bounds that are means of L = log (1/K) Σ_k w_k, with what it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogMean {
    pub(super) gradient: Gradient,
    /// γ of OVIS~(γ); 0 for other rules.
    pub(super) gamma: f64,
}

impl LogMean {
    /// Fills a = v, b and c of the samples that share one logarithm, and returns L, in nats.
    ///
    /// # Panics
    /// For [`Gradient::Covariance`], which no log-mean supports.
    pub(super) fn evaluate(self, log_weights: &[f64], out: Coefficients<'_>) -> f64 {
        let Coefficients { theta, path, score } = out;
        let bound = normalise(log_weights, theta);
        path.fill(0.0);
        score.fill(0.0);
        match self.gradient {
            Gradient::Plain => {
                path.copy_from_slice(theta);
                fill(score, theta, |v| -v);
            }
            Gradient::Stl => path.copy_from_slice(theta),
            Gradient::Dreg => fill(path, theta, |v| v * v),
            Gradient::Rws => score.copy_from_slice(theta),
            Gradient::RwsDreg => fill(path, theta, |v| v - v * v),
            Gradient::Vimco => vimco(log_weights, bound, theta, score),
            Gradient::Ovis => ovis(log_weights, (bound, self.gamma), theta, score),
            Gradient::Covariance => unreachable!("checked: a log-mean has no covariance rule"),
        }
        bound
    }
}

fn fill(out: &mut [f64], v: &[f64], f: impl Fn(f64) -> f64) {
    for (out, &v) in out.iter_mut().zip(v) {
        *out = f(v);
    }
}

/// c = L − L₋ₖ − v_k, with L₋ₖ the bound where w_k is replaced by the geometric mean of the others
/// (Mnih & Rezende 2016).
fn vimco(log_weights: &[f64], bound: f64, v: &[f64], score: &mut [f64]) {
    let k = log_weights.len() as f64;
    leave_one_out(log_weights, score);
    let zeros = log_weights.iter().filter(|&&l| l == f64::NEG_INFINITY).count();
    let sum: f64 = log_weights.iter().filter(|&&l| l != f64::NEG_INFINITY).sum();
    for ((c, &l), v) in score.iter_mut().zip(log_weights).zip(v) {
        // Log of the others' sum, and their mean log-weight in the place of l; one weight of zero
        // among the others makes it zero.
        let own = usize::from(l == f64::NEG_INFINITY);
        let rest = if own == 1 { sum } else { sum - l };
        let mean = if zeros > own { f64::NEG_INFINITY } else { rest / (k - 1.0) };
        let others = *c;
        let high = others.max(mean);
        let total = high + libm::log(libm::exp(others - high) + libm::exp(mean - high));
        *c = bound - (total - libm::log(k)) - v;
    }
}

/// c = L − L₋ₖ − log(1−1/K) − (1−γ) v_k + γ log(1−1/K), with L₋ₖ = log[1/(K−1) Σ_{j≠k} w_j]
/// (Liévin et al. 2020).
fn ovis(log_weights: &[f64], (bound, gamma): (f64, f64), v: &[f64], score: &mut [f64]) {
    let k = log_weights.len() as f64;
    let shrink = libm::log(1.0 - 1.0 / k);
    leave_one_out(log_weights, score);
    for (c, v) in score.iter_mut().zip(v) {
        let without = *c - libm::log(k - 1.0);
        *c = bound - without - shrink - (1.0 - gamma) * v + gamma * shrink;
    }
}
