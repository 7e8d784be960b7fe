//! Compute the gradient of a batch, a wave of groups at a time: follow one image through the step here.
//!
//! Cores take groups of images forward and back, estimator in between; then each core adds up its share
//! of the weights' gradients over all groups of the wave. No result depends on how many cores there
//! are: rows do not see each other, and an element of a weight's gradient is one sum over all rows in
//! their order: blocks of rows of one group, one block after the other.

use std::ops::Range;

use rayon::prelude::*;

use super::encoder::Passes;
use super::group::{Context, Group, Row};
use super::kernels::KernelPath;
use super::model::{ModelGradient, PackedModel};
use super::prune::{Pick, keep};
use super::score_terms::ScoreTerms;
use crate::engine::{Batch, EngineError, Noise, Objective, StepReport};
use crate::estimators::{Bound, Coefficients};
use crate::model::Architecture;

/// Rows of a group, unless one image has more: about what fits the second cache.
const GROUP_ROWS: usize = 128;
/// The most rows of a group, 11 MB for the reference model. An image with more samples goes forward
/// twice.
const LARGE_GROUP_ROWS: usize = 1536;
/// Most rows of a wave per thread, unless one group has more: what one phase leaves for the next
/// should still be in a cache.
const WAVE_ROWS_PER_THREAD: usize = 256;
/// Rows that one core takes through the decoder at a time.
const PIECE_ROWS: usize = 128;
/// The same where there are many cores for few rows: a product of 16 rows is still efficient.
const SMALLEST_PIECE: usize = 16;

/// Everything a gradient computation writes to, kept from call to call.
#[derive(Debug)]
pub(super) struct Buffers {
    passes: Passes,
    groups: Vec<Group>,
    gradient: ModelGradient,
}

impl Buffers {
    pub(super) fn new(architecture: &Architecture) -> Self {
        let gradient = ModelGradient::new(architecture);
        Self { passes: Passes::default(), groups: Vec::new(), gradient }
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
    /// The samples that go back through the decoder, by their row among those of the image.
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
        let (path, model) = (self.path, self.model);
        buffers.passes.forward(path, model, self.batch.pixels);
        buffers.gradient.restart();
        let images = self.batch.ids.len();
        let samples = self.objective.estimator.samples();
        let large = samples > LARGE_GROUP_ROWS;
        let mut report = StepReport::default();
        let mut kept = 0;
        let per_wave = if large { 1 } else { images_per_wave(images, samples) };
        for first in (0..images).step_by(per_wave) {
            let wave = first..images.min(first + per_wave);
            let estimated = if large {
                vec![self.large_image(buffers, first)?]
            } else {
                self.whole_images(buffers, wave.clone())?
            };
            for (image, Estimated { bound, picks, score }) in wave.zip(estimated) {
                report.bound.theta += bound.theta;
                report.bound.phi += bound.phi;
                report.bound.d_beta += bound.d_beta;
                kept += picks.len();
                let (pass, position) = buffers.passes.of_mut(image);
                score.finish(pass, position);
            }
        }
        let scale = 1.0 / images as f64;
        report.bound.theta *= scale;
        report.bound.phi *= scale;
        report.bound.d_beta *= scale;
        report.kept_fraction = kept as f64 / (images * samples) as f64;
        buffers.passes.backward(path, model);
        let finite = buffers.gradient.finish(path, &buffers.passes, scale as f32, out);
        Ok((report, finite))
    }

    /// All samples of some images forward, the estimator, the samples that matter back: group by group
    /// on all cores, then the gradients of the weights.
    fn whole_images(
        &self,
        buffers: &mut Buffers,
        images: Range<usize>,
    ) -> Result<Vec<Estimated>, EngineError> {
        let samples = self.objective.estimator.samples();
        let per_group = images_per_group(samples);
        let Buffers { passes, groups, gradient } = buffers;
        let count = images.len().div_ceil(per_group);
        groups.resize_with(groups.len().max(count), Group::default);
        let groups = &mut groups[..count];
        let context = self.context(passes, images.len() * samples);
        let estimated: Vec<_> = groups
            .par_iter_mut()
            .enumerate()
            .map(|(i, group)| {
                let first = images.start + i * per_group;
                self.one_group(context, group, first..images.end.min(first + per_group))
            })
            .collect();
        let estimated: Vec<_> = estimated.into_iter().collect::<Result<_, _>>()?;
        self.accumulate(passes, groups, gradient);
        Ok(estimated.into_iter().flatten().collect())
    }

