//! Turn logits into the Bernoulli log-likelihood and its derivative in one pass.
//!
//! Σ_d x l − softplus(l), with softplus(l) = max(l, 0) + ln(1 + e^(−|l|)). The logarithms are not
//! taken one by one: each lane multiplies its factors 1 + e^(−|l|) ∈ (1, 2] and takes one logarithm
//! per [`FLUSH`] of them, before 2^127 could be passed. That removes 48 of 49 logarithms per row of
//! 784 pixels. A factor whose e^(−|l|) is below 2⁻²⁴ leaves the product as it is, so a row of 784
//! certain pixels can lose up to 784 · 2⁻²⁵ = 2e-5 nats, about what f32 loses in a sum of such terms.
//! An infinite logit gives NaN (∞ − ∞), which the engine reports as a bound that is not finite.

use super::dispatch::Task;
use super::maths;
use super::simd::{LANES, Simd};

/// Factors per logarithm: 2^120 is far from the end of f32.
const FLUSH: usize = 120;

/// The log-likelihood of one image under several rows of logits; the logits become residuals.
#[derive(Debug)]
pub(crate) struct Bernoulli<'a> {
    /// D.
    pub(crate) pixels: usize,
    /// x, `[pad(D)]`, each 0 or 1, zero beyond D.
    pub(crate) x: &'a [f32],
    /// In: logits `[rows, pad(D)]`. Out: x − sigmoid(logit), zero beyond D.
    pub(crate) logits: &'a mut [f32],
    /// log p(x|z), `[rows]`, in nats.
    pub(crate) log_likelihood: &'a mut [f64],
}

impl Task for Bernoulli<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let x = self.x.as_chunks().0;
        let stride = x.len() * LANES;
        assert!(stride >= self.pixels && stride - self.pixels < LANES, "x is padded to vectors");
        assert_eq!(self.logits.len(), stride * self.log_likelihood.len(), "one row per sample");
        let valid = valid_lanes(self.pixels);
        let rows = self.logits.chunks_exact_mut(stride);
        for (row, out) in rows.zip(self.log_likelihood) {
            *out = bernoulli_row(s, x, row.as_chunks_mut().0, &valid);
        }
    }
}

/// All bits set in the lanes of the last vector that hold pixels.
#[inline(always)]
fn valid_lanes(pixels: usize) -> [u32; LANES] {
    let used = (pixels - 1) % LANES + 1;
    std::array::from_fn(|i| if i < used { u32::MAX } else { 0 })
}

/// One row: returns the log-likelihood and leaves the residual.
#[inline(always)]
fn bernoulli_row<S: Simd>(
    s: S,
    x: &[[f32; LANES]],
    row: &mut [[f32; LANES]],
    valid: &[u32; LANES],
) -> f64 {
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    let mut linear = zero;
    let mut logarithms = zero;
    let last = row.len() - 1;
    for (block, (row, x)) in row.chunks_mut(FLUSH).zip(x.chunks(FLUSH)).enumerate() {
        let mut product = one;
        for (i, (l, x)) in row.iter_mut().zip(x).enumerate() {
            let (logit, x) = (s.load(l), s.load(x));
            let mut e = maths::exp_nonpositive(s, s.sub(zero, s.abs(logit)));
            let mut residual = s.sub(x, maths::sigmoid_from_exp(s, logit, e));
            // x·l − max(l, 0); padded lanes have x = 0 and a logit that is masked below.
            let mut term = s.fma(x, logit, s.sub(zero, s.max(zero, logit)));
            if block * FLUSH + i == last {
                let mask = s.nonzero(s.load_u(valid));
                e = s.select(mask, e, zero);
                residual = s.select(mask, residual, zero);
                term = s.select(mask, term, zero);
            }
            linear = s.add(linear, term);
            product = s.fma(product, e, product);
            s.store(residual, l);
        }
        logarithms = s.add(logarithms, maths::ln(s, product));
    }
    let (linear, logarithms) = (s.array(linear), s.array(logarithms));
    let lanes: [f64; LANES] =
        std::array::from_fn(|i| f64::from(linear[i]) - f64::from(logarithms[i]));
    sum_lanes(lanes)
}

/// Adds sixteen numbers by one fixed tree.
#[inline(always)]
pub(super) fn sum_lanes(mut lanes: [f64; LANES]) -> f64 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Logits → probabilities, in place; the length is a multiple of 16.
#[derive(Debug)]
pub(crate) struct Sigmoid<'a> {
    pub(crate) logits: &'a mut [f32],
}

impl Task for Sigmoid<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (chunks, rest) = self.logits.as_chunks_mut();
        assert!(rest.is_empty(), "whole vectors");
        for l in chunks {
            s.store(maths::sigmoid(s, s.load(l)), l);
        }
    }
}
