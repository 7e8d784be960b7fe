//! Hold the fast engine against the f64 reference, tensor by tensor.

use tightbound::engine::cpu::{CpuEngine, KernelPath};
use tightbound::engine::reference::ReferenceEngine;
use tightbound::engine::{Batch, Engine, Noise, Objective, Prune};
use tightbound::estimators::{Bound, Coefficients, Estimator, EstimatorSettings, registry};
use tightbound::model::{
    Activation, Architecture, Initialisation, Network, OutputBias, ParameterTable, Sigma,
    initialise,
};
use tightbound::random::{Purpose, Stream};

/// Relative L2 error per tensor that f32 is allowed.
const TOLERANCE: f64 = 2e-5;

/// A model, its parameters and a batch, all derived from one seed.
struct Case {
    architecture: Architecture,
    parameters: Vec<f32>,
    pixels: Vec<u8>,
    ids: Vec<u32>,
    noise: Noise,
}

impl Case {
    fn new(architecture: Architecture, images: usize, seed: u64) -> Self {
        let mean = vec![0.3; architecture.pixels];
        let (kind, bias) = (Initialisation::Pytorch, OutputBias::TrainMean);
        let parameters = initialise(&architecture, kind, bias, &mean, seed);
        let stream = Stream::new(seed, Purpose::Binarisation);
        let pixels = (0..images as u32)
            .flat_map(|i| (0..architecture.pixels as u32).map(move |d| (i, d)))
            .map(|(i, d)| u8::from(stream.uniform(0, i, 0, d) < 0.3))
            .collect();
        let ids = (0..images as u32).map(|i| 7 + 13 * i).collect();
        let noise = Noise { stream: Stream::new(seed, Purpose::Noise), time: 3 };
        Self { architecture, parameters, pixels, ids, noise }
    }

    fn batch(&self) -> Batch<'_> {
        Batch { pixels: &self.pixels, ids: &self.ids }
    }

    fn cpu(&self, path: KernelPath, threads: usize) -> CpuEngine {
        CpuEngine::with_path(self.architecture.clone(), threads, path).expect("threads")
    }

    fn gradient(&self, estimator: &dyn Estimator, prune: Prune, path: KernelPath) -> Vec<f32> {
        let mut gradient = vec![f32::NAN; self.parameters.len()];
        let objective = Objective { estimator, noise: self.noise, prune };
        self.cpu(path, 2)
            .gradient(&self.parameters, self.batch(), objective, &mut gradient)
            .expect("finite");
        gradient
    }

    fn reference(&self, estimator: &dyn Estimator) -> (Vec<f64>, Bound) {
        let parameters: Vec<f64> = self.parameters.iter().map(|&p| p.into()).collect();
        let mut gradient = vec![f64::NAN; parameters.len()];
        let objective = Objective { estimator, noise: self.noise, prune: Prune::Off };
        let report = ReferenceEngine::new(self.architecture.clone())
            .gradient(&parameters, self.batch(), objective, &mut gradient)
            .expect("finite");
        (gradient, report.bound)
    }

    fn assert_close(&self, cpu: &[f32], reference: &[f64], what: &str) {
        for tensor in ParameterTable::new(&self.architecture).entries() {
            let pairs = cpu[tensor.range()].iter().zip(&reference[tensor.range()]);
            let (mut error, mut norm) = (0.0, 0.0);
            for (&c, &r) in pairs {
                error += (f64::from(c) - r).powi(2);
                norm += r * r;
            }
            let (error, norm) = (error.sqrt(), norm.sqrt());
            assert!(error <= TOLERANCE * norm, "{what}: {} {error:.1e} of {norm:.1e}", tensor.name);
        }
    }
}

fn small(activation: Activation, sigma: Sigma) -> Architecture {
    let (encoder, decoder) = (vec![19, 33], vec![21, 18]);
    Architecture { pixels: 37, encoder, latents: 5, decoder, activation, sigma }
}

fn build(name: &str, m: usize, k: usize, beta: Option<f64>) -> Box<dyn Estimator> {
    EstimatorSettings { name: name.into(), m, k, beta }.build().expect("valid settings")
}

/// Every estimator of the registry, with M ≠ K.
fn systems() -> Vec<(&'static str, Box<dyn Estimator>)> {
    let systems = vec![
        ("vae", build("vae", 6, 1, None)),
        ("iwae", build("iwae", 1, 7, None)),
        ("miwae", build("miwae", 3, 4, None)),
        ("piwae", build("piwae", 4, 3, None)),
        ("ciwae", build("ciwae", 1, 6, Some(0.3))),
    ];
    assert_eq!(systems.len(), registry().len(), "an estimator is missing here");
    systems
}

