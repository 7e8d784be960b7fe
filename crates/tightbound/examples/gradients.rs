//! Write models, minibatches and gradients for PyTorch; `tests/golden/torch_gradients.py` runs this.
//!
//! ```text
//! gradients golden FOLDER            the small models of the golden files, inputs only
//! gradients batch STATE SIGMA FILE   20 MNIST images, S = 64, with the gradients of both engines;
//!                                    STATE: `init` or a model.safetensors of the reference model,
//!                                    SIGMA: `exp` or `softplus`
//! ```

#[path = "../tests/golden/exchange.rs"]
mod exchange;

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use exchange::{Case, System, read_f32};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize_to_file};
use tightbound::data::{Images, Pixels};
use tightbound::engine::cpu::CpuEngine;
use tightbound::engine::reference::ReferenceEngine;
use tightbound::engine::{Batch, Engine, Noise, Objective, Prune};
use tightbound::estimators::EstimatorSettings;
use tightbound::model::{
    Activation, Architecture, Initialisation, OutputBias, ParameterTable, Sigma, initialise,
};
use tightbound::random::{Purpose, Stream};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["golden", folder] => write_golden(Path::new(folder)),
        ["batch", state, "exp", file] => write_batch(state, Sigma::Exp, Path::new(file)),
        ["batch", state, "softplus", file] => write_batch(state, Sigma::Softplus, Path::new(file)),
        _ => Err("usage: gradients golden FOLDER | gradients batch STATE exp|softplus FILE".into()),
    }
}

/// Everything that a gradient is a function of.
struct Inputs {
    case: Case,
    parameters: Vec<f32>,
    /// `[B, D]`.
    pixels: Vec<u8>,
}

/// The six systems with M·K samples each; for PIWAE and MIWAE (M, K), M ≠ K.
fn systems(m: usize, k: usize) -> Vec<System> {
    // The last β is sigmoid(−1): where β is learned, it is no round number.
    [
        ("vae", "vae", m * k, 1, None),
        ("iwae", "iwae", 1, m * k, None),
        ("miwae", "miwae", m, k, None),
        ("piwae", "piwae", m, k, None),
        ("ciwae", "ciwae", 1, m * k, Some(0.3)),
        ("ciwae-learned", "ciwae", 1, m * k, Some(0.268_941_421_369_995_1)),
    ]
    .map(|(label, name, m, k, beta)| System {
        label: label.to_owned(),
        estimator: EstimatorSettings { beta, ..EstimatorSettings::new(name, m, k) },
    })
    .into()
}

/// Writes the inputs of every golden file; parameters and pixels follow a closed formula.
fn write_golden(folder: &Path) -> Outcome<()> {
    let tanh_exp_deep = Architecture {
        pixels: 13,
        encoder: vec![7, 5],
        latents: 3,
        decoder: vec![5, 9],
        activation: Activation::Tanh,
        sigma: Sigma::Exp,
    };
    let relu_softplus_deep = Architecture {
        pixels: 17,
        encoder: vec![9, 6],
        latents: 4,
        decoder: vec![6, 7],
        activation: Activation::Relu,
        sigma: Sigma::Softplus,
    };
    let softplus_exp_shallow = Architecture {
        pixels: 11,
        encoder: vec![8],
        latents: 3,
        decoder: vec![6],
        activation: Activation::Softplus,
        sigma: Sigma::Exp,
    };
    // More latents than ε has lanes (16), and networks of unequal depth.
    let tanh_softplus_uneven = Architecture {
        pixels: 19,
        encoder: vec![6],
        latents: 18,
        decoder: vec![5, 8],
        activation: Activation::Tanh,
        sigma: Sigma::Softplus,
    };
    for (seed, (name, architecture)) in (1..).zip([
        ("tanh-exp-deep", tanh_exp_deep),
        ("relu-softplus-deep", relu_softplus_deep),
        ("softplus-exp-shallow", softplus_exp_shallow),
        ("tanh-softplus-uneven", tanh_softplus_uneven),
    ]) {
        let ids = vec![5, 0, 59_999];
        let ones = 0..ids.len() * architecture.pixels;
        let pixels = ones.map(|i| u8::from(libm::sin(12.9898 * i as f64) > 0.3)).collect();
        let parameters = waves(&ParameterTable::new(&architecture));
        let case = Case { architecture, seed, time: 2, ids, systems: systems(2, 3) };
        let inputs = Inputs { case, parameters, pixels };
        File::of(&inputs).write(&folder.join(format!("{name}.safetensors")), &inputs.case)?;
    }
    Ok(())
}

/// Parameters of size 2/√in that follow a sine: large enough that the samples' weights differ, small
/// enough that no sample has all the weight.
fn waves(table: &ParameterTable) -> Vec<f32> {
    let layers = table.entries().chunks_exact(2);
    let inputs_of = layers.flat_map(|layer| {
        let inputs = layer[0].shape[1];
        std::iter::repeat_n(inputs, layer[0].len() + layer[1].len())
    });
    inputs_of
        .enumerate()
        .map(|(i, inputs)| {
            (2.0 * libm::sin(78.233 * i as f64 + 0.5) / (inputs as f64).sqrt()) as f32
        })
        .collect()
}

