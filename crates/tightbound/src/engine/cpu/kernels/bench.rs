//! Open the kernels to the benchmarks in `benches/`, and to nobody else.

use super::dispatch::Task;
use super::gemm::{Gemm, Start};
use super::latents::DrawLatents;
use super::likelihood::Bernoulli;
use super::maths;
use super::rows::Transpose;
use super::simd::{Simd, pad};
use super::update::{AdamConstants, AdamStep};
use crate::engine::Noise;
use crate::engine::cpu::KernelPath;

macro_rules! functions {
    ($($(#[$doc:meta])* $function:ident)*) => {$(
        $(#[$doc])*
        ///
        /// # Panics
        /// If there are no whole vectors of 16.
        pub fn $function(path: KernelPath, x: &mut [f32]) {
            struct Apply<'a>(&'a mut [f32]);
            impl Task for Apply<'_> {
                type Output = ();

                #[inline(always)]
                fn run<S: Simd>(self, s: S) {
                    let (chunks, rest) = self.0.as_chunks_mut();
                    assert!(rest.is_empty(), "whole vectors");
                    for x in chunks {
                        s.store(maths::$function(s, s.load(x)), x);
                    }
                }
            }
            path.run(Apply(x));
        }
    )*};
}

functions! {
    /// eˣ.
    exp
    /// ln x of positive numbers.
    ln
    /// tanh x.
    tanh
    /// ln(1 + eˣ).
    softplus
    /// 1 / (1 + e⁻ˣ).
    sigmoid
}

/// C `[m, n]` ← A B with A `[m, k]`, or with the transpose of A `[k, m]`; B is `[k, n]`. k is
/// summed in blocks of at most `block`.
///
/// # Panics
/// If a slice is too short, or n is not a multiple of 16.
pub fn gemm(
    path: KernelPath,
    (m, k, n): (usize, usize, usize),
    transposed: bool,
    block: usize,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
) {
    let a_strides = if transposed { (1, m) } else { (k, 1) };
    let start = Start::Zero;
    path.run(Gemm { m, k, n, a, a_strides, b, b_stride: n, c, c_stride: n, start, block });
}

/// `to` `[columns, pad(rows)]` ← the transpose of `from` `[rows, columns]`.
pub fn transpose(path: KernelPath, columns: usize, from: &[f32], to: &mut [f32]) {
    path.run(Transpose { columns, from, to });
}

/// The likelihoods of rows of `pixels` logits, a multiple of 16, under one image `x`; the logits
/// become residuals.
pub fn bernoulli(path: KernelPath, x: &[f32], logits: &mut [f32], log_likelihood: &mut [f64]) {
    path.run(Bernoulli { pixels: x.len(), x, logits, log_likelihood });
}

/// Room for the latents of the samples of one image.
#[derive(Clone, Debug)]
pub struct Latents {
    latents: usize,
    samples: Vec<u32>,
    mean: Vec<f32>,
    sd: Vec<f32>,
    epsilon: Vec<f32>,
    z: Vec<f32>,
    log_ratio: Vec<f64>,
}

impl Latents {
    /// Room for `samples` samples of `latents` dimensions.
    pub fn new(latents: usize, samples: u32) -> Self {
        let elements = samples as usize * pad(latents);
        let mut mean = vec![0.5; latents];
        mean.resize(pad(latents), 0.0);
        Self {
            latents,
            samples: (0..samples).collect(),
            mean,
            sd: vec![1.0; pad(latents)],
            epsilon: vec![0.0; elements],
            z: vec![0.0; elements],
            log_ratio: vec![0.0; samples as usize],
        }
    }

    /// Draws them.
    pub fn draw(&mut self, path: KernelPath, noise: Noise) {
        path.run(DrawLatents {
            latents: self.latents,
            noise,
            image: 0,
            samples: &self.samples,
            mean: &self.mean,
            sd: &self.sd,
            epsilon: &mut self.epsilon,
            z: &mut self.z,
            log_ratio: &mut self.log_ratio,
        });
    }
}

/// One step of Adam with the usual constants.
pub fn adam(
    path: KernelPath,
    parameters: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    let constants = AdamConstants { new1: 0.1, new2: 0.001, epsilon: 1e-4, rate: 1e-3, root: 1.0 };
    path.run(AdamStep { parameters, gradient, first, second, constants });
}
