//! Refuse what makes no training, before it begins.

use super::error::TrainError;
use crate::data::Images;
use crate::estimators::find;
use crate::settings::{BetaObjective, Settings};

/// Refuses settings and images that make no training.
pub(super) fn check(
    settings: &Settings,
    images: &Images,
    held_out: Option<&Images>,
    pixels: usize,
) -> Result<(), TrainError> {
    let refuse = |key, problem: String| Err(TrainError::Settings { key, problem });
    if settings.train.epochs == 0 || u32::try_from(settings.train.epochs).is_err() {
        return refuse("train.epochs", "must lie between 1 and 4,294,967,295".into());
    }
    if settings.train.batch == 0 {
        return refuse("train.batch", "must be at least 1".into());
    }
    if images.is_empty() {
        return Err(TrainError::NoImages);
    }
    for images in std::iter::once(images).chain(held_out) {
        if images.pixel_count() != pixels {
            return Err(TrainError::Pixels { found: images.pixel_count(), wanted: pixels });
        }
    }
    if settings.train.beta_objective == BetaObjective::Fixed {
        return Ok(());
    }
    let name = &settings.estimator.name;
    if !find(name)?.parameters.beta {
        let problem = format!("must be \"fixed\" for {name}, which has no β");
        return refuse("train.beta_objective", problem);
    }
    let objective = settings.train.beta_objective;
    if objective == BetaObjective::Validation && held_out.is_none_or(Images::is_empty) {
        let problem =
            "\"validation\" needs held-out images: hold some out with --validation 1000, say";
        return refuse("train.beta_objective", problem.into());
    }
    if !objective.learns() {
        return Ok(());
    }
    match settings.estimator.beta {
        Some(beta) if beta > 0.0 && beta < 1.0 => Ok(()),
        _ => refuse(
            "estimator.beta",
            "must lie strictly between 0 and 1 where β is learned: at the ends its gradient is 0"
                .into(),
        ),
    }
}
