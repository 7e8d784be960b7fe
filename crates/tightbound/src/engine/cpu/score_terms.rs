//! Sum the parts of the posterior's gradient that need no decoder.

use super::encoder::EncoderPass;
use super::kernels::pad;

/// With g = ∂z log p(x, z), the gradient at μ and σ of one image is
///
/// ```text
/// dμ = Σ b g   + (1/σ) Σ (b + c) ε
/// dσ = Σ b g ε + (1/σ) [Σ (b + c) ε² − Σ c]
/// ```
///
/// These are the sums without g, in f64, over all samples, pruned or not. For the plain rule c = −b, so
/// only Σ c is left, and the two large opposite terms in ε/σ never meet.
#[derive(Debug)]
pub(super) struct ScoreTerms {
    /// b + c of every sample; empty for the plain rule.
    both: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
    sum_c: f64,
}

impl ScoreTerms {
    /// The sums that need no ε, for `latents` latents and the b and c of all samples.
    pub(super) fn new(latents: usize, b: &[f64], c: &[f64]) -> Self {
        let mut both: Vec<f64> = b.iter().zip(c).map(|(b, c)| b + c).collect();
        if both.iter().all(|&both| both == 0.0) {
            both.clear();
        }
        let sums = vec![0.0; latents];
        Self { both, first: sums.clone(), second: sums, sum_c: c.iter().sum() }
    }

    /// Whether b + c is zero for every sample, so that ε is not needed.
    pub(super) fn is_plain(&self) -> bool {
        self.both.is_empty()
    }

    /// Adds the samples from `first_sample` on whose ε `[samples, pad(L)]` is given.
    pub(super) fn add(&mut self, first_sample: u32, epsilon: &[f32]) {
        if self.is_plain() {
            return;
        }
        let rows = epsilon.chunks_exact(pad(self.first.len()));
        for (row, both) in rows.zip(&self.both[first_sample as usize..]) {
            for ((first, second), &e) in self.first.iter_mut().zip(&mut self.second).zip(row) {
                let e = f64::from(e);
                *first += both * e;
                *second += both * e * e;
            }
        }
    }

    /// Adds the terms to the gradients at μ and σ of image `i` of a pass.
    pub(super) fn finish(&self, pass: &mut EncoderPass, i: usize) {
        let row = i * pad(self.first.len());
        for (l, (first, second)) in self.first.iter().zip(&self.second).enumerate() {
            let sd = f64::from(pass.sd[row + l]);
            pass.d_mean[row + l] += (first / sd) as f32;
            pass.d_sd[row + l] += ((second - self.sum_c) / sd) as f32;
        }
    }
}