    /// The images of one group forward, each through its estimator, and back.
    fn one_group(
        &self,
        context: Context<'_>,
        group: &mut Group,
        images: Range<usize>,
    ) -> Result<Vec<Estimated>, EngineError> {
        let samples = self.objective.estimator.samples();
        let rows = images
            .clone()
            .flat_map(|image| (0..samples as u32).map(move |sample| Row { image, sample }));
        group.forward(context, rows);
        let mut picks = Vec::with_capacity(images.len() * samples);
        let mut estimated = Vec::with_capacity(images.len());
        for (i, image) in images.enumerate() {
            let own = i * samples..(i + 1) * samples;
            let mut one = self.estimate(image, &group.log_weights()[own.clone()])?;
            one.score.add(0, group.epsilon(self.model, own.clone()));
            picks.extend(one.picks.iter().map(|pick| Pick { row: own.start + pick.row, ..*pick }));
            estimated.push(one);
        }
        group.keep(self.model, &picks);
        group.backward(context);
        Ok(estimated)
    }

    /// One image with more samples than a group has rows: all of them forward for their log-weights
    /// alone; then those that matter forward once more, and back.
    fn large_image(&self, buffers: &mut Buffers, image: usize) -> Result<Estimated, EngineError> {
        let samples = self.objective.estimator.samples() as u32;
        let Buffers { passes, groups, gradient } = buffers;
        groups.resize_with(groups.len().max(1), Group::default);
        let groups = &mut groups[..1];
        let context = self.context(passes, LARGE_GROUP_ROWS);
        let chunks = (0..samples).step_by(LARGE_GROUP_ROWS).map(|first| {
            let chunk = first..samples.min(first + LARGE_GROUP_ROWS as u32);
            (first, chunk.map(|sample| Row { image, sample }))
        });
        let mut log_weights = Vec::with_capacity(samples as usize);
        for (_, rows) in chunks.clone() {
            groups[0].score(context, rows);
            log_weights.extend_from_slice(groups[0].log_weights());
        }
        let mut estimated = self.estimate(image, &log_weights)?;
        if !estimated.score.is_plain() {
            for (first, rows) in chunks {
                let count = rows.len();
                groups[0].draw(context, rows);
                estimated.score.add(first, groups[0].epsilon(self.model, 0..count));
            }
        }
        for picks in estimated.picks.chunks(LARGE_GROUP_ROWS) {
            let context = self.context(passes, LARGE_GROUP_ROWS);
            let rows = picks.iter().map(|pick| Row { image, sample: pick.row as u32 });
            groups[0].forward(context, rows);
            let in_group = |(row, pick): (usize, &Pick)| Pick { row, ..*pick };
            groups[0].keep(self.model, &picks.iter().enumerate().map(in_group).collect::<Vec<_>>());
            groups[0].backward(context);
            self.accumulate(passes, groups, gradient);
        }
        Ok(estimated)
    }

    /// What groups of a wave of `rows` rows read.
    fn context<'b>(&'b self, passes: &'b Passes, rows: usize) -> Context<'b> {
        let Self { path, model, batch, objective } = *self;
        let piece = rows / (2 * rayon::current_num_threads());
        let piece = piece.clamp(SMALLEST_PIECE, PIECE_ROWS);
        Context { path, model, ids: batch.ids, passes, noise: objective.noise, piece }
    }

    /// Runs the estimator on one image.
    fn estimate(&self, image: usize, log_weights: &[f64]) -> Result<Estimated, EngineError> {
        let n = log_weights.len();
        let (mut a, mut b, mut c) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let coefficients = Coefficients { theta: &mut a, path: &mut b, score: &mut c };
        let bound = self.objective.estimator.evaluate(log_weights, coefficients);
        let image = self.batch.ids[image];
        let Noise { stream, time } = self.objective.noise;
        if let Some(value) = bound.first_non_finite() {
            return Err(EngineError::NonFiniteBound { image, value });
        }
        // The normal numbers of a sample use the first blocks of its address.
        let uniform = |sample| stream.uniform_f64(time, image, sample, u32::MAX);
        let picks = keep(self.objective.prune, &a, &b, uniform);
        Ok(Estimated { bound, picks, score: ScoreTerms::new(self.model.latents, &b, &c) })
    }

    /// Adds groups that have gone back through the decoder to the gradients at their images' μ and σ,
    /// and to the decoder's.
    fn accumulate(&self, passes: &mut Passes, groups: &[Group], gradient: &mut ModelGradient) {
        for (image, gradient) in groups.iter().flat_map(|group| group.posteriors(self.model)) {
            passes.add(image, gradient);
        }
        gradient.add(self.path, groups);
    }
}

/// Whole images that share a group.
fn images_per_group(samples: usize) -> usize {
    (GROUP_ROWS / samples).max(1)
}

/// Images of each wave of a batch, in whole groups: as few waves as possible, as equal as groups allow.
fn images_per_wave(images: usize, samples: usize) -> usize {
    let per_group = images_per_group(samples);
    let rows = WAVE_ROWS_PER_THREAD * rayon::current_num_threads();
    let most = (rows / (per_group * samples)).max(1);
    let groups = images.div_ceil(per_group);
    groups.div_ceil(groups.div_ceil(most)) * per_group
}
