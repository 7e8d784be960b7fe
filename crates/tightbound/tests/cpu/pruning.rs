//! Show what leaving samples out does to gradients.

use tightbound::engine::cpu::KernelPath;
use tightbound::engine::{Adam, AdamUpdate, Engine, Noise, Objective, Prune, Threshold};
use tightbound::estimators::Estimator;
use tightbound::model::{Activation, Architecture, Network, ParameterTable, Sigma};
use tightbound::random::{Purpose, Stream};

use super::support::{Case, build, small, systems};

/// PIWAE's gradients beside those of its two targets, of a model whose weights are far enough apart to
/// leave some out.
#[test]
fn pruning_changes_piwae_gradients_by_rounding_alone() {
    let mut case = Case::new(small(Activation::Tanh, Sigma::Exp), 5, 14);
    case.parameters.iter_mut().for_each(|p| *p *= 6.0);
    let table = ParameterTable::new(&case.architecture);
    let of = |(name, m, k), prune| gradient(&case, &*build(name, m, k), prune, case.noise.time);
    let (piwae, kept) = of(("piwae", 4, 30), Prune::Lossless);
    assert!(kept < 0.9, "{kept}");
    for (network, target) in
        [(Network::Encoder, ("miwae", 4, 30)), (Network::Decoder, ("iwae", 1, 120))]
    {
        let (exact, kept) = of(target, Prune::Off);
        assert_eq!(kept, 1.0);
        let range = table.network_range(network);
        let distance = distance(&piwae[range.clone()], &exact[range]);
        // What is left out is below rounding, and leaving it out shifts the blocks of the sums.
        assert!(distance <= 1e-6, "{network:?} {distance:.1e}");
    }
}

/// A model that has learned ten images by IWAE-16, so that few of its samples carry weight, and ten
/// images that it has not seen, whose gradient is not near zero.
fn trained() -> Case {
    let architecture = Architecture {
        pixels: 90,
        encoder: vec![30],
        latents: 10,
        decoder: vec![35],
        activation: Activation::Tanh,
        sigma: Sigma::Exp,
    };
    let mut case = Case::new(architecture, 10, 20);
    let estimator = build("iwae", 1, 16);
    let mut engine = case.cpu(KernelPath::fastest(), 2);
    let zeros = vec![0.0; case.parameters.len()];
    let (mut gradient, mut first, mut second) = (zeros.clone(), zeros.clone(), zeros);
    for step in 1..=600 {
        let noise = Noise { time: step as u32, ..case.noise };
        let objective = Objective { estimator: &*estimator, noise, prune: Prune::Off };
        engine.gradient(&case.parameters, case.batch(), objective, &mut gradient).unwrap();
        engine.adam(AdamUpdate {
            parameters: &mut case.parameters,
            gradient: &gradient,
            first_moment: &mut first,
            second_moment: &mut second,
            adam: Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-4 },
            rate: 3e-3,
            step,
        });
    }
    case.pixels.reverse();
    case
}

/// The gradient, and the part of the samples that were kept.
fn gradient(case: &Case, estimator: &dyn Estimator, prune: Prune, time: u32) -> (Vec<f32>, f64) {
    let noise = Noise { time, ..case.noise };
    let objective = Objective { estimator, noise, prune };
    let mut gradient = vec![f32::NAN; case.parameters.len()];
    let mut engine = case.cpu(KernelPath::fastest(), 1);
    let report = engine.gradient(&case.parameters, case.batch(), objective, &mut gradient);
    (gradient, report.expect("finite").kept_fraction)
}

/// Relative L2 distance of a gradient from the exact one.
fn distance(gradient: &[f32], exact: &[f32]) -> f64 {
    let (mut error, mut size) = (0.0, 0.0);
    for (&g, &e) in gradient.iter().zip(exact) {
        error += f64::from(g - e).powi(2);
        size += f64::from(e).powi(2);
    }
    (error / size).sqrt()
}

/// What is left out is 6e-8 of the weights at most; shorter sums round differently by some 1e-7.
#[test]
fn lossless_is_below_a_millionth_on_a_trained_model() {
    let case = trained();
    for samples in [64, 512, 4096] {
        let estimator = build("iwae", 1, samples);
        let (exact, all) = gradient(&case, &*estimator, Prune::Off, 9);
        let (pruned, kept) = gradient(&case, &*estimator, Prune::Lossless, 9);
        assert!(all == 1.0 && kept < 0.8, "S = {samples}: {kept} kept");
        let distance = distance(&pruned, &exact);
        assert!(distance <= 1e-6, "S = {samples}: {distance:.1e}");
    }
}

/// Paired differences between roulette and exact gradients over many draws, along random directions:
/// their mean must be zero within 5 standard errors of it (a chance of 6e-7 each, 50 in all). These are
/// below 8 % of the gradient, so that losing all that did not survive, half of the samples or more,
/// would show.
#[test]
fn roulette_is_unbiased_for_every_system() {
    const DRAWS: u32 = 300;
    let case = trained();
    let stream = Stream::new(5, Purpose::Sampling);
    let directions: Vec<Vec<f32>> = (0..10)
        .map(|item| {
            let mut direction = vec![0.0; case.parameters.len()];
            stream.normals(0, item, 0, &mut direction);
            direction
        })
        .collect();
    let along = |gradient: &[f32], direction: &[f32]| {
        gradient.iter().zip(direction).map(|(g, d)| f64::from(g * d)).sum::<f64>()
    };
    for (name, estimator) in systems() {
        // Above the mean coefficient, so that every system, the flat ones too, loses samples.
        let tau = 2.0 / estimator.samples() as f64;
        let roulette = Prune::Roulette(Threshold::new(tau).expect("positive"));
        let mut kept = 0.0;
        let mut differences = vec![Vec::new(); directions.len()];
        let mut sizes = vec![0.0; directions.len()];
        for time in 0..DRAWS {
            let (exact, _) = gradient(&case, &*estimator, Prune::Off, time);
            let (drawn, part) = gradient(&case, &*estimator, roulette, time);
            kept += part / f64::from(DRAWS);
            for (i, direction) in directions.iter().enumerate() {
                let exact = along(&exact, direction);
                differences[i].push(along(&drawn, direction) - exact);
                sizes[i] += exact.powi(2) / f64::from(DRAWS);
            }
        }
        assert!(kept > 0.1 && kept < 0.9, "{name}: {kept} kept");
        for (differences, size) in differences.iter().zip(sizes) {
            let n = f64::from(DRAWS);
            let mean = differences.iter().sum::<f64>() / n;
            let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let error = (variance / n).sqrt();
            assert!(mean.abs() < 5.0 * error, "{name}: {mean:.2e} ± {error:.2e}");
            assert!(error < 0.08 * size.sqrt(), "{name}: ± {error:.2e} of {:.2e}", size.sqrt());
        }
    }
}
