//! Describe a run in `run.toml`: what was asked for, and what it was asked of.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use super::digest::short_digest;
use super::error::RunError;
use super::files::{DESCRIPTION, read_description};
use crate::data::{Source, hex};
use crate::model::{Architecture, ParameterTable};
use crate::settings::Settings;

/// The content of `run.toml`: the settings at the top level, then `[identity]` and `[machine]`.
/// Without these two tables the file is a valid settings file.
#[derive(Clone, Debug, PartialEq)]
pub struct RunDescription {
    /// Everything that determines the training.
    pub settings: Settings,
    /// What the settings were applied to.
    pub identity: Identity,
    /// Where it was begun; changes no result.
    pub machine: Machine,
}

/// What a training depends on beside its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The version of tightbound that began the run.
    pub version: String,
    /// The data set's name in full, such as `omniglot (derived)`.
    pub data: String,
    /// D, pixels of one image.
    pub pixels: usize,
    /// Number of parameters.
    pub parameters: usize,
    /// The files the images came from; empty for built-in data.
    pub sources: Vec<Source>,
    /// Where the first parameters came from, if not from the initialisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
}

/// The model that a fine-tuning began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The run or file, as it was given.
    pub run: String,
    /// Epochs it had been trained for.
    pub epoch: usize,
    /// Digest of its parameters.
    pub digest: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, epoch, digest } = self;
        write!(f, "{run} (epoch {epoch}, digest {})", short_digest(digest))
    }
}

/// The machine on which a run was begun. For information: no result depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Features of the processor that the engine used, such as `avx512`.
    pub cpu: String,
    /// Threads.
    pub threads: usize,
}

/// The tables that stand after the settings.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tail {
    identity: Identity,
    machine: Machine,
}

impl RunDescription {
    /// The networks: the model settings and the data's number of pixels.
    pub fn architecture(&self) -> Architecture {
        self.settings.architecture(self.identity.pixels)
    }

    /// Reads the description of the run folder `run`, without its lock.
    ///
    /// # Errors
    /// If `run` is no run folder, or its `run.toml` cannot be read.
    pub fn read(run: &Path) -> Result<Self, RunError> {
        if !run.join(DESCRIPTION).exists() {
            return Err(RunError::NotARun(run.to_owned()));
        }
        read_description(run)
    }

    /// Writes `run.toml`; the error says which value TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, String> {
        let tail = Tail { identity: self.identity.clone(), machine: self.machine.clone() };
        let settings = toml::to_string(&self.settings).map_err(|e| e.to_string())?;
        let tail = toml::to_string(&tail).map_err(|e| e.to_string())?;
        Ok(format!("{settings}\n{tail}"))
    }

    /// Reads `run.toml`; the error says what is wrong with which key or line.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let mut settings: Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
        let mut tail = Table::new();
        for key in ["identity", "machine"] {
            let table = settings.remove(key).ok_or(format!("the table [{key}] is missing"))?;
            tail.insert(key.to_owned(), table);
        }
        let Tail { identity, machine } = tail.try_into().map_err(|e| e.to_string())?;
        let settings = settings.try_into().map_err(|e: toml::de::Error| e.to_string())?;
        let description = Self { settings, identity, machine };
        description.check()?;
        Ok(description)
    }

    /// Refuses a model whose size is not the recorded one, before anything is allocated for it.
    fn check(&self) -> Result<(), String> {
        let architecture = self.architecture();
        architecture.validate().map_err(|e| format!("[model]: {e}"))?;
        let recorded = self.identity.parameters;
        match ParameterTable::new(&architecture).total() {
            count if count == recorded => Ok(()),
            count => Err(format!(
                "identity.parameters is {recorded}, but [model] has {count} parameters"
            )),
        }
    }

    /// What ties a checkpoint to its run: everything that the next step depends on. The number of
    /// epochs may grow and the machine may change, so they take no part.
    pub(super) fn fingerprint(&self) -> String {
        let mut settings = self.settings.clone();
        settings.train.epochs = 0;
        let identity = Identity { version: String::new(), ..self.identity.clone() };
        let text = serde_json::to_string(&(settings, identity)).expect("plain structures");
        hex(&Sha256::digest(text))
    }

    /// What stands in the way of continuing this run as `wanted`: `key: was X, now Y` each.
    pub(super) fn differences(&self, wanted: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let (mut was, mut now) = (self.flat(), wanted.flat());
        if wanted.settings.train.epochs >= self.settings.train.epochs {
            was.retain(|(key, _)| key != "train.epochs");
            now.retain(|(key, _)| key != "train.epochs");
        }
        let find = |list: &[(String, String)], key: &str| {
            let found = list.iter().find(|(k, _)| k == key);
            found.map_or("absent".to_owned(), |(_, value)| value.clone())
        };
        for (key, value) in &was {
            let other = find(&now, key);
            if *value != other {
                differences.push(format!("{key}: was {value}, now {other}"));
            }
        }
        for (key, value) in now.iter().filter(|(key, _)| !was.iter().any(|(k, _)| k == key)) {
            differences.push(format!("{key}: was absent, now {value}"));
        }
        differences
    }

    /// All values that must agree, under dotted keys.
    fn flat(&self) -> Vec<(String, String)> {
        let mut flat = Vec::new();
        if let Ok(settings) = Value::try_from(&self.settings) {
            flatten("", &settings, &mut flat);
        }
        let identity = Identity { version: String::new(), ..self.identity.clone() };
        if let Ok(identity) = Value::try_from(identity) {
            flatten("identity", &identity, &mut flat);
        }
        flat
    }
}

