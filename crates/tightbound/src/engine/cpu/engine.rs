//! Spread every operation of [`Engine`] over threads without letting them change a bit.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::encoder::EncoderPass;
use super::kernels::{AdamConstants, AdamStep, KernelPath, Sigmoid, pad};
use super::model::{ModelGradient, PackedModel, sum_shards};
use super::shard::{Shard, ShardReport, Workspace};
use super::tile::{EncodedImage, TILE_ROWS};
use crate::engine::{
    AdamUpdate, Batch, Engine, EngineError, Noise, Objective, Posterior, StepReport,
};
use crate::model::{Architecture, ParameterTable};

/// Most shards of a batch. Their sums are added in order, whichever thread made them.
const SHARDS: usize = 4;
/// Images that go through the encoder together outside training.
const ENCODE_IMAGES: usize = 64;
/// Samples of one image that are scored together; at most [`TILE_ROWS`].
const SCORE_ROWS: usize = 128;
/// Parameters that one job of the optimiser updates.
const ADAM_BLOCK: usize = 16_384;

/// The engine of fused f32 kernels.
#[derive(Debug)]
pub struct CpuEngine {
    architecture: Architecture,
    table: ParameterTable,
    path: KernelPath,
    pool: rayon::ThreadPool,
    model: PackedModel,
    shards: Vec<ModelGradient>,
    workspaces: Vec<Mutex<Workspace>>,
}

impl CpuEngine {
    /// An engine on the fastest instructions of this machine.
    pub fn new(architecture: Architecture, threads: usize) -> Result<Self, EngineError> {
        Self::with_path(architecture, threads, KernelPath::fastest())
    }

    /// An engine on the instructions of `path`. `threads` of 0 means one.
    pub fn with_path(
        architecture: Architecture,
        threads: usize,
        path: KernelPath,
    ) -> Result<Self, EngineError> {
        let threads = threads.max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("tightbound-{i}"))
            .build()
            .map_err(|error| EngineError::Threads { threads, reason: error.to_string() })?;
        let model = PackedModel::new(&architecture);
        let workspaces = (0..threads).map(|_| Mutex::new(Workspace::new(&model))).collect();
        let table = ParameterTable::new(&architecture);
        Ok(Self { architecture, table, path, pool, model, shards: Vec::new(), workspaces })
    }

    /// The instructions this engine uses.
    pub fn path(&self) -> KernelPath {
        self.path
    }

    fn pack(&mut self, parameters: &[f32]) {
        assert_eq!(parameters.len(), self.table.total(), "one value per parameter");
        let Self { pool, model, path, .. } = self;
        pool.install(|| model.pack(*path, parameters));
    }

    fn check_batch(&self, batch: Batch<'_>) {
        let pixels = batch.ids.len() * self.architecture.pixels;
        assert_eq!(batch.pixels.len(), pixels, "D pixels per image");
    }
}

/// The buffers of the thread that asks. A panic elsewhere leaves nothing behind that matters: every
/// use overwrites what it reads.
fn own_workspace(workspaces: &[Mutex<Workspace>]) -> MutexGuard<'_, Workspace> {
    let index = rayon::current_thread_index().expect("called on the engine's pool");
    workspaces[index].lock().unwrap_or_else(PoisonError::into_inner)
}

/// Images `range` of a batch.
fn slice<'a>(batch: Batch<'a>, pixels: usize, range: Range<usize>) -> Batch<'a> {
    Batch {
        pixels: &batch.pixels[range.start * pixels..range.end * pixels],
        ids: &batch.ids[range],
    }
}

impl Engine for CpuEngine {
    type Real = f32;

    fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn gradient(
        &mut self,
        parameters: &[f32],
        batch: Batch<'_>,
        objective: Objective<'_>,
        gradient: &mut [f32],
    ) -> Result<StepReport, EngineError> {
        self.check_batch(batch);
        self.pack(parameters);
        let images = batch.ids.len();
        let count = images.clamp(1, SHARDS);
        while self.shards.len() < count {
            self.shards.push(ModelGradient::new(&self.architecture));
        }
        let Self { path, pool, model, shards, workspaces, architecture, table, .. } = self;
        let (path, model, shards) = (*path, &*model, &mut shards[..count]);
        pool.install(|| {
            let reports: Vec<_> = shards
                .par_iter_mut()
                .enumerate()
                .map(|(i, gradient)| {
                    let range = i * images / count..(i + 1) * images / count;
                    let batch = slice(batch, architecture.pixels, range);
                    let shard = Shard { path, model, batch, objective };
                    shard.run(&mut own_workspace(workspaces), gradient)
                })
                .collect();
            let mut total = ShardReport::default();
            for report in reports {
                let report = report?;
                total.bound.theta += report.bound.theta;
                total.bound.phi += report.bound.phi;
                total.bound.d_beta += report.bound.d_beta;
                total.kept += report.kept;
            }
            let scale = 1.0 / images as f64;
            if !sum_shards(path, shards, scale as f32, gradient) {
                let index = gradient.iter().position(|g| !g.is_finite()).unwrap_or(0);
                return Err(EngineError::non_finite_gradient(table, index));
            }
            total.bound.theta *= scale;
            total.bound.phi *= scale;
            total.bound.d_beta *= scale;
            let samples = (images * objective.estimator.samples()) as f64;
            Ok(StepReport { bound: total.bound, kept_fraction: total.kept as f64 / samples })
        })
    }

