//! Multiply matrices: C ← start + A B, every element summed in one order on every path.
//!
//! The contract is bit-exact. k is cut into as few equal blocks as its longest block allows. Within one,
//! `A[i][p] · B[p][j]` are added by fused multiply-add to zero, in ascending p; the blocks' sums are
//! then added, one after the other, to the start value. Neither the tile shape nor the width of the
//! registers can change a bit of that, which is why they may be chosen for speed. Starting each block
//! at zero also rounds less than one long chain does.
//!
//! Speed: a tile of C stays in registers (8 × 48 for AVX-512) while one panel of B (k-block × 48)
//! stays in the L1 cache and is used by all rows of A, which is broadcast straight from memory with
//! arbitrary strides, so that Aᵀ needs no copy.

use super::dispatch::Task;
use super::simd::{LANES, Simd};

/// What C holds before the products are added.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a> {
    /// Zero.
    Zero,
    /// One row, the same for every row of C: `[n]`.
    Row(&'a [f32]),
    /// What C holds already.
    Accumulate,
}

/// One product C `[m, n]` ← start + A `[m, k]` · B `[k, n]`; n is a multiple of 16.
#[derive(Debug)]
pub(crate) struct Gemm<'a> {
    pub(crate) m: usize,
    pub(crate) k: usize,
    pub(crate) n: usize,
    /// A; element (i, p) is at i · `a_strides.0` + p · `a_strides.1`.
    pub(crate) a: &'a [f32],
    pub(crate) a_strides: (usize, usize),
    /// B; row p starts at p · `b_stride`.
    pub(crate) b: &'a [f32],
    pub(crate) b_stride: usize,
    /// C; row i starts at i · `c_stride`.
    pub(crate) c: &'a mut [f32],
    pub(crate) c_stride: usize,
    pub(crate) start: Start<'a>,
    /// Longest block of k, ≥ 1. Short blocks round less; long ones save passes over C.
    pub(crate) block: usize,
}

impl Gemm<'_> {
    /// Panics unless every element that the kernels touch lies inside its slice.
    fn check(&self) {
        let &Gemm { m, k, n, .. } = self;
        assert_eq!(n % LANES, 0, "n is a whole number of vectors");
        assert!(self.b_stride >= n && self.c_stride >= n, "rows do not overlap");
        if m == 0 || n == 0 {
            return;
        }
        let end = |lines: usize, stride: usize, rest: usize| {
            lines.checked_mul(stride).and_then(|start| start.checked_add(rest))
        };
        let holds = |length: usize, end: Option<usize>| end.is_some_and(|end| length >= end);
        assert!(holds(self.c.len(), end(m - 1, self.c_stride, n)), "C is too short");
        if let Start::Row(row) = self.start {
            assert!(row.len() >= n, "the start row is too short");
        }
        if k > 0 {
            let last_row = end(m - 1, self.a_strides.0, 1);
            let last = last_row.and_then(|rest| end(k - 1, self.a_strides.1, rest));
            assert!(holds(self.a.len(), last), "A is too short");
            assert!(holds(self.b.len(), end(k - 1, self.b_stride, n)), "B is too short");
        }
    }
}

impl Task for Gemm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        self.check();
        let blocks = self.k.div_ceil(self.block).max(1);
        let block = self.k.div_ceil(blocks);
        let mut column = 0;
        while column < self.n {
            let vectors = panel_width::<S>((self.n - column) / LANES);
            for index in 0..blocks {
                let first = index * block;
                let depth = block.min(self.k - first);
                let start = if index == 0 { self.start } else { Start::Accumulate };
                let mut row = 0;
                while row < self.m {
                    // Equal shares: a last tile of one or two rows would wait for its additions.
                    let left = self.m - row;
                    let rows = left.div_ceil(left.div_ceil(S::TILE_ROWS));
                    let a_start = row * self.a_strides.0 + first * self.a_strides.1;
                    // SAFETY: `check` has bounded every element of the block that starts at
                    // (row, first) in A, (first, column) in B and (row, column) in C.
                    unsafe {
                        let tile = Tile {
                            depth,
                            // A and B may be empty where k is 0, and are not read then.
                            a: self.a.as_ptr().wrapping_add(a_start),
                            a_strides: self.a_strides,
                            b: self.b.as_ptr().wrapping_add(first * self.b_stride + column),
                            b_stride: self.b_stride,
                            c: self.c.as_mut_ptr().add(row * self.c_stride + column),
                            c_stride: self.c_stride,
                            start: match start {
                                Start::Zero => TileStart::Zero,
                                Start::Row(r) => TileStart::Row(r.as_ptr().add(column)),
                                Start::Accumulate => TileStart::Accumulate,
                            },
                        };
                        tile.run_shape(s, rows, vectors);
                    }
                    row += rows;
                }
            }
            column += vectors * LANES;
        }
    }
}

