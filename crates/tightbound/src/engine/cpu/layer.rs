//! Run one affine layer on rows: forward, backward to its input, backward to its parameters.
//!
//! Rows are padded to whole vectors. Padding in weights is zero, so padding in results is zero or is
//! multiplied by zero later.

use super::kernels::{
    Buffer, Gemm, KernelPath, ScaleInto, Start, Transpose, WeightedColumnSums, pad,
};
use crate::model::Layer;

/// Longest blocks of products going forward. Rounding of the logits is what moves log-weights, and with
/// them every gradient: on a trained model, sums of 100 terms double the error of sums of 67.
const FORWARD_BLOCK: usize = 72;
/// Longest blocks of all other products: 208 · 48 floats of B, 40 KB, fit the L1 cache of newer
/// processors.
const BLOCK: usize = 208;

/// A layer's parameters, copied once per call into the layouts that the kernels want.
#[derive(Clone, Debug)]
pub(super) struct PackedLayer {
    inputs: usize,
    outputs: usize,
    /// W, `[outputs, pad(inputs)]`, for the backward pass; empty if there is none.
    weight: Buffer,
    /// Wᵀ, `[inputs, pad(outputs)]`, for the forward pass.
    transposed: Buffer,
    /// b, `[pad(outputs)]`.
    bias: Buffer,
}

impl PackedLayer {
    /// Room for the parameters of `layer`. The first layer of a network has nobody to pass a
    /// gradient to, so `backward` is false there and W is not kept.
    pub(super) fn new(layer: &Layer, backward: bool) -> Self {
        let rows = if backward { layer.outputs } else { 0 };
        Self {
            inputs: layer.inputs,
            outputs: layer.outputs,
            weight: Buffer::zeros(rows * pad(layer.inputs)),
            transposed: Buffer::zeros(layer.inputs * pad(layer.outputs)),
            bias: Buffer::zeros(pad(layer.outputs)),
        }
    }

    /// Copies W `[outputs, inputs]` and b `[outputs]`.
    pub(super) fn pack(&mut self, path: KernelPath, weight: &[f32], bias: &[f32]) {
        let rows = self.weight.chunks_exact_mut(pad(self.inputs));
        for (to, from) in rows.zip(weight.chunks_exact(self.inputs)) {
            to[..self.inputs].copy_from_slice(from);
        }
        path.run(Transpose { columns: self.inputs, from: weight, to: &mut self.transposed });
        self.bias[..self.outputs].copy_from_slice(bias);
    }

    /// Length of an input row.
    pub(super) fn input_stride(&self) -> usize {
        pad(self.inputs)
    }

    /// Length of an output row.
    pub(super) fn output_stride(&self) -> usize {
        pad(self.outputs)
    }

    /// y `[rows, pad(outputs)]` ← x `[rows, pad(inputs)]` · Wᵀ + b.
    pub(super) fn forward(&self, path: KernelPath, x: &[f32], y: &mut [f32]) {
        path.run(Gemm {
            m: y.len() / self.output_stride(),
            k: self.inputs,
            n: self.output_stride(),
            a: x,
            a_strides: (self.input_stride(), 1),
            b: &self.transposed,
            b_stride: self.output_stride(),
            c: y,
            c_stride: self.output_stride(),
            start: Start::Row(&self.bias),
            block: FORWARD_BLOCK,
        });
    }

    /// d_x `[rows, pad(inputs)]` ← d_y `[rows, pad(outputs)]` · W.
    pub(super) fn backward(&self, path: KernelPath, d_y: &[f32], d_x: &mut [f32]) {
        self.backward_from(path, d_y, Start::Zero, d_x);
    }

    /// d_x `[rows, pad(inputs)]` ← `start` + d_y `[rows, pad(outputs)]` · W.
    pub(super) fn backward_from(
        &self,
        path: KernelPath,
        d_y: &[f32],
        start: Start<'_>,
        d_x: &mut [f32],
    ) {
        path.run(Gemm {
            m: d_x.len() / self.input_stride(),
            k: self.outputs,
            n: self.input_stride(),
            a: d_y,
            a_strides: (self.output_stride(), 1),
            b: &self.weight,
            b_stride: self.input_stride(),
            c: d_x,
            c_stride: self.input_stride(),
            start,
            block: BLOCK,
        });
    }
}

