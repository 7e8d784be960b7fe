//! Spread every operation of [`Engine`] over threads without letting them change a bit.

use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::encoder::{EncoderPass, Passes};
use super::group::{Context, Group, PointContext, Row};
use super::kernels::{AdamConstants, AdamStep, Buffer, KernelPath, Sigmoid, pad};
use super::model::PackedModel;
use super::wave::{BatchGradient, Buffers};
use crate::engine::{
    AdamUpdate, Batch, Engine, EngineError, LikelihoodGradient, Noise, Objective, Points,
    Posterior, StepReport,
};
use crate::model::{Architecture, ParameterTable};

/// Samples that one core scores or decodes at a time.
const SCORE_ROWS: usize = 256;
/// Points that one core takes forward and back at a time: what fits its cache, and fewer where there
/// are many cores.
const POINT_ROWS: RangeInclusive<usize> = 16..=128;
/// Parameters that one job of the optimiser updates.
const ADAM_BLOCK: usize = 16_384;

/// The engine of fused f32 kernels.
#[derive(Debug)]
pub struct CpuEngine {
    architecture: Architecture,
    table: ParameterTable,
    path: KernelPath,
    pool: ThreadPool,
    model: PackedModel,
    buffers: Buffers,
    /// One per thread, for scoring and decoding.
    groups: Vec<Mutex<Group>>,
}

/// The threads of an engine, to run the loop that calls it on one of them.
#[derive(Clone, Debug)]
pub struct ThreadPool(Arc<rayon::ThreadPool>);

impl ThreadPool {
    /// Runs `work` on one of the threads. Calls of the engine from there begin and end without waking
    /// another thread, which is worth a few hundredths of a step of 4 ms.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.0.install(work)
    }
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
        let pool = ThreadPool(Arc::new(pool));
        let model = PackedModel::new(&architecture);
        let groups = (0..threads).map(|_| Mutex::default()).collect();
        let buffers = Buffers::new(&architecture);
        let table = ParameterTable::new(&architecture);
        Ok(Self { architecture, table, path, pool, model, buffers, groups })
    }

    /// The threads that this engine computes on.
    pub fn pool(&self) -> ThreadPool {
        self.pool.clone()
    }

    /// The instructions this engine uses.
    pub fn path(&self) -> KernelPath {
        self.path
    }

    fn pack(&mut self, parameters: &[f32]) {
        assert_eq!(parameters.len(), self.table.total(), "one value per parameter");
        let Self { pool, model, path, .. } = self;
        pool.run(|| model.pack(*path, parameters));
    }

    fn check_batch(&self, batch: Batch<'_>) {
        assert!(!batch.ids.is_empty(), "a batch has an image");
        let pixels = batch.ids.len() * self.architecture.pixels;
        assert_eq!(batch.pixels.len(), pixels, "D pixels per image");
    }
}

/// The group of the thread that asks. A panic elsewhere leaves nothing behind that matters: every use
/// overwrites what it reads.
fn own_group(groups: &[Mutex<Group>]) -> MutexGuard<'_, Group> {
    let index = rayon::current_thread_index().expect("called on the engine's pool");
    groups[index].lock().unwrap_or_else(PoisonError::into_inner)
}

