//! Take the samples of a few images through the decoder and back.
//!
//! A group holds all samples of some images, or some samples of one, as rows one after the other. On
//! their way through the decoder rows do not see each other, so any core may take any of them.

use std::ops::Range;

use super::chain::{LayerRows, decode, decode_backward};
use super::encoder::Passes;
use super::kernels::{
    Bernoulli, BernoulliScore, Buffer, DrawLatents, KernelPath, PosteriorGradient, ScaleRows, pad,
};
use super::layer::{PackedLayer, PanelRows};
use super::model::PackedModel;
use super::prune::Pick;
use crate::engine::{LikelihoodGradient, Noise};

/// One sample of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The image's position in its batch.
    pub(super) image: usize,
    /// The sample's number.
    pub(super) sample: u32,
}

/// What all groups of a batch read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) path: KernelPath,
    pub(super) model: &'a PackedModel,
    /// Numbers of the batch's images in their data set.
    pub(super) ids: &'a [u32],
    pub(super) passes: &'a Passes,
    pub(super) noise: Noise,
    /// Most rows that one core takes at a time.
    pub(super) piece: usize,
}

/// What all groups of points read.
#[derive(Clone, Copy, Debug)]
pub(super) struct PointContext<'a> {
    pub(super) path: KernelPath,
    pub(super) model: &'a PackedModel,
    /// x, `[B, pad(D)]`, zero beyond D.
    pub(super) x: &'a [f32],
    /// C, points per image.
    pub(super) chains: usize,
}

/// Rows, and everything that the backward pass needs of them. Rows of buffers are padded to whole
/// vectors.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// The rows' images.
    images: Vec<usize>,
    /// The rows' samples.
    samples: Vec<u32>,
    /// Inputs of the decoder's layers; `inputs[0]` is z. [`backward`](Self::backward) multiplies them
    /// by a.
    inputs: Vec<Buffer>,
    /// ε, `[rows, pad(L)]`.
    epsilon: Buffer,
    /// Gradients at the outputs of the layers. The last are logits first, then x − sigmoid(logit).
    deltas: Vec<Buffer>,
    /// ∂z log p(x|z), `[rows, pad(L)]`.
    d_z: Buffer,
    log_ratio: Vec<f64>,
    log_weights: Vec<f64>,
    a: Vec<f32>,
    b: Vec<f32>,
    /// Gradient at μ of each image, `[images, pad(L)]`, without the terms that need no decoder.
    d_mean: Buffer,
    /// The same at σ.
    d_sd: Buffer,
}

impl Group {
    /// Takes `rows` forward: latents, logits, log w and x − sigmoid(logit).
    pub(super) fn forward(&mut self, context: Context<'_>, rows: impl Iterator<Item = Row>) {
        self.set_rows(context.model, rows);
        let forward = |rows: Rows<'_>| rows.forward(context, |task| context.path.run(task));
        self.all_rows(context.model).each(context.piece, &forward);
    }

    /// Takes `rows` forward for their log w alone.
    pub(super) fn score(&mut self, context: Context<'_>, rows: impl Iterator<Item = Row>) {
        self.set_rows(context.model, rows);
        let score =
            |rows: Rows<'_>| rows.forward(context, |task| context.path.run(BernoulliScore(task)));
        self.all_rows(context.model).each(context.piece, &score);
    }

    /// Draws ε and z of `rows`.
    pub(super) fn draw(&mut self, context: Context<'_>, rows: impl Iterator<Item = Row>) {
        self.set_rows(context.model, rows);
        self.all_rows(context.model).each(context.piece, &|mut rows| rows.draw(context));
    }

    /// Takes points `z` `[n, L]` to their logits `[n, pad(D)]`.
    pub(super) fn decode(
        &mut self,
        path: KernelPath,
        model: &PackedModel,
        z: &[f32],
    ) -> &mut [f32] {
        let count = z.len() / model.latents;
        self.place(model, std::iter::repeat_n(0, count), z);
        decode(path, model, &mut self.all_rows(model).layers);
        let logits = self.deltas.last_mut().expect("a decoder has a layer");
        &mut logits[..count * pad(model.pixels)]
    }

