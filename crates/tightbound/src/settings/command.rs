//! Write the command line that repeats a training, and name its folder.

use std::path::Path;

use toml::{Table, Value};

use super::preset::default_update;
use super::types::Settings;

/// Flags that are easier to read than `--set key=value`.
const FLAGS: [(&str, &str); 14] = [
    ("data.name", "--data"),
    ("data.validation", "--validation"),
    ("estimator.name", "--estimator"),
    ("estimator.gradient", "--gradient"),
    ("estimator.m", "--m"),
    ("estimator.k", "--k"),
    ("estimator.beta", "--beta"),
    ("train.beta_objective", "--beta-objective"),
    ("train.beta_target", "--beta-target"),
    ("train.epochs", "--epochs"),
    ("train.batch", "--batch"),
    ("train.update", "--update"),
    ("train.monitor", "--monitor"),
    ("train.eval_k", "--eval-k"),
];

/// What every command says, whether it is the default or not.
const ALWAYS: [&str; 5] =
    ["data.name", "estimator.name", "estimator.m", "estimator.k", "train.epochs"];

impl Settings {
    /// Data, bound, M and K, as folders are named: `mnist-piwae-8x8`.
    pub fn stem(&self) -> String {
        let data = Path::new(&self.data.name).file_stem().unwrap_or_default().to_string_lossy();
        let estimator = &self.estimator;
        format!("{data}-{}-{}x{}", estimator.label(), estimator.m, estimator.k)
    }

    /// The words of a command line that resolves to these settings: everything that departs from the
    /// protocol, and what a reader looks for. Words are not quoted for any shell; some have brackets.
    pub fn train_command(&self) -> Vec<String> {
        let table = |settings: &Self| Table::try_from(settings).expect("settings are a TOML table");
        let mut preset = Self::preset(self.protocol);
        preset.train.update = default_update(self.protocol, &self.estimator.name);
        let (own, preset) = (table(self), table(&preset));
        let mut words = vec!["tightbound".to_owned(), "train".to_owned()];
        let mut rest = Vec::new();
        for (section, keys) in &own {
            let Value::Table(keys) = keys else { continue };
            for (name, value) in keys {
                let key = format!("{section}.{name}");
                let usual = preset[section].get(name) == Some(value);
                if usual && !ALWAYS.contains(&&*key) {
                    continue;
                }
                match FLAGS.iter().find(|(known, _)| *known == key) {
                    Some((_, flag)) => words.extend([(*flag).to_owned(), plain(value)]),
                    None => rest.extend(["--set".to_owned(), format!("{key}={value}")]),
                }
            }
        }
        words.extend(["--protocol".to_owned(), self.protocol.to_string()]);
        words.extend(["--seed".to_owned(), self.seed.to_string()]);
        words.extend(rest);
        words
    }
}

/// A value as a flag takes it: strings without their quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
