//! Say why there is no signal-to-noise ratio.

use super::draws::LEAST_DRAWS;
use crate::diagnose::SnrError;
use crate::engine::EngineError;
use crate::estimators::EstimatorSettings;

/// Gradients that cannot be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// Too few draws for a variance and an interval.
    #[error(
        "{0} gradient draw(s): a signal-to-noise ratio needs a variance, its interval groups of draws, \
         and the directional ratio two halves, so {LEAST_DRAWS} draws at least"
    )]
    TooFewDraws(u32),
    /// There is nothing to draw gradients of.
    #[error("there are no images to draw gradients on")]
    NoImages,
    /// A draw's bound or gradient is not finite.
    #[error("draw {draw} of the gradient of {estimator} fails")]
    Draw {
        /// The draw's number, from 0.
        draw: u32,
        /// Label, M and K.
        estimator: String,
        /// What is not finite.
        source: EngineError,
    },
    /// The draws have no ratio.
    #[error("the gradient of {estimator} by {scope} has no signal-to-noise ratio")]
    Ratio {
        /// Label, M and K.
        estimator: String,
        /// The tensor or network.
        scope: String,
        /// Why.
        source: SnrError,
    },
}

impl LiveError {
    /// A draw of `settings`' gradient that fails.
    pub(super) fn draw(draw: u32, settings: &EstimatorSettings, source: EngineError) -> Self {
        Self::Draw { draw, estimator: name(settings), source }
    }

    /// Draws of `settings`' gradient without a ratio.
    pub(super) fn ratio(scope: &str, settings: &EstimatorSettings, source: SnrError) -> Self {
        Self::Ratio { estimator: name(settings), scope: scope.to_owned(), source }
    }
}

/// Label, M and K.
fn name(settings: &EstimatorSettings) -> String {
    format!("{}({}, {})", settings.label(), settings.m, settings.k)
}
