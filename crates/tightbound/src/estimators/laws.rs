//! Test laws that hold for every estimator in the registry, and between them.

use proptest::prelude::*;

use super::{
    Bound, Claim, Coefficients, EstimatorError, EstimatorSettings, Gradient, examples, find,
    log_mean_exp, registry,
};

/// The bound and a, b, c.
type Outcome = (Bound, Vec<f64>, Vec<f64>, Vec<f64>);

fn settings(name: &str, m: usize, k: usize, rule: Gradient) -> EstimatorSettings {
    EstimatorSettings::new(name, m, k).with_gradient(rule)
}

fn plain(name: &str, m: usize, k: usize) -> EstimatorSettings {
    settings(name, m, k, Gradient::Plain)
}

fn run(settings: &EstimatorSettings, log_weights: &[f64]) -> Outcome {
    let estimator = settings.build().expect("valid settings");
    let n = estimator.samples();
    let (mut a, mut b, mut c) = (vec![f64::NAN; n], vec![f64::NAN; n], vec![f64::NAN; n]);
    let out = Coefficients { theta: &mut a, path: &mut b, score: &mut c };
    let bound = estimator.evaluate(log_weights, out);
    (bound, a, b, c)
}

/// The rules of log-means, OVIS with a γ of its own.
fn of_log_means() -> Vec<Gradient> {
    find("iwae").unwrap().gradients.iter().map(|rule| rule.gradient).collect()
}

fn log_weights(n: usize) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(-120.0..-60.0, n)
}

/// Whether two sets of coefficients agree to rounding of numbers near 1.
fn close(one: &[f64], other: &[f64]) -> bool {
    one.iter().zip(other).all(|(x, y)| (x - y).abs() < 1e-13)
}

