//! Name the rules by which φ's gradient is estimated.
//!
//! θ's coefficient a belongs to the bound. A rule says what b (the path through z) and c (the score
//! of q at fixed z) are, and so how noisy the encoder's gradient is, and what it converges to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::reference::{
    BORNSCHEIN_2015, KINGMA_2014, LIEVIN_2020, MASRANI_2019, MNIH_2016, ROEDER_2017, TUCKER_2019,
};
use super::{EstimatorSettings, Reference};

/// How φ's gradient is estimated; as text `plain`, `stl`, `dreg`, `rws`, `rws-dreg`, `vimco`, `ovis`
/// or `covariance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gradient {
    /// The total derivative of the bound through the reparameterised samples: c = −b.
    #[default]
    Plain,
    /// Sticking the landing: the total derivative without its score terms, c = 0.
    Stl,
    /// Doubly reparameterised: the score terms turned into path terms, c = 0.
    Dreg,
    /// The wake-phase update of reweighted wake-sleep: weighted scores alone.
    Rws,
    /// The same, doubly reparameterised.
    RwsDreg,
    /// Scores with a leave-one-out control variate by the geometric mean.
    Vimco,
    /// Scores with the asymptotically optimal leave-one-out control variate, OVIS~(γ).
    Ovis,
    /// Covariances under the tempered distributions: TVO's own rule.
    Covariance,
}

/// Whether a rule's mean is the gradient of the bound that φ is said to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is.
    Unbiased,
    /// It is where γ = 0.
    UnbiasedAtZeroGamma,
    /// It is not.
    Biased,
    /// It is not: φ follows the inclusive KL(p‖q) instead, by self-normalised weights.
    InclusiveKl,
}

/// One rule that a bound supports, and what the bound claims of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The rule.
    pub gradient: Gradient,
    /// What its mean is.
    pub claim: Claim,
}

/// What every bound can say of plain gradients alone.
pub const PLAIN: &[Rule] = &[Rule { gradient: Gradient::Plain, claim: Claim::Unbiased }];

/// The rules of bounds that are means of log-mean-weights.
pub(super) const OF_LOG_MEANS: &[Rule] = &[
    Rule { gradient: Gradient::Plain, claim: Claim::Unbiased },
    Rule { gradient: Gradient::Stl, claim: Claim::Biased },
    Rule { gradient: Gradient::Dreg, claim: Claim::Unbiased },
    Rule { gradient: Gradient::Rws, claim: Claim::InclusiveKl },
    Rule { gradient: Gradient::RwsDreg, claim: Claim::InclusiveKl },
    Rule { gradient: Gradient::Vimco, claim: Claim::Unbiased },
    Rule { gradient: Gradient::Ovis, claim: Claim::UnbiasedAtZeroGamma },
];

/// The rules of bounds that are smooth functions of the weights and have a doubly reparameterised form.
pub(super) const PLAIN_AND_DREG: &[Rule] = &[
    Rule { gradient: Gradient::Plain, claim: Claim::Unbiased },
    Rule { gradient: Gradient::Dreg, claim: Claim::Unbiased },
];

