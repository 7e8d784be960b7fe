//! Hold measured ratios against what is known.

use std::ops::Range;

use super::*;
use crate::diagnose::SnrError;
use crate::engine::cpu::CpuEngine;
use crate::engine::{
    AdamUpdate, Batch, Engine, EngineError, LikelihoodGradient, Noise, Objective, Points,
    Posterior, StepReport,
};
use crate::estimators::{Bound, EstimatorSettings, Gradient};
use crate::model::{
    Activation, Architecture, Initialisation, Network, OutputBias, ParameterTable, Sigma,
    initialise,
};
use crate::statistics::Interval;

pub(super) fn architecture() -> Architecture {
    Architecture {
        pixels: 9,
        encoder: vec![7],
        latents: 3,
        decoder: vec![5],
        activation: Activation::Tanh,
        sigma: Sigma::Exp,
    }
}

/// Gradients of known mean and noise: the mean of each parameter + n times a deviation, and 0 for the first
/// parameter.
pub(super) struct Known {
    architecture: Architecture,
    /// The mean of each parameter.
    means: Vec<f32>,
    /// The deviation of each parameter.
    deviations: Vec<f32>,
    /// The draw that all later ones are like.
    last: u32,
}

impl Known {
    /// Each parameter of φ has the first mean, each of θ the second; noise has deviation 1.
    pub(super) fn new([phi, theta]: [f32; 2]) -> Self {
        let table = ParameterTable::new(&architecture());
        let encoder = table.network_range(Network::Encoder);
        let mean = |i| if encoder.contains(&i) { phi } else { theta };
        let means: Vec<f32> = (0..table.total()).map(mean).collect();
        let deviations = vec![1.0; means.len()];
        Self::of(means, deviations)
    }

    /// These means and deviations.
    pub(super) fn of(means: Vec<f32>, deviations: Vec<f32>) -> Self {
        Self { architecture: architecture(), means, deviations, last: u32::MAX }
    }
}

impl Engine for Known {
    type Real = f32;

    fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn gradient(
        &mut self,
        _parameters: &[f32],
        _batch: Batch<'_>,
        objective: Objective<'_>,
        gradient: &mut [f32],
    ) -> Result<StepReport, EngineError> {
        let Noise { stream, time } = objective.noise;
        stream.normals(time.min(self.last), 0, 0, gradient);
        for (g, (deviation, mean)) in
            gradient.iter_mut().zip(self.deviations.iter().zip(&self.means))
        {
            *g = *g * deviation + mean;
        }
        gradient[0] = 0.0;
        Ok(StepReport { bound: Bound::default(), kept_fraction: 1.0 })
    }

    fn log_weights(
        &mut self,
        _parameters: &[f32],
        _batch: Batch<'_>,
        _noise: Noise,
        _samples: Range<u32>,
        log_weights: &mut [f64],
    ) {
        log_weights.fill(0.0);
    }

    fn encode(&mut self, _parameters: &[f32], _batch: Batch<'_>) -> Posterior<f32> {
        unreachable!("gradients alone are drawn")
    }

    fn decode(&mut self, _parameters: &[f32], _latents: &[f32]) -> Vec<f32> {
        unreachable!("gradients alone are drawn")
    }

    fn likelihood_gradient(
        &mut self,
        _parameters: &[f32],
        _points: Points<'_, f32>,
        _out: LikelihoodGradient<'_, f32>,
    ) {
        unreachable!("gradients alone are drawn")
    }

    fn adam(&mut self, _update: AdamUpdate<'_, f32>) {
        unreachable!("nothing is trained")
    }
}

pub(super) fn model() -> Vec<f32> {
    let (rule, bias) = (Initialisation::Pytorch, OutputBias::TrainMean);
    initialise(&architecture(), rule, bias, &[0.3; 9], 5)
}

const PIXELS: [u8; 18] = [1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0];

pub(super) fn probe(parameters: &[f32], draws: u32) -> Probe<'_> {
    let batch = Batch { pixels: &PIXELS, ids: &[3, 8] };
    Probe { parameters, batch, seed: 2, draws }
}

pub(super) fn measure(
    engine: &mut dyn Engine<Real = f32>,
    probe: Probe<'_>,
    settings: &EstimatorSettings,
) -> Result<SnrReport, LiveError> {
    let estimator = settings.build().unwrap();
    probe.measure(engine, settings, &*estimator, &mut || ())
}

