//! Test laws that hold for every estimator in the registry, and between them.

use proptest::prelude::*;

use super::{Bound, Coefficients, EstimatorError, EstimatorSettings, SampleRule, find, registry};

/// The bound and a, b, c.
type Outcome = (Bound, Vec<f64>, Vec<f64>, Vec<f64>);

fn settings(name: &str, m: usize, k: usize, beta: Option<f64>) -> EstimatorSettings {
    EstimatorSettings { name: name.into(), m, k, beta }
}

fn run(settings: &EstimatorSettings, log_weights: &[f64]) -> Outcome {
    let estimator = settings.build().expect("valid settings");
    let n = estimator.samples();
    let (mut a, mut b, mut c) = (vec![f64::NAN; n], vec![f64::NAN; n], vec![f64::NAN; n]);
    let out = Coefficients { theta: &mut a, path: &mut b, score: &mut c };
    let bound = estimator.evaluate(log_weights, out);
    (bound, a, b, c)
}

/// Settings of every estimator for M·K samples, M ≠ K where both are free.
fn all(m: usize, k: usize, beta: f64) -> Vec<EstimatorSettings> {
    let of = |definition: &&super::Definition| {
        let (m, k) = match definition.properties.samples {
            SampleRule::OuterOnly => (m * k, 1),
            SampleRule::InnerOnly => (1, m * k),
            SampleRule::Both => (m, k),
        };
        let beta = definition.properties.needs_beta.then_some(beta);
        settings(definition.name, m, k, beta)
    };
    registry().iter().map(of).collect()
}

fn log_weights(n: usize) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(-120.0..-60.0, n)
}