impl Gradient {
    /// All rules, in the order of the docs.
    pub const ALL: [Self; 8] = [
        Self::Plain,
        Self::Stl,
        Self::Dreg,
        Self::Rws,
        Self::RwsDreg,
        Self::Vimco,
        Self::Ovis,
        Self::Covariance,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stl => "stl",
            Self::Dreg => "dreg",
            Self::Rws => "rws",
            Self::RwsDreg => "rws-dreg",
            Self::Vimco => "vimco",
            Self::Ovis => "ovis",
            Self::Covariance => "covariance",
        }
    }

    /// The name in full.
    pub fn title(self) -> &'static str {
        match self {
            Self::Plain => "total derivative, reparameterised",
            Self::Stl => "sticking the landing",
            Self::Dreg => "doubly reparameterised",
            Self::Rws => "reweighted wake-sleep, wake phase for φ",
            Self::RwsDreg => "reweighted wake-sleep, doubly reparameterised",
            Self::Vimco => "variational inference for Monte Carlo objectives",
            Self::Ovis => "optimal variance importance sampling, OVIS~(γ)",
            Self::Covariance => "covariance under tempered distributions",
        }
    }

    /// b and c of the rule for one log-mean-weight, v = w / Σ w.
    pub fn formula(self) -> &'static str {
        match self {
            Self::Plain => "b = v, c = −v",
            Self::Stl => "b = v, c = 0",
            Self::Dreg => "b = v², c = 0",
            Self::Rws => "b = 0, c = v",
            Self::RwsDreg => "b = v − v², c = 0",
            Self::Vimco => {
                "b = 0, c = L − L₋ₖ − v, L₋ₖ with w_k replaced by the others' geometric mean"
            }
            Self::Ovis => {
                "b = 0, c = L − L₋ₖ − log(1−1/K) − (1−γ)v + γ log(1−1/K), L₋ₖ without w_k"
            }
            Self::Covariance => "b = 0, c = Σ_j Δ_j u_j ((1−β_j) δ_j − 1)",
        }
    }

    /// When to choose it.
    pub fn when(self) -> &'static str {
        match self {
            Self::Plain => {
                "The usual one: unbiased, but for φ its noise outgrows its mean as K grows."
            }
            Self::Stl => {
                "Without noise at the exact posterior. Biased for K > 1: prefer dreg, unless K is 1."
            }
            Self::Dreg => {
                "Unbiased, and near the optimum φ's signal-to-noise ratio grows as √K: the first choice for large K."
            }
            Self::Rws => {
                "Pulls q over all of the posterior, and needs no reparameterisation; not the bound's gradient."
            }
            Self::RwsDreg => "The same pull with less noise, where z can be reparameterised.",
            Self::Vimco => "Needs no reparameterisation of z; noisier than dreg where z has one.",
            Self::Ovis => {
                "Needs no reparameterisation. γ = 0 is unbiased; γ = 1 suits large K and small effective samples."
            }
            Self::Covariance => {
                "The only rule of the thermodynamic objective; needs no reparameterisation."
            }
        }
    }

    /// Where it comes from.
    pub fn reference(self) -> Reference {
        match self {
            Self::Plain => KINGMA_2014,
            Self::Stl => ROEDER_2017,
            Self::Dreg | Self::RwsDreg => TUCKER_2019,
            Self::Rws => BORNSCHEIN_2015,
            Self::Vimco => MNIH_2016,
            Self::Ovis => LIEVIN_2020,
            Self::Covariance => MASRANI_2019,
        }
    }

    /// Whether it is the plain one.
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }

    /// Whether it leaves one sample out, so that K must be 2 at least.
    pub(super) fn leaves_one_out(self) -> bool {
        matches!(self, Self::Vimco | Self::Ovis)
    }

    /// Whether φ learns nothing by it from one sample: the mean of a score is 0.
    pub(crate) fn is_idle_with_one(self) -> bool {
        matches!(self, Self::Rws | Self::RwsDreg)
    }
}

impl Claim {
    /// Whether the mean is the bound's gradient under these settings.
    pub fn is_unbiased(self, settings: &EstimatorSettings) -> bool {
        match self {
            Self::Unbiased => true,
            Self::UnbiasedAtZeroGamma => settings.gamma == Some(0.0),
            Self::Biased | Self::InclusiveKl => false,
        }
    }

    /// The claim in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Unbiased => "unbiased",
            Self::UnbiasedAtZeroGamma => "unbiased at γ = 0",
            Self::Biased => "biased",
            Self::InclusiveKl => "follows KL(p‖q) instead",
        }
    }
}

impl fmt::Display for Gradient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no gradient rule `{0}`; there are: {known}", known = Gradient::ALL.map(Gradient::name).join(", "))]
pub struct UnknownGradient(String);

impl FromStr for Gradient {
    type Err = UnknownGradient;

    fn from_str(text: &str) -> Result<Self, UnknownGradient> {
        let found = Self::ALL.into_iter().find(|rule| rule.name() == text);
        found.ok_or_else(|| UnknownGradient(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written() {
        for rule in Gradient::ALL {
            assert_eq!(rule.name().parse(), Ok(rule));
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(json, format!("\"{rule}\""));
            assert!(rule.formula().contains("c = "));
            assert_eq!(rule.is_plain(), rule == Gradient::Plain);
            assert!(rule.reference().bibtex.contains(rule.reference().key));
        }
        let error = "drag".parse::<Gradient>().unwrap_err().to_string();
        // The message must not forget a rule.
        assert!(Gradient::ALL.iter().all(|rule| error.contains(rule.name())), "{error}");
    }

    #[test]
    fn every_rule_and_claim_has_words_of_its_own() {
        use std::collections::HashSet;
        for words in [Gradient::title, Gradient::formula, Gradient::when] {
            let texts: HashSet<_> = Gradient::ALL.into_iter().map(words).collect();
            assert!(texts.len() == Gradient::ALL.len() && !texts.contains(""), "{texts:?}");
        }
        let claims =
            [Claim::Unbiased, Claim::UnbiasedAtZeroGamma, Claim::Biased, Claim::InclusiveKl];
        let texts: HashSet<_> = claims.map(Claim::in_words).into();
        assert!(texts.len() == claims.len() && !texts.contains(""), "{texts:?}");
    }

    #[test]
    fn ovis_is_unbiased_at_zero_gamma_alone() {
        for (gamma, unbiased) in [(Some(0.0), true), (Some(0.5), false), (None, false)] {
            let settings = EstimatorSettings { gamma, ..EstimatorSettings::new("iwae", 1, 5) };
            assert_eq!(Claim::UnbiasedAtZeroGamma.is_unbiased(&settings), unbiased);
            assert!(Claim::Unbiased.is_unbiased(&settings));
            assert!(!Claim::Biased.is_unbiased(&settings));
            assert!(!Claim::InclusiveKl.is_unbiased(&settings));
        }
    }
}
