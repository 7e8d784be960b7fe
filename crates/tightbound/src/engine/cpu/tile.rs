//! Take a few rows, each one sample of one image, through the decoder and back.
//!
//! A tile is what one core works on at a time: 64 rows, which with the layer they meet fit its cache.
//! Nothing in a row depends on the other rows, so it does not matter which core takes which tile.

use std::ops::Range;

use super::encoder::EncoderPass;
use super::kernels::{
    ActivationBackward, ActivationForward, Bernoulli, DrawLatents, KernelPath, ScaleRows, pad,
};
use super::layer::PanelRows;
use super::model::PackedModel;
use crate::engine::Noise;

/// Most rows of a tile.
pub(super) const TILE_ROWS: usize = 64;
/// Images that go through the encoder together.
pub(super) const ENCODE_IMAGES: usize = 16;

/// One sample of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The image's position in its batch.
    pub(super) image: usize,
    /// The sample's number.
    pub(super) sample: u32,
}

/// A row of another tile, and its coefficients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    /// Number of the row, counted through all tiles of a wave.
    pub(super) row: usize,
    /// a: scales the row where decoder weights are summed.
    pub(super) a: f32,
    /// b: scales the row where its path leaves the decoder at z.
    pub(super) b: f32,
}

/// What all tiles of a batch read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) path: KernelPath,
    pub(super) model: &'a PackedModel,
    /// Numbers of the batch's images in their data set.
    pub(super) ids: &'a [u32],
    /// The encoder's state, [`ENCODE_IMAGES`] images each.
    pub(super) passes: &'a [EncoderPass],
    pub(super) noise: Noise,
}

/// Up to [`TILE_ROWS`] rows and everything the backward pass needs of them. Rows are padded to whole
/// vectors.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) rows: Vec<Row>,
    /// Inputs of the decoder's layers; `inputs[0]` is z.
    inputs: Vec<Vec<f32>>,
    /// ε, `[rows, pad(L)]`.
    epsilon: Vec<f32>,
    /// Gradients at the outputs of the layers. The last are logits first, then x − sigmoid(logit).
    deltas: Vec<Vec<f32>>,
    /// `inputs` times a.
    scaled: Vec<Vec<f32>>,
    /// ∂z log p(x|z), `[rows, pad(L)]`.
    d_z: Vec<f32>,
    /// log w of each row.
    pub(super) log_weights: Vec<f64>,
    log_ratio: Vec<f64>,
    samples: Vec<u32>,
    a: Vec<f32>,
    pub(super) b: Vec<f32>,
}

impl Tile {
    /// An empty tile for `model`.
    pub(super) fn new(model: &PackedModel) -> Self {
        let latents = vec![0.0; TILE_ROWS * pad(model.latents)];
        let inputs: Vec<Vec<f32>> =
            model.decoder.iter().map(|l| vec![0.0; TILE_ROWS * l.input_stride()]).collect();
        let outputs = model.decoder.iter().map(|l| vec![0.0; TILE_ROWS * l.output_stride()]);
        Self {
            rows: Vec::with_capacity(TILE_ROWS),
            scaled: inputs.clone(),
            inputs,
            epsilon: latents.clone(),
            deltas: outputs.collect(),
            d_z: latents,
            log_weights: Vec::with_capacity(TILE_ROWS),
            log_ratio: vec![0.0; TILE_ROWS],
            samples: Vec::with_capacity(TILE_ROWS),
            a: Vec::with_capacity(TILE_ROWS),
            b: Vec::with_capacity(TILE_ROWS),
        }
    }

    /// Takes `rows` forward: latents, logits, log w and x − sigmoid(logit).
    pub(super) fn forward(&mut self, context: Context<'_>, rows: impl Iterator<Item = Row>) {
        let Context { path, model, .. } = context;
        self.draw(context, rows);
        self.decode(path, model);
        let pixels = pad(model.pixels);
        let logits = self.deltas.last_mut().expect("a decoder has a layer");
        for (image, range) in runs(&self.rows) {
            let (pass, position) = pass_of(context.passes, image);
            let log_likelihood = &mut self.log_weights[range.clone()];
            path.run(Bernoulli {
                pixels: model.pixels,
                x: pass.pixels(position, pixels),
                logits: &mut logits[elements(range.clone(), pixels)],
                log_likelihood,
            });
            let log_sd = pass.log_sd(position, model.latents);
            for (out, ratio) in log_likelihood.iter_mut().zip(&self.log_ratio[range]) {
                *out += ratio + log_sd;
            }
        }
    }

    /// Draws ε and z of `rows`.
    pub(super) fn draw(&mut self, context: Context<'_>, rows: impl Iterator<Item = Row>) {
        let Context { path, model, ids, passes, noise } = context;
        self.rows.clear();
        self.rows.extend(rows);
        self.log_weights.resize(self.rows.len(), 0.0);
        let stride = pad(model.latents);
        self.samples.clear();
        self.samples.extend(self.rows.iter().map(|row| row.sample));
        for (image, range) in runs(&self.rows) {
            let own = elements(range.clone(), stride);
            let (pass, position) = pass_of(passes, image);
            let posterior = elements(position..position + 1, stride);
            path.run(DrawLatents {
                latents: model.latents,
                noise,
                image: ids[image],
                samples: &self.samples[range.clone()],
                mean: &pass.mean[posterior.clone()],
                sd: &pass.sd[posterior],
                epsilon: &mut self.epsilon[own.clone()],
                z: &mut self.inputs[0][own],
                log_ratio: &mut self.log_ratio[range],
            });
        }
    }