/// Vectors of the next column panel when `left` remain: a lone last vector is avoided by ending on
/// two panels of two (4 = 2 + 2), since a tile one vector wide waits for its additions.
#[inline(always)]
fn panel_width<S: Simd>(left: usize) -> usize {
    if S::TILE_VECTORS == 3 && left == 4 { 2 } else { S::TILE_VECTORS.min(left) }
}

#[derive(Clone, Copy)]
enum TileStart {
    Zero,
    Row(*const f32),
    Accumulate,
}

/// One register tile of C and the operands that reach it.
#[derive(Clone, Copy)]
struct Tile {
    depth: usize,
    a: *const f32,
    a_strides: (usize, usize),
    b: *const f32,
    b_stride: usize,
    c: *mut f32,
    c_stride: usize,
    start: TileStart,
}

impl Tile {
    /// Runs the kernel compiled for this shape.
    ///
    /// # Safety
    /// `rows` ≤ `S::TILE_ROWS`, `vectors` ≤ `S::TILE_VECTORS`, and all elements must be in bounds.
    #[inline(always)]
    unsafe fn run_shape<S: Simd>(self, s: S, rows: usize, vectors: usize) {
        macro_rules! shapes {
            ($(($rows:literal, $vectors:literal))*) => {
                match (rows, vectors) {
                    // SAFETY: passed on to the caller. The guard is a constant per path, so shapes
                    // that do not fit its registers are never compiled.
                    $(($rows, $vectors) if $rows <= S::TILE_ROWS && $vectors <= S::TILE_VECTORS => unsafe {
                        self.run::<S, $rows, $vectors>(s)
                    },)*
                    _ => unreachable!("tiles are cut to shapes that exist"),
                }
            };
        }
        shapes! {
            (1, 1) (2, 1) (3, 1) (4, 1) (5, 1) (6, 1) (7, 1) (8, 1)
            (1, 2) (2, 2) (3, 2) (4, 2) (5, 2) (6, 2) (7, 2) (8, 2)
            (1, 3) (2, 3) (3, 3) (4, 3) (5, 3) (6, 3) (7, 3) (8, 3)
        }
    }

    /// Computes a tile of `R` rows and `V` vectors.
    ///
    /// # Safety
    /// All elements must be in bounds.
    #[inline(always)]
    unsafe fn run<S: Simd, const R: usize, const V: usize>(self, s: S) {
        // SAFETY: the caller has bounded all elements.
        unsafe {
            let mut sum = [[s.splat(0.0); V]; R];
            let (mut a, mut b) = (self.a, self.b);
            for _ in 0..self.depth {
                let mut columns = [s.splat(0.0); V];
                for (v, x) in columns.iter_mut().enumerate() {
                    *x = s.load(&*b.add(v * LANES).cast());
                }
                for (r, line) in sum.iter_mut().enumerate() {
                    let x = s.splat(*a.add(r * self.a_strides.0));
                    for (v, acc) in line.iter_mut().enumerate() {
                        *acc = s.fma(x, columns[v], *acc);
                    }
                }
                a = a.wrapping_add(self.a_strides.1);
                b = b.wrapping_add(self.b_stride);
            }
            for (r, line) in sum.iter().enumerate() {
                for (v, &x) in line.iter().enumerate() {
                    let c = self.c.add(r * self.c_stride + v * LANES).cast();
                    let x = match self.start {
                        TileStart::Zero => x,
                        TileStart::Row(row) => s.add(x, s.load(&*row.add(v * LANES).cast())),
                        TileStart::Accumulate => s.add(x, s.load(&*c)),
                    };
                    s.store(x, &mut *c);
                }
            }
        }
    }
}
