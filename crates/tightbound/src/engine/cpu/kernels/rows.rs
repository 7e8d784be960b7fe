//! Scale rows, sum them into columns, and turn rows into columns.

use super::dispatch::Task;
use super::simd::{LANES, Simd, pad};

/// `x` ← diag(`scale`) · `x`, rows of whole vectors.
#[derive(Debug)]
pub(crate) struct ScaleRows<'a> {
    /// `[rows]`.
    pub(crate) scale: &'a [f32],
    pub(crate) stride: usize,
    /// `[rows, stride]`.
    pub(crate) x: &'a mut [f32],
}

impl Task for ScaleRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        assert_eq!(self.stride % LANES, 0, "whole vectors");
        assert_eq!(self.x.len(), self.scale.len() * self.stride, "one factor per row");
        for (&scale, row) in self.scale.iter().zip(self.x.chunks_exact_mut(self.stride)) {
            let scale = s.splat(scale);
            for x in row.as_chunks_mut().0 {
                s.store(s.mul(scale, s.load(x)), x);
            }
        }
    }
}

/// Rows that are added to each other before they join the rest: one long f32 chain would round
/// two to three times as much as PyTorch's pairwise sums.
pub(super) const ROW_BLOCK: usize = 16;

/// `sums` += Σ_r weight\[r\] · row r: blocks of [`ROW_BLOCK`] rows in row order, then the blocks in
/// order, then the sum so far.
#[derive(Debug)]
pub(crate) struct WeightedColumnSums<'a> {
    /// `[rows]`.
    pub(crate) weights: &'a [f32],
    /// Distance of the rows.
    pub(crate) stride: usize,
    /// Row r starts at r · `stride`; as many columns as `sums` has are read.
    pub(crate) x: &'a [f32],
    /// A multiple of 16 columns.
    pub(crate) sums: &'a mut [f32],
}

impl Task for WeightedColumnSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        assert_eq!(self.sums.len() % LANES, 0, "whole vectors");
        assert!(self.stride >= self.sums.len(), "rows do not overlap");
        for (vector, sums) in self.sums.as_chunks_mut().0.iter_mut().enumerate() {
            let mut sum = s.splat(0.0);
            for (block, weights) in self.weights.chunks(ROW_BLOCK).enumerate() {
                let mut block_sum = s.splat(0.0);
                for (row, &weight) in weights.iter().enumerate() {
                    let at = (block * ROW_BLOCK + row) * self.stride + vector * LANES;
                    let x = self.x[at..].first_chunk().expect("a row for every weight");
                    block_sum = s.fma(s.splat(weight), s.load(x), block_sum);
                }
                sum = s.add(sum, block_sum);
            }
            s.store(s.add(s.load(sums), sum), sums);
        }
    }
}

/// `to` ← `from`ᵀ, `from` `[rows, columns]` dense, `to` `[columns, pad(rows)]`; padding is not written.
#[derive(Debug)]
pub(crate) struct Transpose<'a> {
    pub(crate) columns: usize,
    pub(crate) from: &'a [f32],
    pub(crate) to: &'a mut [f32],
}

impl Task for Transpose<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { columns, from, to } = self;
        let rows = from.len() / columns;
        let stride = pad(rows);
        assert!(from.len() == rows * columns && to.len() == columns * stride, "whole rows");
        for row in (0..rows).step_by(LANES) {
            for column in (0..columns).step_by(LANES) {
                if row + LANES <= rows && column + LANES <= columns {
                    let mut block = [s.splat(0.0); LANES];
                    for (i, line) in block.iter_mut().enumerate() {
                        let at = (row + i) * columns + column;
                        *line = s.load(from[at..].first_chunk().expect("inside the matrix"));
                    }
                    for (i, line) in s.transpose(block).into_iter().enumerate() {
                        let at = (column + i) * stride + row;
                        s.store(line, to[at..].first_chunk_mut().expect("inside the matrix"));
                    }
                } else {
                    for i in row..rows.min(row + LANES) {
                        for j in column..columns.min(column + LANES) {
                            to[j * stride + i] = from[i * columns + j];
                        }
                    }
                }
            }
        }
    }
}
