//! Measure the error of every function over all magnitudes, and pin its special values.

use super::support::{assert_same_bits, on_all_paths, sigmoid, softplus};
use crate::engine::cpu::kernels::dispatch::Task;
use crate::engine::cpu::kernels::maths;
use crate::engine::cpu::kernels::simd::Simd;

/// y = f(x) for whole vectors, the same on all paths.
type Kernel = fn(&[f32]) -> Vec<f32>;

macro_rules! kernel {
    ($function:ident) => {{
        struct Apply<'a>(&'a mut [f32]);
        impl Task for Apply<'_> {
            type Output = ();

            #[inline(always)]
            fn run<S: Simd>(self, s: S) {
                for x in self.0.as_chunks_mut().0 {
                    s.store(maths::$function(s, s.load(x)), x);
                }
            }
        }
        |x| on_all_paths(x, |path, y| path.run(Apply(y)))
    }};
}

const EXP: Kernel = kernel!(exp);
const EXP_NONPOSITIVE: Kernel = kernel!(exp_nonpositive);
const EXP_MINUS_ABS: Kernel = kernel!(exp_minus_abs);
const LN: Kernel = kernel!(ln);
const TANH: Kernel = kernel!(tanh);
const SOFTPLUS: Kernel = kernel!(softplus);
const SIGMOID: Kernel = kernel!(sigmoid);
const ONE_MINUS_EXP_NEGATIVE: Kernel = kernel!(one_minus_exp_negative);

/// The distance of neighbouring f32 where the normal number `y` lies.
fn ulp(y: f64) -> f64 {
    let exponent = (y.abs().to_bits() >> 52) as i32 - 1023;
    2.0f64.powi(exponent.max(-126) - 23)
}

/// The largest error in ulp, and where, over normal arguments of every magnitude. Results that are
/// no normal numbers must be flushed to zero, and those beyond f32 must be ∞.
fn largest_error(kernel: Kernel, exact: fn(f64) -> f64, signs: &[f32]) -> (f64, f32) {
    // A prime stride leaves no bit of the fraction constant.
    let magnitudes = (f32::MIN_POSITIVE.to_bits()..=f32::MAX.to_bits()).step_by(1999);
    let mut x: Vec<f32> =
        magnitudes.flat_map(|bits| signs.iter().map(move |s| s * f32::from_bits(bits))).collect();
    x.truncate(x.len() / 16 * 16);
    let mut worst = (0.0, 0.0);
    for (&x, y) in x.iter().zip(kernel(&x)) {
        let exact = exact(x.into());
        if exact.abs() < f32::MIN_POSITIVE.into() {
            assert_eq!(y, 0.0, "f({x:e})");
        } else if exact > f32::MAX.into() {
            assert_eq!(y, f32::INFINITY, "f({x:e})");
        } else {
            let error = (f64::from(y) - exact).abs() / ulp(exact);
            assert!(error.is_finite(), "f({x:e}) = {y:e}");
            worst = if error > worst.0 { (error, x) } else { worst };
        }
    }
    worst
}

#[test]
fn errors_stay_within_the_documented_bounds() {
    type Row = (&'static str, Kernel, fn(f64) -> f64, &'static [f32], f64);
    let functions: [Row; 7] = [
        ("exp", EXP, f64::exp, &[1.0, -1.0], 1.1),
        ("exp_nonpositive", EXP_NONPOSITIVE, f64::exp, &[-1.0], 1.1),
        ("ln", LN, f64::ln, &[1.0], 1.0),
        ("tanh", TANH, f64::tanh, &[1.0, -1.0], 2.5),
        ("softplus", SOFTPLUS, softplus, &[1.0, -1.0], 3.5),
        ("sigmoid", SIGMOID, sigmoid, &[1.0, -1.0], 2.5),
        ("1 − e⁻ʰ", ONE_MINUS_EXP_NEGATIVE, |h| -(-h).exp_m1(), &[1.0], 1.0),
    ];
    for (name, kernel, exact, signs, bound) in functions {
        let (error, x) = largest_error(kernel, exact, signs);
        println!("{name}: at most {error:.3} ulp, at {x:e}");
        assert!(error <= bound, "{name} of {x:e} is off by {error:.3} ulp");
    }
}

/// e^(−|x|) is held to an absolute error, over all magnitudes.
#[test]
fn exp_minus_abs_is_exact_enough_for_a_sum_with_one() {
    let least = 2f32.powi(-86);
    let magnitudes = (0..=f32::INFINITY.to_bits()).step_by(499).map(f32::from_bits);
    let mut x: Vec<f32> = magnitudes.flat_map(|x| [x, -x]).collect();
    x.resize(x.len().next_multiple_of(16), f32::INFINITY);
    let mut worst = (0.0f64, 0.0);
    for (&x, y) in x.iter().zip(EXP_MINUS_ABS(&x)) {
        assert!((least..=1.0).contains(&y), "f({x}) = {y:e}");
        let error = (f64::from(y) - (-f64::from(x.abs())).exp()).abs() * 16_777_216.0;
        worst = if error > worst.0 { (error, x) } else { worst };
    }
    println!("at most {:.3} · 2⁻²⁴, at {:e}", worst.0, worst.1);
    assert!(worst.0 <= 1.2, "{worst:?}");
}

#[test]
fn special_values_are_as_documented() {
    const NAN: f32 = f32::NAN;
    const INF: f32 = f32::INFINITY;
    const TINY: f32 = f32::from_bits(1);
    let values: [(Kernel, &[f32], &[f32]); 7] = [
        (
            EXP,
            &[NAN, INF, -INF, 0.0, -0.0, TINY, -87.336_55, 88.722_84],
            &[NAN, INF, 0.0, 1.0, 1.0, 1.0, 0.0, INF],
        ),
        (EXP_NONPOSITIVE, &[NAN, -INF, 0.0, -0.0, -87.336_55], &[NAN, 0.0, 1.0, 1.0, 0.0]),
        (LN, &[NAN, INF, 1.0], &[NAN, INF, 0.0]),
        (TANH, &[NAN, INF, -INF, 0.0, -0.0, -TINY], &[NAN, 1.0, -1.0, 0.0, -0.0, -TINY]),
        (SOFTPLUS, &[NAN, INF, -INF], &[NAN, INF, 0.0]),
        (SIGMOID, &[NAN, INF, -INF, 0.0, -0.0], &[NAN, 1.0, 0.0, 0.5, 0.5]),
        (ONE_MINUS_EXP_NEGATIVE, &[NAN, INF, 0.0, TINY], &[NAN, 1.0, 0.0, TINY]),
    ];
    for (kernel, x, y) in values {
        for (x, y) in x.iter().zip(y) {
            assert_same_bits(&kernel(&[*x; 16]), &[*y; 16], format_args!("f({x:e})"));
        }
    }
}
