//! Check an estimator's settings against what it declares, and make it.

use serde::{Deserialize, Serialize};

use super::estimator::{Definition, Estimator, SampleRule};
use super::registry;

/// Which bound to train on, and with how many samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimatorSettings {
    /// The estimator's name in the registry.
    pub name: String,
    /// M, outer samples: ≥ 1.
    pub m: usize,
    /// K, samples that share one logarithm: ≥ 1 (PIWAE's L).
    pub k: usize,
    /// β in [0, 1], for estimators that have one. Where β is learned: its value at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
}

/// Settings that make no estimator.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EstimatorError {
    /// The name is not in the registry.
    #[error("there is no estimator `{name}`; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// M or K is zero.
    #[error(
        "{letter} must be at least 1 (--{flag} 0 was given): an estimator without samples has no value"
    )]
    NoSamples {
        /// M or K.
        letter: char,
        /// The flag on the command line.
        flag: char,
    },
    /// M > 1 for an estimator of one logarithm.
    #[error(
        "{name} averages all its samples inside one logarithm, so M is 1 (M = {m} was given); \
         use --k {budget} for the same budget, or miwae or piwae for several logarithms"
    )]
    OuterNotFree {
        /// The estimator.
        name: &'static str,
        /// The M that was given.
        m: usize,
        /// M·K.
        budget: usize,
    },
    /// K > 1 for an estimator without an inner average.
    #[error(
        "{name} averages log-weights outside the logarithm, so K is 1 (K = {k} was given); \
         use --m {budget} --k 1 for the same budget, or iwae for a tighter bound"
    )]
    InnerNotFree {
        /// The estimator.
        name: &'static str,
        /// The K that was given.
        k: usize,
        /// M·K.
        budget: usize,
    },
    /// M·K is too large to number the samples of an image.
    #[error("M·K = {m}·{k} samples per image are more than 16,777,216")]
    TooManySamples {
        /// M.
        m: usize,
        /// K.
        k: usize,
    },
    /// The estimator has a β and none was given.
    #[error("{name} needs a β in [0, 1]: give --beta 0.5, say")]
    BetaMissing {
        /// The estimator.
        name: &'static str,
    },
    /// The estimator has no β and one was given.
    #[error("{name} has no β; --beta belongs to: {with_beta}")]
    BetaUnused {
        /// The estimator.
        name: &'static str,
        /// The estimators that have one.
        with_beta: String,
    },
    /// β is outside [0, 1] or not a number.
    #[error("β must lie in [0, 1], not {0}: it is the weight of the ELBO beside the IWAE bound")]
    BetaOutside(f64),
}

impl EstimatorSettings {
    /// Checks the settings and makes the estimator.
    pub fn build(&self) -> Result<Box<dyn Estimator>, EstimatorError> {
        let definition = find(&self.name)?;
        self.check(definition)?;
        Ok((definition.build)(self))
    }

    /// Refuses sample counts and a β that do not fit the estimator.
    fn check(&self, definition: &Definition) -> Result<(), EstimatorError> {
        let &Self { m, k, beta, .. } = self;
        let name = definition.name;
        for (value, letter, flag) in [(m, 'M', 'm'), (k, 'K', 'k')] {
            if value == 0 {
                return Err(EstimatorError::NoSamples { letter, flag });
            }
        }
        let budget = match m.checked_mul(k) {
            Some(budget) if budget <= 1 << 24 => budget,
            _ => return Err(EstimatorError::TooManySamples { m, k }),
        };
        match definition.properties.samples {
            SampleRule::InnerOnly if m > 1 => {
                return Err(EstimatorError::OuterNotFree { name, m, budget });
            }
            SampleRule::OuterOnly if k > 1 => {
                return Err(EstimatorError::InnerNotFree { name, k, budget });
            }
            _ => {}
        }
        match (definition.properties.needs_beta, beta) {
            (true, None) => Err(EstimatorError::BetaMissing { name }),
            (true, Some(beta)) if !(0.0..=1.0).contains(&beta) => {
                Err(EstimatorError::BetaOutside(beta))
            }
            (false, Some(_)) => {
                let with_beta = registry().iter().filter(|d| d.properties.needs_beta);
                let with_beta: Vec<_> = with_beta.map(|d| d.name).collect();
                Err(EstimatorError::BetaUnused { name, with_beta: with_beta.join(", ") })
            }
            _ => Ok(()),
        }
    }
}

/// The definition of the estimator called `name`.
pub fn find(name: &str) -> Result<&'static Definition, EstimatorError> {
    registry().iter().find(|d| d.name == name).copied().ok_or_else(|| {
        let known: Vec<_> = registry().iter().map(|d| d.name).collect();
        EstimatorError::Unknown { name: name.to_owned(), known: known.join(", ") }
    })
}
