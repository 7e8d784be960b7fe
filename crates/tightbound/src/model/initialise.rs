//! Draw a model's first parameters.

use serde::{Deserialize, Serialize};

use super::{Architecture, ParameterTable};
use crate::random::{Purpose, Stream};

/// The distribution of the first weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Initialisation {
    /// Weights uniform on ±√(6 / (in + out)), biases zero (Glorot & Bengio 2010, Eq. 16).
    Glorot,
    /// Weights and biases uniform on ±1/√in, the default of `torch.nn.Linear`.
    Pytorch,
}

/// The first value of the decoder's output bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputBias {
    /// logit of the training images' mean, clipped to [0.001, 0.999] (Burda et al. 2016, code).
    TrainMean,
    /// Whatever the initialisation gives any other bias.
    Default,
}

/// Draws the parameters of a new model, in the order of its [`ParameterTable`].
///
/// `mean_image` (D values in [0, 1]) sets the output bias under [`OutputBias::TrainMean`].
///
/// # Panics
/// If `mean_image` does not have D values.
pub fn initialise(
    architecture: &Architecture,
    initialisation: Initialisation,
    output_bias: OutputBias,
    mean_image: &[f64],
    seed: u64,
) -> Vec<f32> {
    assert_eq!(mean_image.len(), architecture.pixels, "one mean per pixel");
    let table = ParameterTable::new(architecture);
    let stream = Stream::new(seed, Purpose::Initialisation);
    let mut values = vec![0.0f32; table.total()];
    for (item, pair) in table.entries().chunks_exact(2).enumerate() {
        let [weight, bias] = pair else { unreachable!("a layer is a weight and a bias") };
        let (outputs, inputs) = (weight.shape[0] as f64, weight.shape[1] as f64);
        let (weight_limit, bias_limit) = match initialisation {
            Initialisation::Glorot => ((6.0 / (inputs + outputs)).sqrt(), 0.0),
            Initialisation::Pytorch => (1.0 / inputs.sqrt(), 1.0 / inputs.sqrt()),
        };
        for (tensor, limit) in [(weight, weight_limit), (bias, bias_limit)] {
            let tensor_index = 2 * item as u32 + u32::from(!tensor.is_weight());
            for (i, value) in values[tensor.range()].iter_mut().enumerate() {
                let u = f64::from(stream.uniform(0, tensor_index, 0, i as u32));
                *value = (limit * (2.0 * u - 1.0)) as f32;
            }
        }
    }
    if output_bias == OutputBias::TrainMean {
        let bias = table.entries().last().expect("a model has an output layer");
        for (value, &mean) in values[bias.range()].iter_mut().zip(mean_image) {
            let p = mean.clamp(0.001, 0.999);
            *value = libm::log(p / (1.0 - p)) as f32;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_moments_of_both_initialisations() {
        let architecture = Architecture::reference();
        let table = ParameterTable::new(&architecture);
        let mean = vec![0.25; 784];
        for kind in [Initialisation::Glorot, Initialisation::Pytorch] {
            let values = initialise(&architecture, kind, OutputBias::Default, &mean, 5);
            for p in table.entries().iter().filter(|p| p.is_weight()) {
                let (out, inp) = (p.shape[0] as f64, p.shape[1] as f64);
                let limit = match kind {
                    Initialisation::Glorot => (6.0 / (inp + out)).sqrt(),
                    Initialisation::Pytorch => inp.sqrt().recip(),
                };
                let v = &values[p.range()];
                assert!(v.iter().all(|x| f64::from(x.abs()) <= limit * (1.0 + 1e-6)));
                let n = v.len() as f64;
                let square = v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n;
                // Var of x² is (4/45) limit⁴; 5 standard errors.
                let tolerance = 5.0 * limit.powi(2) * (4.0 / 45.0 / n).sqrt();
                assert!((square - limit * limit / 3.0).abs() < tolerance, "{}", p.name);
            }
            let bias = &values[table.get("encoder.0.bias").unwrap().range()];
            assert_eq!(bias.iter().all(|&b| b == 0.0), kind == Initialisation::Glorot);
        }
    }

    #[test]
    fn output_bias_is_the_logit_of_the_clipped_mean() {
        let architecture = Architecture::reference();
        let mut mean = vec![0.25; 784];
        mean[0] = 0.0;
        let values =
            initialise(&architecture, Initialisation::Glorot, OutputBias::TrainMean, &mean, 5);
        let table = ParameterTable::new(&architecture);
        let bias = &values[table.get("decoder.4.bias").unwrap().range()];
        assert!((bias[1] - (0.25f32 / 0.75).ln()).abs() < 1e-6);
        assert!((bias[0] - (0.001f32 / 0.999).ln()).abs() < 1e-6);
    }
}
