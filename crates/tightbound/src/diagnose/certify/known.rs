//! Reproduce numbers that are known in closed form.

use super::exact::{SAMPLES, mean_bound, model, observation, rule};
use super::line::{Bar, Line, Part};
use crate::diagnose::{ExactModel, LinearGaussian};
use crate::estimators::{EstimatorError, EstimatorSettings};

/// The lines of both models.
pub(super) fn lines() -> Result<Vec<Line>, EstimatorError> {
    let mut lines = quadrature()?;
    lines.extend(toy_problem());
    Ok(lines)
}

/// Quadrature gives the ELBO that the closed form gives, and ELBO < L_3 < log p(x).
fn quadrature() -> Result<Vec<Line>, EstimatorError> {
    let model = model();
    let value = |name, m, k| -> Result<f64, EstimatorError> {
        let estimator = EstimatorSettings::new(name, m, k).build()?;
        Ok(mean_bound(&model, &*estimator, &rule(&*estimator)).theta)
    };
    let (elbo, iwae) = (value("vae", SAMPLES, 1)?, value("iwae", 1, SAMPLES)?);
    let evidence = model.log_evidence(observation());
    // Numbers of order one, sums of 10⁴ terms.
    let closed = Bar::AtMost(1e-12);
    let error = (elbo - model.elbo(observation())).abs();
    Ok(vec![
        Line::new(Part::Known, "ELBO by quadrature against its closed form, nats", error, closed),
        Line::new(Part::Known, "L_3 − ELBO, nats", iwae - elbo, Bar::Above(0.0)),
        Line::new(Part::Known, "log p(x) − L_3, nats", evidence - iwae, Bar::Above(0.0)),
    ])
}

/// The ELBO's gap and E w²/p(x)² at the optimum with D = 20, for ⅔ as q's variance, and as its standard
/// deviation, which some reproductions read.
fn toy_problem() -> Vec<Line> {
    let variance = LinearGaussian::VARIANCE;
    // At the optimum neither depends on the observation or the prior's mean.
    let at = |variance| LinearGaussian::optimal(&[0.0; 20], variance);
    let (paper, other) = (at(variance), at(variance * variance));
    let x = [0.0; 20];
    // Half a unit of the last digit that is known.
    [
        ("log p(x) − ELBO, ⅔ the variance of q, nats", paper.elbo_gap(&x), 0.4565, 5e-5),
        ("E w²/p(x)², ⅔ the variance of q", paper.weight_second_moment(&x), 1.907, 5e-4),
        ("log p(x) − ELBO, ⅔ the sd of q, nats", other.elbo_gap(&x), 0.0667, 5e-5),
        ("E w²/p(x)², ⅔ the sd of q", other.weight_second_moment(&x), 1.171, 5e-4),
    ]
    .into_iter()
    .map(|(name, figure, value, within)| {
        let name = format!("toy problem: {name}");
        Line::new(Part::Known, name, figure, Bar::Near { value, within })
    })
    .collect()
}