proptest! {
    /// With one sample there is one bound.
    #[test]
    fn one_sample_makes_all_equal_to_the_vae(l in log_weights(1), beta in 0.0..=1.0) {
        let (vae, a, b, c) = run(&settings("vae", 1, 1, None), &l);
        for settings in all(1, 1, beta) {
            let (bound, a1, b1, c1) = run(&settings, &l);
            // β x + (1 − β) x is x but for rounding.
            prop_assert!((bound.theta - vae.theta).abs() < 1e-12, "{}", settings.name);
            prop_assert!((bound.phi - vae.phi).abs() < 1e-12, "{}", settings.name);
            for (one, vae) in [(a1, &a), (b1, &b), (c1, &c)] {
                prop_assert!((one[0] - vae[0]).abs() < 1e-15, "{}", settings.name);
            }
        }
    }

    #[test]
    fn miwae_at_its_ends_is_vae_and_iwae(l in log_weights(7)) {
        let (m7, a, b, c) = run(&settings("miwae", 7, 1, None), &l);
        let (vae, va, vb, vc) = run(&settings("vae", 7, 1, None), &l);
        prop_assert!((m7.theta - vae.theta).abs() < 1e-12);
        prop_assert_eq!((a, b, c), (va, vb, vc));
        let miwae = run(&settings("miwae", 1, 7, None), &l);
        prop_assert_eq!(miwae, run(&settings("iwae", 1, 7, None), &l));
    }

    #[test]
    fn ciwae_at_its_ends_is_iwae_and_vae(l in log_weights(7)) {
        let (zero, a, b, c) = run(&settings("ciwae", 1, 7, Some(0.0)), &l);
        let (iwae, ia, ib, ic) = run(&settings("iwae", 1, 7, None), &l);
        prop_assert_eq!((zero.theta, a, b, c), (iwae.theta, ia, ib, ic));
        let (one, a, b, c) = run(&settings("ciwae", 1, 7, Some(1.0)), &l);
        let (vae, va, vb, vc) = run(&settings("vae", 7, 1, None), &l);
        prop_assert!((one.theta - vae.theta).abs() < 1e-12);
        prop_assert_eq!((a, b, c), (va, vb, vc));
    }

    #[test]
    fn piwae_has_the_theta_of_iwae_and_the_phi_of_miwae(l in log_weights(12)) {
        let (bound, a, b, c) = run(&settings("piwae", 4, 3, None), &l);
        let (iwae, ia, ..) = run(&settings("iwae", 1, 12, None), &l);
        let (miwae, _, mb, mc) = run(&settings("miwae", 4, 3, None), &l);
        prop_assert_eq!((bound.theta, a), (iwae.theta, ia));
        prop_assert_eq!((bound.phi, b, c), (miwae.phi, mb, mc));
    }

    /// Jensen, draw by draw: ELBO ≤ CIWAE ≤ IWAE and ELBO ≤ MIWAE ≤ IWAE, and CIWAE falls with β.
    #[test]
    fn bounds_are_ordered_for_every_draw(l in log_weights(12), beta in 0.0..=1.0) {
        let value = |name, m, k, beta| run(&settings(name, m, k, beta), &l).0;
        let (elbo, iwae) = (value("vae", 12, 1, None).theta, value("iwae", 1, 12, None).theta);
        let ciwae = value("ciwae", 1, 12, Some(beta));
        let miwae = value("miwae", 4, 3, None).theta;
        // 1e-12: rounding of numbers near 100.
        prop_assert!(elbo <= ciwae.theta + 1e-12 && ciwae.theta <= iwae + 1e-12);
        prop_assert!(elbo <= miwae + 1e-12 && miwae <= iwae + 1e-12);
        prop_assert!(ciwae.d_beta <= 1e-12);
    }

    /// Value and coefficients belong together: for the plain gradient rule a and b are the
    /// derivatives of the two bounds by log w, and c takes the score out of the path term.
    #[test]
    fn coefficients_are_the_derivatives_of_the_bounds(
        l in proptest::collection::vec(-3.0..3.0f64, 12),
        beta in 0.1..0.9,
    ) {
        for settings in all(4, 3, beta) {
            let (_, a, b, c) = run(&settings, &l);
            let h = 1e-5;
            for s in 0..12 {
                let shifted = |step: f64| {
                    let mut l = l.clone();
                    l[s] += step;
                    run(&settings, &l).0
                };
                let (up, down) = (shifted(h), shifted(-h));
                // Central difference: h² / 6 times a third derivative below 1, and rounding 1e-15/h.
                prop_assert!(((up.theta - down.theta) / (2.0 * h) - a[s]).abs() < 1e-9);
                prop_assert!(((up.phi - down.phi) / (2.0 * h) - b[s]).abs() < 1e-9);
                prop_assert_eq!(c[s], -b[s]);
            }
            if settings.beta.is_some() {
                let at = |beta: f64| {
                    run(&EstimatorSettings { beta: Some(beta), ..settings.clone() }, &l).0
                };
                let slope = (at(beta + h).theta - at(beta - h).theta) / (2.0 * h);
                prop_assert!((slope - at(beta).d_beta).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn properties_are_what_is_declared() {
    let l: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
    for settings in all(4, 3, 0.25) {
        let properties = find(&settings.name).unwrap().properties;
        let (bound, ..) = run(&settings, &l);
        assert_eq!(bound.theta != bound.phi, properties.two_targets, "{}", settings.name);
        assert_eq!(bound.d_beta != 0.0, properties.needs_beta, "{}", settings.name);
        let estimator = settings.build().unwrap();
        assert_eq!((estimator.m(), estimator.k()), (settings.m, settings.k), "{}", settings.name);
    }
}

#[test]
fn names_keys_and_texts_are_complete_and_unique() {
    let mut names: Vec<_> = registry().iter().map(|d| d.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), registry().len());
    for definition in registry() {
        assert!(definition.reference.bibtex.contains(definition.reference.key));
        assert!(definition.when.len() > 60 && !definition.when.contains("  "));
    }
}

#[test]
fn settings_that_make_no_estimator_say_why() {
    let error = |name, m, k, beta| settings(name, m, k, beta).build().unwrap_err();
    assert!(matches!(error("wae", 1, 1, None), EstimatorError::Unknown { .. }));
    assert!(matches!(error("vae", 0, 1, None), EstimatorError::NoSamples { letter: 'M', .. }));
    assert!(matches!(error("iwae", 1, 0, None), EstimatorError::NoSamples { letter: 'K', .. }));
    assert!(matches!(error("vae", 2, 3, None), EstimatorError::InnerNotFree { budget: 6, .. }));
    assert!(matches!(error("iwae", 2, 3, None), EstimatorError::OuterNotFree { budget: 6, .. }));
    assert!(matches!(
        error("miwae", 1 << 20, 1 << 20, None),
        EstimatorError::TooManySamples { .. }
    ));
    assert!(matches!(error("miwae", usize::MAX, 2, None), EstimatorError::TooManySamples { .. }));
    assert!(matches!(error("ciwae", 1, 3, None), EstimatorError::BetaMissing { .. }));
    assert!(matches!(error("iwae", 1, 3, Some(0.5)), EstimatorError::BetaUnused { .. }));
    for beta in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(error("ciwae", 1, 3, Some(beta)), EstimatorError::BetaOutside(_)));
    }
}
