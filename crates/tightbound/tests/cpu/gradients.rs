//! Compare every operation with the f64 reference, tensor by tensor.

use tightbound::engine::cpu::KernelPath;
use tightbound::engine::reference::ReferenceEngine;
use tightbound::engine::{Engine, Prune};
use tightbound::model::{Activation, Network, ParameterTable, Sigma};

use super::support::{Case, build, small, systems};

#[test]
fn all_systems_with_all_nonlinearities_on_all_paths() {
    for activation in [Activation::Tanh, Activation::Relu, Activation::Softplus] {
        for sigma in [Sigma::Exp, Sigma::Softplus] {
            let case = Case::new(small(activation, sigma), 6, 11);
            for (name, estimator) in systems() {
                let (reference, _) = case.reference(&*estimator);
                for path in KernelPath::available() {
                    for prune in [Prune::Off, Prune::Lossless] {
                        let cpu = case.gradient(&*estimator, prune, path);
                        let what = format!("{name} {activation:?} {sigma:?} {path} {prune:?}");
                        case.assert_close(&cpu, &reference, &what);
                    }
                }
            }
        }
    }
}

/// The PIWAE trap: the encoder must not receive the decoder's target.
#[test]
fn piwae_gradients_are_those_of_its_two_targets_bit_for_bit() {
    let case = Case::new(small(Activation::Tanh, Sigma::Exp), 5, 14);
    let gradient =
        |name, m, k| case.gradient(&*build(name, m, k), Prune::Off, KernelPath::fastest());
    let (piwae, miwae, iwae) =
        (gradient("piwae", 4, 3), gradient("miwae", 4, 3), gradient("iwae", 1, 12));
    let table = ParameterTable::new(&case.architecture);
    let encoder = table.network_range(Network::Encoder);
    let decoder = table.network_range(Network::Decoder);
    assert_eq!(piwae[encoder.clone()], miwae[encoder.clone()]);
    assert_eq!(piwae[decoder.clone()], iwae[decoder.clone()]);
    assert_ne!(piwae[encoder.clone()], iwae[encoder]);
    assert_ne!(piwae[decoder.clone()], miwae[decoder]);
}

#[test]
fn log_weights_encode_and_decode_agree_with_the_reference() {
    let case = Case::new(small(Activation::Relu, Sigma::Softplus), 5, 16);
    let parameters: Vec<f64> = case.parameters.iter().map(|&p| p.into()).collect();
    let mut reference = ReferenceEngine::new(case.architecture.clone());
    let mut cpu = case.cpu(KernelPath::fastest(), 2);

    let (mut exact, mut fast) = (vec![0.0; 5 * 30], vec![0.0; 5 * 30]);
    reference.log_weights(&parameters, case.batch(), case.noise, 20..50, &mut exact);
    cpu.log_weights(&case.parameters, case.batch(), case.noise, 20..50, &mut fast);
    for (exact, fast) in exact.iter().zip(&fast) {
        // 37 pixels and 5 latents, each rounded to 2⁻²⁴ of terms of order one.
        assert!((exact - fast).abs() < 2e-5, "{exact} {fast}");
    }
    // Samples are addressed by number, not by position in the call.
    let mut tail = vec![0.0; 5 * 10];
    cpu.log_weights(&case.parameters, case.batch(), case.noise, 40..50, &mut tail);
    for (whole, tail) in fast.chunks(30).zip(tail.chunks(10)) {
        assert_eq!(&whole[20..], tail);
    }

    let exact = reference.encode(&parameters, case.batch());
    let fast = cpu.encode(&case.parameters, case.batch());
    for (exact, fast) in exact.mean.iter().zip(&fast.mean).chain(exact.sd.iter().zip(&fast.sd)) {
        // Values of order one after sums of 37 and fewer terms.
        assert!((exact - f64::from(*fast)).abs() < 2e-6, "{exact} {fast}");
    }
    let latents = &fast.mean;
    let exact: Vec<f64> = latents.iter().map(|&z| z.into()).collect();
    let exact = reference.decode(&parameters, &exact);
    for (exact, fast) in exact.iter().zip(cpu.decode(&case.parameters, latents)) {
        assert!((exact - f64::from(fast)).abs() < 2e-6, "{exact} {fast}");
    }
}
