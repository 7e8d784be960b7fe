//! Find step sizes in a run whose weights are thrown away.

/// Acceptance that step sizes aim at, the best for Hamiltonian Monte Carlo (Beskos et al. 2013; Wu et
/// al. 2017, §5.1).
const ACCEPTANCE: f64 = 0.65;
/// Change of log ε per unit of acceptance too much or too little, at each transition. At full acceptance
/// ε grows by 3.6 %, at none it shrinks by 6.3 %: fast enough to follow a posterior that narrows to a
/// tenth of the prior within a hundred temperatures, where factors of 1.02 and 0.98 (Wu et al. 2017) take
/// more.
const GAIN: f64 = 0.1;
/// Largest ε of the first transition, where the density is nearly the standard normal.
const FIRST: f64 = 0.5;
/// The least and the largest log ε: 10⁻⁴ and 2, from where leapfrog on a standard normal diverges.
const LIMITS: [f64; 2] = [-9.210_340_371_976_182, std::f64::consts::LN_2];

/// The largest ε of each transition for each image, a function of the images and of draws that no weight sees.
#[derive(Clone, Debug)]
pub(super) struct StepSizes {
    images: usize,
    /// log ε, `[T, B]`; row t is that of transition t, row 0 is not used.
    log: Vec<f64>,
}

impl StepSizes {
    /// The same for every transition.
    pub(super) fn new(steps: usize, images: usize) -> Self {
        Self { images, log: vec![libm::log(FIRST); steps.max(2) * images] }
    }

    /// The largest ε of transition `t` for each image, `[B]`.
    pub(super) fn of(&self, t: usize) -> Vec<f64> {
        self.log[t * self.images..][..self.images].iter().map(|&log| libm::exp(log)).collect()
    }

    /// Sets the steps of transition `t` + 1 from the `acceptance` `[B, C]` of transition `t`.
    pub(super) fn learn(&mut self, t: usize, acceptance: &[f64]) {
        let (before, after) = self.log.split_at_mut((t + 1) * self.images);
        let chains = acceptance.len() / self.images;
        let rows = acceptance.chunks_exact(chains).zip(&before[t * self.images..]);
        for (next, (row, log)) in after.iter_mut().zip(rows) {
            let mean = row.iter().sum::<f64>() / chains as f64;
            *next = (log + GAIN * (mean - ACCEPTANCE)).clamp(LIMITS[0], LIMITS[1]);
        }
    }
}
