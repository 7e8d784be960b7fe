//! Take one image through the encoder and one sample through the decoder, forward and backward.

use super::affine::{
    activation_backward, activation_forward, affine_backward, affine_forward, sigmoid, softplus,
};
use crate::model::{Architecture, Layers, Sigma};

/// The encoder's state after one image.
pub(super) struct Encoded {
    /// The image and the hidden layers after it: the inputs of every encoder layer and the heads.
    inputs: Vec<Vec<f64>>,
    /// Output of the σ head before its transformation, `[L]`.
    sigma_raw: Vec<f64>,
    /// μ, `[L]`.
    pub(super) mean: Vec<f64>,
    /// σ, `[L]`.
    pub(super) sd: Vec<f64>,
}

/// The decoder's state after one sample.
pub(super) struct Decoded {
    /// z and the hidden layers after it: the inputs of every decoder layer.
    inputs: Vec<Vec<f64>>,
    /// Pixel logits, `[D]`.
    pub(super) logits: Vec<f64>,
}

/// One model in f64: its architecture, its layers and its parameters.
#[derive(Clone, Copy)]
pub(super) struct Model<'a> {
    pub(super) architecture: &'a Architecture,
    pub(super) layers: &'a Layers,
    pub(super) parameters: &'a [f64],
}

impl Model<'_> {
    /// x → μ, σ.
    pub(super) fn encode(&self, x: &[f64]) -> Encoded {
        let mut inputs = vec![x.to_vec()];
        for layer in &self.layers.encoder {
            let y = affine_forward(self.parameters, layer, &inputs[inputs.len() - 1]);
            inputs.push(activation_forward(self.architecture.activation, &y));
        }
        let last = &inputs[inputs.len() - 1];
        let mean = affine_forward(self.parameters, &self.layers.mean, last);
        let sigma_raw = affine_forward(self.parameters, &self.layers.sigma, last);
        let sd = sigma_raw
            .iter()
            .map(|&r| match self.architecture.sigma {
                Sigma::Exp => r.exp(),
                Sigma::Softplus => softplus(r),
            })
            .collect();
        Encoded { inputs, sigma_raw, mean, sd }
    }

    /// Adds the gradient that arrives at μ and σ, times `scale`, to the encoder's gradient.
    pub(super) fn encode_backward(
        &self,
        encoded: &Encoded,
        d_mean: &[f64],
        d_sd: &[f64],
        scale: f64,
        gradient: &mut [f64],
    ) {
        let d_raw: Vec<f64> = d_sd
            .iter()
            .zip(&encoded.sigma_raw)
            .zip(&encoded.sd)
            .map(|((d, &raw), sd)| match self.architecture.sigma {
                Sigma::Exp => d * sd,
                Sigma::Softplus => d * sigmoid(raw),
            })
            .collect();
        let hidden = self.layers.encoder.len();
        let last = &encoded.inputs[hidden];
        let heads = [(&self.layers.mean, d_mean), (&self.layers.sigma, &d_raw[..])];
        let mut d_h = vec![0.0; last.len()];
        for (layer, d_y) in heads {
            let d_x = affine_backward(self.parameters, layer, last, d_y, scale, gradient);
            for (d, d_x) in d_h.iter_mut().zip(d_x) {
                *d += d_x;
            }
        }
        for (i, layer) in self.layers.encoder.iter().enumerate().rev() {
            activation_backward(self.architecture.activation, &encoded.inputs[i + 1], &mut d_h);
            d_h =
                affine_backward(self.parameters, layer, &encoded.inputs[i], &d_h, scale, gradient);
        }
    }

    /// z → pixel logits.
    pub(super) fn decode(&self, z: &[f64]) -> Decoded {
        let mut inputs = vec![z.to_vec()];
        let (output, hidden) = self.layers.decoder.split_last().expect("a decoder has a layer");
        for layer in hidden {
            let y = affine_forward(self.parameters, layer, &inputs[inputs.len() - 1]);
            inputs.push(activation_forward(self.architecture.activation, &y));
        }
        let logits = affine_forward(self.parameters, output, &inputs[inputs.len() - 1]);
        Decoded { inputs, logits }
    }

    /// Adds a · ∇θ log p(x|z) to the decoder's gradient and returns ∂z log p(x|z), unscaled.
    pub(super) fn decode_backward(
        &self,
        decoded: &Decoded,
        x: &[f64],
        a: f64,
        gradient: &mut [f64],
    ) -> Vec<f64> {
        // ∂ log p(x|z) / ∂ logit = x − sigmoid(logit).
        let mut d: Vec<f64> = x.iter().zip(&decoded.logits).map(|(x, &l)| x - sigmoid(l)).collect();
        for (i, layer) in self.layers.decoder.iter().enumerate().rev() {
            d = affine_backward(self.parameters, layer, &decoded.inputs[i], &d, a, gradient);
            if i > 0 {
                activation_backward(self.architecture.activation, &decoded.inputs[i], &mut d);
            }
        }
        d
    }
}

/// log p(x|z) = Σ_d x logit − softplus(logit), in nats.
pub(super) fn log_likelihood(x: &[f64], logits: &[f64]) -> f64 {
    x.iter().zip(logits).map(|(x, &l)| x * l - softplus(l)).sum()
}

/// log p(z) − log q(z|x) = Σ_l −½z² + ½ε² + log σ, in nats (the ½ log 2π of both cancel).
pub(super) fn log_prior_minus_posterior(z: &[f64], epsilon: &[f64], sd: &[f64]) -> f64 {
    z.iter().zip(epsilon).zip(sd).map(|((z, e), sd)| 0.5 * (e * e - z * z) + sd.ln()).sum()
}
