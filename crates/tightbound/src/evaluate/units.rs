//! Say which latent units a model uses, and what each costs.

use serde::{Deserialize, Serialize};

use crate::engine::{Posterior, Real};

/// A unit is active if its encoder's mean varies by more than this between images (Burda et al. 2016,
/// §5.2).
pub const ACTIVE_VARIANCE: f64 = 0.01;

/// The latent units of a model on a set of images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Units {
    /// How many are active: Var_x(E_q(z_l|x)\[z_l\]) > 0.01.
    pub active: usize,
    /// Var over images of the posterior's mean μ_l, `[L]`; 0 for one image.
    pub variance: Vec<f64>,
    /// Mean over images of KL(q(z_l|x) ‖ N(0, 1)), in nats, `[L]`: what the unit costs in the ELBO.
    pub kl: Vec<f64>,
}

/// Sums over the images seen so far.
#[derive(Clone, Debug)]
pub(super) struct UnitSums {
    images: usize,
    /// Mean of μ and sum of squares about it, updated image by image (Welford 1962).
    mean: Vec<f64>,
    squares: Vec<f64>,
    kl: Vec<f64>,
}

impl UnitSums {
    pub fn new(latents: usize) -> Self {
        let zeros = vec![0.0; latents];
        Self { images: 0, mean: zeros.clone(), squares: zeros.clone(), kl: zeros }
    }

    /// Adds the images of one batch.
    pub fn add<R: Real>(&mut self, posterior: &Posterior<R>) {
        let latents = self.mean.len();
        let rows = posterior.mean.chunks_exact(latents).zip(posterior.sd.chunks_exact(latents));
        for (means, sds) in rows {
            self.images += 1;
            for (unit, (&mean, &sd)) in means.iter().zip(sds).enumerate() {
                let (mean, sd): (f64, f64) = (mean.into(), sd.into());
                let from_old = mean - self.mean[unit];
                self.mean[unit] += from_old / self.images as f64;
                self.squares[unit] += from_old * (mean - self.mean[unit]);
                self.kl[unit] += 0.5 * (mean * mean + sd * sd - 1.0) - libm::log(sd);
            }
        }
    }

    /// What the sums say.
    pub fn finish(self) -> Units {
        let others = self.images.saturating_sub(1).max(1) as f64;
        let variance: Vec<f64> = self.squares.iter().map(|sum| sum / others).collect();
        let images = self.images.max(1) as f64;
        Units {
            active: variance.iter().filter(|&&v| v > ACTIVE_VARIANCE).count(),
            kl: self.kl.iter().map(|sum| sum / images).collect(),
            variance,
        }
    }
}

impl Units {
    /// The units' numbers, from the one whose KL is largest: those that say most about an image first.
    pub fn by_information(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.kl.len()).collect();
        order.sort_by(|&a, &b| self.kl[b].total_cmp(&self.kl[a]));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three images of two units, in two batches: one unit follows the image, the other is the prior.
    #[test]
    fn a_unit_that_never_moves_is_not_active() {
        let mut sums = UnitSums::new(2);
        sums.add(&Posterior { mean: vec![1.0, 0.0, -2.0, 0.05], sd: vec![0.5, 1.0, 0.25, 1.0] });
        sums.add(&Posterior { mean: vec![4.0, -0.05], sd: vec![1.0, 1.0] });
        let units = sums.finish();
        assert_eq!(units.active, 1);
        // Sample variances of (1, −2, 4) and (0, .05, −.05); a few roundings of numbers up to 9.
        assert!((units.variance[0] - 9.0).abs() < 1e-14, "{units:?}");
        assert!((units.variance[1] - 0.0025).abs() < 1e-14, "{units:?}");
        let expected = (0.5 * (1.0 + 0.25 - 1.0) - 0.5f64.ln() + 0.5 * (4.0 + 0.0625 - 1.0)
            - 0.25f64.ln()
            + 0.5 * 16.0)
            / 3.0;
        assert!((units.kl[0] - expected).abs() < 1e-14, "{units:?}");
        assert_eq!(units.by_information(), [0, 1]);
    }

    #[test]
    fn one_image_has_no_variance() {
        let mut sums = UnitSums::new(1);
        sums.add(&Posterior { mean: vec![3.0], sd: vec![1.0] });
        assert_eq!(sums.finish(), Units { active: 0, variance: vec![0.0], kl: vec![4.5] });
    }
}
