//! Compute the gradient of a batch, a wave of tiles at a time: follow one image through the step here.
//!
//! A wave holds whole images, or some samples of one image that has more than a wave has rows. Its
//! phases run on all cores, and no result depends on how they are cut among them: a row of a tile does
//! not see other rows, and an element of a weight gradient is one sum over all rows in their order.

use std::ops::Range;

use rayon::prelude::*;

use super::encoder::EncoderPass;
use super::kernels::{KernelPath, PosteriorGradient, pad};
use super::model::{ModelGradient, PackedModel};
use super::prune::keep;
use super::score_terms::ScoreTerms;
use super::tile::{Context, ENCODE_IMAGES, Pick, Row, TILE_ROWS, Tile};
use crate::engine::{Batch, EngineError, Objective, StepReport};
use crate::estimators::{Bound, Coefficients};
use crate::model::Architecture;

/// Rows of a wave. Its tiles take about 25 MB for the reference model, whatever B and S are.
const WAVE_ROWS: usize = 24 * TILE_ROWS;

/// Everything a gradient computation writes to, kept from call to call.
#[derive(Debug)]
pub(super) struct Buffers {
    passes: Vec<EncoderPass>,
    forward: Vec<Tile>,
    kept: Vec<Tile>,
    gradient: ModelGradient,
}

impl Buffers {
    pub(super) fn new(architecture: &Architecture) -> Self {
        let gradient = ModelGradient::new(architecture);
        Self { passes: Vec::new(), forward: Vec::new(), kept: Vec::new(), gradient }
    }
}

/// One gradient computation, on the current thread pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchGradient<'a> {
    pub(super) path: KernelPath,
    pub(super) model: &'a PackedModel,
    pub(super) batch: Batch<'a>,
    pub(super) objective: Objective<'a>,
}

/// One image after its estimator.
struct Estimated {
    bound: Bound,
    /// The samples that go back through the decoder, with `row` counted within the image.
    picks: Vec<Pick>,
    score: ScoreTerms,
}

