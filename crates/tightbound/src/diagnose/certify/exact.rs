//! Hold estimators against the exact gradients of their bounds, without sampling noise.

use std::ops::Range;

use rayon::prelude::*;

use super::line::{Bar, Line, Part};
use super::subject::{Family, Subject};
use crate::diagnose::{ExactModel, ScalarGaussian, TensorRule};
use crate::engine::reference::{image_gradient, image_log_weights};
use crate::estimators::{Bound, Coefficients, Estimator, Gradient};

/// m, W, d, s, μ and σ of the model that the estimators are tried on, and the observation.
///
/// q is neither so far from the posterior that quadrature converges slowly, nor so close that a biased
/// estimator passes for an unbiased one.
const PARAMETERS: [f64; 6] = [0.2, 0.9, -0.1, 0.8, 0.3, 0.68];
const X: [f64; 1] = [0.5];

/// K of what is integrated: each further sample multiplies the points by the nodes.
pub(super) const SAMPLES: usize = 3;

/// Largest relative error of a mean that is declared exact: twenty times what quadrature leaves of the
/// worst integrand here, which is the jackknife's.
const EXACT: f64 = 1e-7;

/// Least relative error of a mean that is declared biased: a declaration must not be idle.
const BIASED: f64 = 0.1;

/// The model that the estimators are tried on.
pub(super) fn model() -> ScalarGaussian {
    ScalarGaussian::new(PARAMETERS)
}

/// The observation.
pub(super) fn observation() -> &'static [f64] {
    &X
}

/// A rule fine enough for [`EXACT`] on this model: 6,000 points for samples of one kind, and 160,000
/// for two groups of three.
pub(super) fn rule(estimator: &dyn Estimator) -> TensorRule {
    let (m, k) = (estimator.m(), estimator.k());
    TensorRule::new(if m > 1 && k > 1 { 14 } else { 32 }, m, k)
}

/// E of one image's bound: every sample is integrated over.
pub(super) fn mean_bound(
    model: &ScalarGaussian,
    estimator: &dyn Estimator,
    rule: &TensorRule,
) -> Bound {
    let at_nodes = image_log_weights(model, &X, rule.nodes());
    let samples = estimator.samples();
    let mut log_weights = vec![0.0; samples];
    let (mut a, mut b, mut c) = (vec![0.0; samples], vec![0.0; samples], vec![0.0; samples]);
    let mut mean = Bound::default();
    for (weight, nodes) in rule.points() {
        for (log_weight, &node) in log_weights.iter_mut().zip(nodes) {
            *log_weight = at_nodes[node];
        }
        let unused = Coefficients { theta: &mut a, path: &mut b, score: &mut c };
        let bound = estimator.evaluate(&log_weights, unused);
        mean.theta += weight * bound.theta;
        mean.phi += weight * bound.phi;
        mean.d_beta += weight * bound.d_beta;
    }
    mean
}

/// E of one image's gradient, by the engines' own algorithm.
pub(super) fn mean_gradient(estimator: &dyn Estimator, rule: &TensorRule) -> Vec<f64> {
    let mut gradient = vec![0.0; PARAMETERS.len()];
    let mut epsilon = vec![0.0; estimator.samples()];
    for (weight, nodes) in rule.points() {
        for (epsilon, &node) in epsilon.iter_mut().zip(nodes) {
            *epsilon = rule.nodes()[node];
        }
        image_gradient(&model(), &X, &epsilon, estimator, *weight, &mut gradient);
    }
    gradient
}

/// The slope of `f` at 0 from its values at ±h, ±2h and ±3h: of a smooth function it misses h⁶/140 of the
/// seventh derivative, and 1e-15/h by rounding, so h = 0.005 leaves 1e-12 at best.
fn slope(f: impl Fn(f64) -> f64) -> f64 {
    const H: f64 = 0.005;
    const STENCIL: [f64; 3] = [3.0 / 4.0, -3.0 / 20.0, 1.0 / 60.0];
    let slopes = (1..).zip(STENCIL).map(|(n, factor)| {
        let step = f64::from(n) * H;
        factor * (f(step) - f(-step)) / H
    });
    slopes.sum()
}

