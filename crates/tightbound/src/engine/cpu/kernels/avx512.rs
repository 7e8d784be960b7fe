//! Implement the sixteen lanes with one AVX-512 register.

use std::arch::x86_64::*;

use super::simd::{LANES, Simd};

/// Proof that the processor has AVX-512F.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// # Safety
    /// The processor must have AVX-512F.
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

// The proof that every block below names: a value of `Avx512` exists only where the processor has
// AVX-512F, which is all that these intrinsics ask for; references to arrays are valid for
// their 64 bytes.
impl Simd for Avx512 {
    type F = __m512;
    type U = __m512i;
    type M = __mmask16;

    // 8 × 3 accumulators, 3 columns of B and one broadcast: 28 of 32 registers.
    const TILE_ROWS: usize = 8;
    const TILE_VECTORS: usize = 3;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> __m512 {
        // SAFETY: `self` is the proof, and the array has 64 bytes.
        unsafe { _mm512_loadu_ps(x.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, x: __m512, to: &mut [f32; LANES]) {
        // SAFETY: `self` is the proof, and the array has 64 bytes.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), x) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_sqrt_ps(a) }
    }
    #[inline(always)]
    fn lt(self, a: __m512, b: __m512) -> __mmask16 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
    }
    #[inline(always)]
    fn select(self, mask: __mmask16, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_mask_blend_ps(mask, b, a) }
    }
    #[inline(always)]
    fn splat_u(self, x: u32) -> __m512i {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_set1_epi32(x as i32) }
    }
    #[inline(always)]
    fn load_u(self, x: &[u32; LANES]) -> __m512i {
        // SAFETY: `self` is the proof, and the array has 64 bytes.
        unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
    }
    #[inline(always)]
    fn add_u(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_xor_si512(a, b) }
    }
    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    fn shl<const N: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_slli_epi32::<N>(a) }
    }
    #[inline(always)]
    fn shr<const N: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_srli_epi32::<N>(a) }
    }
    #[inline(always)]
    fn mul_wide(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` is the proof.
        unsafe {
            let even = _mm512_mul_epu32(a, b);
            let odd = _mm512_mul_epu32(_mm512_srli_epi64::<32>(a), _mm512_srli_epi64::<32>(b));
            let high = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64::<32>(even), odd);
            let low = _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64::<32>(odd));
            (high, low)
        }
    }
    #[inline(always)]
    fn bits(self, a: __m512) -> __m512i {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_castps_si512(a) }
    }
    #[inline(always)]
    fn with_bits(self, a: __m512i) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_castsi512_ps(a) }
    }
    #[inline(always)]
    fn to_f32(self, a: __m512i) -> __m512 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_cvtepi32_ps(a) }
    }
    #[inline(always)]
    fn nonzero(self, a: __m512i) -> __mmask16 {
        // SAFETY: `self` is the proof.
        unsafe { _mm512_test_epi32_mask(a, a) }
    }
    #[inline(always)]
    fn transpose(self, rows: [__m512; LANES]) -> [__m512; LANES] {
        let mut out = rows;
        // SAFETY: `self` is the proof.
        unsafe {
            // After this, quarter q of `fours[4 g + c]` is column 4 q + c of rows 4 g … 4 g + 3.
            let mut fours = rows;
            for g in 0..4 {
                let low_01 = _mm512_unpacklo_ps(rows[4 * g], rows[4 * g + 1]);
                let high_01 = _mm512_unpackhi_ps(rows[4 * g], rows[4 * g + 1]);
                let low_23 = _mm512_unpacklo_ps(rows[4 * g + 2], rows[4 * g + 3]);
                let high_23 = _mm512_unpackhi_ps(rows[4 * g + 2], rows[4 * g + 3]);
                let pair = |low, high| (_mm512_castps_pd(low), _mm512_castps_pd(high));
                let (a, b) = pair(low_01, low_23);
                fours[4 * g] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                fours[4 * g + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
                let (a, b) = pair(high_01, high_23);
                fours[4 * g + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                fours[4 * g + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
            }
            for c in 0..4 {
                // Even quarters (0, 2) and odd quarters (1, 3) of two groups side by side.
                let even_01 = _mm512_shuffle_f32x4::<0x88>(fours[c], fours[4 + c]);
                let even_23 = _mm512_shuffle_f32x4::<0x88>(fours[8 + c], fours[12 + c]);
                let odd_01 = _mm512_shuffle_f32x4::<0xdd>(fours[c], fours[4 + c]);
                let odd_23 = _mm512_shuffle_f32x4::<0xdd>(fours[8 + c], fours[12 + c]);
                out[c] = _mm512_shuffle_f32x4::<0x88>(even_01, even_23);
                out[4 + c] = _mm512_shuffle_f32x4::<0x88>(odd_01, odd_23);
                out[8 + c] = _mm512_shuffle_f32x4::<0xdd>(even_01, even_23);
                out[12 + c] = _mm512_shuffle_f32x4::<0xdd>(odd_01, odd_23);
            }
        }
        out
    }
}
