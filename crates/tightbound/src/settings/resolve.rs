//! Lay what the user asked for over the defaults, one checked assignment at a time.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::assignment::Assignment;
use super::error::SettingsError;
use super::origin::Origin;
use super::preset::{default_estimator, default_update};
use super::types::{Monitor, Protocol, Settings, beta_target};
use crate::estimators::Gradient;

/// What makes complete settings out of the layers the user gave.
///
/// Later layers win, and within a layer later assignments. M, K, the gradient rule, β, what moves β and
/// the like belong to their estimator: a layer that changes the estimator takes them back to its
/// defaults, unless this or a later layer sets them; so does γ with the rule. The update order follows protocol and estimator until somebody sets it.
///
/// ```
/// use tightbound::settings::{Assignment, Resolver};
///
/// let flags = vec![Assignment::flag("--estimator", "estimator.name", "miwae")];
/// let settings = Resolver::new().layer(flags).resolve()?;
/// assert_eq!((settings.estimator.m, settings.estimator.k), (8, 8));
/// # Ok::<(), tightbound::settings::SettingsError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    parent: Option<Settings>,
    layers: Vec<Vec<Assignment>>,
}

/// The settings that mean something for one estimator only.
const OF_THE_ESTIMATOR: [&str; 9] = [
    "estimator.m",
    "estimator.k",
    "estimator.gradient",
    "estimator.beta",
    "estimator.alpha",
    "estimator.gamma",
    "estimator.partition",
    "train.beta_objective",
    "train.beta_target",
];

impl Resolver {
    /// Starts from the preset of the protocol that the layers name, by default `paper`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts from the settings of another run, whose protocol then cannot change.
    pub fn from_run(parent: Settings) -> Self {
        Self { parent: Some(parent), layers: Vec::new() }
    }

    /// Adds a layer on top.
    pub fn layer(mut self, assignments: Vec<Assignment>) -> Self {
        self.layers.push(assignments);
        self
    }

    /// Lays all layers over each other and checks every range.
    pub fn resolve(self) -> Result<Settings, SettingsError> {
        let known = KnownKeys::new();
        for assignment in self.layers.iter().flatten() {
            known.check(assignment)?;
        }
        let base = match &self.parent {
            None => Settings::preset(protocol(&self.layers)?.unwrap_or_default()),
            Some(parent) => {
                keep_protocol(parent, &self.layers)?;
                parent.clone()
            }
        };
        let mut given = BTreeSet::new();
        if let Some(parent) = &self.parent {
            given.extend(OF_THE_ESTIMATOR);
            let usual = default_update(parent.protocol, &parent.estimator.name);
            if parent.train.update != usual {
                given.insert("train.update");
            }
        }
        let mut settings = base;
        for layer in &self.layers {
            // What others belong to comes first.
            let rank = |a: &&Assignment| match a.key.as_str() {
                "estimator.name" => 0,
                "estimator.gradient" => 1,
                _ => 2,
            };
            let mut ordered: Vec<_> = layer.iter().collect();
            ordered.sort_by_key(rank);
            for assignment in ordered {
                let before = settings.estimator.clone();
                settings = assign(&settings, assignment)?;
                if settings.estimator.name != before.name {
                    given.retain(|key| !OF_THE_ESTIMATOR.contains(key));
                }
                if settings.estimator.gradient != before.gradient {
                    given.remove("estimator.gamma");
                }
                given.insert(&assignment.key);
            }
        }
        let checked =
            follow_the_estimator(&mut settings, &given).and_then(|()| settings.validate());
        checked.map_err(|error| error.at_its_line(&self.layers))?;
        Ok(settings)
    }
}

/// Sets what nobody set to the defaults of the estimator.
fn follow_the_estimator(
    settings: &mut Settings,
    given: &BTreeSet<&str>,
) -> Result<(), SettingsError> {
    let estimator = &settings.estimator;
    let m = given.contains("estimator.m").then_some(estimator.m);
    let k = given.contains("estimator.k").then_some(estimator.k);
    let mut resolved = default_estimator(&estimator.name, m, k)?;
    if given.contains("estimator.gradient") {
        resolved = resolved.with_gradient(estimator.gradient);
    }
    if given.contains("estimator.beta") {
        resolved.beta = estimator.beta;
    }
    if given.contains("estimator.alpha") {
        resolved.alpha = estimator.alpha;
    }
    if given.contains("estimator.gamma") {
        resolved.gamma = estimator.gamma;
    }
    if given.contains("estimator.partition") {
        resolved.partition.clone_from(&estimator.partition);
    }
    if !given.contains("train.update") {
        settings.train.update = default_update(settings.protocol, &resolved.name);
    }
    if !given.contains("train.beta_objective") {
        settings.train.beta_objective = Settings::preset(settings.protocol).train.beta_objective;
    }
    if !given.contains("train.beta_target") {
        settings.train.beta_target = beta_target();
    }
    settings.estimator = resolved;
    Ok(())
}

