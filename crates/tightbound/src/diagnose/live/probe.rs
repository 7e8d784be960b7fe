//! Draw gradients of one estimator on one minibatch, and divide their mean by their noise.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::draws::{Draws, LEAST_DRAWS, Products};
use super::error::LiveError;
use super::ratio::ratio;
use crate::diagnose::{Moments, Snr, SnrError};
use crate::engine::{Batch, Engine, Noise, Objective, Prune};
use crate::estimators::{Estimator, EstimatorSettings, effective_sample_size};
use crate::model::{Network, ParameterTable};
use crate::random::{Purpose, Stream};
use crate::statistics::{Interval, Ratio};

/// Where gradients are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// The model.
    pub parameters: &'a [f32],
    /// The minibatch; its mean gradient is what is drawn.
    pub batch: Batch<'a>,
    /// Seed of the noise. Estimators that are measured under one seed see the same samples.
    pub seed: u64,
    /// R ≥ 20, the number of draws.
    pub draws: u32,
}

/// With fewer parameters that vary, a length across is near 0 so often that 20 ratios do not tell how skewed they
/// are, and the interval is too narrow: that of noise in five directions holds the truth in 93.5 %.
const FEWEST_VARYING: usize = 8;

/// Parameters that are measured together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// `encoder`, `decoder`, or a tensor's name.
    pub name: String,
    /// Whether it is all of a network.
    pub whole: bool,
    /// Whether it belongs to φ, the encoder; otherwise to θ.
    pub is_phi: bool,
    /// How many parameters it has.
    pub parameters: usize,
}

/// Signal and noise over one scope; [`Snr`] has the formulae.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScopeSnr {
    /// The parameters.
    pub scope: Scope,
    /// Mean over parameters of |mean| / sd; no interval, for its bias is not known.
    pub raw: f64,
    /// What `raw` is on average for noise alone: √(2/(πR)).
    pub floor: f64,
    /// Mean over parameters of √max(0, mean²/var − 1/R). Cut at 0 per parameter, it is still above the
    /// signal where a parameter's mean is not resolved, and so has no interval either.
    pub debiased: f64,
    /// ‖E g‖ / √tr Cov g, without the part of the mean that noise explains.
    /// Its interval is given where it is [resolved](super::least_resolved).
    pub ratio: Ratio,
    /// DSNR, E ‖g∥‖/‖g⊥‖ of the second half of the draws about the mean direction of the first half,
    /// which the interval takes as given; none for fewer than eight parameters, whose ratios are skewed more than
    /// their interval would tell. Noise alone shows about √(2/(πr)), r the number of directions that it fills.
    pub directional: Option<Interval>,
}

/// Signal and noise of one estimator on one minibatch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnrReport {
    /// The estimator.
    pub estimator: EstimatorSettings,
    /// R.
    pub draws: u32,
    /// B.
    pub images: usize,
    /// Effective sample size of the K weights under one logarithm, from 1 to K: the mean over the
    /// images' groups of the first draw.
    pub effective_samples: f64,
    /// Encoder, decoder, then every tensor whose gradient varies.
    pub scopes: Vec<ScopeSnr>,
}

impl SnrReport {
    /// The encoder or the decoder as a whole.
    pub fn network(&self, network: Network) -> &ScopeSnr {
        &self.scopes[usize::from(network == Network::Decoder)]
    }
}

impl Probe<'_> {
    /// Measures one estimator; `progress` is called after every draw.
    ///
    /// It takes R gradients, and keeps 41 numbers per parameter at most, however large R and K are.
    ///
    /// # Errors
    /// If R < 20, a draw is not finite, or a whole network's gradient does not vary.
    pub fn measure(
        &self,
        engine: &mut dyn Engine<Real = f32>,
        settings: &EstimatorSettings,
        estimator: &dyn Estimator,
        progress: &mut dyn FnMut(),
    ) -> Result<SnrReport, LiveError> {
        self.check()?;
        let table = ParameterTable::new(engine.architecture());
        let mut draws = Draws::new(self.draws as usize, &table);
        let mut gradient = vec![0.0; table.total()];
        let mut direction = None;
        for draw in 0..self.draws {
            self.draw(engine, settings, estimator, draw, &mut gradient)?;
            if draw == self.draws / 2 {
                direction = Some(Direction { table: &table, mean: draws.sum(), held: Vec::new() });
            }
            if let Some(direction) = &mut direction {
                direction.hold(&gradient);
            }
            draws.add(&gradient);
            progress();
        }
        let direction = direction.expect("draws have two halves");
        let moments = draws.moments();
        let products = draws.products(&moments.variance);
        let scopes = scopes(&table).into_iter().filter_map(|(scope, tensors)| {
            let measured =
                measure_scope(&moments, &products[tensors.clone()], &direction, &scope, tensors);
            match measured {
                // A layer behind dead units has no gradient; the others still have.
                Err(SnrError::ZeroVariance) if !scope.whole => None,
                measured => {
                    let error = |source| LiveError::ratio(&scope.name, settings, source);
                    Some(measured.map_err(error))
                }
            }
        });
        Ok(SnrReport {
            estimator: settings.clone(),
            draws: self.draws,
            images: self.batch.ids.len(),
            scopes: scopes.collect::<Result<_, _>>()?,
            effective_samples: self.effective_samples(engine, estimator),
        })
    }

    /// Refuses a probe without images or with too few draws.
    pub(super) fn check(&self) -> Result<(), LiveError> {
        if self.draws < LEAST_DRAWS {
            return Err(LiveError::TooFewDraws(self.draws));
        }
        if self.batch.ids.is_empty() {
            return Err(LiveError::NoImages);
        }
        Ok(())
    }

    /// Computes draw number `draw` of the gradient.
    pub(super) fn draw(
        &self,
        engine: &mut dyn Engine<Real = f32>,
        settings: &EstimatorSettings,
        estimator: &dyn Estimator,
        draw: u32,
        gradient: &mut [f32],
    ) -> Result<(), LiveError> {
        let objective = Objective { estimator, noise: self.noise(draw), prune: Prune::Lossless };
        let made = engine.gradient(self.parameters, self.batch, objective, gradient);
        made.map(drop).map_err(|source| LiveError::draw(draw, settings, source))
    }

    fn noise(&self, draw: u32) -> Noise {
        Noise { stream: Stream::new(self.seed, Purpose::Diagnosis), time: draw }
    }

    /// ESS over the minibatch's weights of the first draw.
    fn effective_samples(
        &self,
        engine: &mut dyn Engine<Real = f32>,
        estimator: &dyn Estimator,
    ) -> f64 {
        let samples = estimator.samples();
        let mut log_weights = vec![0.0; samples];
        let sum: f64 = (0..self.batch.ids.len())
            .map(|i| {
                let pixels = self.batch.pixels.len() / self.batch.ids.len();
                let image = Batch {
                    pixels: &self.batch.pixels[i * pixels..][..pixels],
                    ids: &self.batch.ids[i..=i],
                };
                let all = 0..samples as u32;
                engine.log_weights(self.parameters, image, self.noise(0), all, &mut log_weights);
                let groups = log_weights.chunks_exact(estimator.k());
                groups.map(effective_sample_size).sum::<f64>() / estimator.m() as f64
            })
            .sum();
        sum / self.batch.ids.len() as f64
    }
}