#[test]
fn known_signal_and_noise_are_found() {
    let parameters = model();
    let mut engine = Known::new([0.5, 2.0]);
    let iwae = EstimatorSettings::new("iwae", 1, 6);
    let report = measure(&mut engine, probe(&parameters, 400), &iwae).unwrap();
    assert_eq!((report.draws, report.images), (400, 2));
    // Six weights of 1/6, squared and rounded.
    assert!((report.effective_samples - 6.0).abs() < 1e-12);
    let table = ParameterTable::new(&architecture());
    assert_eq!(report.scopes.len(), 2 + table.entries().len());
    for scope in &report.scopes {
        // One of P squares of means is off by its sd 2·snr/√400, and P are averaged; 1/sd adds 0.4 %.
        let exact = if scope.scope.is_phi { 0.5 } else { 2.0 };
        let reach = 6.0 * (exact + 1.0) / (400.0 * scope.scope.parameters as f64).sqrt();
        for figure in [scope.raw, scope.debiased, scope.ratio.value()] {
            assert!((figure - exact).abs() < reach, "{scope:?}");
        }
        let Interval { value, low, high } = scope.ratio.interval().expect("resolved");
        assert!(low < value && value < high, "{scope:?}");
        assert!((scope.floor - (2.0 / (400.0 * std::f64::consts::PI)).sqrt()).abs() < 1e-12);
    }
    for network in [Network::Encoder, Network::Decoder] {
        let own = report.network(network);
        // ‖E g‖ over the noise across, whose length is known to 1/√(2P): 5 % here, and so is the mean of 200
        // draws' noise along; the direction from 200 draws, off by the noise of its mean, is shorter by
        // (1 + 1/(200·snr²))^½, 1 % at most.
        let ratio = own.directional.unwrap().value / own.ratio.value();
        assert!((ratio - 1.0).abs() < 0.1, "{own:?}");
    }
    let of = |name: &str| report.scopes.iter().find(|s| s.scope.name == name).unwrap();
    assert_eq!(of("encoder").scope.parameters, 7 * 10 + 2 * 3 * 8);
    assert!(of("decoder").scope.whole && !of("decoder.0.bias").scope.whole);
    // Seven parameters have no directional ratio, nine have.
    let parameters = ["encoder.0.bias", "decoder.2.bias"].map(|name| of(name).scope.parameters);
    assert_eq!(parameters, [7, 9]);
    assert!(of("encoder.0.bias").directional.is_none());
    assert!(of("decoder.2.bias").directional.is_some());
}

/// Draws depend on the seed and their number alone, and a longer measurement begins with a shorter one.
#[test]
fn intervals_cover_what_more_draws_find() {
    let parameters = model();
    let mut engine = CpuEngine::new(architecture(), 2).unwrap();
    let miwae = EstimatorSettings::new("miwae", 2, 5);
    let mut at = |draws| measure(&mut engine, probe(&parameters, draws), &miwae).unwrap();
    let (few, many) = (at(240), at(2000));
    assert_eq!(few, at(240), "the same bits");
    for network in [Network::Encoder, Network::Decoder] {
        let of = |report: &SnrReport| report.network(network).ratio.interval().expect("resolved");
        let (few, many) = (of(&few), of(&many));
        // Twice as wide as the 95 % interval: a miss by chance is rarer than one in a thousand.
        let reach = 2.0 * (few.high - few.value);
        assert!((few.value - many.value).abs() < reach, "{few:?} {many:?}");
    }
}

/// The ratios of 24 draws, those from number `last` on alike.
fn alike_from(last: u32) -> Vec<ScopeSnr> {
    let parameters = model();
    let mut early = Known { last, ..Known::new([0.5, 2.0]) };
    let iwae = EstimatorSettings::new("iwae", 1, 6);
    measure(&mut early, probe(&parameters, 24), &iwae).unwrap().scopes
}

/// A parameter that varies in three draws alone has a ratio and an interval about it.
#[test]
fn what_hardly_varies_has_an_interval() {
    for scope in alike_from(2) {
        let Interval { value, low, high } = scope.ratio.interval().expect("resolved");
        assert!(low < value && value < high && high.is_finite(), "{scope:?}");
    }
}

/// One draw in twenty-four varies: how far it lies off says nothing of the next.
#[test]
fn what_varies_once_has_no_interval() {
    for scope in alike_from(1) {
        assert!(scope.ratio.value() > 0.0 && scope.ratio.value().is_finite(), "{scope:?}");
        assert_eq!((scope.ratio.interval(), scope.ratio.range()[1]), (None, f64::INFINITY));
    }
}

