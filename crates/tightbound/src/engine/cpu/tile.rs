//! Take samples, as rows, through the decoder: forward, keep those that matter, backward.
//!
//! A tile is small enough to stay in a core's cache. Rows of several images share it, so that the
//! backward pass has enough of them to be efficient after most of each image's rows were dropped.

use super::encoder::EncoderPass;
use super::kernels::{
    ActivationBackward, ActivationForward, Bernoulli, DrawLatents, KernelPath, PosteriorGradient,
    ScaleRows, Start, pad,
};
use super::model::{ModelGradient, PackedModel};
use crate::engine::Noise;

/// Most rows of a tile: 192 rows of 784 residuals are 600 KB.
pub(super) const TILE_ROWS: usize = 192;

/// Rows in flight and everything the backward pass needs of them. Rows are padded to whole vectors.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    /// Rows that wait for the backward pass; they are the first ones.
    filled: usize,
    /// Inputs of the decoder's layers; `inputs[0]` is z, `[TILE_ROWS, pad(L)]`.
    inputs: Vec<Vec<f32>>,
    /// Logits, then residuals x − sigmoid(logit), `[TILE_ROWS, pad(D)]`.
    residual: Vec<f32>,
    /// ε, `[TILE_ROWS, pad(L)]`.
    epsilon: Vec<f32>,
    /// Position of each filled row's image in its shard.
    image: Vec<usize>,
    /// a of each filled row.
    a: Vec<f32>,
    /// b of each filled row.
    b: Vec<f32>,
    log_likelihood: Vec<f64>,
    log_ratio: Vec<f64>,
    /// Rows of a layer's input times a.
    scaled: Vec<f32>,
    /// Gradients at a layer's output and at its input.
    d: [Vec<f32>; 2],
}

/// One image, as its samples see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct EncodedImage<'a> {
    /// The image's number in its data set.
    pub(super) id: u32,
    /// x, `[pad(D)]`.
    pub(super) pixels: &'a [f32],
    /// μ, `[pad(L)]`.
    pub(super) mean: &'a [f32],
    /// σ, `[pad(L)]`.
    pub(super) sd: &'a [f32],
}

impl<'a> EncodedImage<'a> {
    /// Image `i` of a pass.
    pub(super) fn new(model: &PackedModel, pass: &'a EncoderPass, i: usize, id: u32) -> Self {
        let stride = pad(model.latents);
        let row = i * stride..(i + 1) * stride;
        let pixels = pass.pixels(i, pad(model.pixels));
        Self { id, pixels, mean: &pass.mean[row.clone()], sd: &pass.sd[row] }
    }

    /// Σ_l log σ, the part of log w that all samples share.
    pub(super) fn log_sd(&self, latents: usize) -> f64 {
        self.sd[..latents].iter().map(|&sd| libm::log(f64::from(sd))).sum()
    }
}

impl Tile {
    /// An empty tile for `model`.
    pub(super) fn new(model: &PackedModel) -> Self {
        let inputs: Vec<Vec<f32>> =
            model.decoder.iter().map(|l| vec![0.0; TILE_ROWS * l.input_stride()]).collect();
        let widest = inputs.iter().map(Vec::len).max().unwrap_or(0);
        Self {
            filled: 0,
            inputs,
            residual: vec![0.0; TILE_ROWS * pad(model.pixels)],
            epsilon: vec![0.0; TILE_ROWS * pad(model.latents)],
            image: Vec::with_capacity(TILE_ROWS),
            a: Vec::with_capacity(TILE_ROWS),
            b: Vec::with_capacity(TILE_ROWS),
            log_likelihood: vec![0.0; TILE_ROWS],
            log_ratio: vec![0.0; TILE_ROWS],
            scaled: vec![0.0; widest],
            d: [vec![0.0; widest], vec![0.0; widest]],
        }
    }

    /// Rows that can still be added before [`backward`](Self::backward) must be called.
    pub(super) fn room(&self) -> usize {
        TILE_ROWS - self.filled
    }

    /// Takes the numbered `samples` of one image forward, in the rows after the filled ones, and
    /// adds log w − Σ log σ to `log_weights`, one element per sample.
    pub(super) fn forward(
        &mut self,
        path: KernelPath,
        model: &PackedModel,
        noise: Noise,
        image: EncodedImage<'_>,
        samples: &[u32],
        log_weights: &mut [f64],
    ) {
        let (first, rows) = (self.filled, samples.len());
        let latents = row_range(first, rows, pad(model.latents));
        path.run(DrawLatents {
            latents: model.latents,
            noise,
            image: image.id,
            samples,
            mean: image.mean,
            sd: image.sd,
            epsilon: &mut self.epsilon[latents.clone()],
            z: &mut self.inputs[0][latents],
            log_ratio: &mut self.log_ratio[..rows],
        });
        let logits = self.decode(path, model, rows);
        path.run(Bernoulli {
            pixels: model.pixels,
            x: image.pixels,
            logits: &mut self.residual[logits],
            log_likelihood: &mut self.log_likelihood[..rows],
        });
        let parts = self.log_likelihood.iter().zip(&self.log_ratio);
        for (out, (likelihood, ratio)) in log_weights.iter_mut().zip(parts) {
            *out += likelihood + ratio;
        }
    }