/// `pixels` `[B, D]` as floats `[B, pad(D)]`, zero beyond D.
fn padded(pixels: &[u8], d: usize) -> Buffer {
    let mut x = Buffer::zeros(pixels.len() / d * pad(d));
    for (to, from) in x.chunks_exact_mut(pad(d)).zip(pixels.chunks_exact(d)) {
        for (to, &from) in to.iter_mut().zip(from) {
            *to = f32::from(from);
        }
    }
    x
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
        assert_eq!(parameters.len(), self.table.total(), "one value per parameter");
        let Self { path, pool, model, buffers, table, .. } = self;
        let (report, finite) = pool.run(|| {
            model.pack(*path, parameters);
            BatchGradient { path: *path, model, batch, objective }.run(buffers, gradient)
        })?;
        if finite {
            return Ok(report);
        }
        let index = gradient.iter().position(|g| !g.is_finite()).unwrap_or(0);
        Err(EngineError::non_finite_gradient(table, index))
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
        let Self { path, pool, model, groups, .. } = self;
        let (path, model) = (*path, &*model);
        pool.run(|| {
            let mut passes = Passes::default();
            passes.forward(path, model, batch.pixels);
            // In one piece: work that waits for other threads could take over a job that locks again.
            let (ids, piece) = (batch.ids, usize::MAX);
            let context = Context { path, model, ids, passes: &passes, noise, piece };
            let mut jobs = Vec::new();
            for (image, row) in log_weights.chunks_mut(per_image).enumerate() {
                for (chunk, out) in row.chunks_mut(SCORE_ROWS).enumerate() {
                    jobs.push((image, samples.start + (chunk * SCORE_ROWS) as u32, out));
                }
            }
            jobs.into_par_iter().for_each(|(image, first, out)| {
                let group = &mut *own_group(groups);
                let samples = first..first + out.len() as u32;
                group.score(context, samples.map(|sample| Row { image, sample }));
                out.copy_from_slice(group.log_weights());
            });
        });
    }

    fn encode(&mut self, parameters: &[f32], batch: Batch<'_>) -> Posterior<f32> {
        self.check_batch(batch);
        self.pack(parameters);
        let Self { path, pool, model, .. } = self;
        let (path, model, latents) = (*path, &*model, model.latents);
        let mut passes = Passes::default();
        pool.run(|| passes.forward(path, model, batch.pixels));
        let dense = |padded: fn(&EncoderPass) -> &[f32]| {
            let rows = passes.iter().flat_map(|pass| padded(pass).chunks_exact(pad(latents)));
            rows.flat_map(|row| &row[..latents]).copied().collect()
        };
        Posterior { mean: dense(|pass| &pass.mean), sd: dense(|pass| &pass.sd) }
    }

    fn decode(&mut self, parameters: &[f32], latents: &[f32]) -> Vec<f32> {
        assert_eq!(latents.len() % self.architecture.latents, 0, "L values per point");
        self.pack(parameters);
        let Self { path, pool, model, groups, .. } = self;
        let (path, model) = (*path, &*model);
        let mut probabilities = vec![0.0; latents.len() / model.latents * model.pixels];
        let outputs = probabilities.par_chunks_mut(SCORE_ROWS * model.pixels);
        let points = latents.par_chunks(SCORE_ROWS * model.latents);
        pool.run(|| {
            points.zip(outputs).for_each(|(z, out)| {
                let group = &mut *own_group(groups);
                let logits = group.decode(path, model, z);
                path.run(Sigmoid { logits: &mut *logits });
                let rows = logits.chunks_exact(pad(model.pixels));
                for (to, from) in out.chunks_exact_mut(model.pixels).zip(rows) {
                    to.copy_from_slice(&from[..model.pixels]);
                }
            });
        });
        probabilities
    }

    fn likelihood_gradient(
        &mut self,
        parameters: &[f32],
        points: Points<'_, f32>,
        out: LikelihoodGradient<'_, f32>,
    ) {
        assert_eq!(parameters.len(), self.table.total(), "one value per parameter");
        let chains = points.chains(&self.architecture, &out);
        let LikelihoodGradient { log_likelihood, d_z } = out;
        let Self { path, pool, model, groups, .. } = self;
        let path = *path;
        let rows = log_likelihood.len();
        let piece = rows.div_ceil(2 * groups.len()).clamp(*POINT_ROWS.start(), *POINT_ROWS.end());
        pool.run(|| {
            model.pack_decoder(path, parameters);
            let (model, latents) = (&*model, model.latents);
            let x = padded(points.pixels, model.pixels);
            let context = PointContext { path, model, x: &x, chains };
            let z = points.latents.par_chunks(piece * latents);
            let outputs = log_likelihood.par_chunks_mut(piece);
            let outputs = outputs.zip(d_z.par_chunks_mut(piece * latents));
            z.zip(outputs).enumerate().for_each(|(i, (z, (log_likelihood, d_z)))| {
                let out = LikelihoodGradient { log_likelihood, d_z };
                own_group(groups).differentiate(context, i * piece, z, out);
            });
        });
    }

    fn adam(&mut self, update: AdamUpdate<'_, f32>) {
        let AdamUpdate { parameters, gradient, first_moment, second_moment, adam, rate, step } =
            update;
        let t = step as f64;
        let constants = AdamConstants {
            new1: (1.0 - adam.beta1) as f32,
            new2: (1.0 - adam.beta2) as f32,
            epsilon: adam.epsilon as f32,
            rate: (rate / (1.0 - libm::pow(adam.beta1, t))) as f32,
            root: (1.0 / (1.0 - libm::pow(adam.beta2, t)).sqrt()) as f32,
        };
        let path = self.path;
        let moments =
            first_moment.par_chunks_mut(ADAM_BLOCK).zip(second_moment.par_chunks_mut(ADAM_BLOCK));
        let jobs =
            parameters.par_chunks_mut(ADAM_BLOCK).zip(gradient.par_chunks(ADAM_BLOCK)).zip(moments);
        self.pool.run(|| {
            jobs.for_each(|((parameters, gradient), (first, second))| {
                path.run(AdamStep { parameters, gradient, first, second, constants });
            });
        });
    }
}
