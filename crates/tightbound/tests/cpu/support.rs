//! Make models, batches and estimators, and compare gradients.

use tightbound::engine::cpu::{CpuEngine, KernelPath};
use tightbound::engine::reference::ReferenceEngine;
use tightbound::engine::{Batch, Engine, Noise, Objective, Prune};
use tightbound::estimators::{Bound, Coefficients, Estimator, EstimatorSettings, examples};
use tightbound::model::{
    Activation, Architecture, Initialisation, Layer, Layers, OutputBias, ParameterTable, Sigma,
    initialise,
};
use tightbound::random::{Purpose, Stream};

/// Relative L2 error per tensor that f32 is allowed.
const TOLERANCE: f64 = 2e-5;

/// A model, its parameters and a batch, all derived from one seed.
pub struct Case {
    pub architecture: Architecture,
    pub parameters: Vec<f32>,
    pub pixels: Vec<u8>,
    pub ids: Vec<u32>,
    pub noise: Noise,
}

impl Case {
    pub fn new(architecture: Architecture, images: usize, seed: u64) -> Self {
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

    pub fn batch(&self) -> Batch<'_> {
        Batch { pixels: &self.pixels, ids: &self.ids }
    }

    pub fn cpu(&self, path: KernelPath, threads: usize) -> CpuEngine {
        CpuEngine::with_path(self.architecture.clone(), threads, path).expect("threads")
    }

    pub fn gradient(&self, estimator: &dyn Estimator, prune: Prune, path: KernelPath) -> Vec<f32> {
        let mut gradient = vec![f32::NAN; self.parameters.len()];
        let objective = Objective { estimator, noise: self.noise, prune };
        self.cpu(path, 2)
            .gradient(&self.parameters, self.batch(), objective, &mut gradient)
            .expect("finite");
        gradient
    }

    pub fn reference(&self, estimator: &dyn Estimator) -> (Vec<f64>, Bound) {
        let parameters = self.parameters_f64();
        let mut gradient = vec![f64::NAN; parameters.len()];
        let objective = Objective { estimator, noise: self.noise, prune: Prune::Off };
        let report = ReferenceEngine::new(self.architecture.clone())
            .gradient(&parameters, self.batch(), objective, &mut gradient)
            .expect("finite");
        (gradient, report.bound)
    }

    /// The hidden unit nearest to a kink of ReLU at 0: the smallest |w·x + b| beside |b| + Σ |w x|, over all
    /// images and their first `samples` latents.
    pub fn nearest_kink(&self, samples: usize) -> f64 {
        let parameters = self.parameters_f64();
        let layers = Layers::new(&self.architecture);
        let posterior =
            ReferenceEngine::new(self.architecture.clone()).encode(&parameters, self.batch());
        let Architecture { pixels, latents, decoder, .. } = &self.architecture;
        let nearest_in = |hidden: &[Layer], input| nearest_kink(&parameters, hidden, input);
        let mut epsilon = vec![0.0f32; *latents];
        let mut nearest = f64::INFINITY;
        for (i, &id) in self.ids.iter().enumerate() {
            let image = self.pixels[i * pixels..][..*pixels].iter().map(|&x| x.into()).collect();
            nearest = nearest.min(nearest_in(&layers.encoder, image));
            for s in 0..samples as u32 {
                self.noise.stream.normals(self.noise.time, id, s, &mut epsilon);
                let q = posterior.mean[i * latents..].iter().zip(&posterior.sd[i * latents..]);
                let z = q.zip(&epsilon).map(|((mean, sd), e)| mean + sd * f64::from(*e)).collect();
                nearest = nearest.min(nearest_in(&layers.decoder[..decoder.len()], z));
            }
        }
        nearest
    }

    fn parameters_f64(&self) -> Vec<f64> {
        self.parameters.iter().map(|&p| p.into()).collect()
    }

    pub fn assert_close(&self, cpu: &[f32], reference: &[f64], what: &str) {
        self.assert_within(cpu, reference, TOLERANCE, what);
    }

    /// As [`assert_close`](Self::assert_close), where terms may cancel: behind units that are nearly dead a
    /// tensor's gradient may be a millionth of the whole one. It is a sum of terms that are larger, so
    /// that it is known to the rounding unit of the whole at best.
    pub fn assert_near(&self, cpu: &[f32], reference: &[f64], what: &str) {
        let whole = reference.iter().map(|r| r * r).sum::<f64>().sqrt();
        self.assert_up_to(cpu, reference, (TOLERANCE, whole / 16_777_216.0), what);
    }

    /// Fails if a tensor's relative L2 error is above `tolerance`.
    pub fn assert_within(&self, cpu: &[f32], reference: &[f64], tolerance: f64, what: &str) {
        self.assert_up_to(cpu, reference, (tolerance, 0.0), what);
    }

    /// Fails if a tensor's L2 error is above `relative` of its norm and `absolute`.
    fn assert_up_to(
        &self,
        cpu: &[f32],
        reference: &[f64],
        (relative, absolute): (f64, f64),
        what: &str,
    ) {
        for tensor in ParameterTable::new(&self.architecture).entries() {
            let pairs = cpu[tensor.range()].iter().zip(&reference[tensor.range()]);
            let (mut error, mut norm) = (0.0, 0.0);
            for (&c, &r) in pairs {
                error += (f64::from(c) - r).powi(2);
                norm += r * r;
            }
            let (error, norm) = (error.sqrt(), norm.sqrt());
            let allowed = relative * norm + absolute;
            assert!(error <= allowed, "{what}: {} {error:.1e} of {norm:.1e}", tensor.name);
        }
    }
}

pub fn small(activation: Activation, sigma: Sigma) -> Architecture {
    let (encoder, decoder) = (vec![19, 33], vec![21, 18]);
    Architecture { pixels: 37, encoder, latents: 5, decoder, activation, sigma }
}

pub fn build(name: &str, m: usize, k: usize) -> Box<dyn Estimator> {
    EstimatorSettings::new(name, m, k).build().expect("valid settings")
}

/// Every estimator of the registry with every rule, M ≠ K.
pub fn systems() -> Vec<(String, Box<dyn Estimator>)> {
    let built = |s: EstimatorSettings| (s.label(), s.build().expect("valid settings"));
    examples(3, 4).into_iter().map(built).collect()
}

/// Coefficients that no bound has: a, b and c are unrelated, and b + c is not zero.
#[derive(Debug)]
pub struct Unrelated(pub usize);

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

/// [`Case::nearest_kink`] in the `hidden` layers of one network, for one input.
fn nearest_kink(parameters: &[f64], hidden: &[Layer], input: Vec<f64>) -> f64 {
    let (mut x, mut nearest) = (input, f64::INFINITY);
    for layer in hidden {
        let unit = |(row, &bias): (&[f64], &f64)| {
            let terms = row.iter().zip(&x).map(|(w, x)| w * x);
            let (y, size) = terms.fold((bias, bias.abs()), |(y, size), t| (y + t, size + t.abs()));
            // Of a unit without terms, such as behind dead ones, rounding changes nothing.
            if size > 0.0 {
                nearest = nearest.min(y.abs() / size);
            }
            y.max(0.0)
        };
        let weight = parameters[layer.weight.clone()].chunks_exact(layer.inputs);
        x = weight.zip(&parameters[layer.bias.clone()]).map(unit).collect();
    }
    nearest
}
