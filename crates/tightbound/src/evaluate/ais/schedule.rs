//! Choose the temperatures between the prior and the posterior.

use serde::{Deserialize, Serialize};

/// How steep the sigmoid is: δ of Wu et al. 2017, §5.1.
const STEEPNESS: f64 = 4.0;

/// How the inverse temperatures 0 = β_0 < β_1 < … < β_T = 1 are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Dense at both ends (Grosse et al. 2015; Wu et al. 2017, §5.1; δ = 4):
    ///
    /// ```text
    /// s_t = sigmoid(δ (2t/T − 1)),   β_t = (s_t − s_0) / (s_T − s_0)
    /// ```
    #[default]
    Sigmoid,
    /// β_t = t/T.
    Linear,
}

impl Schedule {
    /// β_0 … β_T, `steps` + 1 numbers that begin with exactly 0 and end with exactly 1.
    ///
    /// # Panics
    /// If `steps` is 0.
    pub fn betas(self, steps: u32) -> Vec<f64> {
        assert!(steps > 0, "one step at least from the prior to the posterior");
        let position = |t: u32| f64::from(t) / f64::from(steps);
        let sigmoid = |t: u32| 1.0 / (1.0 + libm::exp(-STEEPNESS * (2.0 * position(t) - 1.0)));
        let (first, last) = (sigmoid(0), sigmoid(steps));
        (0..=steps)
            .map(|t| match self {
                Self::Linear => position(t),
                // The ends are x − x and y / y.
                Self::Sigmoid => (sigmoid(t) - first) / (last - first),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_rise_from_the_prior_to_the_posterior() {
        for schedule in [Schedule::Sigmoid, Schedule::Linear] {
            for steps in [1, 2, 3, 10, 999] {
                let betas = schedule.betas(steps);
                assert_eq!((betas.len(), betas[0]), (steps as usize + 1, 0.0));
                assert_eq!(betas[steps as usize], 1.0);
                assert!(betas.windows(2).all(|w| w[0] < w[1]), "{schedule:?} {steps}");
            }
        }
        let betas = Schedule::Sigmoid.betas(4);
        // sigmoid(±4) and sigmoid(±2) are 0.982014, 0.017986, 0.880797 and 0.119203.
        assert!((betas[1] - (0.119203 - 0.017986) / (0.982014 - 0.017986)).abs() < 1e-5);
        assert!((betas[2] - 0.5).abs() < 1e-12 && (betas[1] + betas[3] - 1.0).abs() < 1e-12);
        assert_eq!(Schedule::Linear.betas(4)[1], 0.25);
    }
}