impl BatchGradient<'_> {
    /// Computes the mean gradient into `out`, and says whether all of it is finite.
    pub(super) fn run(
        &self,
        buffers: &mut Buffers,
        out: &mut [f32],
    ) -> Result<(StepReport, bool), EngineError> {
        let images = self.batch.ids.len();
        let samples = self.objective.estimator.samples();
        self.encode(buffers);
        let mut report = StepReport::default();
        let mut kept = 0;
        let per_wave = (WAVE_ROWS / samples).max(1);
        for first in (0..images).step_by(per_wave) {
            let wave = first..images.min(first + per_wave);
            let fresh = first == 0;
            let estimated = if samples <= WAVE_ROWS {
                self.whole_images(buffers, wave.clone(), fresh)?
            } else {
                vec![self.large_image(buffers, first, fresh)?]
            };
            for (image, Estimated { bound, picks, score }) in wave.zip(estimated) {
                report.bound.theta += bound.theta;
                report.bound.phi += bound.phi;
                report.bound.d_beta += bound.d_beta;
                kept += picks.len();
                score.finish(&mut buffers.passes[image / ENCODE_IMAGES], image % ENCODE_IMAGES);
            }
        }
        let scale = 1.0 / images as f64;
        report.bound.theta *= scale;
        report.bound.phi *= scale;
        report.bound.d_beta *= scale;
        report.kept_fraction = kept as f64 / (images * samples) as f64;
        let (path, model) = (self.path, self.model);
        buffers.passes.par_iter_mut().for_each(|pass| pass.backward(path, model));
        let finite = buffers.gradient.finish(path, &buffers.passes, scale as f32, out);
        Ok((report, finite))
    }

    fn encode(&self, buffers: &mut Buffers) {
        let chunks = self.batch.pixels.par_chunks(ENCODE_IMAGES * self.model.pixels);
        buffers.passes.resize_with(chunks.len(), EncoderPass::default);
        let passes = buffers.passes.par_iter_mut();
        passes.zip(chunks).for_each(|(pass, pixels)| pass.forward(self.path, self.model, pixels));
    }

    /// All samples of some images forward, their estimators, the samples that matter back.
    fn whole_images(
        &self,
        buffers: &mut Buffers,
        images: Range<usize>,
        fresh: bool,
    ) -> Result<Vec<Estimated>, EngineError> {
        let samples = self.objective.estimator.samples();
        let rows = images.len() * samples;
        let row =
            |r: usize| Row { image: images.start + r / samples, sample: (r % samples) as u32 };
        self.forward(buffers, rows, row);
        let Buffers { passes, forward, kept, gradient } = buffers;
        let forward = &mut forward[..rows.div_ceil(TILE_ROWS)];

        let log_weights: Vec<f64> = forward.iter().flat_map(|t| &t.log_weights).copied().collect();
        let estimated =
            log_weights.par_chunks(samples).zip(self.batch.ids[images.clone()].par_iter());
        let estimated: Result<Vec<_>, _> =
            estimated.map(|(log_weights, &id)| self.estimate(id, log_weights)).collect();
        let mut estimated = estimated?;
        for tile in forward.iter() {
            for (image, rows) in tile.runs() {
                let score = &mut estimated[image - images.start].score;
                score.add(tile.rows[rows.start].sample, tile.epsilon(self.model, rows));
            }
        }

        let picks = estimated.iter().enumerate().flat_map(|(i, estimated)| {
            estimated.picks.iter().map(move |pick| Pick { row: i * samples + pick.row, ..*pick })
        });
        let picks: Vec<Pick> = picks.collect();
        let (path, model) = (self.path, self.model);
        let tiles = if picks.len() == rows {
            // Every row stays: the tiles go back as they are.
            let tiles = forward.par_iter_mut().zip(picks.par_chunks(TILE_ROWS));
            tiles.for_each(|(tile, picks)| {
                tile.set_coefficients(picks);
                tile.backward(path, model);
            });
            &*forward
        } else {
            let tiles = picks.len().div_ceil(TILE_ROWS);
            grow(kept, tiles, model);
            let kept = &mut kept[..tiles];
            let forward = &*forward;
            kept.par_iter_mut().zip(picks.par_chunks(TILE_ROWS)).for_each(|(tile, picks)| {
                tile.gather(forward, picks);
                tile.set_coefficients(picks);
                tile.backward(path, model);
            });
            &*kept
        };
        self.accumulate(passes, tiles, gradient, fresh);
        Ok(estimated)
    }

    /// One image with more samples than a wave has rows: all of them forward, wave by wave, for their
    /// log-weights alone; then those that matter forward once more, and back.
    fn large_image(
        &self,
        buffers: &mut Buffers,
        image: usize,
        fresh: bool,
    ) -> Result<Estimated, EngineError> {
        let samples = self.objective.estimator.samples();
        let mut log_weights = Vec::with_capacity(samples);
        for first in (0..samples).step_by(WAVE_ROWS) {
            let rows = WAVE_ROWS.min(samples - first);
            self.forward(buffers, rows, |r| Row { image, sample: (first + r) as u32 });
            let tiles = &buffers.forward[..rows.div_ceil(TILE_ROWS)];
            log_weights.extend(tiles.iter().flat_map(|tile| &tile.log_weights));
        }
        let mut estimated = self.estimate(self.batch.ids[image], &log_weights)?;
        if !estimated.score.is_plain() {
            grow(&mut buffers.forward, 1, self.model);
            let Buffers { passes, forward, .. } = buffers;
            let (context, tile) = (self.context(passes), &mut forward[0]);
            for first in (0..samples).step_by(TILE_ROWS) {
                let rows = TILE_ROWS.min(samples - first);
                let row = |r| Row { image, sample: (first + r) as u32 };
                tile.draw(context, (0..rows).map(row));
                estimated.score.add(first as u32, tile.epsilon(self.model, 0..rows));
            }
        }
        for (wave, picks) in estimated.picks.chunks(WAVE_ROWS).enumerate() {
            self.forward(buffers, picks.len(), |r| Row { image, sample: picks[r].row as u32 });
            let Buffers { passes, forward, gradient, .. } = buffers;
            let tiles = &mut forward[..picks.len().div_ceil(TILE_ROWS)];
            tiles.par_iter_mut().zip(picks.par_chunks(TILE_ROWS)).for_each(|(tile, picks)| {
                tile.set_coefficients(picks);
                tile.backward(self.path, self.model);
            });
            self.accumulate(passes, tiles, gradient, fresh && wave == 0);
        }
        Ok(estimated)
    }

    fn context<'b>(&'b self, passes: &'b [EncoderPass]) -> Context<'b> {
        let Self { path, model, batch, objective } = *self;
        Context { path, model, ids: batch.ids, passes, noise: objective.noise }
    }

    /// Takes `rows` rows forward, tile by tile.
    fn forward(&self, buffers: &mut Buffers, rows: usize, row: impl Fn(usize) -> Row + Sync) {
        let tiles = rows.div_ceil(TILE_ROWS);
        grow(&mut buffers.forward, tiles, self.model);
        let context = self.context(&buffers.passes);
        buffers.forward[..tiles].par_iter_mut().enumerate().for_each(|(i, tile)| {
            let own = i * TILE_ROWS..rows.min((i + 1) * TILE_ROWS);
            tile.forward(context, own.map(&row));
        });
    }

    /// Runs the estimator on one image.
    fn estimate(&self, id: u32, log_weights: &[f64]) -> Result<Estimated, EngineError> {
        let n = log_weights.len();
        let (mut a, mut b, mut c) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let coefficients = Coefficients { theta: &mut a, path: &mut b, score: &mut c };
        let bound = self.objective.estimator.evaluate(log_weights, coefficients);
        if let Some(value) = bound.first_non_finite() {
            return Err(EngineError::NonFiniteBound { image: id, value });
        }
        let kept = keep(self.objective.prune, &a, &b);
        let pick = |row: usize| Pick { row, a: a[row] as f32, b: b[row] as f32 };
        let picks = kept.into_iter().map(pick).collect();
        Ok(Estimated { bound, picks, score: ScoreTerms::new(self.model.latents, &b, &c) })
    }

    /// Adds rows that have gone back through the decoder to the gradients at their images' μ and σ,
    /// and to the decoder's.
    fn accumulate(
        &self,
        passes: &mut [EncoderPass],
        tiles: &[Tile],
        gradient: &mut ModelGradient,
        fresh: bool,
    ) {
        let stride = pad(self.model.latents);
        for tile in tiles {
            for (image, rows) in tile.runs() {
                let (pass, position) = (&mut passes[image / ENCODE_IMAGES], image % ENCODE_IMAGES);
                let posterior = position * stride..(position + 1) * stride;
                let [d_z, z, epsilon] = tile.latents(self.model, rows.clone());
                self.path.run(PosteriorGradient {
                    b: &tile.b[rows],
                    d_z,
                    z,
                    epsilon,
                    d_mean: &mut pass.d_mean[posterior.clone()],
                    d_sd: &mut pass.d_sd[posterior],
                });
            }
        }
        gradient.decoder_panels().into_par_iter().for_each(|(layer, mut panel)| {
            for (i, tile) in tiles.iter().enumerate() {
                panel.add(self.path, tile.panel_rows(layer), fresh && i == 0);
            }
        });
    }
}

/// Makes sure that there are `count` tiles.
fn grow(tiles: &mut Vec<Tile>, count: usize, model: &PackedModel) {
    while tiles.len() < count {
        tiles.push(Tile::new(model));
    }
}