/// Coefficients that no bound has: a, b and c are unrelated, and b + c is not zero.
#[derive(Debug)]
struct Unrelated(usize);

impl Estimator for Unrelated {
    fn m(&self) -> usize {
        1
    }
    fn k(&self) -> usize {
        self.0
    }
    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        for s in 0..log_weights.len() {
            let x = s as f64;
            coefficients.theta[s] = (1.0 + x).sin() / 3.0;
            coefficients.path[s] = (2.0 + 3.0 * x).cos() / 4.0;
            coefficients.score[s] = (5.0 + 7.0 * x).sin() / 5.0;
        }
        Bound::single(log_weights[0])
    }
}

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

#[test]
fn unrelated_coefficients_and_more_samples_than_a_wave_holds() {
    let case = Case::new(small(Activation::Tanh, Sigma::Softplus), 3, 12);
    // A tile has 64 rows and a wave 1,536.
    for samples in [1, 10, 64, 65, 500, 1536, 1537, 3200] {
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
        let estimator = build("piwae", 3, 5, None);
        let (reference, bound) = case.reference(&*estimator);
        let cpu = case.gradient(&*estimator, Prune::Off, KernelPath::fastest());
        case.assert_close(&cpu, &reference, &format!("{pixels} pixels"));
        assert!(bound.theta > bound.phi, "L_15 is above L_3,5 for every draw");
    };
    check(1, &[], 1, &[], 1);
    check(16, &[16], 16, &[16], 2);
    check(17, &[1], 65, &[1], 3);
    check(130, &[48, 49, 50], 64, &[47], 4);
    check(784, &[20], 50, &[64, 33, 7], 5);
    check(2000, &[9], 3, &[], 9);
}

/// The PIWAE trap: the encoder must not receive the decoder's target.
#[test]
fn piwae_gradients_are_those_of_its_two_targets_bit_for_bit() {
    let case = Case::new(small(Activation::Tanh, Sigma::Exp), 5, 14);
    let gradient =
        |name, m, k| case.gradient(&*build(name, m, k, None), Prune::Off, KernelPath::fastest());
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

/// The same with samples left out, of a model whose weights are far enough apart to leave some out.
#[test]
fn pruning_changes_piwae_gradients_by_rounding_alone() {
    let mut case = Case::new(small(Activation::Tanh, Sigma::Exp), 5, 14);
    case.parameters.iter_mut().for_each(|p| *p *= 6.0);
    let table = ParameterTable::new(&case.architecture);
    let gradient = |(name, m, k), prune| {
        let estimator = build(name, m, k, None);
        let objective = Objective { estimator: &*estimator, noise: case.noise, prune };
        let mut gradient = vec![f32::NAN; case.parameters.len()];
        let mut engine = case.cpu(KernelPath::fastest(), 2);
        let report = engine.gradient(&case.parameters, case.batch(), objective, &mut gradient);
        (gradient, report.expect("finite").kept_fraction)
    };
    let (piwae, kept) = gradient(("piwae", 4, 30), Prune::Lossless);
    assert!(kept < 0.9, "{kept}");
    for (network, target) in
        [(Network::Encoder, ("miwae", 4, 30)), (Network::Decoder, ("iwae", 1, 120))]
    {
        let (exact, kept) = gradient(target, Prune::Off);
        assert_eq!(kept, 1.0);
        let range = table.network_range(network);
        let (mut error, mut norm) = (0.0, 0.0);
        for (&p, &e) in piwae[range.clone()].iter().zip(&exact[range]) {
            error += f64::from(p - e).powi(2);
            norm += f64::from(e).powi(2);
        }
        // What is left out is below rounding, and leaving it out shifts the blocks of the sums.
        assert!(error.sqrt() <= 1e-6 * norm.sqrt(), "{network:?} {}", (error / norm).sqrt());
    }
}

#[test]
fn threads_and_paths_do_not_change_a_bit() {
    let case = Case::new(small(Activation::Softplus, Sigma::Softplus), 11, 15);
    let (estimator, noise) = (Unrelated(9), case.noise);
    let objective = Objective { estimator: &estimator, noise, prune: Prune::Lossless };
    let mut expected: Option<(Vec<f32>, Vec<f64>)> = None;
    for path in KernelPath::available() {
        for threads in [1, 2, 3, 5, 8] {
            let mut engine = case.cpu(path, threads);
            let mut gradient = vec![0.0; case.parameters.len()];
            engine.gradient(&case.parameters, case.batch(), objective, &mut gradient).unwrap();
            let mut out = vec![0.0; 11 * 300];
            engine.log_weights(&case.parameters, case.batch(), noise, 50..350, &mut out);
            let result = (gradient, out);
            let expected = expected.get_or_insert_with(|| result.clone());
            assert!(*expected == result, "{path} with {threads} threads");
        }
    }
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
