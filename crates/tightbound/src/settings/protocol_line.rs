//! Say in one line under which protocol a number came about.

use std::fmt;

use super::types::{BetaObjective, Binarisation, Protocol, Settings, Update};
use crate::VERSION;
use crate::model::Architecture;

/// How a score was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreProtocol<'a> {
    /// The scored data set and its hash, in words.
    pub data: &'a str,
    /// The part of it: `test`, `validation` or `train`.
    pub part: &'a str,
    /// How many of the part's images were scored.
    pub images: usize,
    /// How many images the part has.
    pub of: usize,
    /// Samples per image behind log p̂.
    pub k: u32,
    /// The number of the redrawn pixels, or nothing if one draw serves all scores.
    pub redraw: Option<u32>,
    /// The seed of pixels and noise.
    pub seed: u64,
}

/// Everything a reader needs to know to compare a number with another one, in one line.
#[derive(Clone, Copy, Debug)]
pub struct ProtocolLine<'a> {
    /// The settings of the training.
    pub settings: &'a Settings,
    /// The data set and its hash, in words.
    pub data: &'a str,
    /// The networks.
    pub architecture: &'a Architecture,
    /// Epochs that were complete.
    pub epoch: usize,
    /// The model that the training began with, in words, if not with new weights.
    pub from: Option<&'a str>,
    /// Whether to name the estimator; otherwise the numbers above name theirs.
    pub name_estimator: bool,
    /// How the score was computed, if the line stands under scores.
    pub score: Option<ScoreProtocol<'a>>,
}

impl fmt::Display for ProtocolLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settings, data, architecture, epoch, from, name_estimator, score } = self;
        let Settings { protocol, seed, data: images, train, .. } = settings;
        write!(f, "{data}")?;
        if let Some(limit) = images.limit {
            write!(f, ", first {limit} training images")?;
        }
        write!(f, ", {} binarisation, ", images.binarisation)?;
        match images.validation {
            0 => write!(f, "nothing held out")?,
            n => write!(f, "{n} held out for validation")?,
        }
        if *name_estimator {
            write!(f, " | {}", EstimatorLine(settings))?;
        }
        write!(f, " | {architecture} | ")?;
        if let Some(from) = from {
            write!(f, "from {from}, ")?;
        }
        if *epoch != train.epochs {
            write!(f, "{epoch} of ")?;
        }
        let plural = if train.epochs == 1 { "" } else { "s" };
        write!(f, "{} epoch{plural}, batch {}, ", train.epochs, train.batch)?;
        write!(f, "seed {seed}, protocol {protocol}")?;
        for (i, deviation) in deviations(settings).iter().enumerate() {
            write!(f, "{} {deviation}", if i == 0 { " but" } else { "," })?;
        }
        write!(f, ", tightbound {VERSION}")?;
        if let Some(ScoreProtocol { data, part, images, of, k, redraw, seed }) = score {
            write!(f, " | scored on {images} of {of} {part} images of {data}, K={k}, ")?;
            match redraw {
                None => write!(f, "frozen pixels, ")?,
                Some(number) => write!(f, "redrawn pixels (draw {number}), ")?,
            }
            write!(f, "evaluation seed {seed}")?;
        }
        Ok(())
    }
}

/// The bound, and how it is followed, in a few words.
#[derive(Clone, Copy, Debug)]
pub struct EstimatorLine<'a>(pub &'a Settings);