    fn log_weights(
        &mut self,
        parameters: &[f32],
        batch: Batch<'_>,
        noise: Noise,
        samples: Range<u32>,
        log_weights: &mut [f64],
    ) {
        self.check_batch(batch);
        let per_image = samples.len();
        assert_eq!(log_weights.len(), batch.ids.len() * per_image, "B · K log-weights");
        if log_weights.is_empty() {
            return;
        }
        self.pack(parameters);
        let Self { path, pool, model, workspaces, .. } = self;
        let (path, model) = (*path, &*model);
        pool.install(|| {
            let passes: Vec<EncoderPass> = batch
                .pixels
                .par_chunks(ENCODE_IMAGES * model.pixels)
                .map(|pixels| {
                    let mut pass = EncoderPass::default();
                    pass.forward(path, model, pixels);
                    pass
                })
                .collect();
            let mut jobs = Vec::new();
            for (i, row) in log_weights.chunks_mut(per_image).enumerate() {
                for (chunk, out) in row.chunks_mut(SCORE_ROWS).enumerate() {
                    jobs.push((i, samples.start + (chunk * SCORE_ROWS) as u32, out));
                }
            }
            jobs.into_par_iter().for_each(|(i, first, out)| {
                let workspace = &mut *own_workspace(workspaces);
                let pass = &passes[i / ENCODE_IMAGES];
                let image = EncodedImage::new(model, pass, i % ENCODE_IMAGES, batch.ids[i]);
                out.fill(image.log_sd(model.latents));
                workspace.samples.clear();
                workspace.samples.extend(first..first + out.len() as u32);
                workspace.tile.clear();
                workspace.tile.forward(path, model, noise, image, &workspace.samples, out);
            });
        });
    }

    fn encode(&mut self, parameters: &[f32], batch: Batch<'_>) -> Posterior<f32> {
        self.check_batch(batch);
        self.pack(parameters);
        let Self { path, pool, model, workspaces, .. } = self;
        let (path, model, latents) = (*path, &*model, model.latents);
        let mut mean = vec![0.0; batch.ids.len() * latents];
        let mut sd = mean.clone();
        let outputs = mean
            .par_chunks_mut(ENCODE_IMAGES * latents)
            .zip(sd.par_chunks_mut(ENCODE_IMAGES * latents));
        let images = batch.pixels.par_chunks(ENCODE_IMAGES * model.pixels);
        pool.install(|| {
            images.zip(outputs).for_each(|(pixels, (mean, sd))| {
                let workspace = &mut *own_workspace(workspaces);
                workspace.pass.forward(path, model, pixels);
                for (padded, dense) in [(&workspace.pass.mean, mean), (&workspace.pass.sd, sd)] {
                    let rows = padded.chunks_exact(pad(latents));
                    for (to, from) in dense.chunks_exact_mut(latents).zip(rows) {
                        to.copy_from_slice(&from[..latents]);
                    }
                }
            });
        });
        Posterior { mean, sd }
    }

    fn decode(&mut self, parameters: &[f32], latents: &[f32]) -> Vec<f32> {
        assert_eq!(latents.len() % self.architecture.latents, 0, "L values per point");
        self.pack(parameters);
        let Self { path, pool, model, workspaces, .. } = self;
        let (path, model) = (*path, &*model);
        let mut probabilities = vec![0.0; latents.len() / model.latents * model.pixels];
        let outputs = probabilities.par_chunks_mut(TILE_ROWS * model.pixels);
        let points = latents.par_chunks(TILE_ROWS * model.latents);
        pool.install(|| {
            points.zip(outputs).for_each(|(z, out)| {
                let workspace = &mut *own_workspace(workspaces);
                workspace.tile.clear();
                let logits = workspace.tile.decode_points(path, model, z);
                path.run(Sigmoid { logits: &mut *logits });
                let rows = logits.chunks_exact(pad(model.pixels));
                for (to, from) in out.chunks_exact_mut(model.pixels).zip(rows) {
                    to.copy_from_slice(&from[..model.pixels]);
                }
            });
        });
        probabilities
    }

    fn adam(&mut self, update: AdamUpdate<'_, f32>) {
        let AdamUpdate { parameters, gradient, first_moment, second_moment, adam, rate, step } =
            update;
        let t = step as f64;
        let constants = AdamConstants {
            beta1: adam.beta1 as f32,
            beta2: adam.beta2 as f32,
            epsilon: adam.epsilon as f32,
            rate: (rate / (1.0 - libm::pow(adam.beta1, t))) as f32,
            root: (1.0 / (1.0 - libm::pow(adam.beta2, t)).sqrt()) as f32,
        };
        let path = self.path;
        let moments =
            first_moment.par_chunks_mut(ADAM_BLOCK).zip(second_moment.par_chunks_mut(ADAM_BLOCK));
        let jobs =
            parameters.par_chunks_mut(ADAM_BLOCK).zip(gradient.par_chunks(ADAM_BLOCK)).zip(moments);
        self.pool.install(|| {
            jobs.for_each(|((parameters, gradient), (first, second))| {
                path.run(AdamStep { parameters, gradient, first, second, constants });
            });
        });
    }
}
