//! Apply one affine layer and its nonlinearity, forward and backward.

use crate::model::{Activation, Layer};

/// y = W x + b.
pub(super) fn affine_forward(parameters: &[f64], layer: &Layer, x: &[f64]) -> Vec<f64> {
    let weight = &parameters[layer.weight.clone()];
    let bias = &parameters[layer.bias.clone()];
    weight
        .chunks_exact(layer.inputs)
        .zip(bias)
        .map(|(row, b)| b + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>())
        .collect()
}

/// Adds `scale` · d_y xᵀ and `scale` · d_y to the layer's gradient; returns d_x = Wᵀ d_y, unscaled.
pub(super) fn affine_backward(
    parameters: &[f64],
    layer: &Layer,
    x: &[f64],
    d_y: &[f64],
    scale: f64,
    gradient: &mut [f64],
) -> Vec<f64> {
    let weight = &parameters[layer.weight.clone()];
    let mut d_x = vec![0.0; layer.inputs];
    for (o, &d) in d_y.iter().enumerate() {
        let row = o * layer.inputs;
        for (i, &x) in x.iter().enumerate() {
            gradient[layer.weight.start + row + i] += scale * d * x;
            d_x[i] += weight[row + i] * d;
        }
        gradient[layer.bias.start + o] += scale * d;
    }
    d_x
}

/// h = f(y), element by element.
pub(super) fn activation_forward(activation: Activation, y: &[f64]) -> Vec<f64> {
    y.iter()
        .map(|&y| match activation {
            Activation::Tanh => y.tanh(),
            Activation::Relu => y.max(0.0),
            Activation::Softplus => softplus(y),
        })
        .collect()
}

/// d_y = f′(y) d_h, with f′ expressed by h = f(y): 1 − h², \[h > 0\], 1 − e^(−h).
pub(super) fn activation_backward(activation: Activation, h: &[f64], d_h: &mut [f64]) {
    for (d, &h) in d_h.iter_mut().zip(h) {
        *d *= match activation {
            Activation::Tanh => 1.0 - h * h,
            Activation::Relu => f64::from(u8::from(h > 0.0)),
            Activation::Softplus => -(-h).exp_m1(),
        };
    }
}

/// ln(1 + eˣ) without overflow.
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// 1 / (1 + e⁻ˣ) without overflow.
pub(super) fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}
