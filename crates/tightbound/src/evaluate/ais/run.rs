//! Walk chains between the prior and the posterior, and weigh them.
//!
//! The densities on the way are f_t(z) = p(z) p(x|z)^β_t. A chain that begins with a draw from the prior
//! f_0 and is moved by transitions that leave f_1, …, f_{T−1} as they are has the weight (Neal 2001, §2)
//!
//! ```text
//! log w = Σ_{t=1..T} (β_t − β_{t−1}) log p(x|z_{t−1}),      E w = p(x)
//! ```
//!
//! so the mean of log w lies below log p(x) by Jensen's inequality. The same walk backwards from a draw of
//! the posterior has E 1/w = 1/p(x), and lies above (Grosse et al. 2015). Both equations are exact for
//! any number of temperatures, chains and leapfrog steps, because step sizes come from another run with
//! draws of its own: Wu et al. 2017 adapt them along the weighted chains, where they depend on the states.

use std::ops::{ControlFlow, Range};

use serde::{Deserialize, Serialize};

use super::chains::{Chains, Draws, Role, Transition};
use super::error::AisError;
use super::schedule::Schedule;
use super::step_sizes::StepSizes;
use super::target::Target;
use crate::estimators::normalise;

/// Chains that are moved together, in whole images.
const ROWS_AT_ONCE: usize = 1024;
/// Most chains of an image that look for step sizes.
const TUNING_CHAINS: usize = 4;
/// Most temperatures that the draws can be addressed by.
const MOST_STEPS: u32 = (1 << 30) - 1;

/// How to anneal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AisOptions {
    /// C ≥ 1, chains per image.
    pub chains: u32,
    /// T ≥ 1, steps from the prior to the posterior; between them are T − 1 densities.
    pub steps: u32,
    /// Leapfrog steps per transition, at least 1.
    pub leapfrog: u32,
    /// How the temperatures are spread.
    pub schedule: Schedule,
    /// Seed of all draws.
    pub seed: u64,
}

impl Default for AisOptions {
    fn default() -> Self {
        Self { chains: 8, steps: 500, leapfrog: 5, schedule: Schedule::Sigmoid, seed: 0 }
    }
}

/// log p(x) of one image, from below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnnealedImage {
    /// The image's number in its data set.
    pub image: u32,
    /// log of the mean of the chains' weights, in nats.
    pub log_p_hat: f64,
    /// (Σ w)² / Σ w², between 1 and C: how many chains carry the estimate.
    pub effective_chains: f64,
    /// Mean probability of a move to be accepted.
    pub acceptance: f64,
}

