//! Say what every estimator is and what it declares about itself.

use std::fmt::Debug;

use super::{EstimatorSettings, Gradient, Reference, Rule};

/// The three coefficients per sample that an estimator fills in; each slice has S = M·K elements.
#[derive(Debug)]
pub struct Coefficients<'a> {
    /// a: weight of ∇θ log p(x, z_s).
    pub theta: &'a mut [f64],
    /// b: weight of the path through z_s.
    pub path: &'a mut [f64],
    /// c: weight of the score ∇φ log q(z_s|x).
    pub score: &'a mut [f64],
}

/// The value of one image's bound, in nats.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bound {
    /// The bound whose gradient θ follows.
    pub theta: f64,
    /// The bound whose gradient φ follows; it differs from `theta` for estimators of two targets.
    pub phi: f64,
    /// ∂bound/∂β where the estimator has a β, else 0.
    pub d_beta: f64,
}

impl Bound {
    /// A bound that both networks follow and that has no β.
    pub fn single(value: f64) -> Self {
        Self { theta: value, phi: value, d_beta: 0.0 }
    }

    /// The first part that is NaN or infinite, if any.
    pub fn first_non_finite(&self) -> Option<f64> {
        [self.theta, self.phi, self.d_beta].into_iter().find(|value| !value.is_finite())
    }
}

/// A bound on log p(x) together with the rule for its gradients.
pub trait Estimator: Debug + Send + Sync {
    /// M, the number of outer samples.
    fn m(&self) -> usize;

    /// K, the number of samples that share one logarithm.
    fn k(&self) -> usize;

    /// S = M·K, the samples drawn per image.
    fn samples(&self) -> usize {
        self.m() * self.k()
    }

    /// Computes the bound of one image and fills in its coefficients.
    ///
    /// `log_weights` has S elements, s = m·K + k. Some may be −∞; a NaN, or nothing but −∞ under
    /// one logarithm, gives a bound that is not finite, which the engine reports.
    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound;
}

/// Which of M and K an estimator lets the user choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleRule {
    /// K is 1: samples are averaged outside the logarithm.
    OuterOnly,
    /// M is 1: samples are averaged inside the logarithm.
    InnerOnly,
    /// Both are free.
    Both,
}

/// Which numbers beside M and K an estimator needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// β in [0, 1], the weight of the ELBO.
    pub beta: bool,
    /// α in [0, 1], Rényi's order.
    pub alpha: bool,
    /// The points 0 = β_0 < β_1 < … < 1 of a Riemann sum.
    pub partition: bool,
}

impl Parameters {
    /// None.
    pub const NONE: Self = Self { beta: false, alpha: false, partition: false };
}

/// One row of the registry: what an estimator declares about itself. Tests, help texts, tables and
/// certificates read it.
#[derive(Debug)]
pub struct Definition {
    /// The name on the command line.
    pub name: &'static str,
    /// The name in full.
    pub title: &'static str,
    /// The bound in one line of Unicode mathematics.
    pub formula: &'static str,
    /// When to choose it.
    pub when: &'static str,
    /// Which of M and K are free.
    pub samples: SampleRule,
    /// The smallest K that has a value.
    pub least_k: usize,
    /// What it needs beside M and K.
    pub parameters: Parameters,
    /// Whether encoder and decoder follow different bounds.
    pub two_targets: bool,
    /// φ's rules that it supports, the default first.
    pub gradients: &'static [Rule],
    /// Why it supports no others.
    pub refusal: &'static str,
    /// Where it comes from.
    pub reference: Reference,
    /// The equation, or else the section, in the reference.
    pub equation: &'static str,
    /// Makes the estimator from settings that were checked against the definition; call
    /// [`EstimatorSettings::build`], which checks them.
    pub build: fn(&EstimatorSettings) -> Box<dyn Estimator>,
}

impl Definition {
    /// The rule called `gradient`, if the estimator supports it.
    pub fn rule(&self, gradient: Gradient) -> Option<Rule> {
        self.gradients.iter().find(|rule| rule.gradient == gradient).copied()
    }

    /// The names of the supported rules, separated by commas.
    pub fn rule_names(&self) -> String {
        let names: Vec<_> = self.gradients.iter().map(|rule| rule.gradient.name()).collect();
        names.join(", ")
    }
}
