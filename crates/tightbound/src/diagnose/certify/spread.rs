//! Measure how noisy every estimator's gradients are.

use std::ops::Range;

use rayon::prelude::*;
use serde::Serialize;

use super::exact;
use super::line::{Bar, Line, Part};
use super::sampled::draw;
use super::subject::{Family, Subject};
use crate::diagnose::{ExactModel, Moments, RunningMoments, SnrError};
use crate::estimators::Gradient;

/// Draws per estimator. A ratio of variances is then known to a few hundredths.
const DRAWS: u32 = 4000;

/// The noise of one network's gradient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Noisiness {
    /// Sum of the variances of the parameters' gradients.
    pub variance: f64,
    /// Signal-to-noise ratio ‖mean‖ / √variance, without the part that noise alone shows.
    pub snr: f64,
}

/// How noisy one estimator's gradients are on the Gaussian model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The bound and its gradient rule.
    pub estimator: String,
    /// M.
    pub m: usize,
    /// K.
    pub k: usize,
    /// Of θ's gradient.
    pub theta: Noisiness,
    /// Of φ's gradient.
    pub phi: Noisiness,
}

impl Spread {
    fn new(subject: &Subject) -> Result<Self, SnrError> {
        let moments = draw(subject, DRAWS);
        let model = exact::model();
        Ok(Self {
            estimator: subject.label.clone(),
            m: subject.estimator.m(),
            k: subject.estimator.k(),
            theta: Noisiness::new(&moments, model.theta())?,
            phi: Noisiness::new(&moments, model.phi())?,
        })
    }
}

impl Noisiness {
    fn new(moments: &RunningMoments, network: Range<usize>) -> Result<Self, SnrError> {
        let variances: Vec<f64> =
            moments.variance().skip(network.start).take(network.len()).collect();
        let variance = variances.iter().sum();
        let mean = moments.mean()[network].to_vec();
        let snr = Moments::of_draws(mean, variances, DRAWS as usize)?.snr()?.ratio;
        Ok(Self { variance, snr })
    }
}

/// The noise of every rule, and the promise of the doubly reparameterised one.
pub(super) fn spreads(family: &Family<'_>) -> Result<(Vec<Spread>, Vec<Line>), SnrError> {
    let spreads: Vec<_> = family.subjects.par_iter().map(Spread::new).collect::<Result<_, _>>()?;
    let of = |gradient| family.position(gradient).map(|position| &spreads[position]);
    let mut lines = Vec::new();
    if let (Some(plain), Some(dreg)) = (of(Gradient::Plain), of(Gradient::Dreg)) {
        let Spread { estimator, m, k, phi, .. } = dreg;
        let name = format!("{estimator} ({m}, {k}): φ variance relative to plain");
        // Below one: that is what the rule is for.
        let ratio = phi.variance / plain.phi.variance;
        lines.push(Line::new(Part::Spread, name, ratio, Bar::AtMost(1.0)));
    }
    Ok((spreads, lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::{find, registry};

    /// At K = 8, with every bound that has both rules.
    #[test]
    fn double_reparameterisation_lowers_the_variance() {
        for definition in registry() {
            let (spreads, lines) = spreads(&Family::new(definition, 8).unwrap()).unwrap();
            assert!(spreads.iter().all(|s| s.theta.snr > 0.0 && s.phi.variance > 0.0));
            let has = definition.rule(Gradient::Dreg).is_some();
            assert_eq!(lines.len(), usize::from(has), "{}", definition.name);
            assert!(lines.iter().all(|line| line.holds), "{lines:?}");
        }
    }

    /// θ's SNR grows with K under both rules; φ's falls under plain and grows under dreg.
    #[test]
    fn signal_to_noise_moves_with_k_as_known() {
        let of = |k| spreads(&Family::new(find("iwae").unwrap(), k).unwrap()).unwrap();
        let ((few, _), (many, lines)) = (of(8), of(64));
        assert!(lines.len() == 1 && lines[0].holds, "{lines:?}");
        let dreg = few.iter().position(|s| s.estimator == "iwae-dreg").unwrap();
        // Plain φ has an SNR of 0.02 here, within its own noise: 4000 draws do not tell it from a
        // smaller one, only that it has not grown to what dreg's is.
        assert!(many[0].phi.snr < 0.1 && many[dreg].phi.snr > 2.0 * few[dreg].phi.snr);
        assert!(many[0].theta.snr > 2.0 * few[0].theta.snr);
    }
}
