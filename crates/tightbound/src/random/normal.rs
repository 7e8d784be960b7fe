//! Turn two random words into two standard normal numbers (Box & Muller 1958).
//!
//! Only correctly rounded operations are used (fused multiply-add, multiply, add, square root), so
//! the vector version in `engine/cpu/kernels` gives the same bits on every machine. The constants
//! are shared with it.

use std::f32::consts::{FRAC_PI_2, LN_2};

/// sin(½π t) ≈ t · (S\[0\] + S\[1\] t² + …) for |t| ≤ ½ (Taylor: (π/2)^(2i+1)/(2i+1)!, last term 6e-9).
pub(crate) const SIN: [f32; 5] =
    [FRAC_PI_2, -0.645_964_1, 0.079_692_63, -0.004_681_754, 1.604_411_8e-4];
/// cos(½π t) ≈ C\[0\] + C\[1\] t² + … for |t| ≤ ½ (Taylor, last term 9e-7 · 2⁻¹⁰).
pub(crate) const COS: [f32; 6] =
    [1.0, -1.233_700_6, 0.253_669_5, -0.020_863_48, 9.192_603e-4, -2.520_204_2e-5];
/// ln(1+f) ≈ f − ½f² + f³ · (L\[0\] + L\[1\] f + …) for 1/√2 ≤ 1+f < √2 (Cephes `logf`).
pub(crate) const LOG: [f32; 9] = [
    3.333_333e-1,
    -2.499_999_4e-1,
    2.000_071_4e-1,
    -1.666_805_8e-1,
    1.424_932_3e-1,
    -1.242_014_1e-1,
    1.167_699_9e-1,
    -1.151_461e-1,
    7.037_683_6e-2,
];
/// ln 2 in two parts: the high part has trailing zeros, so e · LN2_HI is exact.
pub(crate) const LN2_HI: f32 = 0.693_359_4;
/// The low part of ln 2.
pub(crate) const LN2_LO: f32 = -2.121_944_4e-4;

/// The natural logarithm of a positive normal number.
pub(crate) fn ln(x: f32) -> f32 {
    debug_assert!((LN_2 - (LN2_HI + LN2_LO)).abs() < 1e-7);
    let bits = x.to_bits();
    // Split x = 2^e · m with m in [√½, √2).
    let shifted = bits.wrapping_sub(0x3f35_04f3);
    let e = (shifted as i32 >> 23) as f32;
    let m = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    let f = m - 1.0;
    let mut p = LOG[8];
    for &c in LOG[..8].iter().rev() {
        p = p.mul_add(f, c);
    }
    let f2 = f * f;
    let tail = (f2 * f).mul_add(p, e * LN2_LO);
    let tail = f2.mul_add(-0.5, tail);
    e.mul_add(LN2_HI, f + tail)
}

/// Two independent standard normal numbers from two random words.
///
/// The first word gives the radius √(−2 ln u), u = (⌊w/2⁸⌋ + 1) · 2⁻²⁴ ∈ (0, 1]; the second gives
/// the angle: its top two bits the quadrant q, the next 24 bits the position t ∈ [−½, ½) in it,
/// angle = ½π (q + t). The largest radius is 5.77.
pub(crate) fn normal_pair(radius_word: u32, angle_word: u32) -> (f32, f32) {
    let u = ((radius_word >> 8) + 1) as f32 * (1.0 / 16_777_216.0);
    let r = (-2.0 * ln(u)).sqrt();
    let t = ((angle_word << 2) >> 8) as f32 * (1.0 / 16_777_216.0) - 0.5;
    let t2 = t * t;
    let mut s = SIN[4];
    for &c in SIN[..4].iter().rev() {
        s = s.mul_add(t2, c);
    }
    let s = s * t;
    let mut c = COS[5];
    for &k in COS[..5].iter().rev() {
        c = c.mul_add(t2, k);
    }
    // Turn (c, s) by q quarter turns: odd quadrants swap, then signs.
    let q = angle_word >> 30;
    let (x, y) = if q & 1 == 1 { (s, c) } else { (c, s) };
    let x = f32::from_bits(x.to_bits() ^ (((q ^ (q >> 1)) & 1) << 31));
    let y = f32::from_bits(y.to_bits() ^ ((q >> 1) << 31));
    (r * x, r * y)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ln within 2 units in the last place of f64's, over all 2²⁴ inputs that can occur (strided).
    #[test]
    fn ln_is_accurate() {
        for i in (1..=16_777_216u32).step_by(97) {
            let u = i as f32 * (1.0 / 16_777_216.0);
            let exact = f64::from(u).ln();
            let ulp = f64::from(f32::EPSILON) * exact.abs().max(f64::from(f32::MIN_POSITIVE));
            assert!((f64::from(ln(u)) - exact).abs() <= 2.0 * ulp, "ln({u})");
        }
    }

    /// The pair is the polar point (r, angle) within f32 rounding.
    #[test]
    fn pair_is_the_polar_point() {
        for i in 0..200_000u32 {
            let [w0, w1, ..] = crate::random::philox4x32_10([i, 0, 0, 0], [1, 2]);
            let (x, y) = normal_pair(w0, w1);
            let r = (-2.0 * (f64::from((w0 >> 8) + 1) / 16_777_216.0).ln()).sqrt();
            let q = f64::from(w1 >> 30);
            let t = f64::from((w1 << 2) >> 8) / 16_777_216.0 - 0.5;
            let angle = std::f64::consts::FRAC_PI_2 * (q + t);
            // 6 roundings of at most 2⁻²⁴ each, on a number of at most r.
            let tolerance = 4e-7 * r.max(1e-3);
            assert!((f64::from(x) - r * angle.cos()).abs() < tolerance, "x at {i}");
            assert!((f64::from(y) - r * angle.sin()).abs() < tolerance, "y at {i}");
        }
    }
}
