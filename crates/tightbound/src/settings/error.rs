//! Name what is wrong with settings: the key, where it was set, what would be right.

use super::assignment::Assignment;
use super::origin::Origin;
use crate::estimators::EstimatorError;

/// Settings that describe no training.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A configuration file is not TOML.
    #[error("{origin}: not readable as TOML: {message}")]
    Syntax {
        /// Where reading stopped.
        origin: Origin,
        /// What the TOML reader says.
        message: String,
    },
    /// `--set` without `=`.
    #[error("--set takes key=value, such as --set train.rate=0.0005, not `{0}`")]
    NotAnAssignment(String),
    /// A key that no setting has.
    #[error("{origin}: there is no setting `{key}`; {known}")]
    UnknownKey {
        /// Where it was set.
        origin: Origin,
        /// The dotted key.
        key: String,
        /// The keys that exist at that place, in words.
        known: String,
    },
    /// A value of the wrong type, or a word that the setting does not know.
    #[error("{origin}: {key} = {value}: {message}")]
    WrongType {
        /// Where it was set.
        origin: Origin,
        /// The dotted key.
        key: String,
        /// What was given, as TOML.
        value: String,
        /// What was expected.
        message: String,
    },
    /// A number outside its range.
    #[error("{key}{flag} must be {range}, not {value}")]
    OutOfRange {
        /// The dotted key.
        key: &'static str,
        /// Its flag, as ` (--flag)`, or nothing where it has none.
        flag: &'static str,
        /// What is allowed.
        range: &'static str,
        /// What was given.
        value: String,
    },
    /// The estimator refuses its settings.
    #[error(transparent)]
    Estimator(#[from] EstimatorError),
    /// A β is to be learned and the estimator has none.
    #[error(
        "{estimator} has no β to learn: train.beta_objective (--beta learned, --beta-objective) \
         belongs to estimators with a β, such as ciwae"
    )]
    NoBetaToLearn {
        /// The estimator.
        estimator: String,
    },
    /// A learned β that could never move.
    #[error(
        "a learned β starts strictly between 0 and 1, not at {0}: β = sigmoid(ξ) never leaves an \
         end; start elsewhere (--set estimator.beta=0.5) or fix it (--beta-objective fixed)"
    )]
    LearnedBetaAtEnd(f64),
    /// A target for β's choice that is not in use.
    #[error(
        "train.beta_target (--beta-target) belongs to train.beta_objective = \"snr\" (--beta-objective snr)"
    )]
    BetaTargetUnused,
    /// Another protocol than that of the run to start from.
    #[error(
        "{origin}: the run to start from follows the protocol `{parent}`, which its continuation \
         keeps; change single settings instead (`tightbound train --help` lists them)"
    )]
    ProtocolOfParent {
        /// Where the other one was set.
        origin: Origin,
        /// The parent's protocol.
        parent: String,
    },
    /// A value that is refused, and the line of a file that it came from.
    #[error("{origin}: {refused}")]
    InFile {
        /// Where it was set.
        origin: Origin,
        /// Why it is refused.
        refused: Box<SettingsError>,
    },
}

impl SettingsError {
    /// Names the line of a file that last set what is refused, where `assignments`, later ones winning, have one.
    pub(super) fn at_its_line(self, assignments: &[Vec<Assignment>]) -> Self {
        let keys = match &self {
            Self::OutOfRange { key, .. } => vec![(*key).to_owned()],
            Self::Estimator(error) => vec![format!("estimator.{}", error.setting())],
            Self::NoBetaToLearn { .. } => vec!["train.beta_objective".to_owned()],
            // Where both were set, the value is what is refused.
            Self::LearnedBetaAtEnd(_) => {
                ["estimator.beta", "train.beta_objective"].map(str::to_owned).to_vec()
            }
            Self::BetaTargetUnused => vec!["train.beta_target".to_owned()],
            _ => Vec::new(),
        };
        let last = |key: &String| assignments.iter().flatten().rfind(|a| a.key == *key);
        match keys.iter().find_map(last) {
            Some(Assignment { origin: origin @ Origin::File { .. }, .. }) => {
                Self::InFile { origin: origin.clone(), refused: Box::new(self) }
            }
            _ => self,
        }
    }
}
