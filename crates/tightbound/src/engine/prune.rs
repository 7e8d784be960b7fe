//! Name the rules by which samples may skip the decoder's backward pass.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which samples skip the decoder's backward pass. Terms with c need no decoder and are always summed.
///
/// As text: `off`, `lossless`, `roulette=0.001`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Prune {
    /// None.
    Off,
    /// Per image, the samples of smallest max(|a|, |b|) while their sum stays below 6e-8 of the
    /// whole: what they would add is below f32 rounding.
    #[default]
    Lossless,
    /// Russian roulette with threshold τ: a sample stays with probability p = min(1, max(|a|, |b|)/τ),
    /// and then counts 1/p times. The gradient's mean is exact and its variance larger; the draws
    /// belong to the noise's address, so that a run can be repeated.
    Roulette(Threshold),
}

/// τ of [`Prune::Roulette`]: a positive, finite number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold(f64);

impl Threshold {
    /// `tau`, or nothing if it is not positive and finite.
    pub fn new(tau: f64) -> Option<Self> {
        (tau > 0.0 && tau.is_finite()).then_some(Self(tau))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A text that names no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no pruning rule: write off, lossless or roulette=τ with τ > 0, such as roulette=0.001"
)]
pub struct UnknownPrune(String);

impl FromStr for Prune {
    type Err = UnknownPrune;

    fn from_str(text: &str) -> Result<Self, UnknownPrune> {
        let roulette = |tau: &str| Threshold::new(tau.parse().ok()?).map(Self::Roulette);
        match text {
            "off" => Some(Self::Off),
            "lossless" => Some(Self::Lossless),
            _ => text.strip_prefix("roulette=").and_then(roulette),
        }
        .ok_or_else(|| UnknownPrune(text.into()))
    }
}

impl fmt::Display for Prune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Lossless => f.write_str("lossless"),
            Self::Roulette(tau) => write!(f, "roulette={}", tau.get()),
        }
    }
}

impl TryFrom<String> for Prune {
    type Error = UnknownPrune;

    fn try_from(text: String) -> Result<Self, UnknownPrune> {
        text.parse()
    }
}

impl From<Prune> for String {
    fn from(prune: Prune) -> Self {
        prune.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written() {
        for text in ["off", "lossless", "roulette=0.001", "roulette=3"] {
            assert_eq!(text.parse::<Prune>().unwrap().to_string(), text);
        }
        let roulette: Prune = "roulette=1e-3".parse().unwrap();
        assert_eq!(roulette.to_string(), "roulette=0.001");
        for text in
            ["", "roulette", "roulette=", "roulette=0", "roulette=-1", "roulette=inf", "Off"]
        {
            assert_eq!(text.parse::<Prune>(), Err(UnknownPrune(text.into())));
        }
    }
}
