//! Check an estimator's settings against what it declares, and make it.

use serde::{Deserialize, Serialize};

use super::estimator::{Definition, Estimator, SampleRule};
use super::gradient::{Gradient, Rule};
use super::log_mean::LogMean;
use super::registry;

/// Where β, α and the partition stand if nobody says: the middle, and five points spaced evenly in
/// log β from Masrani et al.'s β₁ = 0.025.
const MIDDLE: f64 = 0.5;
const PARTITION: [f64; 5] = [0.0, 0.025, 0.0629, 0.158, 0.398];

/// Which bound to train on, by which gradients, and with how many samples.
///
/// ```
/// use tightbound::estimators::{EstimatorSettings, Gradient};
///
/// let settings = EstimatorSettings::new("piwae", 8, 4).with_gradient(Gradient::Dreg);
/// assert_eq!(settings.label(), "piwae-dreg");
/// assert_eq!(settings.build()?.samples(), 32);
/// # Ok::<(), tightbound::estimators::EstimatorError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimatorSettings {
    /// The estimator's name in the registry.
    pub name: String,
    /// How φ's gradient is estimated; not written where it is plain.
    #[serde(default, skip_serializing_if = "Gradient::is_plain")]
    pub gradient: Gradient,
    /// M, outer samples: ≥ 1.
    pub m: usize,
    /// K, samples that share one logarithm: ≥ 1 (PIWAE's L).
    pub k: usize,
    /// β in [0, 1], for estimators that have one. Where β is learned: its value at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// α in [0, 1], for VR-IWAE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// γ in [0, 1], for the rule `ovis`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gamma: Option<f64>,
    /// 0 = β_0 < β_1 < … < 1, for TVO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Vec<f64>>,
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
    /// The estimator does not support the gradient rule.
    #[error("{name} has no gradient rule `{gradient}`: {refusal}. {name} supports: {supported}")]
    RuleRefused {
        /// The estimator.
        name: &'static str,
        /// The rule.
        gradient: Gradient,
        /// Why.
        refusal: &'static str,
        /// The rules it supports, separated by commas.
        supported: String,
    },
    /// K is too small for what leaves samples out or compares them.
    #[error(
        "{what} needs K ≥ {least}, and K = {k} was given: it compares the samples of one logarithm"
    )]
    TooFewSamples {
        /// The estimator or the rule.
        what: &'static str,
        /// The smallest K.
        least: usize,
        /// The K that was given.
        k: usize,
    },
    /// A number that the estimator or rule needs was not given.
    #[error("{name} needs {symbol}: give {example}")]
    Missing {
        /// The estimator or rule.
        name: &'static str,
        /// β, α, γ or the partition.
        symbol: &'static str,
        /// What to write.
        example: &'static str,
    },
    /// A number was given that the estimator or rule has no use for.
    #[error("{name} has no {symbol}; it belongs to: {owners}")]
    Unused {
        /// The estimator with its rule.
        name: String,
        /// β, α, γ or the partition.
        symbol: &'static str,
        /// The estimators or rules that have one.
        owners: String,
    },
    /// A number is outside [0, 1] or not a number.
    #[error("{symbol} must lie in [0, 1], not {value}: it is {meaning}")]
    Outside {
        /// β, α or γ.
        symbol: &'static str,
        /// The number.
        value: f64,
        /// What it means.
        meaning: &'static str,
    },
    /// The points of a partition are not 0 = β_0 < β_1 < … < 1.
    #[error(
        "a partition starts at 0, ascends and stays below 1, such as 0,0.025,0.16,0.4; {0:?} does not"
    )]
    Partition(Vec<f64>),
}

impl EstimatorError {
    /// The setting that is refused, by its name in [`EstimatorSettings`].
    pub(crate) fn setting(&self) -> &'static str {
        match self {
            Self::Unknown { .. } | Self::Missing { .. } => "name",
            Self::NoSamples { letter: 'M', .. } | Self::OuterNotFree { .. } => "m",
            Self::NoSamples { .. }
            | Self::InnerNotFree { .. }
            | Self::TooManySamples { .. }
            | Self::TooFewSamples { .. } => "k",
            Self::RuleRefused { .. } => "gradient",
            Self::Unused { symbol, .. } | Self::Outside { symbol, .. } => match *symbol {
                "β" => "beta",
                "α" => "alpha",
                "γ" => "gamma",
                _ => "partition",
            },
            Self::Partition(_) => "partition",
        }
    }
}

