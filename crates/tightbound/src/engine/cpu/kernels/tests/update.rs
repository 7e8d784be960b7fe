//! Hold the sum of shards bit for bit against scalar code, and Adam against f64.

use super::support::{ROUNDING, assert_close, assert_same_bits, normals, on_all_paths};
use crate::engine::cpu::kernels::{AdamConstants, AdamStep, KernelPath, SumShards};

/// Lengths around whole vectors.
const LENGTHS: [usize; 7] = [1, 15, 16, 17, 31, 32, 50];

/// Sums the shards on one path; says whether the sum is finite.
fn sum(path: KernelPath, scale: f32, shards: &[Vec<f32>], out: &mut [f32]) -> bool {
    let shards: Vec<&[f32]> = shards.iter().map(|shard| &shard[..]).collect();
    path.run(SumShards { scale, shards: &shards, out })
}

#[test]
fn shards_are_summed_in_order() {
    for length in LENGTHS {
        for count in 1..=4 {
            let shards: Vec<_> = (0..count).map(|seed| normals(seed, length)).collect();
            let out = on_all_paths(&vec![f32::NAN; length], |path, out| {
                assert!(sum(path, 0.05, &shards, out), "{path}: finite numbers, length {length}");
            });
            let add = |i: usize| shards.iter().map(|s| s[i]).reduce(|a, b| a + b).expect("a shard");
            let expected: Vec<f32> = (0..length).map(|i| add(i) * 0.05).collect();
            assert_same_bits(&out, &expected, "sum");
        }
    }
}

#[test]
fn no_element_that_is_not_finite_goes_unnoticed() {
    let cases = [
        (f32::NAN, 1.0, false),
        (1.0, f32::INFINITY, false),
        (f32::NEG_INFINITY, 1.0, false),
        (f32::INFINITY, f32::NEG_INFINITY, false),
        (f32::MAX, f32::MAX, false),
        (f32::MAX, f32::MIN, true),
    ];
    for (path, length) in KernelPath::available().into_iter().flat_map(|p| LENGTHS.map(|l| (p, l)))
    {
        for at in 0..length {
            for (first, second, finite) in cases {
                let mut shards = [normals(1, length), normals(2, length), vec![0.0; length]];
                (shards[0][at], shards[1][at]) = (first, second);
                let got = sum(path, 1.0, &shards, &mut vec![0.0; length]);
                assert_eq!(got, finite, "{path}: {first} + {second} at {at} of {length}");
            }
        }
    }
}

/// PyTorch's formula, uphill. The β of the twin are those of f32, so that only rounding differs.
#[test]
fn adam_follows_the_formula() {
    let (beta1, beta2, epsilon, rate) = (0.9f32, 0.999f32, 1e-4f32, 1e-3);
    let [b1, b2, e] = [beta1, beta2, epsilon].map(f64::from);
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
                let constants = AdamConstants { beta1, beta2, epsilon, rate, root };
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
