//! Hold the defaults of each protocol.

use super::types::{
    BetaObjective, Binarisation, DataSettings, ModelSettings, Monitor, NonFinite, Protocol,
    Settings, TrainSettings, Update, beta_target, eval_k,
};
use crate::engine::{Adam, Prune};
use crate::estimators::{Definition, EstimatorError, EstimatorSettings, SampleRule, find};
use crate::model::{Activation, Initialisation, OutputBias, Sigma};

/// T = M·K of every default: the budget of Rainforth et al. 2018.
const BUDGET: usize = 64;

/// √T, the middle of the dial between VAE and IWAE.
const ROOT_OF_BUDGET: usize = 8;

impl Settings {
    /// The defaults of a protocol: IWAE with 64 samples on MNIST, the reference model, 3280 epochs.
    pub fn preset(protocol: Protocol) -> Self {
        let (sigma, initialisation, output_bias, epsilon) = match protocol {
            Protocol::Paper => (Sigma::Exp, Initialisation::Glorot, OutputBias::TrainMean, 1e-4),
            Protocol::Report => {
                (Sigma::Softplus, Initialisation::Pytorch, OutputBias::Default, 1e-8)
            }
        };
        Self {
            protocol,
            seed: 1,
            data: DataSettings {
                name: "mnist".to_owned(),
                limit: None,
                validation: 0,
                binarisation: Binarisation::Dynamic,
            },
            model: ModelSettings {
                encoder: vec![200, 200],
                latents: 50,
                decoder: vec![200, 200],
                activation: Activation::Tanh,
                sigma,
                initialisation,
                output_bias,
            },
            estimator: EstimatorSettings::new("iwae", 1, BUDGET),
            train: TrainSettings {
                epochs: 3280,
                batch: 20,
                rate: 1e-3,
                stages: 8,
                update: Update::Joint,
                beta_objective: BetaObjective::Fixed,
                beta_target: beta_target(),
                monitor: Monitor::Off,
                prune: Prune::Lossless,
                non_finite: NonFinite::Stop,
                eval_every: 0,
                eval_k: eval_k(),
            },
            adam: Adam { beta1: 0.9, beta2: 0.999, epsilon },
        }
    }
}

/// The estimator called `name` with its default rule and the budget T = 64: (M, K) = (64, 1), (1, 64)
/// or (8, 8). Whichever of M and K is given replaces its default.
pub(super) fn default_estimator(
    name: &str,
    m: Option<usize>,
    k: Option<usize>,
) -> Result<EstimatorSettings, EstimatorError> {
    let definition = find(name)?;
    let (default_m, default_k) = default_samples(definition, m, k);
    Ok(EstimatorSettings::new(name, m.unwrap_or(default_m), k.unwrap_or(default_k)))
}

/// The defaults of M and K. Where the one the estimator does not leave free is given, the other
/// defaults to 1, so that the refusal speaks of the number that was given.
fn default_samples(definition: &Definition, m: Option<usize>, k: Option<usize>) -> (usize, usize) {
    match definition.samples {
        SampleRule::OuterOnly => (if k.is_some_and(|k| k != 1) { 1 } else { BUDGET }, 1),
        SampleRule::InnerOnly => (1, if m.is_some_and(|m| m != 1) { 1 } else { BUDGET }),
        SampleRule::Both => (ROOT_OF_BUDGET, ROOT_OF_BUDGET),
    }
}

/// How `estimator` updates its networks: the report's code updates PIWAE's encoder first.
pub(super) fn default_update(protocol: Protocol, estimator: &str) -> Update {
    let two_targets = find(estimator).is_ok_and(|d| d.two_targets);
    match protocol {
        Protocol::Report if two_targets => Update::EncoderFirst,
        _ => Update::Joint,
    }
}
