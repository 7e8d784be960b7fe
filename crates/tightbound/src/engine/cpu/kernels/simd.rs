//! Define sixteen virtual f32 lanes, the same on every machine.
//!
//! Every vector here has 16 lanes whatever the hardware: one AVX-512 register, two AVX2 registers,
//! four NEON registers or an array. All operations are correctly rounded (or integer), so code
//! written once against this trait gives the same bits on every path.
//!
//! The value of a type that implements [`Simd`] is the proof that the machine has the
//! instructions: only the dispatcher makes one, after it has looked.

/// Lanes of one virtual vector.
pub(crate) const LANES: usize = 16;

/// The smallest multiple of [`LANES`] that is at least `n`.
pub(crate) const fn pad(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// Sixteen lanes of f32 or u32 and what can be done with them.
pub(crate) trait Simd: Copy {
    /// 16 × f32.
    type F: Copy;
    /// 16 × u32.
    type U: Copy;
    /// 16 × bool.
    type M: Copy;

    /// Rows of the largest matrix tile whose accumulators fit the registers.
    const TILE_ROWS: usize;
    /// Columns of that tile, in virtual vectors.
    const TILE_VECTORS: usize;

    fn splat(self, x: f32) -> Self::F;
    fn load(self, x: &[f32; LANES]) -> Self::F;
    fn store(self, x: Self::F, to: &mut [f32; LANES]);
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// a · b + c with one rounding.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    fn sqrt(self, a: Self::F) -> Self::F;
    /// a < b, false where either is NaN.
    fn lt(self, a: Self::F, b: Self::F) -> Self::M;
    /// a where the mask is set, else b.
    fn select(self, mask: Self::M, a: Self::F, b: Self::F) -> Self::F;

    fn splat_u(self, x: u32) -> Self::U;
    fn load_u(self, x: &[u32; LANES]) -> Self::U;
    fn add_u(self, a: Self::U, b: Self::U) -> Self::U;
    fn xor(self, a: Self::U, b: Self::U) -> Self::U;
    fn and(self, a: Self::U, b: Self::U) -> Self::U;
    fn shl<const N: u32>(self, a: Self::U) -> Self::U;
    fn shr<const N: u32>(self, a: Self::U) -> Self::U;
    /// High and low words of the 64-bit product.
    fn mul_wide(self, a: Self::U, b: Self::U) -> (Self::U, Self::U);
    fn bits(self, a: Self::F) -> Self::U;
    fn with_bits(self, a: Self::U) -> Self::F;
    /// The nearest f32 of a number below 2³¹.
    fn to_f32(self, a: Self::U) -> Self::F;
    /// Set where the lane's word is not zero.
    fn nonzero(self, a: Self::U) -> Self::M;

    /// b where a < b is false, so a NaN in b wins and a NaN in a loses.
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        self.select(self.lt(a, b), a, b)
    }

    /// b where b < a is false, so a NaN in b wins and a NaN in a loses.
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        self.select(self.lt(b, a), a, b)
    }

    #[inline(always)]
    fn abs(self, a: Self::F) -> Self::F {
        self.with_bits(self.and(self.bits(a), self.splat_u(0x7fff_ffff)))
    }

    /// Column i of the 16 × 16 block whose rows are given becomes row i.
    #[inline(always)]
    fn transpose(self, rows: [Self::F; LANES]) -> [Self::F; LANES] {
        let from = rows.map(|row| self.array(row));
        std::array::from_fn(|i| {
            let column: [f32; LANES] = std::array::from_fn(|j| from[j][i]);
            self.load(&column)
        })
    }

    #[inline(always)]
    fn array(self, a: Self::F) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        self.store(a, &mut out);
        out
    }
}