    /// Takes points `z` `[n, L]`, the first of which is number `first` of all `[B, C]`, to
    /// log p(x|z) `[n]` and ∂z log p(x|z) `[n, L]`.
    pub(super) fn differentiate(
        &mut self,
        context: PointContext<'_>,
        first: usize,
        z: &[f32],
        out: LikelihoodGradient<'_, f32>,
    ) {
        let PointContext { path, model, x, chains } = context;
        let points = first..first + out.log_likelihood.len();
        self.place(model, points.map(|point| point / chains), z);
        let Rows { images, mut layers, d_z, .. } = self.all_rows(model);
        decode(path, model, &mut layers);
        let pixels = pad(model.pixels);
        for (image, rows) in runs(images) {
            let logits = &mut layers.last_mut().expect("a decoder has a layer").delta;
            path.run(Bernoulli {
                pixels: model.pixels,
                x: &x[elements(image..image + 1, pixels)],
                logits: &mut logits[elements(rows.clone(), pixels)],
                log_likelihood: &mut out.log_likelihood[rows],
            });
        }
        decode_backward(path, model, &mut layers, d_z, None);
        let rows = d_z.chunks_exact(pad(model.latents));
        for (to, from) in out.d_z.chunks_exact_mut(model.latents).zip(rows) {
            to.copy_from_slice(&from[..model.latents]);
        }
    }

    /// Makes rows of points `z` `[n, L]` of the numbered images.
    fn place(&mut self, model: &PackedModel, images: impl Iterator<Item = usize>, z: &[f32]) {
        self.set_rows(model, images.map(|image| Row { image, sample: 0 }));
        let to = self.inputs[0].chunks_exact_mut(pad(model.latents));
        for (to, from) in to.zip(z.chunks_exact(model.latents)) {
            to[..model.latents].copy_from_slice(from);
        }
    }

    fn set_rows(&mut self, model: &PackedModel, rows: impl Iterator<Item = Row>) {
        self.images.clear();
        self.samples.clear();
        for Row { image, sample } in rows {
            self.images.push(image);
            self.samples.push(sample);
        }
        let count = self.images.len();
        let latents = count * pad(model.latents);
        self.inputs.resize(model.decoder.len(), Buffer::default());
        self.deltas.resize(model.decoder.len(), Buffer::default());
        for (i, layer) in model.decoder.iter().enumerate() {
            self.inputs[i].hold(count * layer.input_stride());
            self.deltas[i].hold(count * layer.output_stride());
        }
        self.epsilon.hold(latents);
        self.d_z.hold(latents);
        self.log_ratio.resize(count, 0.0);
        self.log_weights.resize(count, 0.0);
        self.a.resize(count, 0.0);
        self.b.resize(count, 0.0);
    }

    /// log w of each row, in nats.
    pub(super) fn log_weights(&self) -> &[f64] {
        &self.log_weights
    }

    /// ε of some rows, `[rows, pad(L)]`.
    pub(super) fn epsilon(&self, model: &PackedModel, rows: Range<usize>) -> &[f32] {
        &self.epsilon[elements(rows, pad(model.latents))]
    }

    /// Keeps the picked rows, in ascending order, and gives them their coefficients.
    pub(super) fn keep(&mut self, model: &PackedModel, picks: &[Pick]) {
        for (to, pick) in picks.iter().enumerate() {
            self.images[to] = self.images[pick.row];
            self.samples[to] = self.samples[pick.row];
            self.log_weights[to] = self.log_weights[pick.row];
            self.a[to] = pick.a;
            self.b[to] = pick.b;
        }
        self.images.truncate(picks.len());
        self.samples.truncate(picks.len());
        self.log_weights.truncate(picks.len());
        let latents = pad(model.latents);
        let residuals = self.deltas.last_mut().expect("a decoder has a layer");
        let strides = model.decoder.iter().map(PackedLayer::input_stride);
        let buffers = self.inputs.iter_mut().zip(strides);
        let others = [(&mut self.epsilon, latents), (residuals, pad(model.pixels))];
        for (buffer, stride) in buffers.chain(others) {
            let moved = picks.iter().enumerate().skip_while(|(to, pick)| *to == pick.row);
            for (to, pick) in moved {
                buffer.copy_within(elements(pick.row..pick.row + 1, stride), to * stride);
            }
        }
    }

