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
        follow_the_estimator(&mut settings, &given)?;
        settings.validate()?;
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::estimators::EstimatorSettings;
    use crate::settings::{BetaObjective, Update};

    /// Resolves one configuration file and a command line of `--set`s.
    fn resolve(file: &str, sets: &[&str]) -> Result<Settings, SettingsError> {
        let file = Assignment::parse_file(file, Path::new("c.toml"))?;
        let sets = sets.iter().map(|s| Assignment::parse(s)).collect::<Result<Vec<_>, _>>()?;
        Resolver::new().layer(file).layer(sets).resolve()
    }

    fn message(file: &str, sets: &[&str]) -> String {
        resolve(file, sets).unwrap_err().to_string()
    }

    #[test]
    fn later_layers_win() {
        let file = "protocol = 'report'\n[train]\nepochs = 13\nbatch = 100\n";
        let settings = resolve(file, &["train.batch=50", "train.batch=25", "seed=9"]).unwrap();
        assert_eq!(settings.protocol, Protocol::Report);
        assert_eq!(settings.adam.epsilon, 1e-8, "the rest comes from the report's preset");
        let train = &settings.train;
        assert_eq!((train.epochs, train.batch, settings.seed), (13, 25, 9));
    }

    #[test]
    fn every_estimator_has_a_default_budget_of_64() {
        for definition in crate::estimators::registry() {
            let name = format!("estimator.name={}", definition.name);
            let settings = resolve("", &[&name]).unwrap();
            let estimator = settings.estimator;
            assert_eq!(estimator.m * estimator.k, 64, "{}", definition.name);
            let usual = EstimatorSettings::new(definition.name, estimator.m, estimator.k);
            assert_eq!(estimator, usual, "{}", definition.name);
        }
        let samples = |name: &str| {
            let estimator = resolve("", &[name]).unwrap().estimator;
            (estimator.m, estimator.k)
        };
        assert_eq!(samples("estimator.name=vae"), (64, 1));
        assert_eq!(samples("estimator.name=iwae"), (1, 64));
        assert_eq!(samples("estimator.name=piwae"), (8, 8));
    }

    #[test]
    fn a_change_of_estimator_takes_its_samples_along() {
        let file = "[estimator]\nname = 'piwae'\nm = 4\nk = 16\n[train]\nupdate = 'random'\n";
        let kept = resolve(file, &["estimator.name=piwae", "estimator.k=5"]).unwrap();
        assert_eq!((kept.estimator.m, kept.estimator.k), (4, 5));
        let changed = resolve(file, &["estimator.k=5", "estimator.name=iwae"]).unwrap();
        assert_eq!((changed.estimator.m, changed.estimator.k), (1, 5));
        assert_eq!(changed.train.update, Update::Random);
    }

    #[test]
    fn a_change_of_rule_takes_its_gamma_along() {
        let file = "[estimator]\ngradient = 'ovis'\ngamma = 0.25\n";
        let parent = resolve(file, &[]).unwrap();
        assert_eq!(parent.estimator.gamma, Some(0.25));
        assert_eq!(resolve(file, &["estimator.k=5"]).unwrap().estimator.gamma, Some(0.25));
        let dreg = resolve(file, &["estimator.gradient=dreg"]).unwrap().estimator;
        assert_eq!((dreg.gradient, dreg.gamma), (Gradient::Dreg, None));
        let tvo = resolve(file, &["estimator.name=tvo"]).unwrap().estimator;
        assert_eq!((tvo.gradient, tvo.gamma), (Gradient::Covariance, None));
        let flag = |text: &str| Assignment::parse(text).unwrap();
        let child = Resolver::from_run(parent).layer(vec![flag("estimator.gradient=vimco")]);
        assert_eq!(child.resolve().unwrap().estimator.gamma, None);
    }

    #[test]
    fn the_report_updates_the_encoder_of_piwae_first() {
        let report = |name: &str| resolve("", &["protocol=report", name]).unwrap().train.update;
        assert_eq!(report("estimator.name=piwae"), Update::EncoderFirst);
        assert_eq!(report("estimator.name=miwae"), Update::Joint);
        assert_eq!(resolve("", &["estimator.name=piwae"]).unwrap().train.update, Update::Joint);
    }

    #[test]
    fn a_run_to_start_from_gives_the_defaults() {
        let parent = resolve("protocol = 'report'", &["estimator.name=piwae", "estimator.m=4"]);
        let parent = parent.unwrap();
        let child = |flags: &[(&'static str, &str, &str)]| {
            let layer = flags.iter().map(|&(f, key, v)| Assignment::flag(f, key, v)).collect();
            Resolver::from_run(parent.clone()).layer(layer).resolve()
        };
        assert_eq!(child(&[]).unwrap(), parent);
        let iwae = child(&[("--estimator", "estimator.name", "iwae")]).unwrap();
        assert_eq!((iwae.estimator.m, iwae.estimator.k), (1, 64));
        assert_eq!((iwae.train.update, iwae.protocol), (Update::Joint, Protocol::Report));
        let error = child(&[("--protocol", "protocol", "paper")]).unwrap_err().to_string();
        assert!(error.starts_with("--protocol: the run to start from follows"), "{error}");
    }

    #[test]
    fn a_learned_beta_needs_one_that_can_move() {
        let learned =
            |name: &str, beta: &str| resolve("", &[name, "train.beta_objective=maximise", beta]);
        let settings = learned("estimator.name=ciwae", "estimator.beta=0.3").unwrap();
        assert_eq!(settings.train.beta_objective, BetaObjective::Maximise);
        assert_eq!(settings.estimator.beta, Some(0.3));
        assert_eq!(
            learned("estimator.name=ciwae", "estimator.beta=1.0"),
            Err(SettingsError::LearnedBetaAtEnd(1.0))
        );
        assert!(learned("estimator.name=iwae", "seed=1").is_err());
    }

    #[test]
    fn unknown_keys_are_refused_with_their_place() {
        assert_eq!(
            message("seed = 1\n[train]\nepoch = 3\n", &[]),
            "c.toml, line 3, column 1: there is no setting `train.epoch`; [train] has: batch, \
             beta_objective, beta_target, epochs, eval_every, eval_k, monitor, non_finite, prune, rate, \
             stages, update"
        );
        let top = "there is no setting `epochs`; there are: protocol, seed, and the sections \
                   adam, data, estimator, model, train";
        assert_eq!(message("epochs = 3", &[]), format!("c.toml, line 1, column 1: {top}"));
        assert_eq!(message("", &["epochs=3"]), format!("--set: {top}"));
        assert!(message("", &["train=3"]).contains("no setting `train`; [train] has"));
        assert!(message("", &["train.rate.x=3"]).contains("no setting `train.rate.x`"));
    }

    #[test]
    fn wrong_types_are_refused_with_their_place() {
        assert_eq!(
            message("\n[train]\nepochs = 'many'\n", &[]),
            "c.toml, line 3, column 1: train.epochs = \"many\": invalid type: string \"many\", \
             expected a whole number, 0 or more"
        );
        assert!(message("", &["model.encoder=200"]).contains("expected a list"));
        assert!(message("", &["seed=[]"]).ends_with("expected a whole number, 0 or more"));
        assert!(message("", &["train.rate=[]"]).ends_with("expected a number"));
        let error = message("", &["train.update=both"]);
        assert!(error.starts_with("--set: train.update = \"both\": unknown variant"), "{error}");
        assert!(error.contains("`encoder-first`"), "{error}");
        assert!(message("", &["train.epochs=-3"]).contains("train.epochs = -3"));
        assert_eq!(resolve("", &["train.rate=1"]).unwrap().train.rate, 1.0);
    }

    #[test]
    fn numbers_outside_their_range_name_key_and_flag() {
        for (set, expected) in [
            ("train.epochs=0", "train.epochs (--epochs) must be at least 1, not 0"),
            ("train.batch=0", "train.batch (--batch) must be at least 1, not 0"),
            (
                "train.epochs=4294967296",
                "train.epochs (--epochs) must be at most 4,294,967,295, not 4294967296",
            ),
            (
                "train.rate=0.0",
                "train.rate must be a finite number above 0 in single precision, not 0.0",
            ),
            (
                "train.rate=nan",
                "train.rate must be a finite number above 0 in single precision, not NaN",
            ),
            (
                "train.rate=1e39",
                "train.rate must be a finite number above 0 in single precision, not 1e39",
            ),
            (
                "train.stages=0",
                "train.stages must be from 1 to 20 (stage i lasts 3^i epochs), not 0",
            ),
            ("adam.beta1=1.0", "adam.beta1 must be in [0, 1), not 1"),
            (
                "adam.epsilon=inf",
                "adam.epsilon must be a finite number above 0 in single precision, not inf",
            ),
            (
                "adam.epsilon=1e-50",
                "adam.epsilon must be a finite number above 0 in single precision, not 1e-50",
            ),
            ("model.encoder=[16,0]", "model.encoder must be widths of at least 1, not [16, 0]"),
            ("model.latents=0", "model.latents must be at least 1, not 0"),
            ("data.limit=0", "data.limit must be at least 1, not 0"),
            ("data.name=\"\"", "data.name (--data) must be a name or a path, not empty"),
        ] {
            assert_eq!(message("", &[set]), expected);
        }
        for (sets, part) in [
            (vec!["estimator.k=0"], "--k 0"),
            (vec!["estimator.name=vae", "estimator.k=64"], "use --m 64 --k 1"),
            (vec!["estimator.m=64"], "use --k 64"),
            (vec!["estimator.name=ciwae", "estimator.beta=2.0"], "β must lie in [0, 1], not 2"),
            (vec!["estimator.beta=0.5"], "iwae has no β"),
            (vec!["estimator.name=iwea"], "no estimator `iwea`"),
        ] {
            let error = message("", &sets);
            assert!(error.contains(part), "{sets:?}: {error}");
        }
    }

    #[test]
    fn settings_survive_toml() {
        let sets = ["estimator.name=ciwae", "data.limit=100", "train.rate=0.1", "seed=7"];
        for protocol in ["protocol=paper", "protocol=report"] {
            let settings = resolve("", &[&sets[..], &[protocol]].concat()).unwrap();
            let text = toml::to_string(&settings).unwrap();
            assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings);
            assert_eq!(resolve(&text, &[]).unwrap(), settings, "run.toml is a configuration file");
        }
    }
}
