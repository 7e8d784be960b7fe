//! Take one image through the encoder and one sample through the decoder, forward and backward.

use super::Encoded;
use super::affine::{
    activation_backward, activation_forward, affine_backward, affine_forward, sigmoid, softplus,
};
use super::latent_model::{LatentModel, standard_normal_log_density};
use crate::model::{Architecture, Layers, Sigma};

/// What the networks' encoder remembers of an image.
pub(super) struct Trace {
    /// The image and the hidden layers after it: the inputs of every encoder layer and the heads.
    inputs: Vec<Vec<f64>>,
    /// Output of the σ head before its transformation, `[L]`.
    sigma_raw: Vec<f64>,
}

/// The decoder's state after one sample.
pub(super) struct Decoded {
    /// z and the hidden layers after it: the inputs of every decoder layer.
    inputs: Vec<Vec<f64>>,
    /// Pixel logits, `[D]`.
    pub(super) logits: Vec<f64>,
}

/// Encoder and decoder networks in f64: their architecture, layers and parameters.
#[derive(Clone, Copy)]
pub(super) struct Model<'a> {
    pub(super) architecture: &'a Architecture,
    pub(super) layers: &'a Layers,
    pub(super) parameters: &'a [f64],
}

impl LatentModel for Model<'_> {
    type EncoderTrace = Trace;
    type Decoded = Decoded;

    fn encode(&self, x: &[f64]) -> Encoded<Trace> {
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
        Encoded { mean, sd, trace: Trace { inputs, sigma_raw } }
    }

    fn encode_backward(
        &self,
        encoded: &Encoded<Trace>,
        d_mean: &[f64],
        d_sd: &[f64],
        scale: f64,
        gradient: &mut [f64],
    ) {
        let Trace { inputs, sigma_raw } = &encoded.trace;
        let d_raw: Vec<f64> = d_sd
            .iter()
            .zip(sigma_raw)
            .zip(&encoded.sd)
            .map(|((d, &raw), sd)| match self.architecture.sigma {
                Sigma::Exp => d * sd,
                Sigma::Softplus => d * sigmoid(raw),
            })
            .collect();
        let last = &inputs[self.layers.encoder.len()];
        let heads = [(&self.layers.mean, d_mean), (&self.layers.sigma, &d_raw[..])];
        let mut d_h = vec![0.0; last.len()];
        for (layer, d_y) in heads {
            let d_x = affine_backward(self.parameters, layer, last, d_y, scale, gradient);
            for (d, d_x) in d_h.iter_mut().zip(d_x) {
                *d += d_x;
            }
        }
        for (i, layer) in self.layers.encoder.iter().enumerate().rev() {
            activation_backward(self.architecture.activation, &inputs[i + 1], &mut d_h);
            d_h = affine_backward(self.parameters, layer, &inputs[i], &d_h, scale, gradient);
        }
    }

    fn decode(&self, z: &[f64]) -> Decoded {
        let mut inputs = vec![z.to_vec()];
        let (output, hidden) = self.layers.decoder.split_last().expect("a decoder has a layer");
        for layer in hidden {
            let y = affine_forward(self.parameters, layer, &inputs[inputs.len() - 1]);
            inputs.push(activation_forward(self.architecture.activation, &y));
        }
        let logits = affine_forward(self.parameters, output, &inputs[inputs.len() - 1]);
        Decoded { inputs, logits }
    }

    fn log_prior(&self, z: &[f64]) -> f64 {
        z.iter().map(|&z| standard_normal_log_density(z)).sum()
    }

    /// The prior has no parameters.
    fn log_prior_backward(&self, z: &[f64], _a: f64, _gradient: &mut [f64], d_z: &mut [f64]) {
        // ∂z log p(z) = −z.
        for (d, z) in d_z.iter_mut().zip(z) {
            *d -= z;
        }
    }

    fn log_likelihood(&self, x: &[f64], decoded: &Decoded) -> f64 {
        // Bernoulli pixels: Σ_d x logit − softplus(logit).
        x.iter().zip(&decoded.logits).map(|(x, &l)| x * l - softplus(l)).sum()
    }

    fn log_likelihood_backward(
        &self,
        x: &[f64],
        _z: &[f64],
        decoded: &Decoded,
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
