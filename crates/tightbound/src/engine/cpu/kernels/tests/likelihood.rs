//! Hold the likelihood pass against the formula in f64.

use super::support::{
    ROUNDING, assert_close, assert_same_bits, normals, on_all_paths, sigmoid, softplus,
};
use crate::engine::cpu::KernelPath;
use crate::engine::cpu::kernels::{Bernoulli, BernoulliScore, Sigmoid, pad};

/// One vector, its edges, an image, the last D whose first 120 vectors share a logarithm per lane, the
/// first that needs another, and more.
const PIXELS: [usize; 8] = [1, 15, 16, 17, 784, 1936, 1937, 4000];

/// An image x `[pad(D)]`, and rows of logits of the given sizes, which are NaN beyond D.
fn inputs(pixels: usize, sizes: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let stride = pad(pixels);
    let mut x: Vec<f32> = normals(1, stride).iter().map(|&x| f32::from(x > 0.5)).collect();
    x[pixels..].fill(0.0);
    let mut logits = normals(2, sizes.len() * stride);
    for (row, size) in logits.chunks_exact_mut(stride).zip(sizes) {
        row.iter_mut().for_each(|l| *l *= size);
        row[pixels..].fill(f32::NAN);
    }
    (x, logits)
}

/// Log-likelihoods, and residuals `[rows, pad(D)]`.
fn bernoulli(pixels: usize, x: &[f32], logits: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let rows = logits.len() / x.len();
    let mut both = on_all_paths(&vec![f64::NAN; rows + logits.len()], |path, both| {
        let mut residual = logits.to_vec();
        let (log_likelihood, out) = both.split_at_mut(rows);
        path.run(Bernoulli { pixels, x, logits: &mut residual, log_likelihood });
        out.iter_mut().zip(residual).for_each(|(out, r)| *out = r.into());
    });
    let residual = both.split_off(rows);
    (both, residual)
}

#[test]
fn bernoulli_is_the_formula() {
    for pixels in PIXELS {
        // Every factor 1 + e^(−|l|) is 2 in the row of zeros: the longest products there can be.
        let (x, logits) = inputs(pixels, &[4.0, 0.0, 1e4, 1e-3, 80.0]);
        let (log_likelihood, residual) = bernoulli(pixels, &x, &logits);
        let rows = logits.chunks_exact(x.len()).zip(residual.chunks_exact(x.len()));
        for ((logits, residual), log_likelihood) in rows.zip(log_likelihood) {
            let mut exact = 0.0;
            for d in 0..pixels {
                let [x, l] = [x[d], logits[d]].map(f64::from);
                exact += x * l - softplus(l);
                // 1.2 · 2⁻²⁴ of e^(−|l|), at most 2.5 of sum and quotient, and the difference.
                assert_close(residual[d], x - sigmoid(l), 4.0 * ROUNDING, format_args!("{l}"));
            }
            assert!(residual[pixels..].iter().all(|&r| r == 0.0), "padding of D = {pixels}");
            // All terms have one sign. Each lane adds up to 250 of them, whose roundings walk at
            // random, √250 · 2⁻²⁴ < 1e-6; and each factor of a product may round by 2⁻²⁴.
            let tolerance = 1e-6 * exact.abs() + ROUNDING * pixels as f64;
            assert_close(log_likelihood, exact, tolerance, format_args!("D = {pixels}"));
        }
    }
}

/// A large image is scored without residuals first, and with them afterwards.
#[test]
fn scores_have_the_same_bits_without_residuals() {
    for pixels in PIXELS {
        let (x, logits) = inputs(pixels, &[4.0, 0.0, 80.0]);
        let (log_likelihood, _) = bernoulli(pixels, &x, &logits);
        let scores = on_all_paths(&[0.0f64; 3], |path, log_likelihood| {
            let logits = &mut logits.clone();
            path.run(BernoulliScore(Bernoulli { pixels, x: &x, logits, log_likelihood }));
        });
        assert_same_bits(&scores, &log_likelihood, format_args!("D = {pixels}"));
    }
}

/// Where a pixel is nearly certain, its residual is small, and known to 4e-6 of itself.
#[test]
fn small_residuals_keep_their_digits() {
    let mut logits: Vec<f32> = (0..54 * 64).map(|i| -5.0 - i as f32 / 64.0).collect();
    let x = vec![0.0; logits.len()];
    let exact: Vec<f64> = logits.iter().map(|&l| -sigmoid(l.into())).collect();
    let path = KernelPath::fastest();
    path.run(Bernoulli { pixels: x.len(), x: &x, logits: &mut logits, log_likelihood: &mut [0.0] });
    for (residual, exact) in logits.into_iter().zip(exact) {
        assert_close(residual, exact, 4e-6 * exact.abs(), format_args!("{exact:e}"));
    }
}

#[test]
fn bernoulli_does_not_hide_nan() {
    for pixels in PIXELS {
        for at in [0, pixels / 2, pixels - 1] {
            let (x, mut logits) = inputs(pixels, &[1.0; 3]);
            logits[x.len() + at] = f32::NAN;
            let (log_likelihood, residual) = bernoulli(pixels, &x, &logits);
            let nan: Vec<bool> = log_likelihood.iter().map(|l| l.is_nan()).collect();
            assert_eq!(nan, [false, true, false], "D = {pixels}, pixel {at}");
            assert!(residual[x.len() + at].is_nan(), "D = {pixels}, pixel {at}");
        }
    }
}

#[test]
fn sigmoid_replaces_logits() {
    let logits: Vec<f32> = normals(1, 48).iter().map(|x| 10.0 * x).collect();
    let probabilities = on_all_paths(&logits, |path, logits| path.run(Sigmoid { logits }));
    for (l, p) in logits.into_iter().zip(probabilities) {
        let exact = sigmoid(l.into());
        // 3 ulp, each at most two roundings.
        assert_close(p, exact, 6.0 * ROUNDING * exact, format_args!("sigmoid({l})"));
    }
}
