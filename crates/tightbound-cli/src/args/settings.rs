//! Turn flags into settings, in this one place.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use clap::builder::{PossibleValue, PossibleValuesParser};
use tightbound::engine::Prune;
use tightbound::estimators::{Gradient, registry};
use tightbound::settings::{Assignment, Resolver, Settings};

use crate::failure::UsageError;

const MODEL: &str = "What to train";
const LOOP: &str = "How to train it";
const SETTINGS: &str = "Every other setting";

/// The flags that describe a training. Whatever is not given comes from the configuration file,
/// else from the protocol.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SettingsArgs {
    /// Images: mnist, omniglot, binarized-mnist, glyphs (built in), or a file or folder
    #[arg(long, value_name = "NAME|PATH", help_heading = MODEL)]
    pub data: Option<String>,

    /// Bound to train on (`tightbound estimators` explains each)
    #[arg(long, value_name = "NAME", help_heading = MODEL, value_parser = estimator_names())]
    pub estimator: Option<String>,

    /// Outer samples M: averaged outside the logarithm. Where neither M nor K is given, M·K = 64
    #[arg(long, value_name = "M", help_heading = MODEL)]
    pub m: Option<u32>,

    /// Inner samples K: averaged inside one logarithm
    #[arg(long, value_name = "K", help_heading = MODEL)]
    pub k: Option<u32>,

    /// How the encoder's gradient is estimated; `tightbound estimators NAME` says which rules a bound
    /// supports [default: plain; covariance for tvo]
    #[arg(long, value_name = "RULE", help_heading = MODEL, value_parser = gradient_names())]
    pub gradient: Option<String>,

    /// Weight of the ELBO beside the IWAE bound, for ciwae: a number in [0, 1], or `learned`, which is
    /// short for --beta-objective maximise [default: 0.5]
    #[arg(long, value_name = "BETA", help_heading = MODEL)]
    pub beta: Option<Beta>,

    /// Rényi's order, for vr-iwae: a number in [0, 1], 0 being IWAE and 1 the ELBO
    /// [default: 0.5]
    #[arg(long, value_name = "ALPHA", help_heading = MODEL)]
    pub alpha: Option<f64>,

    /// The γ of `--gradient ovis`: 0 is unbiased, up to 1 suits few effective samples
    #[arg(long, value_name = "GAMMA", help_heading = MODEL)]
    pub gamma: Option<f64>,

    /// Points of tvo's Riemann sum: 0, then ascending and below 1, such as 0,0.03,0.1,0.4
    #[arg(long, value_name = "POINTS", value_delimiter = ',', help_heading = MODEL)]
    pub partition: Option<Vec<f64>>,

    /// What moves β: `snr` takes the smallest β whose encoder gradients are clear enough
    /// (--beta-target), `validation` the best on held-out images (--validation); `maximise` climbs the
    /// bound (and so ends at 0), `eq16` descends it (and so ends at 1)
    #[arg(long, value_name = "RULE", help_heading = MODEL, value_parser = ["fixed", "snr", "validation", "maximise", "eq16"])]
    pub beta_objective: Option<String>,

    /// Signal-to-noise ratio of the encoder's gradient that `--beta-objective snr` asks for
    /// [default: 0.5]
    #[arg(long, value_name = "RATIO", allow_negative_numbers = true, help_heading = MODEL)]
    pub beta_target: Option<f64>,

    /// Whose defaults: `paper` (Burda 2016, Rainforth 2018) or `report` (a later reproduction)
    #[arg(long, value_name = "NAME", help_heading = MODEL, value_parser = ["paper", "report"])]
    pub protocol: Option<String>,

    /// Passes over the training images, in all
    #[arg(long, value_name = "N", help_heading = LOOP)]
    pub epochs: Option<u32>,

    /// Images per step
    #[arg(long, value_name = "N", help_heading = LOOP)]
    pub batch: Option<u32>,

    /// Seed of every random number; the same seed gives the same bits
    #[arg(long, value_name = "N", help_heading = LOOP)]
    pub seed: Option<u64>,

    /// Update both networks from one pass, one after the other, or in random order
    #[arg(long, value_name = "ORDER", help_heading = LOOP, value_parser = ["joint", "encoder-first", "random"])]
    pub update: Option<String>,

    /// Which samples skip the backward pass: none (off), those that add less than rounding (lossless),
    /// or some at random, without bias, where weights are below τ (roulette=τ) [default: lossless]
    #[arg(long, value_name = "RULE", help_heading = LOOP)]
    pub prune: Option<Prune>,

    /// Training images held out to select by; nothing is ever selected on test images
    #[arg(long, value_name = "N", help_heading = LOOP)]
    pub validation: Option<u32>,

    /// Score test images every so many epochs [default: at epochs 1, 2, 4, 8, … and ends of stages]
    #[arg(long, value_name = "N", help_heading = LOOP)]
    pub eval_every: Option<u32>,

    /// Samples per image of these scores; 5000 draws the curve of log p̂, but takes as long as several
    /// epochs of training [default: 64]
    #[arg(long, value_name = "K", help_heading = LOOP)]
    pub eval_k: Option<u32>,

    /// Measure the gradients' signal-to-noise ratio and the effective sample size after every epoch,
    /// into metrics.jsonl; the result is the same to the bit [default: off]
    #[arg(long, value_name = "WHAT", help_heading = LOOP, value_parser = ["off", "snr"])]
    pub monitor: Option<String>,

    /// TOML file of settings; a run.toml's settings have the same form
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub config: Option<PathBuf>,

    /// Any setting by its name, such as model.latents=20 or train.rate=0.0005; may be repeated
    #[arg(long, value_name = "KEY=VALUE", help_heading = SETTINGS)]
    pub set: Vec<String>,
}