/// The mixture is CIWAE itself: the same draws at each β, to f32 rounding.
#[test]
fn a_mixture_is_ciwae_at_every_beta() {
    let parameters = model();
    let mut engine = CpuEngine::new(architecture(), 1).unwrap();
    for rule in [Gradient::Plain, Gradient::Dreg] {
        let ciwae = EstimatorSettings::new("ciwae", 1, 6).with_gradient(rule);
        let mixture = mixture(&probe(&parameters, 50), &mut engine, &ciwae).unwrap();
        for beta in [0.0, 0.3, 1.0] {
            let settings = EstimatorSettings { beta: Some(beta), ..ciwae.clone() };
            let report = measure(&mut engine, probe(&parameters, 50), &settings).unwrap();
            let ratio = report.network(Network::Encoder).ratio.value();
            assert!((mixture.snr(beta) / ratio - 1.0).abs() < 1e-4, "{rule} {beta}: {ratio}");
        }
        let best = mixture.best();
        let middle = 0.5 * (mixture.snr(0.0) + mixture.snr(best));
        let beta = mixture.smallest_reaching(middle).unwrap();
        assert!(mixture.snr(beta) >= middle && mixture.snr(beta - 0.01) < middle);
        assert_eq!(mixture.smallest_reaching(1.01 * mixture.snr(best)), None);
    }
}

#[test]
fn equal_budgets_are_equal_and_hold_every_pair() {
    for budget in [12, 64, 7, 1] {
        let all = equal_budget(budget);
        assert!(all.iter().all(|s| s.m * s.k == budget && s.build().is_ok()), "{budget}");
        for (i, settings) in all.iter().enumerate() {
            assert!(!all[..i].contains(settings), "{settings:?} twice");
        }
    }
    let samples = |name: &str, budget| {
        let plain = |s: &&EstimatorSettings| s.name == name && s.gradient == Gradient::Plain;
        equal_budget(budget).iter().filter(plain).map(|s| s.m).collect::<Vec<_>>()
    };
    assert_eq!(samples("miwae", 64), [8, 2, 4, 16, 32]);
    assert_eq!(samples("piwae", 12), [3, 2, 4]);
    assert_eq!(samples("iwae", 64), [1]);
}

#[test]
fn what_cannot_be_measured_is_named() {
    let parameters = model();
    let iwae = EstimatorSettings::new("iwae", 1, 6);
    let mut cpu = CpuEngine::new(architecture(), 1).unwrap();
    for draws in [0, 1, 19] {
        let error = measure(&mut cpu, probe(&parameters, draws), &iwae).unwrap_err();
        assert!(matches!(error, LiveError::TooFewDraws(n) if n == draws));
        assert!(error.to_string().contains("20 draws at least"), "{error}");
    }
    let empty = Probe { batch: Batch { pixels: &[], ids: &[] }, ..probe(&parameters, 24) };
    assert!(matches!(measure(&mut cpu, empty, &iwae), Err(LiveError::NoImages)));
    let broken = vec![f32::NAN; parameters.len()];
    let error = measure(&mut cpu, probe(&broken, 24), &iwae).unwrap_err();
    assert!(matches!(error, LiveError::Draw { draw: 0, .. }), "{error}");
    assert!(error.to_string().contains("iwae(1, 6)"), "{error}");

    // With one sample the wake phase has no gradient left, and a dead layer has none either.
    let wake = EstimatorSettings::new("iwae", 1, 1).with_gradient(Gradient::RwsDreg);
    let error = measure(&mut cpu, probe(&parameters, 24), &wake).unwrap_err();
    assert!(error.to_string().contains("iwae-rws-dreg(1, 1) by encoder"), "{error}");
    let mut still = Known { last: 0, ..Known::new([0.5, 2.0]) };
    let error = measure(&mut still, probe(&parameters, 24), &iwae).unwrap_err();
    let zero = |error: &LiveError| {
        matches!(error, LiveError::Ratio { source: SnrError::ZeroVariance, .. })
    };
    assert!(zero(&error), "{error}");
    let ciwae = EstimatorSettings::new("ciwae", 1, 6);
    assert!(zero(&mixture(&probe(&parameters, 24), &mut still, &ciwae).unwrap_err()));
}
