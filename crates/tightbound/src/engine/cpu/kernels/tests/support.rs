//! Run kernels on every path, and compare what they return.

use std::fmt::Display;

use crate::engine::cpu::kernels::KernelPath;
use crate::random::{Purpose, Stream};

/// Half a unit in the last place of 1: what one f32 operation may round, relative to its result.
pub(super) const ROUNDING: f64 = 1.0 / 16_777_216.0;

/// What `run` makes of a buffer, after making sure that it is the same on every path.
pub(super) fn on_all_paths<T>(buffer: &[T], run: impl Fn(KernelPath, &mut [T])) -> Vec<T>
where
    T: Copy + Into<f64>,
{
    let mut results = KernelPath::available().into_iter().rev().map(|path| {
        let mut out = buffer.to_vec();
        run(path, &mut out);
        (path, out)
    });
    let (_, portable) = results.next().expect("portable is always there");
    results.for_each(|(path, out)| assert_same_bits(&out, &portable, path));
    portable
}

/// Panics at the first element that differs. All NaNs are one value: their sign and payload are not
/// part of the contract.
pub(super) fn assert_same_bits<T>(got: &[T], expected: &[T], what: impl Display)
where
    T: Copy + Into<f64>,
{
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let (got, expected): (f64, f64) = (got.into(), expected.into());
        let same = got.to_bits() == expected.to_bits() || (got.is_nan() && expected.is_nan());
        assert!(same, "{what}, element {i}: {got:e} is not {expected:e}");
    }
}

/// Panics unless `got` is within an absolute tolerance.
pub(super) fn assert_close(got: impl Into<f64>, exact: f64, tolerance: f64, what: impl Display) {
    let error = (got.into() - exact).abs();
    assert!(error <= tolerance, "{what}: {error:e} off {exact:e}, {tolerance:e} allowed");
}

/// `n` standard normal numbers.
pub(super) fn normals(seed: u64, n: usize) -> Vec<f32> {
    let mut out = vec![0.0; n];
    Stream::new(seed, Purpose::Sampling).normals(0, 0, 0, &mut out);
    out
}

/// ln(1 + eˣ).
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// 1 / (1 + e⁻ˣ).
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
