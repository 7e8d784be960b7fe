//! Follow the definition of every operation of [`Engine`], image by image and sample by sample.

use std::ops::Range;

use super::affine::sigmoid;
use super::latent_model::{LatentModel, image_gradient, image_log_weights, likelihood_gradient};
use super::passes::Model;
use crate::engine::{
    AdamUpdate, Batch, Engine, EngineError, LikelihoodGradient, Noise, Objective, Points,
    Posterior, StepReport,
};
use crate::model::{Architecture, Layers, ParameterTable};

/// The engine of plain f64 loops.
#[derive(Clone, Debug)]
pub struct ReferenceEngine {
    architecture: Architecture,
    layers: Layers,
    table: ParameterTable,
}

impl ReferenceEngine {
    /// An engine for models of `architecture`.
    pub fn new(architecture: Architecture) -> Self {
        let layers = Layers::new(&architecture);
        let table = ParameterTable::new(&architecture);
        Self { architecture, layers, table }
    }

    fn model<'a>(&'a self, parameters: &'a [f64]) -> Model<'a> {
        assert_eq!(parameters.len(), self.table.total(), "one value per parameter");
        Model { architecture: &self.architecture, layers: &self.layers, parameters }
    }

    /// The images of a batch with their ids, pixels as f64.
    fn images<'a>(&self, batch: Batch<'a>) -> impl Iterator<Item = (u32, Vec<f64>)> + use<'a> {
        let d = self.architecture.pixels;
        assert_eq!(batch.pixels.len(), batch.ids.len() * d, "D pixels per image");
        let rows = batch.pixels.chunks_exact(d);
        batch.ids.iter().zip(rows).map(|(&id, row)| (id, row.iter().map(|&p| p.into()).collect()))
    }

    /// ε of the numbered samples of one image, `[samples.len(), L]`.
    fn noise(&self, noise: Noise, id: u32, samples: Range<u32>) -> Vec<f64> {
        let mut epsilon = vec![0.0f32; self.architecture.latents];
        samples
            .flat_map(|s| {
                noise.stream.normals(noise.time, id, s, &mut epsilon);
                epsilon.iter().map(|&e| f64::from(e)).collect::<Vec<_>>()
            })
            .collect()
    }
}

impl Engine for ReferenceEngine {
    type Real = f64;

    fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn gradient(
        &mut self,
        parameters: &[f64],
        batch: Batch<'_>,
        objective: Objective<'_>,
        gradient: &mut [f64],
    ) -> Result<StepReport, EngineError> {
        let model = self.model(parameters);
        assert_eq!(gradient.len(), parameters.len(), "one gradient per parameter");
        gradient.fill(0.0);
        let samples = objective.estimator.samples();
        let scale = 1.0 / batch.ids.len() as f64;
        let mut report = StepReport { kept_fraction: 1.0, ..StepReport::default() };
        for (id, x) in self.images(batch) {
            let epsilon = self.noise(objective.noise, id, 0..samples as u32);
            let bound = image_gradient(&model, &x, &epsilon, objective.estimator, scale, gradient);
            if let Some(value) = bound.first_non_finite() {
                return Err(EngineError::NonFiniteBound { image: id, value });
            }
            report.bound.theta += scale * bound.theta;
            report.bound.phi += scale * bound.phi;
            report.bound.d_beta += scale * bound.d_beta;
        }
        match gradient.iter().position(|g| !g.is_finite()) {
            Some(index) => Err(EngineError::non_finite_gradient(&self.table, index)),
            None => Ok(report),
        }
    }

    fn log_weights(
        &mut self,
        parameters: &[f64],
        batch: Batch<'_>,
        noise: Noise,
        samples: Range<u32>,
        log_weights: &mut [f64],
    ) {
        let model = self.model(parameters);
        assert_eq!(log_weights.len(), batch.ids.len() * samples.len(), "B · K log-weights");
        for ((id, x), out) in self.images(batch).zip(log_weights.chunks_mut(samples.len().max(1))) {
            let epsilon = self.noise(noise, id, samples.clone());
            out.copy_from_slice(&image_log_weights(&model, &x, &epsilon));
        }
    }

    fn encode(&mut self, parameters: &[f64], batch: Batch<'_>) -> Posterior<f64> {
        let model = self.model(parameters);
        let (mut mean, mut sd) = (Vec::new(), Vec::new());
        for (_, x) in self.images(batch) {
            let encoded = model.encode(&x);
            mean.extend(encoded.mean);
            sd.extend(encoded.sd);
        }
        Posterior { mean, sd }
    }

    fn decode(&mut self, parameters: &[f64], latents: &[f64]) -> Vec<f64> {
        let model = self.model(parameters);
        assert_eq!(latents.len() % self.architecture.latents, 0, "L values per point");
        let points = latents.chunks_exact(self.architecture.latents);
        points.flat_map(|z| model.decode(z).logits).map(sigmoid).collect()
    }

    fn likelihood_gradient(
        &mut self,
        parameters: &[f64],
        points: Points<'_, f64>,
        out: LikelihoodGradient<'_, f64>,
    ) {
        let model = self.model(parameters);
        let chains = points.chains(&self.architecture, &out);
        let Architecture { pixels, latents, .. } = self.architecture;
        let mut unused = vec![0.0; parameters.len()];
        let rows = points.latents.chunks_exact(latents).zip(out.d_z.chunks_exact_mut(latents));
        for (row, ((z, d_z), log_likelihood)) in rows.zip(out.log_likelihood).enumerate() {
            let x = &points.pixels[row / chains * pixels..][..pixels];
            let x: Vec<f64> = x.iter().map(|&p| p.into()).collect();
            let (value, slope) = likelihood_gradient(&model, &x, z, &mut unused);
            *log_likelihood = value;
            d_z.copy_from_slice(&slope);
        }
    }

    fn adam(&mut self, update: AdamUpdate<'_, f64>) {
        let AdamUpdate { adam, rate, step, .. } = update;
        let t = step as i32;
        let (correction1, correction2) = (1.0 - adam.beta1.powi(t), 1.0 - adam.beta2.powi(t));
        for (i, &g) in update.gradient.iter().enumerate() {
            let m = adam.beta1 * update.first_moment[i] + (1.0 - adam.beta1) * g;
            let v = adam.beta2 * update.second_moment[i] + (1.0 - adam.beta2) * g * g;
            update.first_moment[i] = m;
            update.second_moment[i] = v;
            update.parameters[i] +=
                rate * (m / correction1) / ((v / correction2).sqrt() + adam.epsilon);
        }
    }
}
