//! Implement the sixteen lanes with four NEON registers.

use std::arch::aarch64::*;

use super::simd::{LANES, Simd};

/// Proof that the processor has NEON, which every 64-bit Arm processor does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

impl Neon {
    /// # Safety
    /// The processor must have NEON.
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

/// Applies one instruction to the four quarters.
macro_rules! quarters {
    ($op:ident $(::<$n:tt>)?, $($x:ident),+) => {
        // SAFETY: a value of `Neon` exists only where the processor has NEON.
        unsafe { [
            $op$(::<{ $n }>)?($($x[0]),+), $op$(::<{ $n }>)?($($x[1]),+),
            $op$(::<{ $n }>)?($($x[2]),+), $op$(::<{ $n }>)?($($x[3]),+),
        ] }
    };
}

// The proof that every block below names: a value of `Neon` exists only where the processor has
// NEON, which is all that these intrinsics ask for; references to arrays are valid for
// their 64 bytes.
impl Simd for Neon {
    type F = [float32x4_t; 4];
    type U = [uint32x4_t; 4];
    type M = [uint32x4_t; 4];

    // 5 × 4 accumulators, 4 columns of B and one broadcast: 25 of 32 registers.
    const TILE_ROWS: usize = 5;
    const TILE_VECTORS: usize = 1;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        // SAFETY: `self` is the proof.
        unsafe { [vdupq_n_f32(x); 4] }
    }
    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> Self::F {
        let p = x.as_ptr();
        // SAFETY: `self` is the proof, and the array has 64 bytes.
        unsafe { [vld1q_f32(p), vld1q_f32(p.add(4)), vld1q_f32(p.add(8)), vld1q_f32(p.add(12))] }
    }
    #[inline(always)]
    fn store(self, x: Self::F, to: &mut [f32; LANES]) {
        let p = to.as_mut_ptr();
        for (i, part) in x.into_iter().enumerate() {
            // SAFETY: `self` is the proof, and the array has 64 bytes.
            unsafe { vst1q_f32(p.add(4 * i), part) }
        }
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(vaddq_f32, a, b)
    }
    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(vsubq_f32, a, b)
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(vmulq_f32, a, b)
    }
    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(vdivq_f32, a, b)
    }
    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        quarters!(vfmaq_f32, c, a, b)
    }
    #[inline(always)]
    fn sqrt(self, a: Self::F) -> Self::F {
        quarters!(vsqrtq_f32, a)
    }
    #[inline(always)]
    fn lt(self, a: Self::F, b: Self::F) -> Self::M {
        quarters!(vcltq_f32, a, b)
    }
    #[inline(always)]
    fn select(self, mask: Self::M, a: Self::F, b: Self::F) -> Self::F {
        quarters!(vbslq_f32, mask, a, b)
    }
    #[inline(always)]
    fn splat_u(self, x: u32) -> Self::U {
        // SAFETY: `self` is the proof.
        unsafe { [vdupq_n_u32(x); 4] }
    }
    #[inline(always)]
    fn load_u(self, x: &[u32; LANES]) -> Self::U {
        let p = x.as_ptr();
        // SAFETY: `self` is the proof, and the array has 64 bytes.
        unsafe { [vld1q_u32(p), vld1q_u32(p.add(4)), vld1q_u32(p.add(8)), vld1q_u32(p.add(12))] }
    }
    #[inline(always)]
    fn add_u(self, a: Self::U, b: Self::U) -> Self::U {
        quarters!(vaddq_u32, a, b)
    }
    #[inline(always)]
    fn xor(self, a: Self::U, b: Self::U) -> Self::U {
        quarters!(veorq_u32, a, b)
    }
    #[inline(always)]
    fn and(self, a: Self::U, b: Self::U) -> Self::U {
        quarters!(vandq_u32, a, b)
    }
    #[inline(always)]
    fn shl<const N: u32>(self, a: Self::U) -> Self::U {
        // SAFETY: `self` is the proof.
        let count = unsafe { [vdupq_n_s32(N as i32); 4] };
        quarters!(vshlq_u32, a, count)
    }
    #[inline(always)]
    fn shr<const N: u32>(self, a: Self::U) -> Self::U {
        // SAFETY: `self` is the proof.
        let count = unsafe { [vdupq_n_s32(-(N as i32)); 4] };
        quarters!(vshlq_u32, a, count)
    }
    #[inline(always)]
    fn mul_wide(self, a: Self::U, b: Self::U) -> (Self::U, Self::U) {
        let mut high = a;
        let mut low = a;
        for i in 0..4 {
            // SAFETY: `self` is the proof.
            unsafe {
                let first =
                    vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a[i]), vget_low_u32(b[i])));
                let second = vreinterpretq_u32_u64(vmull_high_u32(a[i], b[i]));
                low[i] = vuzp1q_u32(first, second);
                high[i] = vuzp2q_u32(first, second);
            }
        }
        (high, low)
    }
    #[inline(always)]
    fn bits(self, a: Self::F) -> Self::U {
        quarters!(vreinterpretq_u32_f32, a)
    }
    #[inline(always)]
    fn with_bits(self, a: Self::U) -> Self::F {
        quarters!(vreinterpretq_f32_u32, a)
    }
    #[inline(always)]
    fn to_f32(self, a: Self::U) -> Self::F {
        let signed = quarters!(vreinterpretq_s32_u32, a);
        quarters!(vcvtq_f32_s32, signed)
    }
    #[inline(always)]
    fn nonzero(self, a: Self::U) -> Self::M {
        quarters!(vtstq_u32, a, a)
    }
}
