//! Run one affine layer on rows: forward, backward to its input, backward to its parameters.
//!
//! Rows are padded to whole vectors. Padding in weights is zero, so padding in results is zero or is
//! multiplied by zero later.

use super::kernels::{Gemm, KernelPath, Start, Transpose, WeightedColumnSums, pad};
use crate::model::Layer;

/// A layer's parameters, copied once per call into the layouts that the kernels want.
#[derive(Clone, Debug)]
pub(super) struct PackedLayer {
    inputs: usize,
    outputs: usize,
    /// W, `[outputs, pad(inputs)]`, for the backward pass; empty if there is none.
    weight: Vec<f32>,
    /// Wᵀ, `[inputs, pad(outputs)]`, for the forward pass.
    transposed: Vec<f32>,
    /// b, `[pad(outputs)]`.
    bias: Vec<f32>,
}

impl PackedLayer {
    /// Room for the parameters of `layer`. The first layer of a network has nobody to pass a
    /// gradient to, so `backward` is false there and W is not kept.
    pub(super) fn new(layer: &Layer, backward: bool) -> Self {
        let rows = if backward { layer.outputs } else { 0 };
        Self {
            inputs: layer.inputs,
            outputs: layer.outputs,
            weight: vec![0.0; rows * pad(layer.inputs)],
            transposed: vec![0.0; layer.inputs * pad(layer.outputs)],
            bias: vec![0.0; pad(layer.outputs)],
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
        });
    }

    /// d_x `[rows, pad(inputs)]` ← d_y `[rows, pad(outputs)]` · W, or += where `start` says so.
    pub(super) fn backward(
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
        });
    }
}

/// The gradient of one layer's parameters, rows padded as in [`PackedLayer`].
#[derive(Clone, Debug)]
pub(super) struct LayerGradient {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// d_W, `[outputs, pad(inputs)]`; the padding is not defined.
    pub(super) weight: Vec<f32>,
    /// d_b, `[pad(outputs)]`.
    pub(super) bias: Vec<f32>,
    /// Whether nothing has been added yet; `weight` is then not defined.
    empty: bool,
}

impl LayerGradient {
    /// A gradient of zero.
    pub(super) fn new(layer: &Layer) -> Self {
        Self {
            inputs: layer.inputs,
            outputs: layer.outputs,
            weight: vec![0.0; layer.outputs * pad(layer.inputs)],
            bias: vec![0.0; pad(layer.outputs)],
            empty: true,
        }
    }

    /// Sets the gradient to zero, without touching the weights.
    pub(super) fn clear(&mut self) {
        self.empty = true;
        self.bias.fill(0.0);
    }

    /// Adds Σ_r scale\[r\] · d_y\[r\] x\[r\]ᵀ, where `scaled_x` holds scale\[r\] · x\[r\].
    pub(super) fn add(&mut self, path: KernelPath, scale: &[f32], d_y: &[f32], scaled_x: &[f32]) {
        let (n, stride) = (pad(self.inputs), pad(self.outputs));
        path.run(Gemm {
            m: self.outputs,
            k: scale.len(),
            n,
            a: d_y,
            a_strides: (1, stride),
            b: scaled_x,
            b_stride: n,
            c: &mut self.weight,
            c_stride: n,
            start: if self.empty { Start::Zero } else { Start::Accumulate },
        });
        path.run(WeightedColumnSums { weights: scale, stride, x: d_y, sums: &mut self.bias });
        self.empty = false;
    }

    /// Makes a gradient to which nothing was added a written zero.
    pub(super) fn settle(&mut self) {
        if self.empty {
            self.weight.fill(0.0);
            self.empty = false;
        }
    }
}
