//! Turn logits into the Bernoulli log-likelihood and its derivative in one pass.
//!
//! Σ_d x l − softplus(l), with softplus(l) = max(l, 0) + ln(1 + e^(−|l|)). The logarithms are not
//! taken one by one: each lane multiplies its factors 1 + e^(−|l|) ∈ (1, 2] and takes one logarithm
//! per [`FLUSH`] of them, before 2^127 could be passed. That removes 47 of 49 logarithms per row of
//! 784 pixels. A factor whose e^(−|l|) is below 2⁻²⁴ leaves the product as it is, so a row of 784
//! certain pixels can lose up to 784 · 2⁻²⁴ = 5e-5 nats, about what f32 loses in a sum of such terms.
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

/// The same without residuals: the logits are not defined afterwards.
#[derive(Debug)]
pub(crate) struct BernoulliScore<'a>(pub(crate) Bernoulli<'a>);

impl Task for Bernoulli<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        bernoulli::<S, true>(s, self);
    }
}

impl Task for BernoulliScore<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        bernoulli::<S, false>(s, self.0);
    }
}

#[inline(always)]
fn bernoulli<S: Simd, const RESIDUAL: bool>(s: S, task: Bernoulli<'_>) {
    let Bernoulli { pixels, x, logits, log_likelihood } = task;
    let x = x.as_chunks().0;
    let stride = x.len() * LANES;
    assert!(stride >= pixels && stride - pixels < LANES, "x is padded to vectors");
    assert_eq!(logits.len(), stride * log_likelihood.len(), "one row per sample");
    // All bits set in the lanes of the last vector that hold pixels.
    let used = (pixels - 1) % LANES + 1;
    let valid: [u32; LANES] = std::array::from_fn(|i| if i < used { u32::MAX } else { 0 });
    let valid = s.nonzero(s.load_u(&valid));
    for (row, out) in logits.chunks_exact_mut(stride).zip(log_likelihood) {
        *out = bernoulli_row::<S, RESIDUAL>(s, x, row.as_chunks_mut().0, valid);
    }
}

/// One row: returns the log-likelihood and leaves the residual.
#[inline(always)]
fn bernoulli_row<S: Simd, const RESIDUAL: bool>(
    s: S,
    x: &[[f32; LANES]],
    row: &mut [[f32; LANES]],
    valid: S::M,
) -> f64 {
    let zero = s.splat(0.0);
    let ((x_last, x), (last, row)) =
        x.split_last().zip(row.split_last_mut()).expect("a pixel at least");
    // The last vector first, alone: only there lanes may be unused.
    let logit = s.select(valid, s.load(last), zero);
    let (e, term, residual) = bernoulli_vector(s, s.load(x_last), logit);
    s.store(s.select(valid, residual, zero), last);
    let mut linear = term;
    let mut logarithms = maths::ln(s, s.add(s.splat(1.0), s.select(valid, e, zero)));
    for (row, x) in row.chunks_mut(FLUSH).zip(x.chunks(FLUSH)) {
        let mut product = s.splat(1.0);
        for (l, x) in row.iter_mut().zip(x) {
            let (e, term, residual) = bernoulli_vector(s, s.load(x), s.load(l));
            linear = s.add(linear, term);
            product = s.fma(product, e, product);
            if RESIDUAL {
                s.store(residual, l);
            }
        }
        logarithms = s.add(logarithms, maths::ln(s, product));
    }
    let (linear, logarithms) = (s.array(linear), s.array(logarithms));
    let lanes: [f64; LANES] =
        std::array::from_fn(|i| f64::from(linear[i]) - f64::from(logarithms[i]));
    sum_lanes(lanes)
}

/// e^(−|l|), x·l − max(l, 0) and x − sigmoid(l).
#[inline(always)]
fn bernoulli_vector<S: Simd>(s: S, x: S::F, logit: S::F) -> (S::F, S::F, S::F) {
    let zero = s.splat(0.0);
    let e = maths::exp_minus_abs(s, logit);
    let term = s.fma(x, logit, s.sub(zero, s.max(zero, logit)));
    (e, term, s.sub(x, maths::sigmoid_from_exp(s, logit, e)))
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
