//! Scale rows, and sum them into columns.

use super::dispatch::Task;
use super::simd::{LANES, Simd};

/// `out` ← diag(`scale`) · `x`, all rows `stride` long, a multiple of 16.
#[derive(Debug)]
pub(crate) struct ScaleRows<'a> {
    /// `[rows]`.
    pub(crate) scale: &'a [f32],
    pub(crate) stride: usize,
    /// `[rows, stride]`.
    pub(crate) x: &'a [f32],
    /// `[rows, stride]`.
    pub(crate) out: &'a mut [f32],
}

impl Task for ScaleRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let rows = self.x.chunks_exact(self.stride).zip(self.out.chunks_exact_mut(self.stride));
        for (&scale, (x, out)) in self.scale.iter().zip(rows) {
            let scale = s.splat(scale);
            for (x, out) in x.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
                s.store(s.mul(scale, s.load(x)), out);
            }
        }
    }
}

/// `sums` += Σ_r weight\[r\] · row r: one chain of fused multiply-adds per column, in row order.
#[derive(Debug)]
pub(crate) struct WeightedColumnSums<'a> {
    /// `[rows]`.
    pub(crate) weights: &'a [f32],
    pub(crate) stride: usize,
    /// `[rows, stride]`.
    pub(crate) x: &'a [f32],
    /// `[stride]`.
    pub(crate) sums: &'a mut [f32],
}

impl Task for WeightedColumnSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        assert_eq!(self.x.len(), self.weights.len() * self.stride, "one weight per row");
        assert_eq!(self.sums.len(), self.stride, "one sum per column");
        for (column, sums) in self.sums.as_chunks_mut().0.iter_mut().enumerate() {
            let mut sum = s.load(sums);
            let rows = self.x.chunks_exact(self.stride);
            for (&weight, row) in self.weights.iter().zip(rows) {
                let x = &row.as_chunks::<LANES>().0[column];
                sum = s.fma(s.splat(weight), s.load(x), sum);
            }
            s.store(sum, sums);
        }
    }
}