proptest! {
    /// With one sample there is one bound, and one total derivative for the plain rule.
    #[test]
    fn one_sample_makes_all_equal_to_the_vae(l in log_weights(1)) {
        let (vae, a, b, c) = run(&plain("vae", 1, 1), &l);
        for settings in examples(1, 1) {
            let (bound, a1, b1, c1) = run(&settings, &l);
            // β x + (1 − β) x is x but for rounding.
            prop_assert!((bound.theta - vae.theta).abs() < 1e-12, "{}", settings.label());
            prop_assert!((bound.phi - vae.phi).abs() < 1e-12, "{}", settings.label());
            prop_assert!(close(&a1, &a), "{}", settings.label());
            prop_assert_eq!(settings.gradient.is_idle_with_one(), b1 == [0.0]);
            match settings.gradient {
                Gradient::Plain => prop_assert!(close(&b1, &b) && close(&c1, &c)),
                Gradient::Stl | Gradient::Dreg => prop_assert!(close(&b1, &b) && c1 == [0.0]),
                // The wake phase climbs log q at the only sample; reparameterised, that is 0.
                Gradient::Rws => prop_assert_eq!((b1[0], c1[0]), (0.0, 1.0)),
                Gradient::RwsDreg => prop_assert_eq!((b1[0], c1[0]), (0.0, 0.0)),
                rule => prop_assert!(false, "{rule} has no K = 1"),
            }
        }
    }

    #[test]
    fn miwae_at_its_ends_is_vae_and_iwae(l in log_weights(7)) {
        for rule in [Gradient::Plain, Gradient::Stl] {
            let (m7, a, b, c) = run(&settings("miwae", 7, 1, rule), &l);
            let (vae, va, vb, vc) = run(&settings("vae", 7, 1, rule), &l);
            prop_assert!((m7.theta - vae.theta).abs() < 1e-12);
            prop_assert_eq!((a, b, c), (va, vb, vc));
        }
        for rule in of_log_means() {
            let miwae = run(&settings("miwae", 1, 7, rule), &l);
            prop_assert_eq!(miwae, run(&settings("iwae", 1, 7, rule), &l));
        }
    }

    #[test]
    fn ciwae_and_vr_iwae_at_their_ends_are_iwae_and_vae(l in log_weights(7)) {
        for (name, set) in [
            ("ciwae", (|s, x| EstimatorSettings { beta: Some(x), ..s }) as fn(EstimatorSettings, f64) -> _),
            ("vr-iwae", |s, x| EstimatorSettings { alpha: Some(x), ..s }),
        ] {
            for (rule, of_vae) in [(Gradient::Plain, Gradient::Plain), (Gradient::Dreg, Gradient::Stl)] {
                let (zero, a, b, c) = run(&set(settings(name, 1, 7, rule), 0.0), &l);
                let (iwae, ia, ib, ic) = run(&settings("iwae", 1, 7, rule), &l);
                prop_assert!((zero.theta - iwae.theta).abs() < 1e-12);
                prop_assert!(close(&a, &ia) && close(&b, &ib) && close(&c, &ic));
                let (one, a, b, c) = run(&set(settings(name, 1, 7, rule), 1.0), &l);
                let (vae, va, vb, vc) = run(&settings("vae", 7, 1, of_vae), &l);
                prop_assert!((one.theta - vae.theta).abs() < 1e-12);
                prop_assert!(close(&a, &va) && close(&b, &vb) && close(&c, &vc), "{name} {rule}");
            }
        }
    }

    #[test]
    fn piwae_has_the_theta_of_iwae_and_the_phi_of_miwae(l in log_weights(12)) {
        for rule in of_log_means() {
            let (bound, a, b, c) = run(&settings("piwae", 4, 3, rule), &l);
            let (iwae, ia, ..) = run(&settings("iwae", 1, 12, rule), &l);
            let (miwae, _, mb, mc) = run(&settings("miwae", 4, 3, rule), &l);
            prop_assert_eq!((bound.theta, a), (iwae.theta, ia));
            prop_assert_eq!((bound.phi, b, c), (miwae.phi, mb, mc));
        }
    }

    /// Draw by draw, ELBO ≤ every dial ≤ IWAE, and CIWAE falls with β: Jensen; for TVO, whose integrand
    /// rises with β and integrates to L_K, a left Riemann sum is too small.
    #[test]
    fn bounds_are_ordered_for_every_draw(l in log_weights(12), dial in 0.0..=1.0) {
        let value = |settings| run(&settings, &l).0;
        let elbo = value(plain("vae", 12, 1)).theta;
        let iwae = value(plain("iwae", 1, 12)).theta;
        let ciwae = value(EstimatorSettings { beta: Some(dial), ..plain("ciwae", 1, 12) });
        let vr = value(EstimatorSettings { alpha: Some(dial), ..plain("vr-iwae", 1, 12) });
        let tvo = value(EstimatorSettings::new("tvo", 1, 12));
        // 1e-9: near α = 1 a logarithm is divided by 1 − α.
        for middle in [ciwae.theta, value(plain("miwae", 4, 3)).theta, vr.theta, tvo.theta] {
            prop_assert!(elbo <= middle + 1e-9 && middle <= iwae + 1e-9);
        }
        prop_assert!(ciwae.d_beta <= 1e-12);
    }

    /// Value and coefficients belong together: for the plain rule a and b are the derivatives of the
    /// two bounds by log w, and c takes the score out of the path term.
    #[test]
    fn coefficients_are_the_derivatives_of_the_bounds(
        l in proptest::collection::vec(-3.0..3.0f64, 12),
        dial in 0.1..0.9,
    ) {
        let plain = examples(4, 3).into_iter().filter(|s| s.gradient == Gradient::Plain);
        for settings in plain {
            let settings = EstimatorSettings {
                beta: settings.beta.map(|_| dial),
                alpha: settings.alpha.map(|_| dial),
                ..settings
            };
            let (_, a, b, c) = run(&settings, &l);
            let h = 1e-5;
            for s in 0..12 {
                let shifted = |step: f64| {
                    let mut l = l.clone();
                    l[s] += step;
                    run(&settings, &l).0
                };
                let (up, down) = (shifted(h), shifted(-h));
                // Central difference: h² / 6 times a third derivative of order K, and rounding 1e-15/h.
                prop_assert!(((up.theta - down.theta) / (2.0 * h) - a[s]).abs() < 5e-9);
                prop_assert!(((up.phi - down.phi) / (2.0 * h) - b[s]).abs() < 5e-9);
                prop_assert_eq!(c[s], -b[s]);
            }
            if settings.beta.is_some() {
                let at = |beta: f64| {
                    run(&EstimatorSettings { beta: Some(beta), ..settings.clone() }, &l).0
                };
                let slope = (at(dial + h).theta - at(dial - h).theta) / (2.0 * h);
                prop_assert!((slope - at(dial).d_beta).abs() < 1e-9);
            }
        }
    }

    /// The rules of one bound share its value and a; only φ's coefficients differ.
    #[test]
    fn a_rule_changes_neither_the_bound_nor_theta(l in log_weights(12)) {
        for settings in examples(4, 3) {
            let usual = find(&settings.name).unwrap().gradients[0].gradient;
            let (bound, a, ..) = run(&settings, &l);
            let (same, same_a, ..) = run(&settings.clone().with_gradient(usual), &l);
            prop_assert_eq!((bound, a), (same, same_a), "{}", settings.label());
        }
    }

    /// VIMCO and OVIS(γ = 0) differ from the plain score L − v by a baseline that must not see its own
    /// sample: changing w_k leaves it alone.
    #[test]
    fn baselines_do_not_see_their_sample(l in log_weights(7), at in 0usize..7, step in -9.0..9.0) {
        for rule in [Gradient::Vimco, Gradient::Ovis] {
            let settings = settings("iwae", 1, 7, rule);
            let baseline = |l: &[f64]| {
                let (bound, v, b, c) = run(&settings, l);
                assert_eq!(b, [0.0; 7]);
                bound.phi - v[at] - c[at]
            };
            let mut moved = l.clone();
            moved[at] += step;
            // Both are near 100, rounded; log w of both sums enters.
            prop_assert!((baseline(&l) - baseline(&moved)).abs() < 1e-10, "{rule}");
        }
    }

    /// Nothing overflows, whatever the weights: one sample may outweigh all others by any factor.
    #[test]
    fn extreme_weights_give_finite_numbers(
        l in proptest::collection::vec(-1e4..1e4f64, 12),
        shift in -1e4..1e4f64,
    ) {
        let l: Vec<f64> = l.iter().map(|l| l + shift).collect();
        for settings in examples(4, 3) {
            let (bound, a, b, c) = run(&settings, &l);
            prop_assert_eq!(bound.first_non_finite(), None, "{}", settings.label());
            prop_assert!([a, b, c].concat().iter().all(|x| x.is_finite()), "{}", settings.label());
        }
    }

    /// Against the definition, with sums of weights that are written out.
    #[test]
    fn the_jackknife_is_the_mean_of_what_is_left(l in proptest::collection::vec(-3.0..3.0f64, 5)) {
        let (bound, a, b, c) = run(&settings("jvi", 1, 5, Gradient::Dreg), &l);
        let without = |j: usize| -> Vec<f64> {
            l.iter().enumerate().filter(|&(i, _)| i != j).map(|(_, l)| *l).collect()
        };
        let left: f64 = (0..5).map(|j| log_mean_exp(&without(j))).sum();
        prop_assert!((bound.theta - (5.0 * log_mean_exp(&l) - 0.8 * left)).abs() < 1e-13);
        let share = |s: usize, all: &[f64]| l[s].exp() / all.iter().map(|l| l.exp()).sum::<f64>();
        for s in 0..5 {
            let shares: Vec<f64> = (0..5).filter(|&j| j != s).map(|j| share(s, &without(j))).collect();
            let (v, first) = (share(s, &l), shares.iter().sum::<f64>());
            let second: f64 = shares.iter().map(|v| v * v).sum();
            prop_assert!((a[s] - (5.0 * v - 0.8 * first)).abs() < 1e-13);
            prop_assert!((b[s] - (5.0 * v * v - 0.8 * second)).abs() < 1e-13);
            prop_assert_eq!(c[s], 0.0);
        }
    }
}