impl EstimatorSettings {
    /// The estimator called `name` with its default rule, and β = α = ½ where it has them.
    pub fn new(name: &str, m: usize, k: usize) -> Self {
        match find(name) {
            Ok(definition) => Self::of(definition, m, k),
            Err(_) => Self {
                name: name.to_owned(),
                gradient: Gradient::Plain,
                m,
                k,
                beta: None,
                alpha: None,
                gamma: None,
                partition: None,
            },
        }
    }

    /// The estimator of `definition`, registered or not, as [`new`](Self::new) makes it.
    pub(crate) fn of(definition: &Definition, m: usize, k: usize) -> Self {
        let has = definition.parameters;
        Self {
            name: definition.name.to_owned(),
            gradient: definition.gradients[0].gradient,
            m,
            k,
            beta: has.beta.then_some(MIDDLE),
            alpha: has.alpha.then_some(MIDDLE),
            gamma: None,
            partition: has.partition.then(|| PARTITION.to_vec()),
        }
    }

    /// The same with another gradient rule; OVIS begins with γ = 0, where it is unbiased.
    pub fn with_gradient(self, gradient: Gradient) -> Self {
        Self { gradient, gamma: (gradient == Gradient::Ovis).then_some(0.0), ..self }
    }

    /// Name and rule in one word, such as `piwae-dreg`; the default rule goes without saying.
    pub fn label(&self) -> String {
        self.label_among(find(&self.name).map_or(&[], |definition| definition.gradients))
    }

    /// The label, where `rules` are those of the estimator.
    pub(crate) fn label_among(&self, rules: &[Rule]) -> String {
        match rules.first() {
            Some(usual) if usual.gradient == self.gradient => self.name.clone(),
            _ => format!("{}-{}", self.name, self.gradient),
        }
    }

    /// Whether the mean of φ's gradient is the gradient of the bound, as the estimator declares.
    ///
    /// # Errors
    /// If the settings make no estimator.
    pub fn is_unbiased(&self) -> Result<bool, EstimatorError> {
        let definition = find(&self.name)?;
        self.check(definition)?;
        Ok(definition.rule(self.gradient).is_some_and(|rule| rule.claim.is_unbiased(self)))
    }

    /// Checks the settings and makes the estimator.
    ///
    /// # Errors
    /// If a name, a number or their combination has no meaning; the message says which and why.
    pub fn build(&self) -> Result<Box<dyn Estimator>, EstimatorError> {
        let definition = find(&self.name)?;
        self.check(definition)?;
        Ok((definition.build)(self))
    }

    /// Refuses what does not fit `definition`.
    pub(crate) fn check(&self, definition: &Definition) -> Result<(), EstimatorError> {
        self.check_samples(definition)?;
        self.check_rule(definition)?;
        self.check_parameters(definition)
    }

    /// φ's rule for estimators made of log-mean-weights.
    pub(super) fn log_mean(&self) -> LogMean {
        LogMean { gradient: self.gradient, gamma: self.gamma.unwrap_or(0.0) }
    }

    fn check_samples(&self, definition: &Definition) -> Result<(), EstimatorError> {
        let &Self { m, k, .. } = self;
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
        match definition.samples {
            SampleRule::InnerOnly if m > 1 => Err(EstimatorError::OuterNotFree { name, m, budget }),
            SampleRule::OuterOnly if k > 1 => Err(EstimatorError::InnerNotFree { name, k, budget }),
            _ if k < definition.least_k => {
                Err(EstimatorError::TooFewSamples { what: name, least: definition.least_k, k })
            }
            _ => Ok(()),
        }
    }

    fn check_rule(&self, definition: &Definition) -> Result<(), EstimatorError> {
        let &Self { gradient, k, gamma, .. } = self;
        let name = definition.name;
        if definition.rule(gradient).is_none() {
            let (refusal, supported) = (definition.refusal, definition.rule_names());
            return Err(EstimatorError::RuleRefused { name, gradient, refusal, supported });
        }
        if gradient.leaves_one_out() && k < 2 {
            return Err(EstimatorError::TooFewSamples { what: gradient.name(), least: 2, k });
        }
        let meaning = "the weight that OVIS gives to the case of few effective samples";
        match (gradient, gamma) {
            (Gradient::Ovis, None) => {
                let (symbol, example) = ("a γ in [0, 1]", "--gamma 0, say");
                Err(EstimatorError::Missing { name: gradient.name(), symbol, example })
            }
            (Gradient::Ovis, Some(value)) if !(0.0..=1.0).contains(&value) => {
                Err(EstimatorError::Outside { symbol: "γ", value, meaning })
            }
            (Gradient::Ovis, _) | (_, None) => Ok(()),
            (_, Some(_)) => {
                let owners = "the gradient rule ovis".to_owned();
                Err(EstimatorError::Unused { name: self.label(), symbol: "γ", owners })
            }
        }
    }

