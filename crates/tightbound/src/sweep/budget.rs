//! Say how much of an experiment is run.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::experiment::Scoring;
use crate::diagnose::live::LEAST_DRAWS;

/// How much of an experiment is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Budget {
    /// Every cell for one epoch of 500 images, hardly scored: shows that all of it works.
    Smoke,
    /// As many stages of the ladder as an hour of this machine allows, one epoch at least.
    Hour,
    /// The same for a day.
    Day,
    /// All of it.
    #[default]
    Full,
}

/// Training images of every cell of a smoke test.
const SMOKE_IMAGES: usize = 500;
/// Test images that it scores.
const SMOKE_SCORED: u32 = 100;

/// A budget that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no budget `{0}`: there are smoke, hour, day and full")]
pub struct UnknownBudget(String);

impl Budget {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Full => "full",
        }
    }

    /// The time that all cells together may take; none if it is not time that limits them.
    pub fn time(self) -> Option<Duration> {
        match self {
            Self::Hour => Some(Duration::from_secs(3600)),
            Self::Day => Some(Duration::from_secs(24 * 3600)),
            Self::Smoke | Self::Full => None,
        }
    }

    /// Training images of every cell; none for all of them.
    pub fn limit(self) -> Option<usize> {
        (self == Self::Smoke).then_some(SMOKE_IMAGES)
    }

    /// What is scored of `asked`.
    pub fn scoring(self, asked: &Scoring) -> Scoring {
        match self {
            Self::Smoke => Scoring {
                k: asked.k.min(256),
                images: Some(asked.images.map_or(SMOKE_SCORED, |n| n.min(SMOKE_SCORED))),
                on: asked.on.clone(),
                snr: asked.snr.map(|_| LEAST_DRAWS),
            },
            _ => asked.clone(),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Budget {
    type Err = UnknownBudget;

    fn from_str(name: &str) -> Result<Self, UnknownBudget> {
        let all = [Self::Smoke, Self::Hour, Self::Day, Self::Full];
        all.into_iter()
            .find(|budget| budget.name() == name)
            .ok_or_else(|| UnknownBudget(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smoke_test_never_scores_more_than_the_experiment() {
        let asked = |k, images| Scoring { k, images, ..Scoring::default() };
        for (experiment, smoke) in [
            (asked(5000, None), asked(256, Some(100))),
            (asked(5000, Some(1000)), asked(256, Some(100))),
            (asked(70, Some(9)), asked(70, Some(9))),
        ] {
            assert_eq!(Budget::Smoke.scoring(&experiment), smoke);
            assert_eq!(Budget::Hour.scoring(&experiment), experiment);
        }
    }

    #[test]
    fn every_budget_has_a_name_that_is_read_back() {
        for budget in [Budget::Smoke, Budget::Hour, Budget::Day, Budget::Full] {
            assert_eq!(budget.to_string().parse(), Ok(budget));
        }
        let error = "week".parse::<Budget>().unwrap_err().to_string();
        assert_eq!(error, "there is no budget `week`: there are smoke, hour, day and full");
    }
}
