//! Hold the matrix product bit for bit against the contract in its head.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;

use super::support::{assert_same_bits, normals};
use crate::engine::cpu::kernels::{Gemm, KernelPath, Start};

/// A product whose buffers end exactly at their last element.
#[derive(Clone, Debug)]
struct Case {
    /// m, k, n.
    shape: [usize; 3],
    a_strides: (usize, usize),
    b_stride: usize,
    c_stride: usize,
    /// A, B, C and the start row.
    buffers: [Vec<f32>; 4],
    start: usize,
    block: usize,
}

impl Case {
    /// `padding` is what lies between the rows of A, B and C.
    fn new(
        shape: [usize; 3],
        padding: [usize; 3],
        transposed: bool,
        start: usize,
        block: usize,
    ) -> Self {
        let [m, k, n] = shape;
        let a_strides = if transposed { (1, m + padding[0]) } else { (k + padding[0], 1) };
        let (b_stride, c_stride) = (n + padding[1], n + padding[2]);
        let a = (m - 1) * a_strides.0 + k.saturating_sub(1) * a_strides.1 + 1;
        let b = k.saturating_sub(1) * b_stride + n;
        let lengths = if k == 0 { [0, 0] } else { [a, b] };
        let [a, b] = lengths.map(|length| normals(length as u64, length));
        let buffers = [a, b, normals(3, (m - 1) * c_stride + n), normals(4, n)];
        Self { shape, a_strides, b_stride, c_stride, buffers, start, block }
    }

    /// C after `run`.
    fn product(&self, run: impl FnOnce(Gemm<'_>)) -> Vec<f32> {
        let ([m, k, n], [a, b, c, row]) = (self.shape, &self.buffers);
        let start = [Start::Zero, Start::Row(row), Start::Accumulate][self.start];
        let (mut out, a_strides) = (c.clone(), self.a_strides);
        let (b_stride, c_stride, block) = (self.b_stride, self.c_stride, self.block);
        run(Gemm { m, k, n, a, a_strides, b, b_stride, c: &mut out, c_stride, start, block });
        out
    }
}

/// The contract, element by element.
fn twin(gemm: Gemm<'_>) {
    let block = gemm.k.div_ceil(gemm.k.div_ceil(gemm.block).max(1)).max(1);
    for (i, j) in (0..gemm.m).flat_map(|i| (0..gemm.n).map(move |j| (i, j))) {
        let c = &mut gemm.c[i * gemm.c_stride + j];
        match gemm.start {
            Start::Zero => *c = 0.0,
            Start::Row(row) => *c = row[j],
            Start::Accumulate => {}
        }
        for first in (0..gemm.k).step_by(block) {
            *c += (first..gemm.k.min(first + block)).fold(0.0f32, |sum, p| {
                let a = gemm.a[i * gemm.a_strides.0 + p * gemm.a_strides.1];
                a.mul_add(gemm.b[p * gemm.b_stride + j], sum)
            });
        }
    }
}

/// k of every size, and often at the edges of the blocks.
fn depths() -> impl Strategy<Value = usize> {
    let edges = vec![0, 1, 71, 72, 73, 144, 145, 207, 208, 209, 416, 417];
    prop_oneof![0usize..=450, prop::sample::select(edges)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_path_keeps_the_contract(
        (m, k, vectors) in (1usize..=20, depths(), 1usize..=8),
        padding in prop::array::uniform3(0usize..=19),
        transposed: bool,
        start in 0usize..3,
        block in prop::sample::select(vec![1, 72, 208]),
    ) {
        let case = Case::new([m, k, 16 * vectors], padding, transposed, start, block);
        let expected = case.product(twin);
        for path in KernelPath::available() {
            // Padding is compared as well: it must not be touched.
            assert_same_bits(&case.product(|gemm| path.run(gemm)), &expected, path);
        }
    }
}

/// The checks are all that stands between a wrong shape and memory that is not ours.
#[test]
fn wrong_shapes_are_refused() {
    let messages = [
        "A is too short",
        "B is too short",
        "C is too short",
        "the start row is too short",
        "rows do not overlap",
        "n is a whole number of vectors",
    ];
    for (path, transposed) in KernelPath::available().into_iter().zip([false, true].repeat(2)) {
        let whole = Case::new([9, 30, 48], [1, 2, 3], transposed, 1, 104);
        whole.product(|gemm| path.run(gemm));
        for (i, message) in messages.into_iter().enumerate() {
            let mut case = whole.clone();
            match i {
                0..4 => drop(case.buffers[i].pop()),
                4 => case.c_stride = 47,
                _ => case.shape[2] = 47,
            }
            let run = || case.product(|gemm| path.run(gemm));
            let panic = catch_unwind(AssertUnwindSafe(run)).expect_err(message);
            let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
            let text = text.or(panic.downcast_ref::<String>().cloned()).expect("a message");
            assert!(text.contains(message), "{path}: {text}");
        }
    }
}