    /// Takes the rows back to z, sums what arrives there per image, and multiplies the inputs of the
    /// layers by a: the chain itself is unscaled.
    pub(super) fn backward(&mut self, context: Context<'_>) {
        let Context { path, model, piece, .. } = context;
        self.all_rows(model).each(piece, &|Rows { mut layers, d_z, a, .. }| {
            decode_backward(path, model, &mut layers, d_z, Some(a));
        });
        let latents = pad(model.latents);
        let images = runs(&self.images).count();
        self.d_mean.hold(images * latents);
        self.d_sd.hold(images * latents);
        self.d_mean.fill(0.0);
        self.d_sd.fill(0.0);
        for (image, (_, rows)) in runs(&self.images).enumerate() {
            let own = elements(rows.clone(), latents);
            path.run(PosteriorGradient {
                b: &self.b[rows],
                d_z: &self.d_z[own.clone()],
                z: &self.inputs[0][own.clone()],
                epsilon: &self.epsilon[own],
                d_mean: &mut self.d_mean[elements(image..image + 1, latents)],
                d_sd: &mut self.d_sd[elements(image..image + 1, latents)],
            });
        }
        let rows = self.images.len();
        let z = &mut self.inputs[0][..rows * latents];
        path.run(ScaleRows { scale: &self.a[..rows], stride: latents, x: z });
    }

    /// Images and the gradients at their μ and σ, `[pad(L)]` each.
    pub(super) fn posteriors(
        &self,
        model: &PackedModel,
    ) -> impl Iterator<Item = (usize, [&[f32]; 2])> {
        let images = runs(&self.images).map(|(image, _)| image);
        let stride = pad(model.latents);
        let d_sd = self.d_sd.chunks_exact(stride);
        images.zip(self.d_mean.chunks_exact(stride).zip(d_sd).map(|(mean, sd)| [mean, sd]))
    }

    /// What the gradient of decoder layer `i` sums.
    pub(super) fn panel_rows(&self, i: usize) -> PanelRows<'_> {
        let scale = &self.a[..self.images.len()];
        PanelRows { scale, delta: &self.deltas[i], scaled_input: &self.inputs[i] }
    }

    fn all_rows(&mut self, model: &PackedModel) -> Rows<'_> {
        let count = self.images.len();
        let latents = count * pad(model.latents);
        let layers = self.inputs.iter_mut().zip(&mut self.deltas).zip(&model.decoder);
        Rows {
            images: &self.images,
            samples: &self.samples,
            layers: layers
                .map(|((input, delta), layer)| LayerRows {
                    input: &mut input[..count * layer.input_stride()],
                    delta: &mut delta[..count * layer.output_stride()],
                })
                .collect(),
            epsilon: &mut self.epsilon[..latents],
            d_z: &mut self.d_z[..latents],
            log_ratio: &mut self.log_ratio[..count],
            log_weights: &mut self.log_weights,
            a: &self.a[..count],
        }
    }
}

/// Some neighbouring rows of a group.
#[derive(Debug)]
struct Rows<'a> {
    images: &'a [usize],
    samples: &'a [u32],
    layers: Vec<LayerRows<'a>>,
    epsilon: &'a mut [f32],
    d_z: &'a mut [f32],
    log_ratio: &'a mut [f64],
    log_weights: &'a mut [f64],
    a: &'a [f32],
}

