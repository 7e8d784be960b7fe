//! Hold scaled rows and column sums bit for bit against scalar code.

use super::support::{assert_same_bits, normals, on_all_paths};
use crate::engine::cpu::kernels::{ScaleRows, WeightedColumnSums};

#[test]
fn rows_are_scaled_and_columns_are_summed_in_blocks() {
    // Rows around the edges of the blocks of 16 in which columns are summed.
    for (rows, stride) in [0, 1, 15, 16, 17, 32, 45].into_iter().flat_map(|r| [(r, 16), (r, 48)]) {
        let (weights, x) = (&normals(1, rows)[..], &normals(2, rows * stride)[..]);
        let scaled = on_all_paths(&vec![f32::NAN; x.len()], |path, out| {
            path.run(ScaleRows { scale: weights, stride, x, out });
        });
        let expected: Vec<f32> =
            x.iter().enumerate().map(|(i, x)| weights[i / stride] * x).collect();
        assert_same_bits(&scaled, &expected, "diag(weights) x");

        let mut expected = normals(3, stride);
        let sums = on_all_paths(&expected, |path, sums| {
            path.run(WeightedColumnSums { weights, stride, x, sums });
        });
        for (column, sum) in expected.iter_mut().enumerate() {
            for first in (0..rows).step_by(16) {
                *sum += (first..rows.min(first + 16)).fold(0.0f32, |block, row| {
                    weights[row].mul_add(x[row * stride + column], block)
                });
            }
        }
        assert_same_bits(&sums, &expected, "column sums");
    }
}
