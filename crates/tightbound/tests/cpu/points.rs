//! Compare log p(x|z) and its slope at given points with the f64 reference, with slopes, and with itself.

use tightbound::engine::cpu::KernelPath;
use tightbound::engine::reference::ReferenceEngine;
use tightbound::engine::{Engine, LikelihoodGradient, Points};
use tightbound::model::{Activation, Sigma};
use tightbound::random::{Purpose, Stream};

use super::support::{Case, small};

/// Standard normal points for `chains` chains of each image, `[B, C, L]`.
fn points(case: &Case, chains: usize) -> Vec<f32> {
    let stream = Stream::new(21, Purpose::Annealing);
    let mut z = vec![0.0; case.ids.len() * chains * case.architecture.latents];
    for (row, z) in z.chunks_exact_mut(case.architecture.latents).enumerate() {
        stream.normals(0, row as u32, 0, z);
    }
    z
}

/// log p(x|z) `[B, C]` and ∂z log p(x|z) `[B, C, L]`.
fn ask<E: Engine>(
    engine: &mut E,
    parameters: &[E::Real],
    case: &Case,
    latents: &[E::Real],
) -> (Vec<f64>, Vec<E::Real>) {
    let rows = latents.len() / case.architecture.latents;
    let mut log_likelihood = vec![f64::NAN; rows];
    let mut d_z = vec![E::Real::default(); latents.len()];
    let out = LikelihoodGradient { log_likelihood: &mut log_likelihood, d_z: &mut d_z };
    engine.likelihood_gradient(parameters, Points { pixels: &case.pixels, latents }, out);
    (log_likelihood, d_z)
}

fn doubles(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| x.into()).collect()
}

fn reference(case: &Case, z: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut engine = ReferenceEngine::new(case.architecture.clone());
    ask(&mut engine, &doubles(&case.parameters), case, z)
}

#[test]
fn points_agree_with_the_reference() {
    for (activation, images, chains) in [
        (Activation::Tanh, 7, 5),
        (Activation::Relu, 3, 50),
        (Activation::Softplus, 1, 1),
        (Activation::Softplus, 2, 131),
    ] {
        let case = Case::new(small(activation, Sigma::Exp), images, 22);
        let z = points(&case, chains);
        let (values, slopes) = reference(&case, &doubles(&z));
        let (fast, fast_slopes) =
            ask(&mut case.cpu(KernelPath::fastest(), 2), &case.parameters, &case, &z);
        for (fast, value) in fast.iter().zip(&values) {
            // 37 terms of order one whose logits are known to 2⁻²² or so.
            assert!((fast - value).abs() < 1e-5, "{activation:?}: {fast} {value}");
        }
        for (fast, slope) in fast_slopes.chunks(5).zip(slopes.chunks(5)) {
            let square = |x: f64| x * x;
            let error: f64 = fast.iter().zip(slope).map(|(&f, s)| square(f64::from(f) - s)).sum();
            let norm: f64 = slope.iter().map(|&s| square(s)).sum();
            // As for the tensors of a gradient: a few roundings of 2⁻²⁴ on each of three layers.
            assert!(error.sqrt() < 2e-5 * norm.sqrt(), "{activation:?}: {error:e} of {norm:e}");
        }
    }
}

#[test]
fn the_reference_is_the_slope_and_the_joint_without_its_prior() {
    let case = Case::new(small(Activation::Softplus, Sigma::Exp), 3, 23);
    let z = doubles(&points(&case, 2));
    let (values, slopes) = reference(&case, &z);
    let h = 1e-5;
    let shifted = |l: usize, step: f64| {
        let shift = |(i, z): (usize, &f64)| if i % 5 == l { z + step } else { *z };
        reference(&case, &z.iter().enumerate().map(shift).collect::<Vec<_>>()).0
    };
    for l in 0..5 {
        let (up, down) = (shifted(l, h), shifted(l, -h));
        for row in 0..values.len() {
            let (slope, expected) = (slopes[5 * row + l], (up[row] - down[row]) / (2.0 * h));
            // h² times third derivatives of order one, and rounding of 20 nats, 4e-15/h.
            assert!((slope - expected).abs() < 1e-8, "latent {l}: {slope} {expected}");
        }
    }
    // The pixels' probabilities say the same of log p(x|z).
    let mut engine = ReferenceEngine::new(case.architecture.clone());
    let probabilities = engine.decode(&doubles(&case.parameters), &z);
    for (row, (p, value)) in probabilities.chunks(37).zip(&values).enumerate() {
        let x = &case.pixels[row / 2 * 37..];
        let log: f64 =
            p.iter().zip(x).map(|(p, &x)| if x == 1 { p.ln() } else { (1.0 - p).ln() }).sum();
        // 37 logarithms, each rounded to 1e-16 of a number of order one.
        assert!((log - value).abs() < 1e-13, "{log} {value}");
    }
}

/// A row's result depends neither on threads nor on instructions, nor on the rows beside it.
#[test]
fn no_cut_changes_a_bit() {
    let case = Case::new(small(Activation::Tanh, Sigma::Softplus), 9, 24);
    let chains = 37;
    let z = points(&case, chains);
    let bits = |(values, slopes): (Vec<f64>, Vec<f32>)| {
        let values: Vec<u64> = values.into_iter().map(f64::to_bits).collect();
        (values, slopes.into_iter().map(f32::to_bits).collect::<Vec<_>>())
    };
    let mut expected = None;
    for path in KernelPath::available() {
        for threads in [1, 2, 3] {
            let mut engine = case.cpu(path, threads);
            let result = bits(ask(&mut engine, &case.parameters, &case, &z));
            let expected = expected.get_or_insert_with(|| result.clone());
            assert!(*expected == result, "{path}, {threads} threads");
        }
    }
    let (values, slopes) = expected.expect("one path at least");
    let last = Case { pixels: case.pixels[8 * 37..].to_vec(), ids: vec![case.ids[8]], ..case };
    for (row, z) in z.chunks(5).enumerate().skip(8 * chains) {
        let alone = bits(ask(&mut last.cpu(KernelPath::fastest(), 2), &last.parameters, &last, z));
        assert_eq!(alone, (vec![values[row]], slopes[5 * row..5 * row + 5].to_vec()));
    }
}