/// The protocol that the layers name, if any does.
fn protocol(layers: &[Vec<Assignment>]) -> Result<Option<Protocol>, SettingsError> {
    let named = layers.iter().flatten().rfind(|a| a.key == "protocol");
    let probe = Settings::preset(Protocol::default());
    named.map(|assignment| Ok(assign(&probe, assignment)?.protocol)).transpose()
}

/// Refuses a protocol other than the parent's.
fn keep_protocol(parent: &Settings, layers: &[Vec<Assignment>]) -> Result<(), SettingsError> {
    for assignment in layers.iter().flatten().filter(|a| a.key == "protocol") {
        if assign(parent, assignment)?.protocol != parent.protocol {
            return Err(SettingsError::ProtocolOfParent {
                origin: assignment.origin.clone(),
                parent: parent.protocol.to_string(),
            });
        }
    }
    Ok(())
}

/// Returns `settings` with one value replaced.
fn assign(settings: &Settings, assignment: &Assignment) -> Result<Settings, SettingsError> {
    let mut table = Table::try_from(settings).expect("settings are a TOML table");
    let (section, key) = assignment.key.rsplit_once('.').unwrap_or(("", &assignment.key));
    let place = match section {
        "" => &mut table,
        _ => table
            .get_mut(section)
            .and_then(Value::as_table_mut)
            .expect("the key was checked against the known ones"),
    };
    place.insert(key.to_owned(), assignment.value.clone());
    table.try_into().map_err(|error: toml::de::Error| SettingsError::WrongType {
        origin: assignment.origin.clone(),
        key: assignment.key.clone(),
        value: assignment.value.to_string(),
        message: in_words(error.message()),
    })
}

/// What the TOML reader says, without the names of Rust's types.
fn in_words(message: &str) -> String {
    let mut message = message.trim_end().to_owned();
    for (rust, words) in [
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list, such as [200, 200]"),
    ] {
        message = message.replace(rust, words);
    }
    message
}

/// The keys of all settings, optional ones included.
struct KnownKeys(Table);

impl KnownKeys {
    fn new() -> Self {
        let mut settings = Settings::preset(Protocol::default());
        settings.estimator.gradient = Gradient::Dreg;
        settings.train.monitor = Monitor::Snr;
        settings.train.eval_k = 1;
        settings.train.beta_target = 1.0;
        settings.train.eval_k = 1;
        settings.estimator.beta = Some(0.0);
        settings.estimator.alpha = Some(0.0);
        settings.estimator.gamma = Some(0.0);
        settings.estimator.partition = Some(vec![0.0]);
        settings.data.limit = Some(1);
        Self(Table::try_from(&settings).expect("settings are a TOML table"))
    }

    /// Refuses an assignment to a key that does not exist.
    fn check(&self, assignment: &Assignment) -> Result<(), SettingsError> {
        let mut parts = assignment.key.split('.');
        let first = self.0.get(parts.next().unwrap_or_default());
        let known = match (first, parts.next(), parts.next()) {
            (Some(Value::Table(section)), Some(key), None) => section.contains_key(key),
            (Some(value), None, None) => !value.is_table(),
            _ => false,
        };
        if known { Ok(()) } else { Err(self.unknown(&assignment.key, &assignment.origin)) }
    }

    /// Says which keys there are where `key` was looked for.
    fn unknown(&self, key: &str, origin: &Origin) -> SettingsError {
        let section = key.split('.').next().unwrap_or_default();
        let known = match self.0.get(section) {
            Some(Value::Table(table)) => {
                let keys: Vec<_> = table.keys().map(String::as_str).collect();
                format!("[{section}] has: {}", keys.join(", "))
            }
            _ => {
                let (sections, keys): (Vec<_>, Vec<_>) =
                    self.0.iter().partition(|(_, value)| value.is_table());
                let names = |entries: Vec<(&String, &Value)>| {
                    entries.into_iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ")
                };
                format!("there are: {}, and the sections {}", names(keys), names(sections))
            }
        };
        SettingsError::UnknownKey { origin: origin.clone(), key: key.to_owned(), known }
    }
}