/// Writes one minibatch of the reference model with the gradients of `cpu` and `reference`.
fn write_batch(state: &str, sigma: Sigma, path: &Path) -> Outcome<()> {
    let architecture = Architecture { sigma, ..Architecture::reference() };
    let table = ParameterTable::new(&architecture);
    let images = mnist()?;
    let parameters = if state == "init" {
        let mean = mean_image(&images);
        initialise(&architecture, Initialisation::Glorot, OutputBias::TrainMean, &mean, 1)
    } else {
        let bytes = std::fs::read(state).map_err(|e| format!("{state}: {e}"))?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        table.entries().iter().flat_map(|p| read_f32(&tensors, &p.name)).collect()
    };
    let ids = images.ids[..20].to_vec();
    let mut pixels = vec![0; ids.len() * architecture.pixels];
    let stream = Stream::new(1, Purpose::Binarisation);
    for (i, out) in pixels.chunks_exact_mut(architecture.pixels).enumerate() {
        images.binarise(i, &stream, 0, out);
    }
    let case = Case { architecture, seed: 1, time: 0, ids, systems: systems(4, 16) };
    let inputs = Inputs { case, parameters, pixels };

    let mut file = File::of(&inputs);
    let mut cpu = CpuEngine::new(inputs.case.architecture.clone(), 2)?;
    let mut reference = ReferenceEngine::new(inputs.case.architecture.clone());
    let exact: Vec<f64> = inputs.parameters.iter().map(|&p| p.into()).collect();
    for system in &inputs.case.systems {
        file.push_gradient("cpu", &mut cpu, &inputs.parameters, &inputs, system)?;
        file.push_gradient("reference", &mut reference, &exact, &inputs, system)?;
    }
    file.write(path, &inputs.case)
}

/// The training images of MNIST, from the folder `$TIGHTBOUND_DATA` or else `../shared/data`.
fn mnist() -> Outcome<Images> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("TIGHTBOUND_DATA").map_or(default.into(), PathBuf::from);
    let path = folder.join("mnist/train-images-idx3-ubyte.gz");
    let file = std::fs::File::open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes)?;
    // An IDX header of three dimensions has 16 bytes.
    let pixels = bytes.split_off(16);
    let ids = (0..(pixels.len() / 784) as u32).collect();
    Ok(Images { height: 28, width: 28, pixels: Pixels::Bytes(pixels), ids, labels: None })
}

/// Mean grey value of every pixel.
fn mean_image(images: &Images) -> Vec<f64> {
    let Pixels::Bytes(bytes) = &images.pixels else { unreachable!("MNIST is read as bytes") };
    let mut sums = vec![0.0; images.pixel_count()];
    for image in bytes.chunks_exact(sums.len()) {
        for (sum, &grey) in sums.iter_mut().zip(image) {
            *sum += f64::from(grey) / 255.0;
        }
    }
    sums.into_iter().map(|sum| sum / images.len() as f64).collect()
}

/// The tensors of a file that is being made.
#[derive(Default)]
struct File {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl File {
    /// A file of inputs, the noise included.
    fn of(inputs: &Inputs) -> Self {
        let Case { architecture, seed, time, ids, systems } = &inputs.case;
        let samples = systems[0].estimator.m * systems[0].estimator.k;
        let mut noise = vec![0.0f32; ids.len() * samples * architecture.latents];
        let stream = Stream::new(*seed, Purpose::Noise);
        for (row, out) in noise.chunks_exact_mut(architecture.latents).enumerate() {
            stream.normals(*time, ids[row / samples], (row % samples) as u32, out);
        }
        let mut file = Self::default();
        for p in ParameterTable::new(architecture).entries() {
            let values = inputs.parameters[p.range()].iter().flat_map(|v| v.to_le_bytes());
            file.push(format!("parameter/{}", p.name), Dtype::F32, &p.shape, values);
        }
        let pixels = inputs.pixels.iter().copied();
        file.push("pixels".into(), Dtype::U8, &[ids.len(), architecture.pixels], pixels);
        let shape = [ids.len(), samples, architecture.latents];
        let noise = noise.iter().flat_map(|v| v.to_le_bytes());
        file.push("noise".into(), Dtype::F32, &shape, noise);
        file
    }

    fn push(
        &mut self,
        name: String,
        dtype: Dtype,
        shape: &[usize],
        bytes: impl Iterator<Item = u8>,
    ) {
        self.tensors.push((name, dtype, shape.to_vec(), bytes.collect()));
    }

    /// Adds the bound and the gradient of `system` as `engine` computes them, both as f64.
    fn push_gradient<E: Engine>(
        &mut self,
        engine_name: &str,
        engine: &mut E,
        parameters: &[E::Real],
        inputs: &Inputs,
        System { label, estimator }: &System,
    ) -> Outcome<()> {
        let Case { architecture, seed, time, ids, .. } = &inputs.case;
        let noise = Noise { stream: Stream::new(*seed, Purpose::Noise), time: *time };
        let estimator = estimator.build()?;
        let objective = Objective { estimator: &*estimator, noise, prune: Prune::Lossless };
        let mut gradient = vec![E::Real::default(); parameters.len()];
        let batch = Batch { pixels: &inputs.pixels, ids };
        let report = engine.gradient(parameters, batch, objective, &mut gradient)?;
        for p in ParameterTable::new(architecture).entries() {
            let values = gradient[p.range()].iter().map(|&g| g.into());
            let bytes = values.flat_map(f64::to_le_bytes);
            self.push(format!("{label}/{engine_name}/{}", p.name), Dtype::F64, &p.shape, bytes);
        }
        let bound = [report.bound.theta, report.bound.phi, report.bound.d_beta];
        let bytes = bound.into_iter().flat_map(f64::to_le_bytes);
        self.push(format!("{label}/{engine_name}/bound"), Dtype::F64, &[3], bytes);
        Ok(())
    }

    /// Writes the file.
    fn write(&self, path: &Path, case: &Case) -> Outcome<()> {
        let views = self.tensors.iter().map(|(name, dtype, shape, bytes)| {
            Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?))
        });
        let views = views.collect::<Outcome<Vec<_>>>()?;
        let header = HashMap::from([("case".to_owned(), serde_json::to_string(case)?)]);
        Ok(serialize_to_file(views, Some(header), path)?)
    }
}