/// Samples of weight zero are no error where the others have some: they count, without a pull.
#[test]
fn weights_of_zero_are_survived() {
    let mut l: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
    l[4] = f64::NEG_INFINITY;
    for settings in examples(4, 3) {
        let (bound, a, b, c) = run(&settings, &l);
        let label = settings.label();
        // The mean of log-weights is −∞ then, and so is a bound that contains it; engines report it.
        let averages_logs = matches!(settings.name.as_str(), "vae" | "ciwae" | "tvo");
        assert_eq!(bound.first_non_finite().is_some(), averages_logs, "{label}");
        if !averages_logs {
            assert!([&a[..], &b, &c].concat().iter().all(|x| x.is_finite()), "{label}");
            assert_eq!((a[4], b[4]), (0.0, 0.0), "{label}");
        }
    }
}

/// One sample that is not a number, or outweighs all by an infinity, or nothing but weights of zero under a
/// logarithm: no estimator may turn any of these into a bound that looks like one.
#[test]
fn log_weights_that_are_not_finite_give_no_bound() {
    let l: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
    for settings in examples(4, 3) {
        let label = settings.label();
        let bound = |l: &[f64]| run(&settings, l).0.first_non_finite();
        assert_eq!(bound(&l), None, "{label}");
        for at in 0..l.len() {
            for number in [f64::NAN, f64::INFINITY] {
                let mut bad = l.clone();
                bad[at] = number;
                assert!(bound(&bad).is_some(), "{label}: {number} at {at}");
            }
        }
        assert!(bound(&[f64::NEG_INFINITY; 12]).is_some(), "{label}");
        // One logarithm over K = 3 samples, or over all 12.
        let mut zeros = l.clone();
        zeros[3..6].fill(f64::NEG_INFINITY);
        let separate = settings.build().unwrap().k() == 3;
        assert!(bound(&zeros).is_some() || !separate, "{label}");
    }
}

