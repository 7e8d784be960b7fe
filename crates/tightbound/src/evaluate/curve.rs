//! Accumulate L_1, L_8, L_64 and L_K of one image from one pass over its log-weights.

use crate::estimators::log_mean_exp;

/// Group sizes of the curve between 1 and K.
pub(super) const GROUPS: [usize; 2] = [8, 64];
/// Log-weights must arrive in pieces of a multiple of this, the last one apart.
pub(super) const PIECE: usize = 512;

/// Running sums over the log-weights of one image. The sample axis is the only axis here: what is
/// grouped are samples of one image, never images.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    samples: usize,
    sum: f64,
    /// For every size of [`GROUPS`]: number of whole groups, and the sum of their log-mean-exps.
    groups: [(usize, f64); GROUPS.len()],
    /// Largest log-weight and Σ exp(log w − largest).
    largest: f64,
    scaled_sum: f64,
}

impl Curve {
    pub(super) fn new() -> Self {
        let groups = [(0, 0.0); GROUPS.len()];
        Self { samples: 0, sum: 0.0, groups, largest: f64::NEG_INFINITY, scaled_sum: 0.0 }
    }

    /// Adds the next log-weights of the image.
    pub(super) fn add(&mut self, log_weights: &[f64]) {
        debug_assert_eq!(self.samples % PIECE, 0, "a short piece is the last one");
        self.samples += log_weights.len();
        self.sum += log_weights.iter().sum::<f64>();
        for ((count, sum), size) in self.groups.iter_mut().zip(GROUPS) {
            let groups = log_weights.chunks_exact(size);
            *count += groups.len();
            *sum += groups.map(log_mean_exp).sum::<f64>();
        }
        let largest = log_weights.iter().copied().fold(self.largest, f64::max);
        if largest > f64::NEG_INFINITY {
            let terms = log_weights.iter().map(|l| libm::exp(l - largest)).sum::<f64>();
            self.scaled_sum = self.scaled_sum * libm::exp(self.largest - largest) + terms;
            self.largest = largest;
        }
    }

    /// L_1: the mean log-weight, an unbiased estimate of the ELBO.
    pub(super) fn elbo(&self) -> f64 {
        self.sum / self.samples as f64
    }

    /// L_g for `GROUPS[index]`: the mean over disjoint groups of g samples; none if K < g.
    pub(super) fn group(&self, index: usize) -> Option<f64> {
        let (count, sum) = self.groups[index];
        (count > 0).then(|| sum / count as f64)
    }

    /// L_K over all samples.
    pub(super) fn whole(&self) -> f64 {
        self.largest + libm::log(self.scaled_sum / self.samples as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces, groups and a remainder against the definitions, taken one by one.
    #[test]
    fn agrees_with_the_definitions() {
        let log_weights: Vec<f64> = (0..1_234)
            .map(|i| -90.0 + 7.0 * (f64::from(i) * 0.7).sin() - f64::from(i) * 1e-3)
            .collect();
        let mut curve = Curve::new();
        log_weights.chunks(PIECE).for_each(|piece| curve.add(piece));
        let grouped = |g: usize| {
            let groups: Vec<f64> = log_weights.chunks_exact(g).map(log_mean_exp).collect();
            groups.iter().sum::<f64>() / groups.len() as f64
        };
        // Sums of 1,234 numbers near 90 in f64.
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-10, "{a} {b}");
        close(curve.elbo(), grouped(1));
        close(curve.group(0).unwrap(), grouped(8));
        close(curve.group(1).unwrap(), grouped(64));
        close(curve.whole(), log_mean_exp(&log_weights));
    }

    #[test]
    fn minus_infinity_first_and_too_few_samples() {
        let mut curve = Curve::new();
        curve.add(&[f64::NEG_INFINITY, f64::NEG_INFINITY, 0.0]);
        assert!((curve.whole() + 3f64.ln()).abs() < 1e-15);
        assert_eq!(curve.group(0), None);
        let mut none = Curve::new();
        none.add(&[f64::NEG_INFINITY; PIECE]);
        none.add(&[f64::NEG_INFINITY; 5]);
        assert_eq!(none.whole(), f64::NEG_INFINITY);
    }
}
