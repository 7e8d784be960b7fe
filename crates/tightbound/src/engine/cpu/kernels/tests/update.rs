//! Hold the scaled gradient bit for bit against scalar code, and Adam against f64.

use super::support::{ROUNDING, assert_close, assert_same_bits, normals, on_all_paths};
use crate::engine::cpu::kernels::{AdamConstants, AdamStep, KernelPath, ScaleInto};

/// Lengths around whole vectors.
const LENGTHS: [usize; 7] = [1, 15, 16, 17, 31, 32, 50];

#[test]
fn every_element_is_scaled() {
    for length in LENGTHS {
        let x = &normals(1, length)[..];
        let out = on_all_paths(&vec![f32::NAN; length], |path, out| {
            let finite = path.run(ScaleInto { scale: 0.05, x, out });
            assert!(finite, "{path}: finite numbers, length {length}");
        });
        let expected: Vec<f32> = x.iter().map(|x| x * 0.05).collect();
        assert_same_bits(&out, &expected, "scaled");
    }
}

#[test]
fn no_element_that_is_not_finite_goes_unnoticed() {
    let cases = [
        (f32::NAN, 1.0, false),
        (f32::INFINITY, 0.5, false),
        (f32::NEG_INFINITY, 0.5, false),
        (f32::MAX, 2.0, false),
        (f32::MAX, 0.5, true),
    ];
    for (path, length) in KernelPath::available().into_iter().flat_map(|p| LENGTHS.map(|l| (p, l)))
    {
        for at in 0..length {
            for (value, scale, finite) in cases {
                let mut x = normals(1, length);
                x[at] = value;
                let got = path.run(ScaleInto { scale, x: &x, out: &mut vec![0.0; length] });
                assert_eq!(got, finite, "{path}: {value} at {at} of {length}");
            }
        }
    }
}

/// PyTorch's formula, uphill. 1 − β is rounded once to f32, so that only rounding differs.
#[test]
fn adam_follows_the_formula() {
    let (b1, b2, epsilon, rate) = (0.9f64, 0.999f64, 1e-4f32, 1e-3);
    let (new1, new2, e) = ((1.0 - b1) as f32, (1.0 - b2) as f32, f64::from(epsilon));
    for length in LENGTHS {
        // Gradients from far below ε to far above, and exact zeros.
        let sizes = [1e-6, 1e-4, 1e-2, 1.0, 1e3, 0.0];
        let gradients = [1, 2, 3, 4, 5].map(|step| {
            let sized = normals(step, length).into_iter().zip(sizes.into_iter().cycle());
            sized.map(|(g, size)| g * size).collect::<Vec<f32>>()
        });
        // Parameters, first and second moments.
        let start = [normals(6, length), vec![0.0; 2 * length]].concat();
        let end = on_all_paths(&start, |path, state| {
            let (parameters, moments) = state.split_at_mut(length);
            let (first, second) = moments.split_at_mut(length);
            for (gradient, t) in gradients.iter().zip(1..) {
                let (first, second) = (&mut *first, &mut *second);
                let root = (1.0 / (1.0 - b2.powi(t)).sqrt()) as f32;
                let rate = (rate / (1.0 - b1.powi(t))) as f32;
                let constants = AdamConstants { new1, new2, epsilon, rate, root };
                path.run(AdamStep { parameters, gradient, first, second, constants });
            }
        });
        for i in 0..length {
            let (mut p, mut m, mut v, mut largest) = (f64::from(start[i]), 0.0, 0.0, 0.0f64);
            for (gradient, t) in gradients.iter().zip(1..) {
                let g = f64::from(gradient[i]);
                m = b1 * m + (1.0 - b1) * g;
                v = b2 * v + (1.0 - b2) * g * g;
                p += rate / (1.0 - b1.powi(t)) * m / ((v / (1.0 - b2.powi(t))).sqrt() + e);
                largest = largest.max(g.abs());
            }
            // Five steps. Each rounds p once and its change, which is below rate · √5, by about ten
            // operations; m by two and v by three.
            let change = 10.0 * 5.0f64.sqrt() * rate;
            assert_close(end[i], p, 5.0 * ROUNDING * (p.abs() + change), "p");
            assert_close(end[length + i], m, 10.0 * ROUNDING * largest, "m");
            assert_close(end[2 * length + i], v, 15.0 * ROUNDING * v, "v");
        }
    }
}