    /// Takes `rows` rows of z after the filled ones to their logits; returns where these are.
    fn decode(
        &mut self,
        path: KernelPath,
        model: &PackedModel,
        rows: usize,
    ) -> std::ops::Range<usize> {
        let (output, hidden) = model.decoder_output();
        for (i, layer) in hidden.iter().enumerate() {
            let (before, after) = self.inputs.split_at_mut(i + 1);
            let x = &before[i][row_range(self.filled, rows, layer.input_stride())];
            let h = &mut after[0][row_range(self.filled, rows, layer.output_stride())];
            layer.forward(path, x, h);
            path.run(ActivationForward { activation: model.activation, h });
        }
        let x = &self.inputs[hidden.len()];
        let logits = row_range(self.filled, rows, output.output_stride());
        output.forward(
            path,
            &x[row_range(self.filled, rows, output.input_stride())],
            &mut self.residual[logits.clone()],
        );
        logits
    }

    /// Takes points `z` `[rows, L]` to their logits `[rows, pad(D)]`, at most [`TILE_ROWS`] at once.
    pub(super) fn decode_points(
        &mut self,
        path: KernelPath,
        model: &PackedModel,
        z: &[f32],
    ) -> &mut [f32] {
        let rows = z.len() / model.latents;
        let to = self.inputs[0].chunks_exact_mut(pad(model.latents));
        for (to, from) in to.zip(z.chunks_exact(model.latents)) {
            to[..model.latents].copy_from_slice(from);
        }
        let logits = self.decode(path, model, rows);
        &mut self.residual[logits]
    }

    /// ε of the `rows` rows after the filled ones, `[rows, pad(L)]`.
    pub(super) fn epsilon(&self, model: &PackedModel, rows: usize) -> &[f32] {
        &self.epsilon[row_range(self.filled, rows, pad(model.latents))]
    }

    /// Keeps some of the rows that [`forward`](Self::forward) has just computed: row `kept[i]` of
    /// them becomes the next filled row, with coefficients `a[kept[i]]` and `b[kept[i]]`.
    pub(super) fn keep(
        &mut self,
        model: &PackedModel,
        image: usize,
        kept: impl Iterator<Item = usize>,
        a: &[f64],
        b: &[f64],
    ) {
        let first = self.filled;
        for row in kept {
            let (from, to) = (first + row, self.filled);
            if from != to {
                copy_row(&mut self.residual, pad(model.pixels), from, to);
                copy_row(&mut self.epsilon, pad(model.latents), from, to);
                for (inputs, layer) in self.inputs.iter_mut().zip(&model.decoder) {
                    copy_row(inputs, layer.input_stride(), from, to);
                }
            }
            self.image.push(image);
            self.a.push(a[row] as f32);
            self.b.push(b[row] as f32);
            self.filled += 1;
        }
    }

    /// Adds the filled rows to the decoder's gradient and to the gradients at μ and σ of their
    /// images, and empties the tile.
    pub(super) fn backward(
        &mut self,
        path: KernelPath,
        model: &PackedModel,
        pass: &mut EncoderPass,
        gradient: &mut ModelGradient,
    ) {
        let rows = self.filled;
        if rows == 0 {
            return;
        }
        let Self { inputs, residual, epsilon, image, a, b, scaled, d: [d_y, d_x], .. } = self;
        for (i, layer) in model.decoder.iter().enumerate().rev() {
            let stride = layer.input_stride();
            let x = &inputs[i][..rows * stride];
            let d = if i + 1 == model.decoder.len() { &residual[..] } else { &d_y[..] };
            let d = &d[..rows * layer.output_stride()];
            // The chain is unscaled; a enters where rows are summed.
            let scaled = &mut scaled[..rows * stride];
            path.run(ScaleRows { scale: a, stride, x, out: scaled });
            gradient.decoder[i].add(path, a, d, scaled);
            let d_x_rows = &mut d_x[..rows * stride];
            layer.backward(path, d, Start::Zero, d_x_rows);
            if i > 0 {
                path.run(ActivationBackward { activation: model.activation, h: x, d: d_x_rows });
            }
            std::mem::swap(d_y, d_x);
        }
        let stride = pad(model.latents);
        let mut first = 0;
        for same in image.chunk_by(|one, next| one == next) {
            let of_image = row_range(same[0], 1, stride);
            let own = row_range(first, same.len(), stride);
            path.run(PosteriorGradient {
                b: &b[first..first + same.len()],
                d_z: &d_y[own.clone()],
                z: &inputs[0][own.clone()],
                epsilon: &epsilon[own],
                d_mean: &mut pass.d_mean[of_image.clone()],
                d_sd: &mut pass.d_sd[of_image],
            });
            first += same.len();
        }
        self.clear();
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.filled = 0;
        self.image.clear();
        self.a.clear();
        self.b.clear();
    }
}

/// Elements of rows `first` … in a buffer of rows of length `stride`.
fn row_range(first: usize, rows: usize, stride: usize) -> std::ops::Range<usize> {
    first * stride..(first + rows) * stride
}

/// Copies one row of a buffer over another.
fn copy_row(buffer: &mut [f32], stride: usize, from: usize, to: usize) {
    buffer.copy_within(row_range(from, 1, stride), to * stride);
}
