//! Hold all vector code: the only place with `unsafe`, chosen once for the machine it runs on.

mod activation;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(feature = "bench")]
pub mod bench;
mod buffer;
mod dispatch;
mod gemm;
mod latents;
mod likelihood;
mod maths;
#[cfg(target_arch = "aarch64")]
mod neon;
mod peak;
mod portable;
mod rows;
mod simd;
#[cfg(test)]
mod tests;
mod update;

pub(super) use activation::{ActivationBackward, ActivationForward, SigmaBackward, SigmaForward};
pub(super) use buffer::Buffer;
pub use dispatch::KernelPath;
pub(super) use gemm::{Gemm, Start};
pub(super) use latents::{DrawLatents, PosteriorGradient};
pub(super) use likelihood::{Bernoulli, BernoulliScore, Sigmoid};
pub(super) use peak::FmaChains;
pub(super) use rows::{ScaleRows, Transpose, WeightedColumnSums};
pub(super) use simd::{LANES, pad};
pub(super) use update::{AdamConstants, AdamStep, ScaleInto};