#[test]
fn definitions_are_what_is_declared() {
    let l: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
    for settings in examples(4, 3) {
        let definition = find(&settings.name).unwrap();
        let (bound, ..) = run(&settings, &l);
        assert_eq!(bound.theta != bound.phi, definition.two_targets, "{}", settings.label());
        assert_eq!(bound.d_beta != 0.0, definition.parameters.beta, "{}", settings.label());
        let estimator = settings.build().unwrap();
        assert_eq!(
            (estimator.m(), estimator.k()),
            (settings.m, settings.k),
            "{}",
            settings.label()
        );
    }
}

#[test]
fn settings_say_whether_they_are_unbiased() {
    let with = |name, rule| settings(name, 1, 5, rule).is_unbiased().ok();
    assert_eq!(with("iwae", Gradient::Dreg), Some(true));
    assert_eq!(with("iwae", Gradient::Stl), Some(false));
    assert_eq!(with("iwae", Gradient::Covariance), None);
    assert_eq!(with("wae", Gradient::Plain), None);
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
        let default = definition.gradients[0];
        assert!(matches!(default.gradient, Gradient::Plain | Gradient::Covariance));
        assert_eq!(default.claim == Claim::Unbiased, default.gradient == Gradient::Plain);
    }
}

#[test]
fn examples_hold_every_pair_and_labels_are_unique() {
    let all = examples(4, 3);
    let pairs: usize = registry().iter().map(|d| d.gradients.len()).sum();
    let ovis = all.iter().filter(|s| s.gradient == Gradient::Ovis).count();
    assert_eq!((all.len(), ovis), (pairs + 3, 6));
    assert!(all.iter().all(|s| s.m * s.k == 12));
    let mut labels: Vec<_> = all.iter().map(|s| (s.label(), s.gamma.map(f64::to_bits))).collect();
    labels.sort();
    labels.dedup();
    assert_eq!(labels.len(), all.len());
}

#[test]
fn settings_that_make_no_estimator_say_why() {
    let error = |settings: EstimatorSettings| settings.build().unwrap_err();
    let of = |name, m, k| error(plain(name, m, k));
    assert!(matches!(of("wae", 1, 1), EstimatorError::Unknown { .. }));
    assert!(matches!(of("vae", 0, 1), EstimatorError::NoSamples { letter: 'M', .. }));
    assert!(matches!(of("iwae", 1, 0), EstimatorError::NoSamples { letter: 'K', .. }));
    assert!(matches!(of("vae", 2, 3), EstimatorError::InnerNotFree { budget: 6, .. }));
    assert!(matches!(of("iwae", 2, 3), EstimatorError::OuterNotFree { budget: 6, .. }));
    assert!(matches!(of("miwae", 1 << 20, 1 << 20), EstimatorError::TooManySamples { .. }));
    assert!(matches!(of("miwae", usize::MAX, 2), EstimatorError::TooManySamples { .. }));
    assert!(matches!(of("jvi", 1, 1), EstimatorError::TooFewSamples { what: "jvi", .. }));
    assert!(matches!(of("tvo", 1, 8), EstimatorError::RuleRefused { name: "tvo", .. }));
    let new = EstimatorSettings::new;
    let beta = EstimatorSettings { beta: Some(2.0), ..new("ciwae", 1, 2) };
    let alpha = EstimatorSettings { alpha: Some(2.0), ..new("vr-iwae", 1, 2) };
    let gamma = EstimatorSettings { gamma: Some(2.0), ..settings("iwae", 1, 2, Gradient::Ovis) };
    let points = EstimatorSettings { partition: Some(vec![0.5]), ..new("tvo", 1, 2) };
    for (error, setting) in [
        (of("wae", 1, 1), "name"),
        (of("iwae", 2, 3), "m"),
        (of("iwae", 1, 0), "k"),
        (of("tvo", 1, 8), "gradient"),
        (error(beta), "beta"),
        (error(alpha), "alpha"),
        (error(gamma), "gamma"),
        (error(points), "partition"),
    ] {
        assert_eq!(error.setting(), setting, "{error}");
    }
    for rule in [Gradient::Vimco, Gradient::Ovis] {
        let error = error(settings("miwae", 8, 1, rule));
        assert!(matches!(error, EstimatorError::TooFewSamples { least: 2, k: 1, .. }));
        assert!(settings("miwae", 4, 2, rule).build().is_ok());
    }
    for definition in registry() {
        for rule in Gradient::ALL.into_iter().filter(|&r| definition.rule(r).is_none()) {
            let settings = EstimatorSettings::new(definition.name, 1, 1);
            let k = if definition.least_k > 1 { 4 } else { 1 };
            let text = error(EstimatorSettings { k, ..settings }.with_gradient(rule)).to_string();
            assert!(text.contains(definition.refusal) && text.contains(rule.name()), "{text}");
            assert!(text.contains(&definition.rule_names()), "{text}");
            for supported in definition.gradients {
                assert!(text.contains(supported.gradient.name()), "{text}");
            }
        }
    }
}

