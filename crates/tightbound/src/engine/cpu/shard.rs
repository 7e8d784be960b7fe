//! Sum the gradient of some images of a batch: follow one image through the step here.

use super::encoder::EncoderPass;
use super::kernels::{KernelPath, pad};
use super::model::{ModelGradient, PackedModel};
use super::prune::keep;
use super::tile::{EncodedImage, TILE_ROWS, Tile};
use crate::engine::{Batch, EngineError, Objective};
use crate::estimators::{Bound, Coefficients};

/// One thread's buffers.
#[derive(Clone, Debug)]
pub(super) struct Workspace {
    pub(super) pass: EncoderPass,
    pub(super) tile: Tile,
    pub(super) log_weights: Vec<f64>,
    a: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
    pub(super) samples: Vec<u32>,
    kept: Vec<u32>,
}

impl Workspace {
    /// Buffers for `model`.
    pub(super) fn new(model: &PackedModel) -> Self {
        Self {
            pass: EncoderPass::default(),
            tile: Tile::new(model),
            log_weights: Vec::new(),
            a: Vec::new(),
            b: Vec::new(),
            c: Vec::new(),
            samples: Vec::new(),
            kept: Vec::new(),
        }
    }
}

/// Sums over the images of one shard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ShardReport {
    pub(super) bound: Bound,
    pub(super) kept: usize,
}

/// The images of one shard and what to do with them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shard<'a> {
    pub(super) path: KernelPath,
    pub(super) model: &'a PackedModel,
    pub(super) batch: Batch<'a>,
    pub(super) objective: Objective<'a>,
}

impl Shard<'_> {
    /// Sums the gradients of the images' bounds into `gradient`, which is cleared first.
    pub(super) fn run(
        &self,
        workspace: &mut Workspace,
        gradient: &mut ModelGradient,
    ) -> Result<ShardReport, EngineError> {
        gradient.layers_mut().for_each(|layer| layer.clear());
        workspace.tile.clear();
        workspace.pass.forward(self.path, self.model, self.batch.pixels);
        let mut report = ShardReport::default();
        for (i, &id) in self.batch.ids.iter().enumerate() {
            let bound = self.image(workspace, gradient, i, id)?;
            report.bound.theta += bound.theta;
            report.bound.phi += bound.phi;
            report.bound.d_beta += bound.d_beta;
            report.kept += workspace.kept.len();
        }
        workspace.tile.backward(self.path, self.model, &mut workspace.pass, gradient);
        workspace.pass.backward(self.path, self.model, gradient);
        gradient.layers_mut().for_each(|layer| layer.settle());
        Ok(report)
    }

    /// One image: samples forward, estimator, samples kept for the backward pass.
    fn image(
        &self,
        workspace: &mut Workspace,
        gradient: &mut ModelGradient,
        i: usize,
        id: u32,
    ) -> Result<Bound, EngineError> {
        let (path, model, noise) = (self.path, self.model, self.objective.noise);
        let samples = self.objective.estimator.samples();
        let Workspace { pass, tile, log_weights, a, b, c, samples: all, kept } = workspace;
        for buffer in [&mut *a, b, c] {
            buffer.resize(samples, 0.0);
        }
        all.clear();
        all.extend(0..samples as u32);
        // All samples of the image fit the tile at once, or they go forward in chunks and those
        // that are kept go forward again.
        let at_once = samples <= TILE_ROWS;
        if at_once && samples > tile.room() {
            tile.backward(path, model, pass, gradient);
        }
        if !at_once {
            tile.backward(path, model, pass, gradient);
        }
        let image = EncodedImage::new(model, pass, i, id);
        log_weights.clear();
        log_weights.resize(samples, image.log_sd(model.latents));
        for (samples, out) in all.chunks(TILE_ROWS).zip(log_weights.chunks_mut(TILE_ROWS)) {
            tile.forward(path, model, noise, image, samples, out);
        }

        let coefficients = Coefficients { theta: a, path: b, score: c };
        let bound = self.objective.estimator.evaluate(log_weights, coefficients);
        if let Some(value) = bound.first_non_finite() {
            return Err(EngineError::NonFiniteBound { image: id, value });
        }
        keep(self.objective.prune, a, b, kept);

        let mut score = ScoreTerms::new(model.latents, b, c);
        if at_once {
            score.add(tile.epsilon(model, samples), b, c);
            tile.keep(model, i, kept.iter().map(|&s| s as usize), a, b);
        } else {
            let mut scratch = vec![0.0; TILE_ROWS];
            if !score.is_plain() {
                for samples in all.chunks(TILE_ROWS) {
                    tile.forward(path, model, noise, image, samples, &mut scratch);
                    let range = samples[0] as usize..samples[0] as usize + samples.len();
                    score.add(tile.epsilon(model, samples.len()), &b[range.clone()], &c[range]);
                }
            }
            for samples in kept.chunks(TILE_ROWS) {
                let image = EncodedImage::new(model, pass, i, id);
                tile.forward(path, model, noise, image, samples, &mut scratch);
                let pick = |x: &[f64]| samples.iter().map(|&s| x[s as usize]).collect::<Vec<_>>();
                tile.keep(model, i, 0..samples.len(), &pick(a), &pick(b));
                tile.backward(path, model, pass, gradient);
            }
        }
        score.finish(model, pass, i);
        Ok(bound)
    }
}

/// The terms of dμ and dσ that need no decoder: with g = ∂z log p(x, z),
///
/// ```text
/// dμ = Σ b g   + (1/σ) Σ (b + c) ε
/// dσ = Σ b g ε + (1/σ) [Σ (b + c) ε² − Σ c]
/// ```
///
/// They are summed in f64 over all samples, pruned or not. For the plain rule c = −b, so only Σ c is
/// left, and the two large opposite terms in ε/σ never meet.
struct ScoreTerms {
    latents: usize,
    plain: bool,
    first: Vec<f64>,
    second: Vec<f64>,
    sum_c: f64,
}

impl ScoreTerms {
    fn new(latents: usize, b: &[f64], c: &[f64]) -> Self {
        Self {
            latents,
            plain: b.iter().zip(c).all(|(b, c)| b + c == 0.0),
            first: vec![0.0; latents],
            second: vec![0.0; latents],
            sum_c: c.iter().sum(),
        }
    }

    /// Whether b + c is zero for every sample.
    fn is_plain(&self) -> bool {
        self.plain
    }

    /// Adds rows of ε `[rows, pad(L)]` with their coefficients.
    fn add(&mut self, epsilon: &[f32], b: &[f64], c: &[f64]) {
        if self.plain {
            return;
        }
        for ((row, b), c) in epsilon.chunks_exact(pad(self.latents)).zip(b).zip(c) {
            for ((first, second), &e) in self.first.iter_mut().zip(&mut self.second).zip(row) {
                let e = f64::from(e);
                *first += (b + c) * e;
                *second += (b + c) * e * e;
            }
        }
    }

    /// Adds the terms to the gradients at μ and σ of image `i`.
    fn finish(&self, model: &PackedModel, pass: &mut EncoderPass, i: usize) {
        let first_element = i * pad(model.latents);
        for l in 0..self.latents {
            let at = first_element + l;
            let sd = f64::from(pass.sd[at]);
            pass.d_mean[at] += (self.first[l] / sd) as f32;
            pass.d_sd[at] += ((self.second[l] - self.sum_c) / sd) as f32;
        }
    }
}
