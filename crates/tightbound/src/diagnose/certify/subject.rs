//! Collect what is to be certified, bound by bound.

use crate::estimators::{
    Definition, Estimator, EstimatorError, EstimatorSettings, Gradient, SampleRule, variants,
};

/// One bound under one gradient rule.
#[derive(Debug)]
pub(super) struct Subject {
    /// Bound and rule in one word; γ where there is one.
    pub(super) label: String,
    pub(super) gradient: Gradient,
    pub(super) estimator: Box<dyn Estimator>,
    /// Whether φ's gradient is declared unbiased; θ's always is.
    pub(super) unbiased: bool,
}

/// One bound with all its gradient rules, of one M and K; the default rule comes first.
#[derive(Debug)]
pub(super) struct Family<'a> {
    pub(super) definition: &'a Definition,
    settings: EstimatorSettings,
    pub(super) subjects: Vec<Subject>,
}

impl<'a> Family<'a> {
    /// The rules of `definition` with `k` samples under each logarithm and two logarithms, if M is
    /// free; with `k` samples in all, if only one of M and K is.
    ///
    /// # Errors
    /// If a rule that is declared cannot be used with so many samples.
    pub(super) fn new(definition: &'a Definition, k: usize) -> Result<Self, EstimatorError> {
        let (m, k) = match definition.samples {
            SampleRule::OuterOnly => (k, 1),
            SampleRule::InnerOnly => (1, k),
            SampleRule::Both => (2, k),
        };
        let mut subjects = Vec::new();
        for settings in variants(definition, m, k) {
            settings.check(definition)?;
            subjects.push(Subject::new(definition, &settings));
        }
        Ok(Self { definition, settings: EstimatorSettings::of(definition, m, k), subjects })
    }

    /// What the bound is known by: all its rules have the same value.
    pub(super) fn bound(&self) -> &dyn Estimator {
        &*self.subjects[0].estimator
    }

    /// The bound with its β moved by `step` from the middle; none where there is no β.
    pub(super) fn with_beta_moved(&self, step: f64) -> Option<Box<dyn Estimator>> {
        let beta = self.settings.beta? + step;
        let settings = EstimatorSettings { beta: Some(beta), ..self.settings.clone() };
        Some((self.definition.build)(&settings))
    }

    /// The subject under `gradient`, by its place.
    pub(super) fn position(&self, gradient: Gradient) -> Option<usize> {
        self.subjects.iter().position(|subject| subject.gradient == gradient)
    }
}

impl Subject {
    fn new(definition: &Definition, settings: &EstimatorSettings) -> Self {
        let gradient = settings.gradient;
        let mut label = settings.label_among(definition.gradients);
        if let Some(gamma) = settings.gamma {
            label += &format!(" (γ = {gamma})");
        }
        let rule = definition.rule(gradient);
        Self {
            label,
            gradient,
            estimator: (definition.build)(settings),
            unbiased: rule.is_some_and(|rule| rule.claim.is_unbiased(settings)),
        }
    }
}
