//! Measure a plan of estimators on one minibatch, and find what the intervals show.

use serde::Serialize;
use tightbound::diagnose::live::{
    Change, LiveError, Mixture, Probe, SnrReport, Trend, equal_budget, mixture, trend,
};
use tightbound::engine::Batch;
use tightbound::engine::cpu::CpuEngine;
use tightbound::estimators::{EstimatorSettings, Gradient};
use tightbound::model::Network;

use crate::display::counting_bar;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// MIWAE(M, K) for lists of M and K.
    pub grid: Vec<EstimatorSettings>,
    /// T of the what-if table, if there is to be one.
    pub budget: Option<usize>,
    /// R.
    pub draws: u32,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Study {
    /// One row per M and K.
    pub grid: Vec<SnrReport>,
    /// All estimators at equal budget.
    pub what_if: Vec<SnrReport>,
    /// Those of them whose gradients have no signal-to-noise ratio, and why.
    pub unmeasured: Vec<String>,
    /// The encoder's ratio for every β of CIWAE at that budget.
    pub mixture: Option<Mixture>,
}

/// A finding.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// In a sentence.
    pub sentence: String,
    /// The comparison behind it.
    #[serde(flatten)]
    pub change: Change,
    /// What its intervals show.
    pub trend: Trend,
}

impl Study {
    /// Draws all gradients.
    pub fn measure(
        engine: &mut CpuEngine,
        parameters: &[f32],
        batch: Batch<'_>,
        seed: u64,
        plan: &Plan,
    ) -> Result<Self, LiveError> {
        let probe = Probe { parameters, batch, seed, draws: plan.draws };
        let others = plan.budget.map_or_else(Vec::new, equal_budget);
        let work: usize = plan.grid.iter().chain(&others).map(|s| s.m * s.k).sum();
        let bar = counting_bar("drawing", "samples", work as u64 * u64::from(plan.draws));
        let pool = engine.pool();
        let study = pool.run(|| {
            let mut measure = |settings: &EstimatorSettings| {
                let estimator = settings.build().expect("the plan was checked");
                let samples = estimator.samples() as u64;
                probe.measure(engine, settings, &*estimator, &mut || bar.inc(samples))
            };
            let grid = plan.grid.iter().map(&mut measure).collect::<Result<_, _>>()?;
            let (mut what_if, mut unmeasured) = (Vec::new(), Vec::new());
            for settings in &others {
                match measure(settings) {
                    Ok(report) => what_if.push(report),
                    // Nobody asked for this one, and the others still have theirs.
                    Err(error @ LiveError::Ratio { .. }) => {
                        unmeasured.push(format!("{:#}", anyhow::Error::from(error)));
                    }
                    Err(error) => return Err(error),
                }
            }
            let ciwae = plan.budget.map(|budget| EstimatorSettings::new("ciwae", 1, budget));
            let mixture = ciwae.map(|ciwae| mixture(&probe, engine, &ciwae)).transpose()?;
            Ok(Self { grid, what_if, unmeasured, mixture })
        });
        bar.finish_and_clear();
        study
    }

    /// What the intervals show: along K at the smallest M, along M at the largest K, and from IWAE to
    /// others of its budget.
    pub fn findings(&self) -> Vec<Finding> {
        let mut pairs = Vec::new();
        let m = |r: &&SnrReport| r.estimator.m;
        let k = |r: &&SnrReport| r.estimator.k;
        let rows = || self.grid.iter();
        if let Some(least) = rows().map(|r| r.estimator.m).min() {
            let own = || rows().filter(|r| m(r) == least);
            pairs.push((own().min_by_key(k), own().max_by_key(k)));
        }
        if let Some(most) = rows().map(|r| r.estimator.k).max() {
            let own = || rows().filter(|r| k(r) == most);
            pairs.push((own().min_by_key(m), own().max_by_key(m)));
        }
        let of = |name: &str, gradient| {
            let is = |r: &&SnrReport| r.estimator.name == name && r.estimator.gradient == gradient;
            self.what_if.iter().find(is)
        };
        let iwae = of("iwae", Gradient::Plain);
        pairs.push((iwae, of("iwae", Gradient::Dreg)));
        for name in ["miwae", "piwae", "vae"] {
            pairs.push((iwae, of(name, Gradient::Plain)));
        }
        let whole = pairs.into_iter().filter_map(|(from, to)| Some((from?, to?)));
        let different = whole.filter(|(from, to)| from.estimator != to.estimator);
        different.flat_map(|(from, to)| changes(from, to)).collect()
    }

    /// Of the what-if table: the row with the largest ratio of the encoder among unbiased rules, and the
    /// rows that are not told from it.
    pub fn clearest(&self) -> Option<(&SnrReport, Vec<&SnrReport>)> {
        let ratio = |r: &SnrReport| r.network(Network::Encoder).ratio;
        let unbiased = || {
            self.what_if.iter().filter(|r| r.estimator.is_unbiased().is_ok_and(|unbiased| unbiased))
        };
        let best = unbiased().max_by(|a, b| ratio(a).value().total_cmp(&ratio(b).value()))?;
        let alike = |r: &&SnrReport| {
            r.estimator != best.estimator && trend(&ratio(r), &ratio(best)) == Trend::NotSeen
        };
        Some((best, unbiased().filter(alike).collect()))
    }
}

/// Bound, rule, M and K in one word.
pub fn name(settings: &EstimatorSettings) -> String {
    let mut name = settings.label();
    for (symbol, value) in [("β", settings.beta), ("α", settings.alpha), ("γ", settings.gamma)] {
        if let Some(value) = value {
            name += &format!(" {symbol}={value}");
        }
    }
    format!("{name} ({}, {})", settings.m, settings.k)
}

/// The changes of both networks' ratios. Where two bounds have the same coefficients for a network, and
/// so the same draws but for the rounding of f32, there is nothing to find.
fn changes(from: &SnrReport, to: &SnrReport) -> Vec<Finding> {
    let networks = [(Network::Encoder, "encoder"), (Network::Decoder, "decoder")];
    let finding = |(network, word)| {
        let ratio = |r: &SnrReport| r.network(network).ratio;
        let (before, after) = (ratio(from).value(), ratio(to).value());
        if (before - after).abs() <= 1e-5 * before {
            return None;
        }
        let change = Change {
            what: format!("the {word}'s signal-to-noise ratio"),
            from: name(&from.estimator),
            to: name(&to.estimator),
            before: ratio(from),
            after: ratio(to),
        };
        Some(Finding { sentence: change.in_words(), trend: change.trend(), change })
    };
    networks.into_iter().filter_map(finding).collect()
}
