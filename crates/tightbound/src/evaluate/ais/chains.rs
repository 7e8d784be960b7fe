//! Move many chains at once by Hamiltonian Monte Carlo.

use std::ops::Range;

use super::error::AisError;
use super::target::{Target, Values};
use crate::random::{Purpose, Stream};

/// The blocks of random words behind those of the momentum.
const ACCEPTANCE: u32 = u32::MAX;
const STEP_SIZE: u32 = u32::MAX - 1;

/// What a run is for; each has random draws of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Role {
    /// To find step sizes.
    Tuning = 0,
    /// From the prior to the posterior.
    Forward = 1,
    /// From the posterior to the prior.
    Reverse = 2,
    /// To draw images from the model.
    Simulation = 3,
}

/// The draws of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws {
    stream: Stream,
    role: Role,
}

impl Draws {
    /// The draws of runs of `role` under `seed`.
    pub(super) fn new(seed: u64, role: Role) -> Self {
        Self { stream: Stream::new(seed, Purpose::Annealing), role }
    }

    /// The `time` of transition `t` in the stream.
    fn time(self, t: u32) -> u32 {
        4 * t + self.role as u32
    }

    /// Standard normal numbers for transition `t` of one chain.
    pub(super) fn normals(self, t: u32, image: u32, chain: u32, out: &mut [f64]) {
        let mut single = vec![0.0; out.len()];
        self.stream.normals(self.time(t), image, chain, &mut single);
        for (to, from) in out.iter_mut().zip(single) {
            *to = f64::from(from);
        }
    }

    /// A uniform number in [0, 1).
    pub(super) fn uniform(self, t: u32, image: u32, chain: u32, block: u32) -> f64 {
        self.stream.uniform_f64(self.time(t), image, chain, block)
    }
}

/// C chains for each of B images, with log p(x|z) and its slope where they are.
#[derive(Clone, Debug)]
pub(super) struct Chains {
    images: Range<usize>,
    /// Numbers of the images in their data set, `[B]`.
    ids: Vec<u32>,
    /// C.
    count: usize,
    /// L.
    latents: usize,
    /// Where the chains are.
    here: Place,
}

/// A point for each chain.
#[derive(Clone, Debug)]
struct Place {
    /// `[B, C, L]`.
    z: Vec<f64>,
    /// log p(x|z), `[B, C]`.
    log_likelihood: Vec<f64>,
    /// ∂z log p(x|z), `[B, C, L]`.
    d_z: Vec<f64>,
}

impl Place {
    fn evaluate<T: Target + ?Sized>(&mut self, target: &mut T, images: Range<usize>) {
        let Self { z, log_likelihood, d_z } = self;
        target.log_likelihood(images, z, Values { log_likelihood, d_z });
    }
}

/// One kind of move: Hamiltonian Monte Carlo for the density p(z) p(x|z)^β (Neal 2011, §3.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Transition<'a> {
    /// The number t of the transition.
    pub(super) number: u32,
    /// β.
    pub(super) beta: f64,
    /// The largest ε for each image, `[B]`.
    pub(super) step_sizes: &'a [f64],
    /// Leapfrog steps.
    pub(super) leapfrog: u32,
    /// The random draws.
    pub(super) draws: Draws,
}

impl Chains {
    /// `count` chains for each of `images`, which begin where `start` puts them: it fills one point
    /// `[L]` for the image at a position, with a number, and a chain.
    ///
    /// # Errors
    /// [`AisError::NonFinite`] if log p(x|z) is not finite there.
    pub(super) fn begin<T: Target + ?Sized>(
        target: &mut T,
        images: Range<usize>,
        count: usize,
        start: impl Fn(usize, u32, u32, &mut [f64]),
    ) -> Result<Self, AisError> {
        let ids = target.ids()[images.clone()].to_vec();
        let (rows, latents) = (ids.len() * count, target.latents());
        let mut here = Place {
            z: vec![0.0; rows * latents],
            log_likelihood: vec![0.0; rows],
            d_z: vec![0.0; rows * latents],
        };
        for (row, z) in here.z.chunks_exact_mut(latents).enumerate() {
            let (image, chain) = (row / count, row % count);
            start(images.start + image, ids[image], chain as u32, z);
        }
        here.evaluate(target, images.clone());
        for (row, &value) in here.log_likelihood.iter().enumerate() {
            if !value.is_finite() {
                let (image, chain) = (ids[row / count], row % count);
                return Err(AisError::NonFinite { image, chain, value });
            }
        }
        Ok(Self { images, ids, count, latents, here })
    }

