//! Compare the engines with PyTorch autograd in f64, tensor by tensor.
//!
//! `python torch_gradients.py golden` writes the files anew. What other libraries make of images and
//! weights stands in `figures.rs`.

mod exchange;
mod figures;

use std::path::Path;

use exchange::{Case, read_f32};
use safetensors::{Dtype, SafeTensors};
use tightbound::engine::cpu::CpuEngine;
use tightbound::engine::reference::ReferenceEngine;
use tightbound::engine::{Batch, Engine, Noise, Objective, Prune};
use tightbound::model::ParameterTable;
use tightbound::random::{Purpose, Stream};

/// Every activation, both σ, one and two hidden layers, more latents than the 16 lanes of ε.
const CASES: [&str; 4] =
    ["tanh-exp-deep", "relu-softplus-deep", "softplus-exp-shallow", "tanh-softplus-uneven"];

/// The largest differences from PyTorch that are allowed.
struct Tolerances {
    /// Relative L2 error of one tensor's gradient.
    gradient: f64,
    /// Absolute error of a bound or log-weight, in nats.
    nats: f64,
}

/// Runs `check` on every golden file.
fn for_each_case(mut check: impl FnMut(&str, &Case, &SafeTensors<'_>)) {
    for name in CASES {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.safetensors"));
        let bytes = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let header = metadata.metadata().as_ref().and_then(|entries| entries.get("case"));
        let case = serde_json::from_str(header.expect("a header entry `case`")).unwrap();
        check(name, &case, &SafeTensors::deserialize(&bytes).unwrap());
    }
}

/// The elements of the f64 tensor called `name`.
fn read_f64(tensors: &SafeTensors<'_>, name: &str) -> Vec<f64> {
    let tensor = tensors.tensor(name).unwrap_or_else(|e| panic!("`{name}`: {e}"));
    assert_eq!(tensor.dtype(), Dtype::F64, "{name}");
    let (words, _) = tensor.data().as_chunks();
    words.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect()
}

/// The parameters in the order of the table.
fn parameters(case: &Case, tensors: &SafeTensors<'_>) -> Vec<f32> {
    let table = ParameterTable::new(&case.architecture);
    let names = table.entries().iter().map(|p| format!("parameter/{}", p.name));
    names.flat_map(|name| read_f32(tensors, &name)).collect()
}

/// Asserts that no element of `actual` is further than `tolerance` from `expected`.
fn assert_close(what: &str, actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let differences = actual.iter().zip(expected).map(|(a, e)| (a - e).abs());
    let largest = differences.fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m });
    println!("{what}: largest difference {largest:.1e} nats");
    assert!(largest <= tolerance, "{what}: largest difference {largest:e} > {tolerance:e}");
}

/// Compares log-weights, bounds and every tensor's gradient of `engine` with the file's.
fn compare<E: Engine>(
    engine: &mut E,
    parameters: &[E::Real],
    (name, case, tensors): (&str, &Case, &SafeTensors<'_>),
    tolerances: &Tolerances,
) {
    let table = ParameterTable::new(&case.architecture);
    let pixels = tensors.tensor("pixels").unwrap().data();
    let batch = Batch { pixels, ids: &case.ids };
    let noise = Noise { stream: Stream::new(case.seed, Purpose::Noise), time: case.time };
    let expected = read_f64(tensors, "log_weights");
    let samples = expected.len() / case.ids.len();
    let mut log_weights = vec![0.0; expected.len()];
    engine.log_weights(parameters, batch, noise, 0..samples as u32, &mut log_weights);
    assert_close(&format!("{name}: log-weights"), &log_weights, &expected, tolerances.nats);

    let mut gradient = vec![E::Real::default(); table.total()];
    for system in &case.systems {
        let label = &system.label;
        let estimator = system.estimator.build().unwrap();
        let objective = Objective { estimator: &*estimator, noise, prune: Prune::Lossless };
        let report = engine.gradient(parameters, batch, objective, &mut gradient).unwrap();
        let bound = [report.bound.theta, report.bound.phi, report.bound.d_beta];
        let expected = read_f64(tensors, &format!("{label}/bound"));
        assert_close(&format!("{name}: {label}: bound"), &bound, &expected, tolerances.nats);
        for tensor in table.entries() {
            let expected = read_f64(tensors, &format!("{label}/gradient/{}", tensor.name));
            let actual = gradient[tensor.range()].iter().map(|&g| g.into());
            let differences: Vec<f64> = actual.zip(&expected).map(|(a, e)| a - e).collect();
            let largest = differences.iter().fold(0.0f64, |m, d| m.max(d.abs()));
            let relative = norm(&differences) / norm(&expected);
            let what = format!("{name}: {label}: {}", tensor.name);
            println!("{what}: largest difference {largest:.1e}, relative L2 {relative:.1e}");
            assert!(relative <= tolerances.gradient, "{what}: relative L2 error {relative:e}");
        }
    }
}

/// √Σ x².
fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// PyTorch saw the very bits that the engines draw; otherwise nothing below would mean anything.
#[test]
fn the_files_hold_the_noise_that_engines_draw() {
    for_each_case(|name, case, tensors| {
        let latents = case.architecture.latents;
        let noise = read_f32(tensors, "noise");
        let samples = noise.len() / (case.ids.len() * latents);
        let stream = Stream::new(case.seed, Purpose::Noise);
        let mut drawn = vec![0.0; latents];
        for (row, epsilon) in noise.chunks_exact(latents).enumerate() {
            let (image, sample) = (row / samples, row % samples);
            stream.normals(case.time, case.ids[image], sample as u32, &mut drawn);
            assert_eq!(drawn, epsilon, "{name}: image {image}, sample {sample}");
        }
    });
}

/// Both compute in f64 from the same f32 inputs; what differs is the order of a few hundred
/// additions (7e-15 was seen).
#[test]
fn reference_agrees_with_pytorch() {
    for_each_case(|name, case, tensors| {
        let mut engine = ReferenceEngine::new(case.architecture.clone());
        let parameters: Vec<_> = parameters(case, tensors).into_iter().map(f64::from).collect();
        let tolerances = Tolerances { gradient: 1e-12, nats: 1e-12 };
        compare(&mut engine, &parameters, (name, case, tensors), &tolerances);
    });
}

/// The bar of f32 gradients is 2e-5 (8e-7 was seen). Log-weights reach −44 nats, where f32 numbers
/// are 4e-6 apart; rounding in the layers adds about as much (6e-6 was seen).
#[test]
fn cpu_agrees_with_pytorch() {
    for_each_case(|name, case, tensors| {
        let mut engine = CpuEngine::new(case.architecture.clone(), 2).unwrap();
        let parameters = parameters(case, tensors);
        let tolerances = Tolerances { gradient: 2e-5, nats: 1e-5 };
        compare(&mut engine, &parameters, (name, case, tensors), &tolerances);
    });
}
