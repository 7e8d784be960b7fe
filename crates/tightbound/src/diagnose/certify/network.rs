//! Compare gradient rules with each other on a small network, through the fast engine.

use super::exact::larger;
use super::line::{Bar, Line, Part};
use super::sampled::{largest_t, t};
use super::subject::{Family, Subject};
use crate::diagnose::RunningMoments;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Batch, Engine, EngineError, Noise, Objective, Prune};
use crate::estimators::Estimator;
use crate::model::{Activation, Architecture, ParameterTable, Sigma};
use crate::random::{Purpose, Stream};

/// One image, so many times in a batch, each with noise of its own.
const IMAGES: u32 = 32;

/// Batches per rule.
const DRAWS: u32 = 1000;

/// A network small enough to draw from many times, with several blocks of every kind of tensor.
fn architecture() -> Architecture {
    Architecture {
        pixels: 12,
        encoder: vec![8],
        latents: 3,
        decoder: vec![7],
        activation: Activation::Tanh,
        sigma: Sigma::Exp,
    }
}

/// Parameters of size 2/√in that follow a sine: the samples' weights differ, and none has it all.
fn waves(table: &ParameterTable) -> Vec<f32> {
    let mut parameters = vec![0.0; table.total()];
    for layer in table.entries().chunks_exact(2) {
        let size = 2.0 / (layer[0].shape[1] as f64).sqrt();
        for i in layer[0].range().chain(layer[1].range()) {
            parameters[i] = (size * libm::sin(78.233 * i as f64 + 0.5)) as f32;
        }
    }
    parameters
}

/// The network with its parameters and its batch.
struct Bench {
    engine: CpuEngine,
    parameters: Vec<f32>,
    pixels: Vec<u8>,
}

impl Bench {
    fn new() -> Result<Self, EngineError> {
        let architecture = architecture();
        let parameters = waves(&ParameterTable::new(&architecture));
        let image = (0..architecture.pixels).map(|d| u8::from(d * d % 5 < 2));
        let pixels = image.cycle().take(architecture.pixels * IMAGES as usize).collect();
        // Batches this small are not worth a second thread.
        Ok(Self { engine: CpuEngine::new(architecture, 1)?, parameters, pixels })
    }

    /// The gradient of batch `draw`.
    fn gradient(
        &mut self,
        estimator: &dyn Estimator,
        draw: u32,
        gradient: &mut [f32],
    ) -> Result<(), EngineError> {
        let noise = Noise { stream: Stream::new(0, Purpose::Diagnosis), time: 1 };
        let ids: Vec<u32> = (draw * IMAGES..(draw + 1) * IMAGES).collect();
        let batch = Batch { pixels: &self.pixels, ids: &ids };
        let objective = Objective { estimator, noise, prune: Prune::Off };
        self.engine.gradient(&self.parameters, batch, objective, gradient).map(drop)
    }
}

/// Rules that claim the first rule's mean have it, and those that do not have another.
///
/// Both gradients of a pair see the same noise, so what is tested is the mean of their difference
/// against its own standard error.
pub(super) fn lines(family: &Family<'_>) -> Result<Vec<Line>, EngineError> {
    let [first, others @ ..] = &family.subjects[..] else { return Ok(Vec::new()) };
    if !first.unbiased || others.is_empty() {
        return Ok(Vec::new());
    }
    let mut bench = Bench::new()?;
    let count = bench.parameters.len();
    let (mut expected, mut gradient) = (vec![0.0; count], vec![0.0; count]);
    let mut differences = vec![RunningMoments::new(count); others.len()];
    for draw in 0..DRAWS {
        bench.gradient(&*first.estimator, draw, &mut expected)?;
        for (subject, moments) in others.iter().zip(&mut differences) {
            bench.gradient(&*subject.estimator, draw, &mut gradient)?;
            let pairs = gradient.iter().zip(&expected);
            moments.push(pairs.map(|(&g, &e)| f64::from(g) - f64::from(e)));
        }
    }
    let bar = largest_t(count);
    let line = |(subject, moments): (&Subject, &RunningMoments)| {
        let pairs = moments.mean().iter().zip(moments.variance_of_mean());
        let largest = pairs.map(|(&mean, variance)| t(mean, variance)).fold(0.0, larger);
        let (what, bar) = match subject.unbiased {
            true => ("the same mean", Bar::AtMost(bar)),
            false => ("declared biased, another mean", Bar::Above(bar)),
        };
        Line::new(Part::Network, format!("{}: {what}, largest |t|", subject.label), largest, bar)
    };
    Ok(others.iter().zip(&differences).map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::{Definition, Gradient, find};

    #[test]
    fn the_fast_engine_follows_the_declarations_of_iwae() {
        let iwae = find("iwae").unwrap();
        let all = lines(&Family::new(iwae, 3).unwrap()).unwrap();
        // OVIS counts twice, plain not at all.
        assert_eq!(all.len(), iwae.gradients.len());
        for line in &all {
            assert!(line.holds, "{line}");
        }
    }

    #[test]
    fn a_false_declaration_is_seen_from_either_side() {
        let iwae = find("iwae").unwrap();
        let rules = [Gradient::Plain, Gradient::Stl, Gradient::Dreg];
        let mut swapped = rules.map(|gradient| iwae.rule(gradient).unwrap());
        (swapped[1].claim, swapped[2].claim) = (swapped[2].claim, swapped[1].claim);
        let definition = Definition { gradients: Box::leak(Box::new(swapped)), ..*iwae };
        let all = lines(&Family::new(&definition, 3).unwrap()).unwrap();
        assert!(all.len() == 2 && all.iter().all(|line| !line.holds), "{all:?}");
    }
}