    /// log p(x|z) where the chains are, `[B, C]`, in nats; always finite.
    pub(super) fn log_likelihood(&self) -> &[f64] {
        &self.here.log_likelihood
    }

    /// Where the chains are, `[B, C, L]`.
    #[cfg(test)]
    pub(super) fn z(&self) -> &[f64] {
        &self.here.z
    }

    /// Moves every chain once, and returns the probabilities with which the moves were accepted, `[B, C]`.
    ///
    /// The density is left as it is, whatever the step sizes, so long as they do not depend on the
    /// chains themselves.
    pub(super) fn step<T: Target + ?Sized>(
        &mut self,
        target: &mut T,
        transition: Transition<'_>,
    ) -> Vec<f64> {
        let Transition { number, beta, leapfrog, draws, .. } = transition;
        let (count, latents) = (self.count, self.latents);
        let mut momentum = vec![0.0; self.here.z.len()];
        for (row, p) in momentum.chunks_exact_mut(latents).enumerate() {
            draws.normals(number, self.ids[row / count], (row % count) as u32, p);
        }
        let step_sizes = self.draw_step_sizes(transition);
        let before = energies(&self.here, &momentum, beta);
        let mut there = self.here.clone();
        kick(&there, &mut momentum, beta, &step_sizes, 0.5);
        for i in 1..=leapfrog {
            let moved = there.z.chunks_exact_mut(latents).zip(momentum.chunks_exact(latents));
            for ((z, p), step) in moved.zip(&step_sizes) {
                for (z, p) in z.iter_mut().zip(p) {
                    *z += step * p;
                }
            }
            there.evaluate(target, self.images.clone());
            let share = if i == leapfrog { 0.5 } else { 1.0 };
            kick(&there, &mut momentum, beta, &step_sizes, share);
        }
        let after = energies(&there, &momentum, beta);
        let mut acceptance = Vec::with_capacity(before.len());
        for (row, (before, after)) in before.into_iter().zip(after).enumerate() {
            let (image, chain) = (self.ids[row / count], (row % count) as u32);
            // Where a step has left the numbers, the density counts as zero: NaN is not accepted.
            let ratio = before - after;
            let probability = if ratio.is_nan() { 0.0 } else { libm::exp(ratio.min(0.0)) };
            if draws.uniform(number, image, chain, ACCEPTANCE) < probability {
                let own = row * latents..(row + 1) * latents;
                self.here.z[own.clone()].copy_from_slice(&there.z[own.clone()]);
                self.here.d_z[own.clone()].copy_from_slice(&there.d_z[own]);
                self.here.log_likelihood[row] = there.log_likelihood[row];
            }
            acceptance.push(probability);
        }
        acceptance
    }

    /// ε of each chain, `[B, C]`, between half and all of the largest: with one ε for all, chains would
    /// come back to where they were wherever ε times the leapfrog steps is near a period (Neal 2011, §3.2).
    fn draw_step_sizes(&self, transition: Transition<'_>) -> Vec<f64> {
        let Transition { number, step_sizes, draws, .. } = transition;
        let rows = 0..self.ids.len() * self.count;
        rows.map(|row| {
            let (image, chain) = (row / self.count, (row % self.count) as u32);
            step_sizes[image]
                * (1.0 - 0.5 * draws.uniform(number, self.ids[image], chain, STEP_SIZE))
        })
        .collect()
    }
}

/// H = ½|z|² − β log p(x|z) + ½|p|² of each chain, constants apart.
fn energies(place: &Place, momentum: &[f64], beta: f64) -> Vec<f64> {
    let latents = momentum.len() / place.log_likelihood.len();
    let half_square = |x: &[f64]| 0.5 * x.iter().map(|x| x * x).sum::<f64>();
    let rows = place.z.chunks_exact(latents).zip(momentum.chunks_exact(latents));
    rows.zip(&place.log_likelihood)
        .map(|((z, p), log_likelihood)| half_square(z) + half_square(p) - beta * log_likelihood)
        .collect()
}

/// p ← p + `share` · ε (β ∂z log p(x|z) − z).
fn kick(place: &Place, momentum: &mut [f64], beta: f64, step_sizes: &[f64], share: f64) {
    let latents = momentum.len() / step_sizes.len();
    let slopes = place.d_z.chunks_exact(latents).zip(place.z.chunks_exact(latents));
    for ((p, (d_z, z)), step) in momentum.chunks_exact_mut(latents).zip(slopes).zip(step_sizes) {
        let step = share * step;
        for ((p, d), z) in p.iter_mut().zip(d_z).zip(z) {
            *p += step * (beta * d - z);
        }
    }
}
