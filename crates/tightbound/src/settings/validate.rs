//! Refuse numbers outside their range, naming the key and the flag.

use super::error::SettingsError;
use super::types::{BetaObjective, ModelSettings, Settings, beta_target};
use crate::estimators::{EstimatorError, EstimatorSettings};
use crate::model::{Architecture, initialise};

impl Settings {
    /// Checks every range that does not depend on the data.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let Self { seed, data, model, estimator, train, adam, .. } = self;
        let decays = 0.0..1.0;
        // The engines compute in f32, where a smaller number would be 0 and a larger one infinite.
        let single = |x: f64| x as f32 > 0.0 && (x as f32).is_finite();
        for (allowed, key, flag, range, value) in [
            (i64::try_from(*seed).is_ok(), "seed", " (--seed)", "below 2⁶³", seed.to_string()),
            (!data.name.is_empty(), "data.name", " (--data)", "a name or a path", "empty".into()),
            (data.limit != Some(0), "data.limit", "", "at least 1", "0".into()),
            (model.latents > 0, "model.latents", "", "at least 1", "0".into()),
            (
                !model.encoder.contains(&0),
                "model.encoder",
                "",
                "widths of at least 1",
                format!("{:?}", model.encoder),
            ),
            (
                !model.decoder.contains(&0),
                "model.decoder",
                "",
                "widths of at least 1",
                format!("{:?}", model.decoder),
            ),
            (train.epochs > 0, "train.epochs", " (--epochs)", "at least 1", "0".into()),
            (
                u32::try_from(train.epochs).is_ok(),
                "train.epochs",
                " (--epochs)",
                "at most 4,294,967,295",
                train.epochs.to_string(),
            ),
            (train.batch > 0, "train.batch", " (--batch)", "at least 1", "0".into()),
            (train.eval_k > 0, "train.eval_k", " (--eval-k)", "at least 1", "0".into()),
            (
                single(train.rate),
                "train.rate",
                "",
                "a finite number above 0 in single precision",
                format!("{:?}", train.rate),
            ),
            (
                train.beta_target > 0.0 && train.beta_target.is_finite(),
                "train.beta_target",
                " (--beta-target)",
                "a finite number above 0",
                format!("{:?}", train.beta_target),
            ),
            (
                (1..=20).contains(&train.stages),
                "train.stages",
                "",
                "from 1 to 20 (stage i lasts 3^i epochs)",
                train.stages.to_string(),
            ),
            (decays.contains(&adam.beta1), "adam.beta1", "", "in [0, 1)", adam.beta1.to_string()),
            (decays.contains(&adam.beta2), "adam.beta2", "", "in [0, 1)", adam.beta2.to_string()),
            (
                single(adam.epsilon),
                "adam.epsilon",
                "",
                "a finite number above 0 in single precision",
                format!("{:?}", adam.epsilon),
            ),
        ] {
            if !allowed {
                return Err(SettingsError::OutOfRange { key, flag, range, value });
            }
        }
        estimator.build()?;
        let &EstimatorSettings { gradient, k, .. } = estimator;
        if gradient.is_idle_with_one() && k < 2 {
            let what = gradient.name();
            return Err(EstimatorError::TooFewSamples { what, least: 2, k }.into());
        }
        self.validate_learned_beta()
    }

    /// Refuses a learned β where there is none, or where it could not move, and a target that nobody
    /// aims at.
    fn validate_learned_beta(&self) -> Result<(), SettingsError> {
        let train = &self.train;
        if train.beta_objective != BetaObjective::Snr && train.beta_target != beta_target() {
            return Err(SettingsError::BetaTargetUnused);
        }
        if self.train.beta_objective == BetaObjective::Fixed {
            return Ok(());
        }
        match self.estimator.beta {
            None => Err(SettingsError::NoBetaToLearn { estimator: self.estimator.name.clone() }),
            // Where β is chosen, it does not matter where it starts.
            Some(beta) if self.train.beta_objective.learns() && (beta == 0.0 || beta == 1.0) => {
                Err(SettingsError::LearnedBetaAtEnd(beta))
            }
            Some(_) => Ok(()),
        }
    }

    /// The networks for images of `pixels` pixels.
    pub fn architecture(&self, pixels: usize) -> Architecture {
        let model = &self.model;
        Architecture {
            pixels,
            encoder: model.encoder.clone(),
            latents: model.latents,
            decoder: model.decoder.clone(),
            activation: model.activation,
            sigma: model.sigma,
        }
    }

    /// The parameters that a training of `architecture` begins with, if it does not go on from another;
    /// `mean_image` is the mean of its training images, `[D]` in [0, 1].
    ///
    /// # Panics
    /// If `mean_image` does not have D values.
    pub fn first_parameters(&self, architecture: &Architecture, mean_image: &[f64]) -> Vec<f32> {
        let ModelSettings { initialisation, output_bias, .. } = self.model;
        initialise(architecture, initialisation, output_bias, mean_image, self.seed)
    }
}