/// Any baseline that does not see its own sample leaves the gradient right on average: no other law sees
/// a wrong one.
#[test]
fn vimco_replaces_a_weight_by_the_geometric_mean_of_the_others() {
    // One weight of zero makes the mean of the others zero, but not its own.
    for l in [[-3.0, 0.5, -1.2], [-3.0, 0.5, f64::NEG_INFINITY]] {
        let (bound, v, _, c) = run(&settings("iwae", 1, 3, Gradient::Vimco), &l);
        let expected = log_mean_exp(&l);
        // A few roundings of numbers below 4, here and below.
        assert!((bound.phi - expected).abs() < 1e-14);
        for k in 0..3 {
            let mut without = l;
            without[k] = (l[(k + 1) % 3] + l[(k + 2) % 3]) / 2.0;
            let expected = expected - log_mean_exp(&without) - v[k];
            assert!((c[k] - expected).abs() < 1e-14, "{l:?}, {k}: {} {expected}", c[k]);
        }
    }
}

/// Its constants change no mean either: against the formula, with sums that are written out.
#[test]
fn ovis_leaves_a_weight_out_and_shifts_by_gamma() {
    let (l, gamma) = ([-3.0, 0.5, -1.2], 0.25);
    let ovis = settings("iwae", 1, 3, Gradient::Ovis);
    let (_, v, _, c) = run(&EstimatorSettings { gamma: Some(gamma), ..ovis }, &l);
    let shrink = (1.0 - 1.0 / 3f64).ln();
    for k in 0..3 {
        let without = log_mean_exp(&[l[(k + 1) % 3], l[(k + 2) % 3]]);
        let baseline = without + shrink + (1.0 - gamma) * v[k] - gamma * shrink;
        let expected = log_mean_exp(&l) - baseline;
        // A few roundings of numbers below 4.
        assert!((c[k] - expected).abs() < 1e-14, "{k}: {} {expected}", c[k]);
    }
}

#[test]
fn numbers_that_are_missing_unused_or_outside_are_named() {
    let error = |settings: EstimatorSettings| settings.build().unwrap_err().to_string();
    let ciwae = |beta| EstimatorSettings { beta, ..plain("ciwae", 1, 3) };
    let renyi = |alpha| EstimatorSettings { alpha, ..plain("vr-iwae", 1, 3) };
    let tvo = |partition| EstimatorSettings { partition, ..EstimatorSettings::new("tvo", 1, 3) };
    let ovis = |gamma| EstimatorSettings { gamma, ..settings("iwae", 1, 3, Gradient::Ovis) };
    assert!(error(ciwae(None)).contains("ciwae needs a β"));
    assert!(error(renyi(None)).contains("vr-iwae needs an α"));
    assert!(error(tvo(None)).contains("tvo needs a partition"));
    assert!(error(ovis(None)).contains("ovis needs a γ"));
    let iwae = || plain("iwae", 1, 3);
    assert!(
        error(EstimatorSettings { beta: Some(0.5), ..iwae() })
            .contains("no β; it belongs to: ciwae")
    );
    assert!(error(EstimatorSettings { alpha: Some(0.5), ..iwae() }).contains("no α"));
    assert!(error(EstimatorSettings { gamma: Some(0.5), ..iwae() }).contains("rule ovis"));
    let error_of = error(EstimatorSettings { partition: Some(vec![0.0]), ..iwae() });
    assert!(error_of.contains("no partition; it belongs to: tvo"));
    for outside in [-0.1, 1.1, f64::NAN] {
        assert!(error(ciwae(Some(outside))).contains("β must lie in [0, 1]"));
        assert!(error(renyi(Some(outside))).contains("α must lie in [0, 1]"));
        assert!(error(ovis(Some(outside))).contains("γ must lie in [0, 1]"));
    }
    for points in [vec![], vec![0.1], vec![0.0, 0.5, 0.5], vec![0.0, 1.0], vec![0.0, f64::NAN]] {
        assert!(error(tvo(Some(points))).contains("a partition starts at 0"));
    }
}