/// The gradient of [`mean_bound`], from its values alone: θ's part of the bound that θ follows, φ's
/// part of the bound that φ follows.
fn exact_gradient(estimator: &dyn Estimator, rule: &TensorRule) -> Vec<f64> {
    let phi = model().phi();
    let along = |i: usize| {
        slope(|step| {
            let mut parameters = PARAMETERS;
            parameters[i] += step;
            let bound = mean_bound(&ScalarGaussian::new(parameters), estimator, rule);
            if phi.contains(&i) { bound.phi } else { bound.theta }
        })
    };
    (0..PARAMETERS.len()).into_par_iter().map(along).collect()
}

/// ‖difference‖ / ‖exact‖ over one network's parameters.
fn relative_error(gradient: &[f64], exact: &[f64], network: Range<usize>) -> f64 {
    let square = |x: f64| x * x;
    let pairs = gradient[network.clone()].iter().zip(&exact[network.clone()]);
    let error: f64 = pairs.map(|(g, e)| square(g - e)).sum();
    let norm: f64 = exact[network].iter().map(|&e| square(e)).sum();
    (error / norm).sqrt()
}

/// The exact mean of every rule's gradient.
pub(super) fn means(family: &Family<'_>) -> Vec<Vec<f64>> {
    let rule = rule(family.bound());
    family.subjects.par_iter().map(|s| mean_gradient(&*s.estimator, &rule)).collect()
}

/// Every rule's mean gradient, as [`means`] gives them, against the exact gradient of the bound.
pub(super) fn lines(family: &Family<'_>, means: &[Vec<f64>]) -> Vec<Line> {
    let (model, bound, name) = (model(), family.bound(), family.definition.name);
    let rule = rule(bound);
    let exact = exact_gradient(bound, &rule);
    let mut lines = Vec::new();
    let mut push = |name, figure, bar| lines.push(Line::new(Part::Exact, name, figure, bar));

    // a belongs to the bound, whatever φ's rule: it must be right under all.
    let theta = means.iter().map(|mean| relative_error(mean, &exact, model.theta()));
    push(
        format!("{name}: θ under every rule, largest relative error"),
        theta.fold(0.0, larger),
        Bar::AtMost(EXACT),
    );
    for (Subject { label, unbiased, .. }, mean) in family.subjects.iter().zip(means) {
        let phi = relative_error(mean, &exact, model.phi());
        let (what, bar) = match unbiased {
            true => ("φ, relative error", Bar::AtMost(EXACT)),
            false => ("φ, declared biased, is off by", Bar::Above(BIASED)),
        };
        push(format!("{label}: {what}"), phi, bar);
    }
    let of = |gradient| family.position(gradient).map(|position| &means[position]);
    if let (Some(rws), Some(dreg)) = (of(Gradient::Rws), of(Gradient::RwsDreg)) {
        let error = relative_error(dreg, rws, model.phi());
        push(format!("{name}: φ of rws-dreg against rws"), error, Bar::AtMost(EXACT));
    }
    if family.definition.parameters.beta {
        let value = |step| {
            let moved = family.with_beta_moved(step).expect("the bound has a β");
            mean_bound(&model, &*moved, &rule).theta
        };
        let error = (mean_bound(&model, bound, &rule).d_beta / slope(value) - 1.0).abs();
        push(format!("{name}: ∂bound/∂β, relative error"), error, Bar::AtMost(EXACT));
    }
    lines
}

/// The larger number, or NaN if there is one.
pub(super) fn larger(one: f64, other: f64) -> f64 {
    if one.is_nan() || one > other { one } else { other }
}