/// Estimates log p(x) of every image of `target` from below; `progress` hears how many of how many
/// moves of blocks of images are done, and may stop.
///
/// # Errors
/// [`AisError`] for nothing to do, a density that is not finite, or a stop.
pub fn forward<T: Target + ?Sized>(
    target: &mut T,
    options: AisOptions,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Vec<AnnealedImage>, AisError> {
    let mut result = Vec::with_capacity(target.ids().len());
    let mut walk = Walk::new(target, options, 2, progress)?;
    for images in walk.blocks() {
        let sizes = walk.tune(target, images.clone())?;
        let weighed = walk.up(target, images, &sizes)?;
        result.extend(weighed);
    }
    Ok(result)
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// What all runs over some images share.
pub(super) struct Walk<'a> {
    options: AisOptions,
    /// β_0 … β_T.
    betas: Vec<f64>,
    images: usize,
    per_block: usize,
    done: u64,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>,
}

/// Chains that have arrived.
struct Arrived {
    /// log w, `[B, C]`.
    log_weights: Vec<f64>,
    /// Mean acceptance of each image, `[B]`; 1 if nothing was moved.
    acceptance: Vec<f64>,
}

impl<'a> Walk<'a> {
    /// Checks what was asked for; every block of images is walked through `runs` times.
    pub(super) fn new<T: Target + ?Sized>(
        target: &T,
        options: AisOptions,
        runs: u64,
        progress: &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<Self, AisError> {
        options.check()?;
        let images = target.ids().len();
        if images == 0 {
            return Err(AisError::NoImages);
        }
        let per_block = (ROWS_AT_ONCE / options.chains as usize).max(1);
        let total = runs * images.div_ceil(per_block) as u64 * u64::from(options.steps);
        let betas = options.schedule.betas(options.steps);
        Ok(Self { options, betas, images, per_block, done: 0, total, progress })
    }

    /// The images, as many at a time as are walked together.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (images, per_block) = (self.images, self.per_block);
        (0..images).step_by(per_block).map(move |first| first..images.min(first + per_block))
    }

    /// Finds step sizes on the way up; the weights are thrown away.
    pub(super) fn tune<T: Target + ?Sized>(
        &mut self,
        target: &mut T,
        images: Range<usize>,
    ) -> Result<StepSizes, AisError> {
        let draws = Draws::new(self.options.seed, Role::Tuning);
        let count = (self.options.chains as usize).min(TUNING_CHAINS);
        let mut sizes = StepSizes::new(self.betas.len() - 1, images.len());
        let mut chains = begin_at_the_prior(target, images, count, draws)?;
        for t in 1..self.betas.len() - 1 {
            let acceptance = self.step(target, &mut chains, t, &sizes, draws)?;
            if t + 2 < self.betas.len() {
                sizes.learn(t, &acceptance);
            }
        }
        self.tick()?;
        Ok(sizes)
    }

    /// From the prior to the posterior.
    pub(super) fn up<T: Target + ?Sized>(
        &mut self,
        target: &mut T,
        images: Range<usize>,
        sizes: &StepSizes,
    ) -> Result<Vec<AnnealedImage>, AisError> {
        let draws = Draws::new(self.options.seed, Role::Forward);
        let count = self.options.chains as usize;
        let chains = begin_at_the_prior(target, images.clone(), count, draws)?;
        let Arrived { log_weights, acceptance } = self.go(target, chains, Way::Up, sizes, draws)?;
        let ids = &target.ids()[images];
        let rows = log_weights.chunks_exact(count).zip(acceptance);
        let mut weights = vec![0.0; count];
        let weighed = ids.iter().zip(rows).map(|(&image, (row, acceptance))| {
            let log_p_hat = normalise(row, &mut weights);
            let effective_chains = 1.0 / weights.iter().map(|w| w * w).sum::<f64>();
            AnnealedImage { image, log_p_hat, effective_chains, acceptance }
        });
        Ok(weighed.collect())
    }

    /// From the posterior to the prior: C chains of each image begin at the one point of `exact`
    /// `[N, L]` that drew it. Returns log w, `[B, C]`.
    pub(super) fn down<T: Target + ?Sized>(
        &mut self,
        target: &mut T,
        images: Range<usize>,
        sizes: &StepSizes,
        exact: &[f64],
    ) -> Result<Vec<f64>, AisError> {
        let draws = Draws::new(self.options.seed, Role::Reverse);
        let start = |position: usize, _: u32, _: u32, z: &mut [f64]| {
            z.copy_from_slice(&exact[position * z.len()..][..z.len()]);
        };
        let chains = Chains::begin(target, images, self.options.chains as usize, start)?;
        Ok(self.go(target, chains, Way::Down, sizes, draws)?.log_weights)
    }

    /// All the way, with weights: β_{t−1} and β_t stand around the point of step t, whichever way.
    fn go<T: Target + ?Sized>(
        &mut self,
        target: &mut T,
        mut chains: Chains,
        way: Way,
        sizes: &StepSizes,
        draws: Draws,
    ) -> Result<Arrived, AisError> {
        let last = self.betas.len() - 1;
        let count = self.options.chains as usize;
        let mut log_weights = vec![0.0; chains.log_likelihood().len()];
        let mut acceptance = vec![0.0; log_weights.len() / count];
        for i in 1..=last {
            let (t, transition) = match way {
                Way::Up => (i, i),
                Way::Down => (last + 1 - i, last - i),
            };
            let rise = self.betas[t] - self.betas[t - 1];
            for (sum, log_likelihood) in log_weights.iter_mut().zip(chains.log_likelihood()) {
                *sum += rise * log_likelihood;
            }
            if i < last {
                let moved = self.step(target, &mut chains, transition, sizes, draws)?;
                for (sum, row) in acceptance.iter_mut().zip(moved.chunks_exact(count)) {
                    *sum += row.iter().sum::<f64>() / (count * (last - 1)) as f64;
                }
            }
        }
        self.tick()?;
        if last == 1 {
            acceptance.fill(1.0);
        }
        Ok(Arrived { log_weights, acceptance })
    }

    /// One transition of all chains.
    fn step<T: Target + ?Sized>(
        &mut self,
        target: &mut T,
        chains: &mut Chains,
        t: usize,
        sizes: &StepSizes,
        draws: Draws,
    ) -> Result<Vec<f64>, AisError> {
        let transition = Transition {
            number: t as u32,
            beta: self.betas[t],
            step_sizes: &sizes.of(t),
            leapfrog: self.options.leapfrog,
            draws,
        };
        let acceptance = chains.step(target, transition);
        self.tick()?;
        Ok(acceptance)
    }

    fn tick(&mut self) -> Result<(), AisError> {
        self.done += 1;
        match (self.progress)(self.done, self.total) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(AisError::Interrupted),
        }
    }
}

fn begin_at_the_prior<T: Target + ?Sized>(
    target: &mut T,
    images: Range<usize>,
    count: usize,
    draws: Draws,
) -> Result<Chains, AisError> {
    let start = |_: usize, id: u32, chain: u32, z: &mut [f64]| draws.normals(0, id, chain, z);
    Chains::begin(target, images, count, start)
}

impl AisOptions {
    /// Refuses counts that are zero or cannot be numbered.
    fn check(&self) -> Result<(), AisError> {
        for (what, value, most) in [
            ("the number of chains", self.chains, u32::MAX),
            ("the number of steps", self.steps, MOST_STEPS),
            ("the number of leapfrog steps", self.leapfrog, u32::MAX),
        ] {
            if value == 0 || value > most {
                return Err(AisError::Count { what, value, most });
            }
        }
        Ok(())
    }
}