    fn check_parameters(&self, definition: &Definition) -> Result<(), EstimatorError> {
        let name = definition.name;
        let has = definition.parameters;
        let unused = |symbol, which: fn(&Definition) -> bool| {
            let owners: Vec<_> = registry().iter().filter(|d| which(d)).map(|d| d.name).collect();
            let (name, owners) = (name.to_owned(), owners.join(", "));
            EstimatorError::Unused { name, symbol, owners }
        };
        let unit = |symbol, long, example, meaning, needed, value: Option<f64>, owner| match value {
            None if needed => Err(EstimatorError::Missing { name, symbol: long, example }),
            Some(_) if !needed => Err(unused(symbol, owner)),
            Some(value) if !(0.0..=1.0).contains(&value) => {
                Err(EstimatorError::Outside { symbol, value, meaning })
            }
            _ => Ok(()),
        };
        let meaning = "the weight of the ELBO beside the IWAE bound";
        let (long, example) = ("a β in [0, 1]", "--beta 0.5, say");
        unit("β", long, example, meaning, has.beta, self.beta, |d| d.parameters.beta)?;
        let meaning = "Rényi's order, 0 for IWAE and 1 for the ELBO";
        let (long, example) = ("an α in [0, 1]", "--alpha 0.5, say");
        unit("α", long, example, meaning, has.alpha, self.alpha, |d| d.parameters.alpha)?;
        match &self.partition {
            None if has.partition => {
                let (symbol, example) =
                    ("a partition of [0, 1)", "--partition 0,0.025,0.16,0.4, say");
                Err(EstimatorError::Missing { name, symbol, example })
            }
            Some(_) if !has.partition => Err(unused("partition", |d| d.parameters.partition)),
            // Written so that NaN is refused.
            Some(points)
                if points.first() != Some(&0.0)
                    || !points.windows(2).all(|pair| pair[0] < pair[1])
                    || !points.iter().all(|&point| point < 1.0) =>
            {
                Err(EstimatorError::Partition(points.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// The definition of the estimator called `name`.
///
/// # Errors
/// If there is none; the message lists all.
pub fn find(name: &str) -> Result<&'static Definition, EstimatorError> {
    registry().iter().find(|d| d.name == name).copied().ok_or_else(|| {
        let known: Vec<_> = registry().iter().map(|d| d.name).collect();
        EstimatorError::Unknown { name: name.to_owned(), known: known.join(", ") }
    })
}

/// Every estimator with every rule it supports, each with M·K samples in the shape it allows: (M, K),
/// (M·K, 1) or (1, M·K). OVIS comes with γ = 0 and with γ = ½.
///
/// Tests, certificates and what-if tables iterate over this, so that they see a new estimator
/// without a change. What needs K ≥ 2 is left out where K is 1.
pub fn examples(m: usize, k: usize) -> Vec<EstimatorSettings> {
    let mut all = Vec::new();
    for definition in registry() {
        let (m, k) = match definition.samples {
            SampleRule::OuterOnly => (m * k, 1),
            SampleRule::InnerOnly => (1, m * k),
            SampleRule::Both => (m, k),
        };
        all.extend(variants(definition, m, k).into_iter().filter(|s| s.check(definition).is_ok()));
    }
    all
}

/// The estimator of `definition` under every rule it supports, unchecked; OVIS with γ = ½ and γ = 0.
pub(crate) fn variants(definition: &Definition, m: usize, k: usize) -> Vec<EstimatorSettings> {
    let mut all = Vec::new();
    for rule in definition.gradients {
        let settings = EstimatorSettings::of(definition, m, k).with_gradient(rule.gradient);
        if rule.gradient == Gradient::Ovis {
            all.push(EstimatorSettings { gamma: Some(MIDDLE), ..settings.clone() });
        }
        all.push(settings);
    }
    all
}