/// Encoder, decoder, then every tensor, and the tensors that each has.
fn scopes(table: &ParameterTable) -> Vec<(Scope, Range<usize>)> {
    let tensors = table.entries();
    let decoder = tensors.partition_point(|tensor| tensor.network == Network::Encoder);
    let networks = [("encoder", 0..decoder), ("decoder", decoder..tensors.len())]
        .map(|(name, own)| (name, true, own));
    let single = tensors.iter().enumerate().map(|(i, t)| (t.name.as_str(), false, i..i + 1));
    let scope = |(name, whole, own): (&str, bool, Range<usize>)| Scope {
        name: name.to_owned(),
        whole,
        is_phi: own.start < decoder,
        parameters: elements(table, &own).len(),
    };
    networks.into_iter().chain(single).map(|part| (scope(part.clone()), part.2)).collect()
}

/// The elements of neighbouring tensors, one at least.
fn elements(table: &ParameterTable, tensors: &Range<usize>) -> Range<usize> {
    let own = &table.entries()[tensors.clone()];
    own[0].range().start..own[own.len() - 1].range().end
}

/// Measures one scope, of which `products` are the tensors'.
fn measure_scope(
    moments: &Moments,
    products: &[Products],
    direction: &Direction<'_>,
    scope: &Scope,
    tensors: Range<usize>,
) -> Result<ScopeSnr, SnrError> {
    let moments = moments.of(&elements(direction.table, &tensors));
    let Snr { raw, floor, debiased, .. } = moments.snr()?;
    let products = Products::joined(products);
    Ok(ScopeSnr {
        raw,
        floor,
        debiased,
        ratio: ratio(&products)?,
        directional: (products.varying >= FEWEST_VARYING)
            .then(|| direction.ratio(tensors))
            .transpose()?,
        scope: scope.clone(),
    })
}

/// The mean direction of the first half, and how the second half's draws lie about it.
#[derive(Debug)]
struct Direction<'a> {
    table: &'a ParameterTable,
    mean: Vec<f64>,
    /// g·u and ‖g‖² of every draw and tensor, u not normalised.
    held: Vec<Vec<(f64, f64)>>,
}

impl Direction<'_> {
    fn hold(&mut self, gradient: &[f32]) {
        let of_tensor = |range: Range<usize>| {
            let pairs = gradient[range.clone()].iter().zip(&self.mean[range]);
            pairs.fold((0.0, 0.0), |(along, square), (&g, u)| {
                let g = f64::from(g);
                (along + g * u, square + g * g)
            })
        };
        self.held.push(self.table.entries().iter().map(|t| of_tensor(t.range())).collect());
    }

    /// The mean of ‖g∥‖/‖g⊥‖ over `tensors`.
    fn ratio(&self, tensors: Range<usize>) -> Result<Interval, SnrError> {
        let mean = &self.mean[elements(self.table, &tensors)];
        let norm = mean.iter().map(|u| u * u).sum::<f64>().sqrt();
        let mut ratios = Vec::with_capacity(self.held.len());
        for draw in &self.held {
            let own = draw[tensors.clone()].iter();
            let (along, square) =
                own.fold((0.0, 0.0), |(a, s), (along, square)| (a + along, s + square));
            let along = along / norm;
            let across = square - along * along;
            // What is left of a subtraction of f64 sums that started from f32.
            if norm == 0.0 || across <= 1e-12 * square {
                return Err(SnrError::ZeroVariance);
            }
            ratios.push((along * along / across).sqrt());
        }
        Ok(Interval::of_skewed_mean(&ratios))
    }
}
