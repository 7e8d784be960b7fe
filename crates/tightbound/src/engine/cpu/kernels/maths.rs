//! Compute exp, ln, tanh, softplus and the logistic function on sixteen lanes.
//!
//! Only correctly rounded operations are used, in one order, so every path gives the same bits.
//! Coefficients: Cephes (`expf`, `logf`), public domain.

use super::simd::Simd;
use crate::random::normal::{LN2_HI, LN2_LO, LOG};

/// eʳ ≈ 1 + r + r² · (E\[0\] + E\[1\] r + …) for |r| ≤ ½ ln 2.
const EXP: [f32; 6] =
    [0.5, 1.666_666_5e-1, 4.166_579_6e-2, 8.333_452e-3, 1.398_2e-3, 1.987_569_2e-4];
/// 2ᶠ ≈ 1 + f · (EXP2\[0\] + EXP2\[1\] f + …) for |f| ≤ ½, within 1.6e-8 of itself (least squares on
/// Chebyshev nodes, reweighted until the largest error is smallest).
const EXP2: [f32; 6] = [
    std::f32::consts::LN_2,
    2.402_264_8e-1,
    5.550_332_4e-2,
    9.618_437e-3,
    1.339_887_4e-3,
    1.535_336e-4,
];
/// Adding and subtracting 1.5 · 2²³ rounds to the nearest integer.
const ROUND: f32 = 12_582_912.0;
/// Below this eˣ is no normal number and is flushed to zero.
const EXP_MIN: f32 = -87.336_54;
/// Above this eˣ is infinite.
const EXP_MAX: f32 = 88.722_83;

/// 2^k for an integer −126 ≤ k ≤ 127.
#[inline(always)]
fn pow2<S: Simd>(s: S, k: S::F) -> S::F {
    // The low bits of 1.5·2²³ + 127 + k are the exponent field.
    s.with_bits(s.shl::<23>(s.bits(s.add(k, s.splat(ROUND + 127.0)))))
}

/// Splits x = n ln 2 + r with |r| ≤ ½ ln 2; returns n and eʳ − 1.
#[inline(always)]
fn split_exp<S: Simd>(s: S, x: S::F) -> (S::F, S::F) {
    let round = s.splat(ROUND);
    let n = s.sub(s.fma(x, s.splat(std::f32::consts::LOG2_E), round), round);
    let r = s.fma(n, s.splat(-LN2_HI), x);
    let r = s.fma(n, s.splat(-LN2_LO), r);
    let mut p = s.splat(EXP[5]);
    for i in (0..5).rev() {
        p = s.fma(p, r, s.splat(EXP[i]));
    }
    // expm1(r) = r + r² p.
    (n, s.fma(s.mul(r, r), p, r))
}

/// eˣ, within 1.1 ulp. Below −87.34 it is 0 (no denormals), above 88.72 it is +∞; NaN stays NaN.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    let (low, high) = (s.splat(EXP_MIN), s.splat(EXP_MAX));
    // Clamped with NaN passing through.
    let clamped = s.max(low, s.min(high, x));
    let (n, em1) = split_exp(s, clamped);
    // n can be 128, beyond the exponents: scale twice.
    let half = s.sub(s.fma(n, s.splat(0.5), s.splat(ROUND)), s.splat(ROUND));
    let scaled = s.mul(s.add(em1, s.splat(1.0)), pow2(s, half));
    let scaled = s.mul(scaled, pow2(s, s.sub(n, half)));
    let y = s.select(s.lt(high, x), s.splat(f32::INFINITY), scaled);
    s.select(s.lt(x, low), s.splat(0.0), y)
}

/// eˣ for x ≤ 0: as [`exp`] without the care for large arguments.
#[inline(always)]
pub(crate) fn exp_nonpositive<S: Simd>(s: S, x: S::F) -> S::F {
    let low = s.splat(EXP_MIN);
    let (n, em1) = split_exp(s, s.max(low, x));
    let y = s.mul(s.add(em1, s.splat(1.0)), pow2(s, n));
    s.select(s.lt(x, low), s.splat(0.0), y)
}

/// e^(−|x|) within 1.2 · 2⁻²⁴, and 2⁻⁸⁶ at least: what a sum with 1 needs, in fewer operations than
/// [`exp_nonpositive`], and never a denormal number. As |x| is multiplied by log₂ e first, the error
/// is up to |x| · 2⁻²⁴ of the result, 4e-6 of it where it ends. NaN is not kept.
#[inline(always)]
pub(crate) fn exp_minus_abs<S: Simd>(s: S, x: S::F) -> S::F {
    let minus_abs = s.with_bits(s.xor(s.bits(s.abs(x)), s.splat_u(0x8000_0000)));
    let t = s.max(s.splat(-86.0), s.mul(minus_abs, s.splat(std::f32::consts::LOG2_E)));
    let shifted = s.add(t, s.splat(ROUND));
    let f = s.sub(t, s.sub(shifted, s.splat(ROUND)));
    let mut p = s.splat(EXP2[5]);
    for i in (0..5).rev() {
        p = s.fma(p, f, s.splat(EXP2[i]));
    }
    let p = s.fma(p, f, s.splat(1.0));
    // The low bits of `shifted` are the integer that the exponent of p grows by.
    s.with_bits(s.add_u(s.bits(p), s.shl::<23>(s.bits(shifted))))
}