    /// Takes the rows' z to their logits.
    fn decode(&mut self, path: KernelPath, model: &PackedModel) {
        let rows = self.rows.len();
        for (i, layer) in model.decoder.iter().enumerate() {
            let (before, after) = self.inputs.split_at_mut(i + 1);
            let x = &before[i][..rows * layer.input_stride()];
            let y = match after.first_mut() {
                Some(h) => &mut h[..rows * layer.output_stride()],
                None => &mut self.deltas[i][..rows * layer.output_stride()],
            };
            layer.forward(path, x, y);
            if i + 1 < model.decoder.len() {
                path.run(ActivationForward { activation: model.activation, h: y });
            }
        }
    }

    /// Takes points `z` `[n, L]`, n ≤ [`TILE_ROWS`], to their logits `[n, pad(D)]`.
    pub(super) fn decode_points(
        &mut self,
        path: KernelPath,
        model: &PackedModel,
        z: &[f32],
    ) -> &mut [f32] {
        let count = z.len() / model.latents;
        self.rows.clear();
        self.rows.resize(count, Row { image: 0, sample: 0 });
        let to = self.inputs[0].chunks_exact_mut(pad(model.latents));
        for (to, from) in to.zip(z.chunks_exact(model.latents)) {
            to[..model.latents].copy_from_slice(from);
        }
        self.decode(path, model);
        let logits = self.deltas.last_mut().expect("a decoder has a layer");
        &mut logits[..count * pad(model.pixels)]
    }

    /// Becomes the picked rows of other tiles, which are all full but the last.
    pub(super) fn gather(&mut self, from: &[Self], picks: &[Pick]) {
        self.rows.clear();
        let last = self.deltas.len() - 1;
        for (to, pick) in picks.iter().enumerate() {
            let (tile, row) = (&from[pick.row / TILE_ROWS], pick.row % TILE_ROWS);
            self.rows.push(tile.rows[row]);
            copy_row(&tile.epsilon, row, &mut self.epsilon, to);
            copy_row(&tile.deltas[last], row, &mut self.deltas[last], to);
            for (source, target) in tile.inputs.iter().zip(&mut self.inputs) {
                copy_row(source, row, target, to);
            }
        }
    }

    /// Gives the rows their coefficients, one pick per row.
    pub(super) fn set_coefficients(&mut self, picks: &[Pick]) {
        self.a.clear();
        self.a.extend(picks.iter().map(|pick| pick.a));
        self.b.clear();
        self.b.extend(picks.iter().map(|pick| pick.b));
    }

    /// The rows' images, each with the range of its neighbouring rows.
    pub(super) fn runs(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        runs(&self.rows)
    }

    /// Takes the rows back to z. The chain is unscaled: a enters in `scaled`, b at z.
    pub(super) fn backward(&mut self, path: KernelPath, model: &PackedModel) {
        let rows = self.rows.len();
        for (i, layer) in model.decoder.iter().enumerate().rev() {
            let stride = layer.input_stride();
            let x = &self.inputs[i][..rows * stride];
            let out = &mut self.scaled[i][..rows * stride];
            path.run(ScaleRows { scale: &self.a, stride, x, out });
            let (before, after) = self.deltas.split_at_mut(i);
            let d = &after[0][..rows * layer.output_stride()];
            match before.last_mut() {
                None => layer.backward(path, d, &mut self.d_z[..rows * stride]),
                Some(d_h) => {
                    let d_h = &mut d_h[..rows * stride];
                    layer.backward(path, d, d_h);
                    let activation = model.activation;
                    path.run(ActivationBackward { activation, h: x, d: d_h });
                }
            }
        }
    }

    /// What the gradient of decoder layer `i` sums.
    pub(super) fn panel_rows(&self, i: usize) -> PanelRows<'_> {
        PanelRows { scale: &self.a, delta: &self.deltas[i], scaled_input: &self.scaled[i] }
    }

    /// ε of some rows, `[rows, pad(L)]`.
    pub(super) fn epsilon(&self, model: &PackedModel, rows: Range<usize>) -> &[f32] {
        &self.epsilon[elements(rows, pad(model.latents))]
    }

    /// ∂z log p(x|z), z and ε of some rows, `[rows, pad(L)]` each.
    pub(super) fn latents(&self, model: &PackedModel, rows: Range<usize>) -> [&[f32]; 3] {
        let own = elements(rows, pad(model.latents));
        [&self.d_z, &self.inputs[0], &self.epsilon].map(|buffer| &buffer[own.clone()])
    }
}

/// The images of `rows`, each with the range of its neighbouring rows.
fn runs(rows: &[Row]) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut first = 0;
    rows.chunk_by(|one, next| one.image == next.image).map(move |same| {
        let range = first..first + same.len();
        first = range.end;
        (same[0].image, range)
    })
}

/// Elements of some rows in a buffer of rows of length `stride`.
fn elements(rows: Range<usize>, stride: usize) -> Range<usize> {
    rows.start * stride..rows.end * stride
}

/// The pass that holds image `image` of the batch, and its row there.
fn pass_of(passes: &[EncoderPass], image: usize) -> (&EncoderPass, usize) {
    (&passes[image / ENCODE_IMAGES], image % ENCODE_IMAGES)
}

/// Copies a row between buffers of [`TILE_ROWS`] rows.
fn copy_row(source: &[f32], row: usize, target: &mut [f32], to: usize) {
    let stride = source.len() / TILE_ROWS;
    target[to * stride..(to + 1) * stride]
        .copy_from_slice(&source[row * stride..(row + 1) * stride]);
}
