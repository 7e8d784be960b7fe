//! Hold scaled rows, column sums and transposes bit for bit against scalar code.

use super::support::{assert_same_bits, normals, on_all_paths};
use crate::engine::cpu::kernels::{ScaleRows, Transpose, WeightedColumnSums, pad};

#[test]
fn rows_are_scaled_and_columns_are_summed_in_blocks() {
    // Rows around the edges of the blocks of 16 in which columns are summed.
    for (rows, stride) in [0, 1, 15, 16, 17, 32, 45].into_iter().flat_map(|r| [(r, 16), (r, 48)]) {
        let (weights, x) = (&normals(1, rows)[..], &normals(2, rows * stride)[..]);
        let scaled = on_all_paths(x, |path, x| {
            path.run(ScaleRows { scale: weights, stride, x });
        });
        let expected: Vec<f32> =
            x.iter().enumerate().map(|(i, x)| weights[i / stride] * x).collect();
        assert_same_bits(&scaled, &expected, "diag(weights) x");

        let mut expected = normals(3, stride);
        let sums = on_all_paths(&expected, |path, sums| {
            path.run(WeightedColumnSums { weights, stride, x, sums });
        });
        for (column, sum) in expected.iter_mut().enumerate() {
            let block = |first: usize| {
                (first..rows.min(first + 16)).fold(0.0f32, |block, row| {
                    weights[row].mul_add(x[row * stride + column], block)
                })
            };
            *sum += (0..rows).step_by(16).map(block).fold(0.0f32, |sum, block| sum + block);
        }
        assert_same_bits(&sums, &expected, "column sums");

        // A panel: the columns from 16 on, 16 of them.
        if stride == 48 && rows > 0 {
            let panel = on_all_paths(&normals(3, stride)[16..32], |path, sums| {
                path.run(WeightedColumnSums { weights, stride, x: &x[16..], sums });
            });
            assert_same_bits(&panel, &expected[16..32], "sums of a panel");
        }
    }
}

/// Weights of every shape around whole blocks of 16 × 16.
#[test]
fn transposed_is_transposed() {
    for (rows, columns) in [(1, 1), (16, 16), (17, 15), (15, 33), (48, 50), (33, 16)] {
        let from = &normals(4, rows * columns)[..];
        let stride = pad(rows);
        let to = on_all_paths(&vec![0.0; columns * stride], |path, to| {
            path.run(Transpose { columns, from, to });
        });
        for (at, &value) in to.iter().enumerate() {
            let (column, row) = (at / stride, at % stride);
            let expected = if row < rows { from[row * columns + column] } else { 0.0 };
            assert_eq!(value, expected, "{rows} × {columns} at ({row}, {column})");
        }
    }
}