impl fmt::Display for EstimatorLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { estimator, train, .. } = self.0;
        write!(f, "{} M={} K={}", estimator.label(), estimator.m, estimator.k)?;
        if let Some(beta) = estimator.beta {
            match train.beta_objective {
                BetaObjective::Fixed => write!(f, " β={beta}")?,
                BetaObjective::Maximise => write!(f, " β learned (maximise) from {beta}")?,
                BetaObjective::Eq16 => write!(f, " β learned (eq16) from {beta}")?,
                BetaObjective::Snr => write!(f, " β chosen (snr ≥ {})", train.beta_target)?,
                BetaObjective::Validation => write!(f, " β chosen (validation)")?,
            }
        }
        if let Some(alpha) = estimator.alpha {
            write!(f, " α={alpha}")?;
        }
        if let Some(gamma) = estimator.gamma {
            write!(f, " γ={gamma}")?;
        }
        if let Some(partition) = &estimator.partition {
            write!(f, " β_j={partition:?}")?;
        }
        match train.update {
            Update::Joint => {}
            Update::EncoderFirst => write!(f, " (encoder first)")?,
            Update::Random => write!(f, " (random order)")?,
        }
        Ok(())
    }
}

/// The settings that differ from their protocol's, as `key=value`, those apart that the line
/// names in any case or that change no number.
fn deviations(settings: &Settings) -> Vec<String> {
    let table =
        |settings: &Settings| toml::Table::try_from(settings).expect("settings are a TOML table");
    let (own, preset) = (table(settings), table(&Settings::preset(settings.protocol)));
    let compared = [
        ("model", &["initialisation", "output_bias"][..]),
        ("train", &["rate", "stages", "prune", "non_finite"]),
        ("adam", &["beta1", "beta2", "epsilon"]),
    ];
    let mut deviations = Vec::new();
    for (section, keys) in compared {
        for &key in keys {
            if own[section][key] != preset[section][key] {
                let value = match &own[section][key] {
                    toml::Value::Float(number) => format!("{number:?}"),
                    other => other.to_string(),
                };
                deviations.push(format!("{section}.{key}={value}"));
            }
        }
    }
    deviations
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paper => "paper",
            Self::Report => "report",
        })
    }
}

impl fmt::Display for Binarisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dynamic => "dynamic",
            Self::Fixed => "fixed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_everything() {
        let mut settings = Settings::preset(Protocol::Report);
        settings.estimator.name = "piwae".to_owned();
        (settings.estimator.m, settings.estimator.k) = (4, 16);
        settings.train.update = Update::EncoderFirst;
        settings.data.validation = 400;
        let architecture = settings.architecture(784);
        let score = ScoreProtocol {
            data: "omniglot (derived)",
            part: "test",
            images: 500,
            of: 8070,
            k: 5000,
            redraw: None,
            seed: 3,
        };
        let line = ProtocolLine {
            settings: &settings,
            data: "mnist (sha256 440fcabf73cc)",
            architecture: &architecture,
            epoch: 7,
            from: Some("runs/parent (epoch 13, digest 0123456789abcdef)"),
            name_estimator: true,
            score: Some(score),
        };
        assert_eq!(
            line.to_string(),
            format!(
                "mnist (sha256 440fcabf73cc), dynamic binarisation, 400 held out for validation \
                 | piwae M=4 K=16 (encoder first) | encoder 784–200–200–μ,σ(50) decoder \
                 50–200–200–784 tanh, σ = softplus | from runs/parent \
                 (epoch 13, digest 0123456789abcdef), 7 of 3280 epochs, batch 20, seed 1, protocol \
                 report, tightbound {VERSION} | scored on 500 of 8070 test images of omniglot \
                 (derived), K=5000, frozen pixels, evaluation seed 3"
            )
        );
    }

    /// A changed number must not hide behind the protocol's name.
    #[test]
    fn the_line_names_what_departs_from_the_protocol() {
        let mut settings = Settings::preset(Protocol::Paper);
        settings.train.rate = 0.002;
        settings.adam.epsilon = 1e-8;
        let architecture = settings.architecture(784);
        let line = ProtocolLine {
            settings: &settings,
            data: "glyphs",
            architecture: &architecture,
            epoch: settings.train.epochs,
            from: None,
            name_estimator: true,
            score: None,
        };
        let end =
            format!("protocol paper but train.rate=0.002, adam.epsilon=1e-8, tightbound {VERSION}");
        assert!(line.to_string().ends_with(&end), "{line}");
    }
}
