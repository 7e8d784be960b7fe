//! Compare shapes and numbers at the edges with the f64 reference.

use tightbound::engine::cpu::KernelPath;
use tightbound::engine::{Engine, EngineError, Objective, Prune};
use tightbound::model::{Activation, Architecture, Network, ParameterTable, Sigma};

use super::support::{Case, Unrelated, build, small};

#[test]
fn unrelated_coefficients_and_more_samples_than_a_group_holds() {
    let case = Case::new(small(Activation::Tanh, Sigma::Softplus), 3, 12);
    // A group has 128 rows, or those of one image up to 1,536.
    for samples in [1, 10, 64, 65, 128, 129, 500, 1536, 1537, 4096] {
        let estimator = Unrelated(samples);
        let (reference, _) = case.reference(&estimator);
        for prune in [Prune::Off, Prune::Lossless] {
            let cpu = case.gradient(&estimator, prune, KernelPath::fastest());
            case.assert_close(&cpu, &reference, &format!("S = {samples}, {prune:?}"));
        }
    }
}

#[test]
fn depths_widths_and_batches_at_the_edges() {
    let check = |pixels, encoder: &[usize], latents, decoder: &[usize], images| {
        let (encoder, decoder) = (encoder.to_vec(), decoder.to_vec());
        let (activation, sigma) = (Activation::Tanh, Sigma::Exp);
        let architecture = Architecture { pixels, encoder, latents, decoder, activation, sigma };
        let case = Case::new(architecture, images, 13);
        let estimator = build("piwae", 3, 5);
        let (reference, bound) = case.reference(&*estimator);
        let cpu = case.gradient(&*estimator, Prune::Off, KernelPath::fastest());
        // Log-weights of as many nats as there are terms are known to that times 2⁻²⁴, as the weights.
        let terms = pixels + latents;
        let tolerance = if terms > 4000 { terms as f64 / 16_777_216.0 } else { 2e-5 };
        case.assert_within(&cpu, &reference, tolerance, &format!("{pixels} pixels"));
        assert!(bound.theta > bound.phi, "L_15 is above L_3,5 for every draw");
    };
    check(1, &[], 1, &[], 1);
    check(16, &[16], 16, &[16], 2);
    check(17, &[1], 65, &[1], 3);
    check(130, &[48, 49, 50], 64, &[47], 4);
    check(784, &[20], 50, &[64, 33, 7], 5);
    check(2000, &[9], 3, &[], 9);
    check(4096, &[3], 2, &[1], 2);
    check(3, &[4096], 2, &[4096], 2);
    check(5, &[2], 4096, &[3], 2);
}

#[test]
fn more_threads_than_images_change_nothing() {
    let case = Case::new(small(Activation::Tanh, Sigma::Exp), 1, 17);
    let (estimator, noise) = (build("iwae", 1, 3), case.noise);
    let objective = Objective { estimator: &*estimator, noise, prune: Prune::Off };
    let [one, many] = [1, 24].map(|threads| {
        let mut gradient = vec![f32::NAN; case.parameters.len()];
        let mut engine = case.cpu(KernelPath::fastest(), threads);
        engine.gradient(&case.parameters, case.batch(), objective, &mut gradient).unwrap();
        gradient
    });
    assert_eq!(one, many);
}

/// A case whose logits are about `size`, of either sign.
fn with_logits(size: f32) -> Case {
    let mut case = Case::new(small(Activation::Tanh, Sigma::Exp), 4, 18);
    let table = ParameterTable::new(&case.architecture);
    let bias = table.entries().last().expect("the decoder's last bias").range();
    for (i, b) in case.parameters[bias].iter_mut().enumerate() {
        *b = if i % 2 == 0 { size } else { -size };
    }
    case
}

#[test]
fn logits_of_ten_thousand_leave_residuals_of_zero_and_one() {
    let case = with_logits(1e4);
    // The weights of these bounds do not depend on log-weights, which f32 knows to 1e-3 at best here.
    let estimator = build("vae", 3, 1);
    let (reference, bound) = case.reference(&*estimator);
    assert!(bound.theta < -1e4, "{bound:?}");
    for path in KernelPath::available() {
        let cpu = case.gradient(&*estimator, Prune::Off, path);
        case.assert_close(&cpu, &reference, &format!("logits of 1e4 on {path}"));
        let iwae = case.gradient(&*build("iwae", 1, 5), Prune::Lossless, path);
        assert!(iwae.iter().all(|g| g.is_finite()));
    }
}

#[test]
fn weights_that_underflow_leave_the_largest() {
    let mut case = Case::new(small(Activation::Tanh, Sigma::Exp), 4, 19);
    let table = ParameterTable::new(&case.architecture);
    let decoder = table.network_range(Network::Decoder);
    case.parameters[decoder].iter_mut().for_each(|p| *p *= 60.0);
    let (parameters, noise) = (&case.parameters, case.noise);
    let mut log_weights = vec![0.0; 4 * 20];
    let mut engine = case.cpu(KernelPath::fastest(), 2);
    engine.log_weights(parameters, case.batch(), noise, 0..20, &mut log_weights);
    let gone = |row: &[f64]| {
        let largest = row.iter().copied().fold(f64::MIN, f64::max);
        row.iter().filter(|w| *w - largest < -150.0).count()
    };
    // e^-150 is no f32.
    assert!(log_weights.chunks(20).all(|row| gone(row) > 2), "{log_weights:?}");
    let estimator = build("iwae", 1, 20);
    let (reference, _) = case.reference(&*estimator);
    for (prune, path) in KernelPath::available()
        .into_iter()
        .flat_map(|path| [(Prune::Off, path), (Prune::Lossless, path)])
    {
        let cpu = case.gradient(&*estimator, prune, path);
        // Log-weights of some thousand nats, known to 1e-4, decide between the few that are left.
        case.assert_within(&cpu, &reference, 1e-3, &format!("{prune:?} on {path}"));
    }
}

#[test]
fn bounds_that_are_not_finite_are_named() {
    // Several such logits in one sum are −∞ in f32; an infinite logit makes NaN.
    for (size, infinite) in [(3e38, true), (f32::INFINITY, false)] {
        let case = with_logits(size);
        let estimator = build("iwae", 1, 5);
        let objective =
            Objective { estimator: &*estimator, noise: case.noise, prune: Prune::Lossless };
        let mut gradient = vec![0.0; case.parameters.len()];
        let result = case.cpu(KernelPath::fastest(), 2).gradient(
            &case.parameters,
            case.batch(),
            objective,
            &mut gradient,
        );
        let Err(EngineError::NonFiniteBound { image, value }) = result else {
            panic!("{size}: {result:?}")
        };
        assert_eq!((image, value == f64::NEG_INFINITY), (case.ids[0], infinite), "{value}");
    }
}
