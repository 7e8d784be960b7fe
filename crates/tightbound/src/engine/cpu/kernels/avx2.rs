//! Implement the sixteen lanes with two AVX2 registers.

use std::arch::x86_64::*;

use super::simd::{LANES, Simd};

/// Proof that the processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// The processor must have AVX2 and FMA.
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

/// Applies one instruction to the lower and the upper half.
macro_rules! halves {
    ($op:ident $(::<$n:tt>)?, $($x:ident),+) => {
        // SAFETY: a value of `Avx2` exists only where the processor has AVX2 and FMA.
        unsafe { [$op$(::<{ $n }>)?($($x[0]),+), $op$(::<{ $n }>)?($($x[1]),+)] }
    };
}

// The proof that every block below names: a value of `Avx2` exists only where the processor has
// AVX2 and FMA, which is all that these intrinsics ask for; references to arrays are valid for
// their 64 bytes.
impl Simd for Avx2 {
    type F = [__m256; 2];
    type U = [__m256i; 2];
    type M = [__m256; 2];

    // 6 × 2 accumulators, 2 columns of B and one broadcast: 15 of 16 registers.
    const TILE_ROWS: usize = 6;
    const TILE_VECTORS: usize = 1;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        // SAFETY: `self` is the proof.
        unsafe { [_mm256_set1_ps(x); 2] }
    }
    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> Self::F {
        let p = x.as_ptr();
        // SAFETY: `self` is the proof, and the array has 64 bytes.
        unsafe { [_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))] }
    }
    #[inline(always)]
    fn store(self, x: Self::F, to: &mut [f32; LANES]) {
        let p = to.as_mut_ptr();
        // SAFETY: `self` is the proof, and the array has 64 bytes.
        unsafe {
            _mm256_storeu_ps(p, x[0]);
            _mm256_storeu_ps(p.add(8), x[1]);
        }
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        halves!(_mm256_add_ps, a, b)
    }
    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        halves!(_mm256_sub_ps, a, b)
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        halves!(_mm256_mul_ps, a, b)
    }
    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        halves!(_mm256_div_ps, a, b)
    }
    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        halves!(_mm256_fmadd_ps, a, b, c)
    }
    #[inline(always)]
    fn sqrt(self, a: Self::F) -> Self::F {
        halves!(_mm256_sqrt_ps, a)
    }
    #[inline(always)]
    fn lt(self, a: Self::F, b: Self::F) -> Self::M {
        halves!(_mm256_cmp_ps::<_CMP_LT_OQ>, a, b)
    }
    #[inline(always)]
    fn select(self, mask: Self::M, a: Self::F, b: Self::F) -> Self::F {
        halves!(_mm256_blendv_ps, b, a, mask)
    }
    #[inline(always)]
    fn splat_u(self, x: u32) -> Self::U {
        // SAFETY: `self` is the proof.
        unsafe { [_mm256_set1_epi32(x as i32); 2] }
    }
    #[inline(always)]
    fn load_u(self, x: &[u32; LANES]) -> Self::U {
        let p = x.as_ptr();
        // SAFETY: `self` is the proof, and the array has 64 bytes.
        unsafe { [_mm256_loadu_si256(p.cast()), _mm256_loadu_si256(p.add(8).cast())] }
    }
    #[inline(always)]
    fn add_u(self, a: Self::U, b: Self::U) -> Self::U {
        halves!(_mm256_add_epi32, a, b)
    }
    #[inline(always)]
    fn xor(self, a: Self::U, b: Self::U) -> Self::U {
        halves!(_mm256_xor_si256, a, b)
    }
    #[inline(always)]
    fn and(self, a: Self::U, b: Self::U) -> Self::U {
        halves!(_mm256_and_si256, a, b)
    }
    #[inline(always)]
    fn shl<const N: u32>(self, a: Self::U) -> Self::U {
        // SAFETY: `self` is the proof.
        let count = unsafe { _mm_cvtsi32_si128(N as i32) };
        // SAFETY: `self` is the proof.
        unsafe { [_mm256_sll_epi32(a[0], count), _mm256_sll_epi32(a[1], count)] }
    }
    #[inline(always)]
    fn shr<const N: u32>(self, a: Self::U) -> Self::U {
        // SAFETY: `self` is the proof.
        let count = unsafe { _mm_cvtsi32_si128(N as i32) };
        // SAFETY: `self` is the proof.
        unsafe { [_mm256_srl_epi32(a[0], count), _mm256_srl_epi32(a[1], count)] }
    }
    #[inline(always)]
    fn mul_wide(self, a: Self::U, b: Self::U) -> (Self::U, Self::U) {
        let mut high = a;
        let mut low = a;
        for i in 0..2 {
            // SAFETY: `self` is the proof.
            unsafe {
                let even = _mm256_mul_epu32(a[i], b[i]);
                let (a, b) = (_mm256_srli_epi64::<32>(a[i]), _mm256_srli_epi64::<32>(b[i]));
                let odd = _mm256_mul_epu32(a, b);
                high[i] = _mm256_blend_epi32::<0xaa>(_mm256_srli_epi64::<32>(even), odd);
                low[i] = _mm256_blend_epi32::<0xaa>(even, _mm256_slli_epi64::<32>(odd));
            }
        }
        (high, low)
    }
    #[inline(always)]
    fn bits(self, a: Self::F) -> Self::U {
        halves!(_mm256_castps_si256, a)
    }
    #[inline(always)]
    fn with_bits(self, a: Self::U) -> Self::F {
        halves!(_mm256_castsi256_ps, a)
    }
    #[inline(always)]
    fn to_f32(self, a: Self::U) -> Self::F {
        halves!(_mm256_cvtepi32_ps, a)
    }
    #[inline(always)]
    fn nonzero(self, a: Self::U) -> Self::M {
        // Zero words compare equal to zero; the mask is the other lanes.
        // SAFETY: `self` is the proof.
        let set = |x| unsafe {
            let zero = _mm256_cmpeq_epi32(x, _mm256_setzero_si256());
            _mm256_castsi256_ps(_mm256_xor_si256(zero, _mm256_set1_epi32(-1)))
        };
        [set(a[0]), set(a[1])]
    }
}
