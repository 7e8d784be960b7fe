//! Put runs together that differ in nothing but their seed, and name what they train on.

use tightbound::estimators::EstimatorSettings;
use tightbound::evaluate::Evaluation;
use tightbound::model::Architecture;
use tightbound::settings::{BetaObjective, Monitor, Settings};

use super::run::Run;

/// Runs of the same settings but for the seed.
#[derive(Clone, Debug)]
pub struct Method<'a> {
    /// What it trains on, such as `MIWAE(8, 8)`; different from all others of its comparison.
    pub label: String,
    /// One per seed.
    pub runs: Vec<&'a Run>,
}

/// The methods that can stand in one table: trained on the same data with the same architecture, but
/// for how σ is made, which differs between the protocols.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// The data they were trained on.
    pub data: &'a str,
    /// The networks.
    pub architecture: Architecture,
    /// In the order in which the runs were given.
    pub methods: Vec<Method<'a>>,
}

impl<'a> Method<'a> {
    /// The settings, of the first seed.
    pub fn settings(&self) -> &'a Settings {
        &self.runs[0].description.settings
    }

    /// Whether β moves.
    pub fn learns_beta(&self) -> bool {
        self.settings().train.beta_objective != BetaObjective::Fixed
    }

    /// One number from every seed's scores on the test images of `data`.
    pub fn scores(&self, data: &str, score: impl Fn(&Evaluation) -> Option<f64>) -> Vec<f64> {
        self.runs.iter().filter_map(|run| score(run.on(data)?)).collect()
    }
}

impl<'a> Comparison<'a> {
    /// Sorts runs into comparisons and methods.
    pub fn of(runs: &'a [Run]) -> Vec<Self> {
        let mut comparisons: Vec<Self> = Vec::new();
        for run in runs {
            let (data, architecture) =
                (&*run.description.identity.data, run.description.architecture());
            let known = |comparison: &Self| {
                comparison.data == data && same_size(&comparison.architecture, &architecture)
            };
            let index = comparisons.iter().position(known).unwrap_or_else(|| {
                comparisons.push(Self { data, architecture, methods: Vec::new() });
                comparisons.len() - 1
            });
            let methods = &mut comparisons[index].methods;
            let repeats = |method: &&mut Method| method.runs.iter().all(|&r| is_repetition(r, run));
            match methods.iter_mut().find(repeats) {
                Some(method) => method.runs.push(run),
                None => {
                    let label = name(&run.description.settings);
                    methods.push(Method { label, runs: vec![run] });
                }
            }
        }
        comparisons.iter_mut().for_each(Self::tell_apart);
        comparisons
    }

    /// Whether all its scores on the test images of `data` are about the same images, K, pixels and
    /// noise.
    pub fn is_scored_alike(&self, data: &str) -> bool {
        are_alike(
            self.methods.iter().flat_map(|method| &method.runs).filter_map(|run| run.on(data)),
        )
    }

    /// The comparison in words, such as `mnist, reference model`.
    pub fn name(&self) -> String {
        let size = match self.size() {
            Some(size) => size.to_owned(),
            None => self.architecture.to_string(),
        };
        format!("{}, {size}", self.data)
    }

    /// The name of the architecture's size in the papers, if it has one.
    pub fn size(&self) -> Option<&'static str> {
        let is = |named| same_size(&named, &self.architecture);
        if is(Architecture::reference()) {
            Some("reference model")
        } else if is(Architecture::larger()) {
            Some("larger model")
        } else {
            None
        }
    }

    /// Adds to equal labels what tells their methods apart.
    fn tell_apart(&mut self) {
        let labels: Vec<String> = self.methods.iter().map(|method| method.label.clone()).collect();
        for (index, label) in labels.iter().enumerate() {
            let alike: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == *label).collect();
            if alike.len() == 1 {
                continue;
            }
            let differ = |what: &dyn Fn(&Method) -> String| {
                let all: Vec<String> = alike.iter().map(|&i| what(&self.methods[i])).collect();
                let own = what(&self.methods[index]);
                (all.iter().filter(|&other| *other == own).count() == 1).then_some(own)
            };
            let start = |method: &Method| {
                method
                    .settings()
                    .estimator
                    .beta
                    .map_or_else(String::new, |beta| format!("from {beta}"))
            };
            let addition = differ(&start)
                .or_else(|| differ(&|method| format!("{} epochs", method.runs[0].epoch())))
                .or_else(|| differ(&|method| format!("protocol {}", method.settings().protocol)))
                .or_else(|| differ(&|method| method.runs[0].name()))
                .unwrap_or_else(|| self.methods[index].runs[0].path.display().to_string());
            self.methods[index].label += &format!(", {addition}");
        }
    }
}

/// Whether two architectures differ in nothing but how σ is made.
fn same_size(one: &Architecture, other: &Architecture) -> bool {
    Architecture { sigma: other.sigma, ..one.clone() } == *other
}

/// Whether two scores are of the same images with the same K, pixels and noise.
pub(super) fn scored_alike(one: &Evaluation, other: &Evaluation) -> bool {
    one.on == other.on && one.options == other.options && one.scores.images == other.scores.images
}

/// Whether all of these are about the same.
pub(super) fn are_alike<'a>(mut scored: impl Iterator<Item = &'a Evaluation>) -> bool {
    let Some(first) = scored.next() else { return true };
    scored.all(|other| scored_alike(first, other))
}

/// Whether two runs differ in their seed alone, have come equally far, and were scored alike, if both
/// were.
fn is_repetition(one: &Run, other: &Run) -> bool {
    let seed = |run: &Run| run.description.settings.seed;
    let from = |run: &Run| run.description.identity.from.clone();
    seed(one) != seed(other)
        && one.epoch() == other.epoch()
        && from(one) == from(other)
        && one.description.identity.sources == other.description.identity.sources
        && one.own().zip(other.own()).is_none_or(|(a, b)| scored_alike(a, b))
        && without_seed(&one.description.settings) == without_seed(&other.description.settings)
}

/// The settings that make a method: without the seed, and without what is watched on the way, which changes
/// no result.
pub(super) fn without_seed(settings: &Settings) -> Settings {
    let mut settings = Settings { seed: 0, ..settings.clone() };
    let Settings { train, .. } = &mut settings;
    (train.monitor, train.eval_every, train.eval_k) = (Monitor::Off, 0, 64);
    settings
}

/// What a run trains on, as tables and legends name it: `VAE`, `IWAE`, `MIWAE(4, 16)`, `CIWAE β = 0.05`.
pub(super) fn name(settings: &Settings) -> String {
    let EstimatorSettings { m, k, beta, alpha, gamma, .. } = &settings.estimator;
    let mut name = settings.estimator.label().to_uppercase();
    if *m > 1 && *k > 1 {
        name += &format!("({m}, {k})");
    } else if m * k != BUDGET {
        name += &format!("({})", m * k);
    }
    match (beta, settings.train.beta_objective) {
        (Some(beta), BetaObjective::Fixed) => name += &format!(" β = {beta}"),
        (Some(_), BetaObjective::Maximise) => name += " β learned (maximise)",
        (Some(_), BetaObjective::Eq16) => name += " β learned (Eq. 16)",
        (Some(_), BetaObjective::Snr) => name += " β learned (SNR)",
        (Some(_), BetaObjective::Validation) => name += " β learned (validation)",
        (None, _) => {}
    }
    for (symbol, value) in [("α", alpha), ("γ", gamma)] {
        if let Some(value) = value {
            name += &format!(" {symbol} = {value}");
        }
    }
    name
}

/// T = M·K of the papers, which goes without saying.
const BUDGET: usize = 64;
