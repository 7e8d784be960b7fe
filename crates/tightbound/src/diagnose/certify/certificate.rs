//! Put all checks together.

use rayon::prelude::*;
use serde::Serialize;

use super::exact::{self, SAMPLES};
use super::line::Line;
use super::spread::{Spread, spreads};
use super::subject::Family;
use super::{known, network, sampled};
use crate::diagnose::SnrError;
use crate::engine::EngineError;
use crate::estimators::{Definition, EstimatorError};

/// K of the spreads: SNR falls or rises from the first to the second.
const SPREAD_SAMPLES: [usize; 2] = [8, 64];

/// How much is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// What is known, and quadrature: seconds.
    Exact,
    /// Draws too: half a minute on two slow cores.
    #[default]
    Full,
}

/// What was checked and what came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Certificate {
    /// Part by part, in the order of [`Part::ALL`](super::Part::ALL).
    pub lines: Vec<Line>,
    /// How noisy the gradients are: figures to compare, without a bar.
    pub spreads: Vec<Spread>,
}

impl Certificate {
    /// Whether every line holds.
    pub fn holds(&self) -> bool {
        self.lines.iter().all(|line| line.holds)
    }
}

/// Why nothing could be certified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertifyError {
    /// A rule that is declared cannot be used.
    #[error("an estimator does not do what it declares")]
    Estimator(#[from] EstimatorError),
    /// A gradient of the network is not finite.
    #[error("the small network has no gradient")]
    Engine(#[from] EngineError),
    /// A gradient of the Gaussian model is not finite, or never varies.
    #[error("gradients on the Gaussian model have no spread")]
    Snr(#[from] SnrError),
}

/// Checks `definitions`, such as the [`registry`](crate::estimators::registry).
///
/// The figures of an estimator do not depend on which others are checked.
///
/// # Errors
/// If something could not be computed; a figure on the wrong side of its bar is no error.
pub fn certify(definitions: &[&Definition], effort: Effort) -> Result<Certificate, CertifyError> {
    let mut lines = known::lines()?;
    let families: Vec<_> =
        definitions.iter().map(|d| Family::new(d, SAMPLES)).collect::<Result<_, _>>()?;
    let means: Vec<_> = families.par_iter().map(exact::means).collect();
    let with_means = || families.par_iter().zip(&means);
    lines.par_extend(with_means().flat_map(|(family, means)| exact::lines(family, means)));
    let mut all_spreads = Vec::new();
    if effort == Effort::Full {
        lines.par_extend(with_means().flat_map(|(family, means)| sampled::lines(family, means)));
        let of_networks: Vec<_> =
            families.par_iter().map(network::lines).collect::<Result<_, _>>()?;
        lines.extend(of_networks.into_iter().flatten());
        for k in SPREAD_SAMPLES {
            for definition in definitions {
                let (spreads, promises) = spreads(&Family::new(definition, k)?)?;
                all_spreads.extend(spreads);
                lines.extend(promises);
            }
        }
    }
    Ok(Certificate { lines, spreads: all_spreads })
}

/// Holds an estimator, registered or not, against the exact gradients of its own bound: θ under every
/// rule, φ under every rule that is declared unbiased, and, as far off as a declared bias should be,
/// φ under all others.
///
/// Three samples share one logarithm, and M is 2 where it is free. Samples of one logarithm, and
/// logarithms, are taken to be interchangeable: an estimator that treats the first sample differently
/// is integrated wrongly.
///
/// ```
/// use tightbound::diagnose::certify::certify_definition;
/// use tightbound::estimators::find;
///
/// for line in certify_definition(find("iwae")?)? {
///     assert!(line.holds, "{line}");
/// }
/// # Ok::<(), tightbound::estimators::EstimatorError>(())
/// ```
///
/// # Errors
/// If a rule that is declared cannot be used with three samples.
///
/// # Panics
/// If no rule is declared.
pub fn certify_definition(definition: &Definition) -> Result<Vec<Line>, EstimatorError> {
    let family = Family::new(definition, SAMPLES)?;
    Ok(exact::lines(&family, &exact::means(&family)))
}

#[cfg(test)]
mod tests {
    use super::super::{Bar, Part};
    use super::*;
    use crate::estimators::{
        Bound, Claim, Coefficients, Estimator, EstimatorSettings, Gradient, Rule, examples, find,
        normalise, registry,
    };

    /// Quadrature, over all of the registry, and the numbers that are known.
    #[test]
    fn what_is_declared_is_true() {
        let certificate = certify(registry(), Effort::Exact).unwrap();
        for line in &certificate.lines {
            assert!(line.holds, "{line}");
        }
        assert!(certificate.holds() && certificate.spreads.is_empty());
        // One line for φ per rule, whichever M and K.
        let exact = certificate.lines.iter().filter(|line| line.part == Part::Exact);
        let phi = exact.clone().filter(|line| line.name.contains("φ, "));
        let theta = exact.filter(|line| line.name.contains("θ under every rule"));
        assert_eq!((phi.count(), theta.count()), (examples(2, 3).len(), registry().len()));
        for value in [0.4565, 1.907, 0.0667, 1.171] {
            let known = |line: &&Line| matches!(line.bar, Bar::Near { value: v, .. } if v == value);
            assert_eq!(certificate.lines.iter().filter(known).count(), 1, "{value}");
        }
    }

    /// The importance-weighted bound with whatever a, b and c are made of v.
    #[derive(Debug)]
    struct Made(fn(f64) -> [f64; 3]);

    impl Estimator for Made {
        fn m(&self) -> usize {
            1
        }

        fn k(&self) -> usize {
            SAMPLES
        }

        fn evaluate(&self, log_weights: &[f64], out: Coefficients<'_>) -> Bound {
            let bound = normalise(log_weights, out.theta);
            for ((a, b), c) in out.theta.iter_mut().zip(out.path).zip(out.score) {
                [*a, *b, *c] = self.0(*a);
            }
            Bound::single(bound)
        }
    }

    type Build = fn(&EstimatorSettings) -> Box<dyn Estimator>;

    /// Which lines of an estimator hold that has one rule, plain, with this claim.
    fn verdicts(claim: Claim, build: Build) -> Vec<bool> {
        let rules = Box::leak(Box::new([Rule { gradient: Gradient::Plain, claim }]));
        // A name that is not in the registry: nothing may be looked up by it.
        let definition =
            Definition { name: "made", gradients: rules, build, ..*find("iwae").unwrap() };
        let lines = certify_definition(&definition).unwrap();
        assert!(lines.iter().all(|line| line.name.starts_with("made: ")), "{lines:?}");
        lines.iter().map(|line| line.holds).collect()
    }

    #[test]
    fn false_declarations_are_refused() {
        // θ first, then φ.
        let right: Build = |_| Box::new(Made(|v| [v, v, -v]));
        assert_eq!(verdicts(Claim::Unbiased, right), [true, true]);
        assert_eq!(verdicts(Claim::Biased, right), [true, false]);
        let stl: Build = |_| Box::new(Made(|v| [v, v, 0.0]));
        assert_eq!(verdicts(Claim::Unbiased, stl), [true, false]);
        assert_eq!(verdicts(Claim::Biased, stl), [true, true]);
        // One part in a million is a mistake too.
        let theta: Build = |_| Box::new(Made(|v| [1.000_001 * v, v, -v]));
        assert_eq!(verdicts(Claim::Unbiased, theta), [false, true]);
        let phi: Build = |_| Box::new(Made(|v| [v, v * v, 1e-6 * v]));
        assert_eq!(verdicts(Claim::Unbiased, phi), [true, false]);
    }

    #[test]
    fn rules_that_cannot_be_used_are_errors() {
        let definition = Definition { least_k: SAMPLES + 1, ..*find("iwae").unwrap() };
        let error = certify_definition(&definition).unwrap_err();
        assert!(matches!(error, EstimatorError::TooFewSamples { least: 4, k: 3, .. }), "{error}");
    }

    /// A figure belongs to its estimator, not to the company that it is in.
    #[test]
    fn one_alone_gets_the_figures_that_it_gets_among_others() {
        let [vae, iwae] = ["vae", "iwae"].map(|name| find(name).unwrap());
        let alone = certify(&[vae], Effort::Exact).unwrap();
        let both = certify(&[vae, iwae], Effort::Exact).unwrap();
        assert_eq!(alone.lines, both.lines[..alone.lines.len()]);
    }
}