/// β as it can be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Beta {
    /// This value.
    Value(f64),
    /// Found in training.
    Learned,
}

impl FromStr for Beta {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "learned" => Ok(Self::Learned),
            _ => text
                .parse()
                .map(Self::Value)
                .map_err(|_| "β is a number in [0, 1] or the word `learned`".to_owned()),
        }
    }
}

/// The estimators' names, with their titles for shells that show them.
pub fn estimator_names() -> PossibleValuesParser {
    registry().iter().map(|d| PossibleValue::new(d.name).help(d.title)).collect::<Vec<_>>().into()
}

/// The names of the gradient rules, with their titles for shells that show them.
fn gradient_names() -> PossibleValuesParser {
    let value = |rule: Gradient| PossibleValue::new(rule.name()).help(rule.title());
    Gradient::ALL.map(value).into()
}

impl SettingsArgs {
    /// Lays configuration file, `--set`s and flags over the preset or `parent`'s settings.
    ///
    /// # Errors
    /// If the file cannot be read, or a setting is refused.
    pub fn resolve(&self, parent: Option<Settings>) -> anyhow::Result<Settings> {
        if self.beta == Some(Beta::Learned) && self.beta_objective.as_deref() == Some("fixed") {
            let text = "--beta learned and --beta-objective fixed contradict each other: give --beta a number";
            return Err(UsageError(text.into()).into());
        }
        let mut resolver = parent.map_or_else(Resolver::new, Resolver::from_run);
        if let Some(path) = &self.config {
            let text = fs_err::read_to_string(path)
                .context("the configuration file of --config cannot be read")?;
            resolver = resolver.layer(Assignment::parse_file(&text, path)?);
        }
        let mut command_line = Vec::new();
        for text in &self.set {
            command_line.push(Assignment::parse(text)?);
        }
        command_line.extend(self.flags());
        Ok(resolver.layer(command_line).resolve()?)
    }

