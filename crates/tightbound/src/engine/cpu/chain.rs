//! Take rows through the decoder's layers, and back.

use super::kernels::{ActivationBackward, ActivationForward, KernelPath, ScaleRows};
use super::model::PackedModel;

/// The rows of one layer of the decoder, padded to whole vectors.
#[derive(Debug)]
pub(super) struct LayerRows<'a> {
    /// The layer's input; that of the first layer is z.
    pub(super) input: &'a mut [f32],
    /// Gradient at the layer's output. The last layer's are logits first, then x − sigmoid(logit).
    pub(super) delta: &'a mut [f32],
}

/// Takes the rows' z to their logits.
pub(super) fn decode(path: KernelPath, model: &PackedModel, layers: &mut [LayerRows<'_>]) {
    let mut rest = layers;
    for layer in &model.decoder {
        let (own, after) = rest.split_first_mut().expect("rows for every layer");
        match after.first_mut() {
            Some(next) => {
                layer.forward(path, own.input, next.input);
                path.run(ActivationForward { activation: model.activation, h: next.input });
            }
            None => layer.forward(path, own.input, own.delta),
        }
        rest = after;
    }
}

/// Takes the rows' residuals back to `d_z` `[rows, pad(L)]`; the chain is unscaled. With `a` `[rows]`,
/// multiplies the inputs of all layers but the first by it, for the sums of the weights' gradients.
pub(super) fn decode_backward(
    path: KernelPath,
    model: &PackedModel,
    layers: &mut [LayerRows<'_>],
    d_z: &mut [f32],
    a: Option<&[f32]>,
) {
    for (i, layer) in model.decoder.iter().enumerate().rev() {
        let (before, own) = layers.split_at_mut(i);
        let LayerRows { input, delta } = &mut own[0];
        match before.last_mut() {
            None => layer.backward(path, delta, d_z),
            Some(LayerRows { delta: d, .. }) => {
                layer.backward(path, delta, d);
                path.run(ActivationBackward { activation: model.activation, h: input, d });
                if let Some(scale) = a {
                    path.run(ScaleRows { scale, stride: layer.input_stride(), x: input });
                }
            }
        }
    }
}