/// Lists the leaves of a TOML value.
fn flatten(key: &str, value: &Value, flat: &mut Vec<(String, String)>) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(&key, value, flat);
            }
        }
        other => flat.push((key.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::description;
    use super::*;

    fn full() -> RunDescription {
        let mut full = description();
        full.settings.estimator.beta = Some(0.1 + 0.2);
        full.identity.sources =
            vec![Source { file: "a \"b\".gz".into(), sha256: "00ff".into() }; 2];
        full.identity.from =
            Some(Origin { run: "runs/π".into(), epoch: 13, digest: "abc".into() });
        full
    }

    #[test]
    fn run_toml_comes_back() {
        for description in [description(), full()] {
            let text = description.to_toml().unwrap();
            assert_eq!(RunDescription::from_toml(&text), Ok(description), "{text}");
        }
    }

    #[test]
    fn what_stands_before_the_identity_is_a_settings_file() {
        let text = full().to_toml().unwrap();
        let (settings, _) = text.split_once("[identity]").unwrap();
        assert_eq!(toml::from_str::<Settings>(settings).unwrap(), full().settings);
    }

    #[test]
    fn mistakes_are_named() {
        let text = description().to_toml().unwrap();
        let wrong = |from: &str, to: &str| {
            assert!(text.contains(from), "{text}");
            RunDescription::from_toml(&text.replacen(from, to, 1)).unwrap_err()
        };
        let message = wrong("batch = 3", "botch = 3");
        assert!(message.contains("botch"), "{message}");
        let message = wrong("threads = 1", "threats = 1");
        assert!(message.contains("threats"), "{message}");
        let message = wrong("[machine]", "[mach]");
        assert!(message.contains("mach"), "{message}");
        let message = wrong("parameters = 38", "parameters = 39");
        assert!(message.contains("39") && message.contains("38"), "{message}");
        let message = wrong("latents = 1", "latents = 4611686018427387904");
        assert!(message.contains("too many"), "{message}");
        let message = wrong("seed = 7", "seed = ");
        assert!(message.contains("line 2"), "{message}");
    }

    #[test]
    fn only_epochs_may_grow() {
        let was = full();
        let mut now = full();
        now.settings.train.epochs += 1;
        now.machine.threads = 64;
        now.identity.version = "9".into();
        assert_eq!(was.differences(&now), [] as [String; 0]);
        assert_eq!(now.differences(&was), ["train.epochs: was 5, now 4"]);
        now.settings.estimator.beta = None;
        now.identity.sources[1].sha256 = "11".into();
        let differences = was.differences(&now);
        assert_eq!(differences.len(), 2, "{differences:?}");
        assert!(differences.iter().any(|d| d.contains("estimator.beta") && d.ends_with("absent")));
        now.settings.train.epochs = was.settings.train.epochs;
        let back = now.differences(&was);
        assert_eq!(back.len(), 2, "{back:?}");
        assert!(
            back.iter().any(|d| d.starts_with("estimator.beta: was absent, now 0.3")),
            "{back:?}"
        );
    }

    /// Every part of the description but epochs, version and machine must change it.
    #[test]
    fn the_fingerprint_tells_runs_apart() {
        let changes: [fn(&mut RunDescription); 9] = [
            |_| {},
            |d| d.settings.seed += 1,
            |d| d.settings.estimator.k += 1,
            |d| d.settings.train.rate *= 2.0,
            |d| d.settings.adam.epsilon *= 2.0,
            |d| d.settings.data.validation = 1,
            |d| d.identity.sources[0].sha256 = "01".into(),
            |d| d.identity.from = None,
            |d| d.settings.train.eval_every = 3,
        ];
        let mut fingerprints: Vec<String> = (changes.iter())
            .map(|change| {
                let mut description = full();
                change(&mut description);
                description.fingerprint()
            })
            .collect();
        let mut continued = full();
        continued.settings.train.epochs += 1;
        continued.identity.version = "9".into();
        continued.machine.threads = 64;
        assert_eq!(continued.fingerprint(), fingerprints[0]);
        fingerprints.sort();
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), changes.len());
    }
}