    /// The flags as assignments.
    fn flags(&self) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        for (flag, key, value) in [
            ("--data", "data.name", &self.data),
            ("--estimator", "estimator.name", &self.estimator),
            ("--gradient", "estimator.gradient", &self.gradient),
            ("--protocol", "protocol", &self.protocol),
            ("--update", "train.update", &self.update),
            ("--prune", "train.prune", &self.prune.map(|rule| rule.to_string())),
            ("--beta-objective", "train.beta_objective", &self.beta_objective),
            ("--monitor", "train.monitor", &self.monitor),
        ] {
            assignments.extend(value.as_ref().map(|v| Assignment::flag(flag, key, v.as_str())));
        }
        for (flag, key, value) in [
            ("--m", "estimator.m", self.m),
            ("--k", "estimator.k", self.k),
            ("--epochs", "train.epochs", self.epochs),
            ("--batch", "train.batch", self.batch),
            ("--validation", "data.validation", self.validation),
            ("--eval-every", "train.eval_every", self.eval_every),
            ("--eval-k", "train.eval_k", self.eval_k),
        ] {
            assignments.extend(value.map(|v| Assignment::flag(flag, key, i64::from(v))));
        }
        for (flag, key, value) in [
            ("--alpha", "estimator.alpha", self.alpha),
            ("--gamma", "estimator.gamma", self.gamma),
            ("--beta-target", "train.beta_target", self.beta_target),
        ] {
            assignments.extend(value.map(|v| Assignment::flag(flag, key, v)));
        }
        if let Some(points) = &self.partition {
            let key = "estimator.partition";
            assignments.push(Assignment::flag("--partition", key, points.clone()));
        }
        if let Some(seed) = self.seed {
            // TOML has no integers beyond 2⁶³: such a seed is refused by its type, as text.
            let value = i64::try_from(seed)
                .map_or_else(|_| toml::Value::String(seed.to_string()), toml::Value::Integer);
            assignments.push(Assignment::flag("--seed", "seed", value));
        }
        match self.beta {
            None => {}
            Some(Beta::Value(beta)) => {
                assignments.push(Assignment::flag("--beta", "estimator.beta", beta));
            }
            Some(Beta::Learned) if self.beta_objective.is_some() => {}
            Some(Beta::Learned) => {
                let key = "train.beta_objective";
                assignments.push(Assignment::flag("--beta", key, "maximise"));
            }
        }
        assignments
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tightbound::estimators::EstimatorSettings;
    use tightbound::settings::BetaObjective;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: SettingsArgs,
    }

    fn resolve(line: &str) -> anyhow::Result<Settings> {
        let words = ["tightbound"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(words)?.settings.resolve(None)
    }

    #[test]
    fn every_flag_reaches_its_setting() {
        let line = "--data glyphs --estimator ciwae --m 1 --k 5 --beta 0.25 --beta-objective snr \
                    --protocol report --epochs 7 --batch 11 --seed 13 --update random --prune off \
                    --validation 17 --eval-every 19 --eval-k 100 --set model.latents=23 --monitor snr --beta-target 0.75";
        let settings = resolve(line).unwrap();
        let expected: Settings = toml::from_str(
            "protocol = 'report'
            seed = 13
            data = { name = 'glyphs', validation = 17, binarisation = 'dynamic' }
            estimator = { name = 'ciwae', m = 1, k = 5, beta = 0.25 }
            adam = { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }
            [model]
            encoder = [200, 200]
            latents = 23
            decoder = [200, 200]
            activation = 'tanh'
            sigma = 'softplus'
            initialisation = 'pytorch'
            output_bias = 'default'
            [train]
            epochs = 7
            batch = 11
            rate = 1e-3
            stages = 8
            update = 'random'
            beta_objective = 'snr'
            beta_target = 0.75
            monitor = 'snr'
            prune = 'off'
            non_finite = 'stop'
            eval_every = 19
            eval_k = 100",
        )
        .unwrap();
        assert_eq!(settings, expected);
    }

    /// What a report prints under "how to repeat it" must be the same training, to the last setting.
    #[test]
    fn a_training_is_repeated_by_its_own_command() {
        for line in [
            "--data mnist",
            "--data glyphs --estimator ciwae --k 5 --beta 0.25 --beta-objective snr --beta-target 0.75",
            "--estimator ciwae --beta learned --protocol report --epochs 7 --validation 17",
            "--estimator piwae --m 4 --k 16 --protocol report --update joint --prune roulette=0.01",
            "--estimator miwae --gradient ovis --gamma 0.25 --m 2 --k 5 --monitor snr --eval-k 5000",
            "--estimator tvo --partition 0,0.125,0.5 --k 5 --set model.latents=7 --set train.rate=2e-3",
            "--estimator vr-iwae --alpha 0.25 --set data.limit=60 --set model.encoder=[16,3]",
        ] {
            let settings = resolve(line).unwrap();
            let words = settings.train_command();
            let again = ["tightbound"].iter().copied().chain(words[2..].iter().map(String::as_str));
            let again = Line::try_parse_from(again).unwrap().settings.resolve(None).unwrap();
            assert_eq!(again, settings, "{words:?}");
        }
    }

    #[test]
    fn flags_of_other_bounds_reach_their_settings() {
        let of = |line| resolve(line).unwrap().estimator;
        let ovis = of("--estimator miwae --gradient ovis --gamma 0.25 --m 2 --k 5");
        let expected = EstimatorSettings::new("miwae", 2, 5).with_gradient(Gradient::Ovis);
        assert_eq!(ovis, EstimatorSettings { gamma: Some(0.25), ..expected });
        let renyi = of("--estimator vr-iwae --alpha 0.25 --gradient dreg --k 5");
        let expected = EstimatorSettings::new("vr-iwae", 1, 5).with_gradient(Gradient::Dreg);
        assert_eq!(renyi, EstimatorSettings { alpha: Some(0.25), ..expected });
        let partition = Some(vec![0.0, 0.125, 0.5]);
        let expected = EstimatorSettings { partition, ..EstimatorSettings::new("tvo", 1, 5) };
        assert_eq!(of("--estimator tvo --partition 0,0.125,0.5 --k 5"), expected);
        let error = resolve("--estimator miwae --m 8 --k 1 --gradient rws-dreg").unwrap_err();
        assert!(error.to_string().contains("rws-dreg needs K ≥ 2"), "{error}");
        let error = resolve("--estimator ciwae --gradient stl").unwrap_err().to_string();
        assert!(error.contains("ciwae supports: plain, dreg"), "{error}");
    }

    #[test]
    fn flags_win_over_set() {
        assert_eq!(resolve("--epochs 3 --set train.epochs=4").unwrap().train.epochs, 3);
    }

    #[test]
    fn beta_is_a_number_or_learned() {
        let learned = resolve("--estimator ciwae --beta learned").unwrap();
        assert_eq!(learned.train.beta_objective, BetaObjective::Maximise);
        assert_eq!(learned.estimator.beta, Some(0.5));
        let line = "--estimator ciwae --beta learned --beta-objective eq16";
        assert_eq!(resolve(line).unwrap().train.beta_objective, BetaObjective::Eq16);
        assert!(resolve("--estimator ciwae --beta much").is_err());
        assert!(resolve("--estimator vae --beta learned").is_err());
    }

    #[test]
    fn seeds_too_large_for_toml_are_refused() {
        let error = resolve("--seed 9223372036854775808").unwrap_err().to_string();
        assert!(error.contains("--seed"), "{error}");
    }
}
