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

/// Rows that are added to each other before they join the rest: one long f32 chain would round
/// two to three times as much as PyTorch's pairwise sums.
pub(super) const ROW_BLOCK: usize = 16;

/// `sums` += Σ_r weight\[r\] · row r, in row order, blocks of [`ROW_BLOCK`] rows at a time.
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
            let blocks = self.x.chunks(ROW_BLOCK * self.stride);
            for (weights, rows) in self.weights.chunks(ROW_BLOCK).zip(blocks) {
                let mut block = s.splat(0.0);
                for (&weight, row) in weights.iter().zip(rows.chunks_exact(self.stride)) {
                    let x = &row.as_chunks::<LANES>().0[column];
                    block = s.fma(s.splat(weight), s.load(x), block);
                }
                sum = s.add(sum, block);
            }
            s.store(sum, sums);
        }
    }
}