impl Rows<'_> {
    /// Cuts the rows into pieces of at most `piece`, and works on them on all cores that are free.
    fn each(self, piece: usize, work: &(impl Fn(Rows<'_>) + Sync)) {
        let count = self.images.len();
        if count <= piece {
            return work(self);
        }
        let half = (count / 2).next_multiple_of(8).min(count - 1);
        let (first, second) = self.split_at(half);
        rayon::join(|| first.each(piece, work), || second.each(piece, work));
    }

    fn split_at(self, row: usize) -> (Self, Self) {
        let count = self.images.len();
        let (images, more_images) = self.images.split_at(row);
        let (samples, more_samples) = self.samples.split_at(row);
        let (epsilon, more_epsilon) = split_rows(self.epsilon, row, count);
        let (d_z, more_d_z) = split_rows(self.d_z, row, count);
        let (log_ratio, more_log_ratio) = self.log_ratio.split_at_mut(row);
        let (log_weights, more_log_weights) = self.log_weights.split_at_mut(row);
        let (a, more_a) = self.a.split_at(row);
        let layers = self.layers.into_iter().map(|LayerRows { input, delta }| {
            let (input, more_input) = split_rows(input, row, count);
            let (delta, more_delta) = split_rows(delta, row, count);
            (LayerRows { input, delta }, LayerRows { input: more_input, delta: more_delta })
        });
        let (layers, more_layers) = layers.unzip();
        let first = Self { images, samples, layers, epsilon, d_z, log_ratio, log_weights, a };
        let second = Self {
            images: more_images,
            samples: more_samples,
            layers: more_layers,
            epsilon: more_epsilon,
            d_z: more_d_z,
            log_ratio: more_log_ratio,
            log_weights: more_log_weights,
            a: more_a,
        };
        (first, second)
    }

    /// Takes the rows to log w, with what `likelihood` leaves of their logits.
    fn forward(mut self, context: Context<'_>, likelihood: impl Fn(Bernoulli<'_>)) {
        let Context { path, model, .. } = context;
        self.draw(context);
        decode(path, model, &mut self.layers);
        let pixels = pad(model.pixels);
        let logits = &mut self.layers.last_mut().expect("a decoder has a layer").delta;
        for (image, rows) in runs(self.images) {
            let (pass, position) = context.passes.of(image);
            let log_likelihood = &mut self.log_weights[rows.clone()];
            likelihood(Bernoulli {
                pixels: model.pixels,
                x: pass.pixels(position, pixels),
                logits: &mut logits[elements(rows.clone(), pixels)],
                log_likelihood,
            });
            let log_sd = pass.log_sd(position, model.latents);
            for (out, ratio) in log_likelihood.iter_mut().zip(&self.log_ratio[rows]) {
                *out += ratio + log_sd;
            }
        }
    }

    fn draw(&mut self, context: Context<'_>) {
        let Context { path, model, ids, noise, .. } = context;
        let stride = pad(model.latents);
        for (image, rows) in runs(self.images) {
            let own = elements(rows.clone(), stride);
            let (pass, position) = context.passes.of(image);
            let posterior = elements(position..position + 1, stride);
            path.run(DrawLatents {
                latents: model.latents,
                noise,
                image: ids[image],
                samples: &self.samples[rows.clone()],
                mean: &pass.mean[posterior.clone()],
                sd: &pass.sd[posterior],
                epsilon: &mut self.epsilon[own.clone()],
                z: &mut self.layers[0].input[own],
                log_ratio: &mut self.log_ratio[rows],
            });
        }
    }
}

/// The images of some rows, each with the range of its neighbouring rows.
fn runs(images: &[usize]) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut first = 0;
    images.chunk_by(|one, next| one == next).map(move |same| {
        let range = first..first + same.len();
        first = range.end;
        (same[0], range)
    })
}

/// Cuts a buffer of `count` rows before row `at`.
fn split_rows(buffer: &mut [f32], at: usize, count: usize) -> (&mut [f32], &mut [f32]) {
    buffer.split_at_mut(buffer.len() / count * at)
}

/// Elements of some rows in a buffer of rows of length `stride`.
fn elements(rows: Range<usize>, stride: usize) -> Range<usize> {
    rows.start * stride..rows.end * stride
}
