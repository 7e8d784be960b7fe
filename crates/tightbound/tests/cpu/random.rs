//! Draw architectures, estimators and batches at random, and compare gradients with the reference.

use proptest::prelude::*;
use tightbound::engine::Prune;
use tightbound::engine::cpu::KernelPath;
use tightbound::estimators::{EstimatorSettings, Gradient, examples};
use tightbound::model::{Activation, Architecture, Sigma};

use super::support::Case;

fn architectures() -> impl Strategy<Value = Architecture> {
    let width = || 1..=70usize;
    let hidden = || proptest::collection::vec(1..=70usize, 1..=4);
    let activation =
        proptest::sample::select(vec![Activation::Tanh, Activation::Relu, Activation::Softplus]);
    let sigma = proptest::sample::select(vec![Sigma::Exp, Sigma::Softplus]);
    (width(), hidden(), width(), hidden(), activation, sigma).prop_map(
        |(pixels, encoder, latents, decoder, activation, sigma)| Architecture {
            pixels,
            encoder,
            latents,
            decoder,
            activation,
            sigma,
        },
    )
}

/// Every S is as likely as any other; M ≠ K divide it.
fn systems() -> impl Strategy<Value = EstimatorSettings> {
    let shapes = (1..=200usize).prop_flat_map(|s| {
        let outer = (1..=s).filter(|m| s % m == 0 && (m * m != s || s == 1)).collect::<Vec<_>>();
        proptest::sample::select(outer).prop_map(move |m| (m, s / m))
    });
    (shapes, any::<proptest::sample::Index>()).prop_map(|((m, k), which)| {
        let mut all = examples(m, k);
        all.swap_remove(which.index(all.len()))
    })
}

/// 48 cases; as many as `PROPTEST_CASES` says, if it says so.
fn config() -> ProptestConfig {
    let usual = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => usual,
        None => ProptestConfig { cases: 48, ..usual },
    }
}

/// A sum in f32 is known to a few times 2⁻²⁴ of its terms. ReLU's derivative jumps where the sum is 0: a
/// unit this near to 0 may have either derivative, and then there is no gradient to compare.
const ROUNDING: f64 = 4.0 / 16_777_216.0;

/// Half a million hidden units, one of them within 2⁻²⁴ of the kink: the gradient of its layer differed from the
/// reference's by 1.5e-4. With smooth units the same model's agrees.
#[test]
fn a_unit_on_the_kink_is_found() {
    let with = |activation| {
        let architecture = Architecture {
            pixels: 11,
            encoder: vec![13],
            latents: 64,
            decoder: vec![18, 44, 57, 54],
            activation,
            sigma: Sigma::Exp,
        };
        Case::new(architecture, 30, 3_656_467_557_415_057_699)
    };
    assert!(with(Activation::Relu).nearest_kink(103) < 1.0 / 16_777_216.0);
    // Fewer units come less near.
    assert!(with(Activation::Relu).nearest_kink(1) > ROUNDING);
    let dreg = EstimatorSettings::new("vr-iwae", 1, 103).with_gradient(Gradient::Dreg);
    let dreg = EstimatorSettings { alpha: Some(0.5), ..dreg }.build().expect("K > 1");
    let smooth = with(Activation::Tanh);
    let (reference, _) = smooth.reference(&*dreg);
    for path in KernelPath::available() {
        let cpu = smooth.gradient(&*dreg, Prune::Off, path);
        smooth.assert_near(&cpu, &reference, "smooth units");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn gradients_of_random_models_are_those_of_the_reference(
        architecture in architectures(),
        settings in systems(),
        images in 1..=33usize,
        seed in any::<u64>(),
        lossless in any::<bool>(),
        path in proptest::sample::select(KernelPath::available()),
    ) {
        let case = Case::new(architecture, images, seed);
        let estimator = settings.build().expect("an example of the registry");
        if case.architecture.activation == Activation::Relu {
            prop_assume!(case.nearest_kink(estimator.samples()) > ROUNDING);
        }
        let (reference, _) = case.reference(&*estimator);
        let prune = if lossless { Prune::Lossless } else { Prune::Off };
        let cpu = case.gradient(&*estimator, prune, path);
        let (m, k) = (settings.m, settings.k);
        let what = format!("{} M = {m}, K = {k}, {images} images, {path}", settings.label());
        case.assert_near(&cpu, &reference, &what);
    }
}