/// The gradient of one layer's parameters, rows padded as in [`PackedLayer`].
#[derive(Clone, Debug)]
pub(super) struct LayerGradient {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// d_W, `[outputs, pad(inputs)]`; the padding is not defined.
    weight: Buffer,
    /// d_b, `[pad(outputs)]`.
    bias: Buffer,
}

/// Some outputs of a layer, whose gradients one core sums. Every element is a sum over rows in their
/// order, so the cut into panels changes nothing.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    inputs: usize,
    stride: usize,
    /// First output of the panel.
    first: usize,
    outputs: usize,
    weight: &'a mut [f32],
    bias: &'a mut [f32],
}

/// Rows whose outer products a panel adds up.
#[derive(Clone, Copy, Debug)]
pub(super) struct PanelRows<'a> {
    /// Factor of each row: its a in the decoder, 1 in the encoder.
    pub(super) scale: &'a [f32],
    /// Gradient at the layer's outputs, `[rows, pad(outputs)]`.
    pub(super) delta: &'a [f32],
    /// The layer's input times the factor, `[rows, pad(inputs)]`.
    pub(super) scaled_input: &'a [f32],
}

impl LayerGradient {
    /// Room for the gradient of `layer`.
    pub(super) fn new(layer: &Layer) -> Self {
        Self {
            inputs: layer.inputs,
            outputs: layer.outputs,
            weight: Buffer::zeros(layer.outputs * pad(layer.inputs)),
            bias: Buffer::zeros(pad(layer.outputs)),
        }
    }

    /// Sets it to zero.
    pub(super) fn clear(&mut self) {
        self.weight.fill(0.0);
        self.bias.fill(0.0);
    }

    /// All of it.
    pub(super) fn whole(&mut self) -> Panel<'_> {
        let Self { inputs, outputs, weight, bias } = self;
        let stride = bias.len();
        Panel { inputs: *inputs, outputs: *outputs, stride, first: 0, weight, bias }
    }
}

impl Panel<'_> {
    /// Number of outputs.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Multiplications that one row makes.
    pub(super) fn work(&self) -> usize {
        self.outputs * pad(self.inputs)
    }

    /// Cuts after `outputs` outputs, a multiple of 16; the second part may be empty.
    pub(super) fn split_at(self, outputs: usize) -> (Self, Self) {
        let outputs = outputs.min(self.outputs);
        let (weight, more_weight) = self.weight.split_at_mut(outputs * pad(self.inputs));
        let (bias, more_bias) = self.bias.split_at_mut(pad(outputs));
        let first = Self { outputs, weight, bias, ..self };
        let second = Self {
            first: self.first + outputs,
            outputs: self.outputs - outputs,
            weight: more_weight,
            bias: more_bias,
            ..first
        };
        (first, second)
    }

    /// Adds Σ_r scale\[r\] · delta\[r\] x\[r\]ᵀ of some rows; `fresh` sets the sum to zero before.
    pub(super) fn add(&mut self, path: KernelPath, rows: PanelRows<'_>, fresh: bool) {
        let n = pad(self.inputs);
        if fresh {
            self.bias.fill(0.0);
        }
        path.run(Gemm {
            m: self.outputs,
            k: rows.scale.len(),
            n,
            a: &rows.delta[self.first..],
            a_strides: (1, self.stride),
            b: rows.scaled_input,
            b_stride: n,
            c: self.weight,
            c_stride: n,
            start: if fresh { Start::Zero } else { Start::Accumulate },
            block: BLOCK,
        });
        path.run(WeightedColumnSums {
            weights: rows.scale,
            stride: self.stride,
            x: &rows.delta[self.first..],
            sums: self.bias,
        });
    }

    /// Writes `scale` times the sums into the flat gradient: weights `[outputs, inputs]` and biases.
    /// False if an element is not finite.
    pub(super) fn write(
        &self,
        path: KernelPath,
        scale: f32,
        weight: &mut [f32],
        bias: &mut [f32],
    ) -> bool {
        let padded = pad(self.inputs);
        let mut finite = path.run(ScaleInto { scale, x: &self.bias[..bias.len()], out: bias });
        if padded == self.inputs {
            return finite & path.run(ScaleInto { scale, x: self.weight, out: weight });
        }
        let rows = self.weight.chunks_exact(padded);
        for (from, out) in rows.zip(weight.chunks_exact_mut(self.inputs)) {
            finite &= path.run(ScaleInto { scale, x: &from[..self.inputs], out });
        }
        finite
    }
}