/// ln x of a positive normal number, within 1 ulp; NaN stays NaN. Other arguments are not defined.
#[inline(always)]
pub(crate) fn ln<S: Simd>(s: S, x: S::F) -> S::F {
    let bits = s.bits(x);
    let shifted = s.add_u(bits, s.splat_u(0x3f80_0000 - 0x3f35_04f3));
    let e = s.sub(s.to_f32(s.shr::<23>(shifted)), s.splat(127.0));
    let fraction = s.and(shifted, s.splat_u(0x007f_ffff));
    let m = s.with_bits(s.add_u(fraction, s.splat_u(0x3f35_04f3)));
    let f = s.sub(m, s.splat(1.0));
    let mut p = s.splat(LOG[8]);
    for i in (0..8).rev() {
        p = s.fma(p, f, s.splat(LOG[i]));
    }
    let f2 = s.mul(f, f);
    let tail = s.fma(s.mul(f2, f), p, s.mul(e, s.splat(LN2_LO)));
    let tail = s.fma(f2, s.splat(-0.5), tail);
    let y = s.fma(e, s.splat(LN2_HI), s.add(f, tail));
    // x < ∞ is false for NaN and ∞, which pass through.
    s.select(s.lt(x, s.splat(f32::INFINITY)), y, x)
}

/// tanh x, within 2.5 ulp; ±∞ give ±1, NaN stays NaN, zeros and denormals keep sign and value.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::F) -> S::F {
    let one = s.splat(1.0);
    let magnitude = s.abs(x);
    // tanh is 1 in f32 from 9.02 on.
    let t = s.min(s.splat(9.1), magnitude);
    let (n, em1) = split_exp(s, s.add(t, t));
    // expm1(2t) = 2ⁿ expm1(r) + 2ⁿ − 1, then tanh t = expm1(2t) / (expm1(2t) + 2).
    let scale = pow2(s, n);
    let e = s.fma(scale, em1, s.sub(scale, one));
    let y = s.div(e, s.add(e, s.splat(2.0)));
    let sign = s.and(s.bits(x), s.splat_u(0x8000_0000));
    s.with_bits(s.xor(s.bits(y), sign))
}

/// ln(1 + eˣ), within 3.5 ulp where it is a normal number; +∞ gives +∞, NaN stays NaN.
#[inline(always)]
pub(crate) fn softplus<S: Simd>(s: S, x: S::F) -> S::F {
    let zero = s.splat(0.0);
    let e = exp_nonpositive(s, s.sub(zero, s.abs(x)));
    s.add(s.max(zero, x), ln_1p(s, e))
}

/// ln(1 + e) for 0 ≤ e ≤ 1 with a small relative error: ln(u) · e/(u − 1), u = fl(1 + e)
/// (Kahan's correction).
#[inline(always)]
fn ln_1p<S: Simd>(s: S, e: S::F) -> S::F {
    let u = s.add(s.splat(1.0), e);
    let d = s.sub(u, s.splat(1.0));
    let corrected = s.div(s.mul(ln(s, u), e), d);
    // Where 1 + e rounds to 1, ln(1 + e) is e.
    s.select(s.lt(s.splat(0.0), d), corrected, e)
}

/// 1 / (1 + e⁻ˣ), within 2.5 ulp where it is a normal number, else 0; NaN stays NaN.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::F) -> S::F {
    let e = exp_nonpositive(s, s.sub(s.splat(0.0), s.abs(x)));
    sigmoid_from_exp(s, x, e)
}

/// 1 / (1 + e⁻ˣ) from e = exp(−|x|).
#[inline(always)]
pub(crate) fn sigmoid_from_exp<S: Simd>(s: S, x: S::F, e: S::F) -> S::F {
    let one = s.splat(1.0);
    let numerator = s.select(s.lt(x, s.splat(0.0)), e, one);
    s.div(numerator, s.add(one, e))
}

/// 1 − e⁻ʰ for h ≥ 0, within 1 ulp; denormals keep their value, +∞ gives 1, NaN stays NaN.
#[inline(always)]
pub(crate) fn one_minus_exp_negative<S: Simd>(s: S, h: S::F) -> S::F {
    // From h = 17.4 on, the result is 1 in f32.
    let (n, em1) = split_exp(s, s.sub(s.splat(0.0), s.min(s.splat(20.0), h)));
    let scale = pow2(s, n);
    // 1 − 2ⁿ(1 + expm1(r)) = (1 − 2ⁿ) − 2ⁿ expm1(r).
    let negative = s.sub(s.splat(0.0), em1);
    s.fma(scale, negative, s.sub(s.splat(1.0), scale))
}
