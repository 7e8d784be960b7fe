//! Resolve layers of settings, and refuse what describes no training.

use std::path::Path;

use super::*;
use crate::estimators::{EstimatorSettings, Gradient};

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
        ("train.stages=0", "train.stages must be from 1 to 20 (stage i lasts 3^i epochs), not 0"),
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

/// And the line that set it last; what the command line set has no line.
#[test]
fn values_of_a_file_are_refused_with_their_place() {
    for (file, refused) in [
        ("[train]\nepochs = 0\n", "2, column 1: train.epochs (--epochs) must be at least 1"),
        ("estimator.name = 'iwea'\n", "1, column 11: there is no estimator `iwea`"),
        ("estimator.name = 'vae'\nestimator.m = 0\n", "2, column 11: M must be at least 1"),
        ("estimator.m = 2\n", "1, column 11: iwae averages all"),
        ("estimator.k = 0\n", "1, column 11: K must be at least 1"),
        ("[estimator]\nk = 3\nname = 'vae'\n", "2, column 1: vae averages"),
        ("[estimator]\nname = 'miwae'\nm = 7\nk = 99999999\n", "4, column 1: M·K = "),
        ("estimator.gradient = 'rws'\nestimator.k = 1\n", "2, column 11: "),
        ("[estimator]\nname = 'vae'\ngradient = 'vimco'\n", "3, column 1: vae has no"),
        ("estimator.beta = 0.5\n", "1, column 11: iwae has no β"),
        ("[estimator]\nname = 'ciwae'\nbeta = 25\n", "3, column 1: β must lie in [0, 1]"),
        ("[estimator]\nname = 'vr-iwae'\nalpha = 25\n", "3, column 1: α must lie"),
        ("[estimator]\ngradient = 'ovis'\ngamma = 25\n", "3, column 1: γ must lie"),
        ("[estimator]\nname = 'tvo'\npartition = [1]\n", "3, column 1: a partition starts"),
        ("train.beta_objective = 'maximise'\n", "1, column 7: iwae has no β to learn"),
        ("train.beta_target = 2.0\n", "1, column 7: train.beta_target (--beta-target)"),
        (
            "estimator.name = 'ciwae'\nestimator.beta = 1\ntrain.beta_objective = 'maximise'\n",
            "2, column 11: a learned β starts strictly between 0 and 1",
        ),
    ] {
        let message = message(file, &[]);
        assert!(message.starts_with(&format!("c.toml, line {refused}")), "{message}");
    }
    let message = message("[estimator]\nname = 'ciwae'\nbeta = 0.5\n", &["estimator.beta=3"]);
    assert!(message.starts_with("β must lie in [0, 1]"), "{message}");
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
