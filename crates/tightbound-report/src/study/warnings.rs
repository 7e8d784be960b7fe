//! Say where runs that stand side by side were not made alike.

use std::collections::{BTreeMap, BTreeSet};

use tightbound::data::sources_hash;

use super::comparison::Comparison;
use super::run::Run;

/// Settings that methods are allowed to differ in: they are what is compared, or change no result.
const COMPARED: [&str; 7] = [
    "seed",
    "estimator.",
    "train.update",
    "train.beta",
    "train.monitor",
    "train.eval_",
    "data.name",
];

/// What a reader must know before comparing: problems of single runs, and differences between those of
/// a comparison that are not the methods themselves.
pub fn warnings(comparisons: &[Comparison], runs: &[Run]) -> Vec<String> {
    let mut warnings = Vec::new();
    for run in runs {
        warnings.extend(run.problems.iter().map(|problem| format!("{}: {problem}.", run.name())));
    }
    for comparison in comparisons {
        let runs: Vec<&Run> =
            comparison.methods.iter().flat_map(|m| m.runs.iter().copied()).collect();
        for (key, values) in differences(&runs) {
            let parts = values.iter().map(|(value, names)| format!("{value} in {}", some(names)));
            let parts: Vec<String> = parts.collect();
            warnings.push(format!(
                "{}: {key} differs: {}. Compare with care.",
                comparison.name(),
                parts.join("; ")
            ));
        }
    }
    warnings
}

/// At most three names.
fn some(names: &[String]) -> String {
    match names {
        [first, second, third, _, ..] => {
            format!("{first}, {second}, {third} and {} more", names.len() - 3)
        }
        _ => names.join(", "),
    }
}

/// Every key that has several values, with the runs of each.
fn differences(runs: &[&Run]) -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let mut keys: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    let mut note = |key: &str, value: String, run: &Run| {
        keys.entry(key.to_owned()).or_default().entry(value).or_default().push(run.name());
    };
    let settings: Vec<BTreeMap<String, String>> = runs.iter().map(|run| flat(run)).collect();
    let all: BTreeSet<&String> = settings.iter().flat_map(BTreeMap::keys).collect();
    for key in all {
        if !COMPARED.iter().any(|compared| key.starts_with(compared)) {
            for (run, settings) in runs.iter().zip(&settings) {
                // Settings that do not stand in a file have a default all the same.
                let value = settings.get(key).map_or("not set", |value| value);
                note(key, value.to_owned(), run);
            }
        }
    }
    for run in runs {
        let sources = run.description.identity.sources.iter().map(|source| &*source.sha256);
        note("the training data", format!("hash {}", sources_hash(sources)), run);
        note("the number of epochs done", run.epoch().to_string(), run);
        note("the version", run.description.identity.version.clone(), run);
        let from = run.description.identity.from.as_ref();
        note("the start", from.map_or("new weights".into(), ToString::to_string), run);
        for scored in run.evaluations.iter().filter(|scored| scored.on.part == "test") {
            let on = match scored.on.data == run.description.identity.data {
                true => String::new(),
                false => format!(" on {}", scored.on.data),
            };
            let mut note = |what: &str, value| note(&format!("{what}{on}"), value, run);
            note("K of log p̂", scored.options.k.to_string());
            note("the evaluation's seed", scored.options.seed.to_string());
            note("the number of scored images", scored.scores.images.to_string());
            let pixels = format!("{:?}", scored.options.test_pixels).to_lowercase();
            note("the rule for test pixels", pixels);
            note("the test images' hash", scored.on.hash.clone());
        }
    }
    keys.retain(|_, values| values.len() > 1);
    keys
}

/// `section.key` and value of every setting of a run.
fn flat(run: &Run) -> BTreeMap<String, String> {
    let settings = serde_json::to_value(&run.description.settings).expect("plain settings");
    let mut flat = BTreeMap::new();
    flatten("", &settings, &mut flat);
    flat
}

fn flatten(prefix: &str, value: &serde_json::Value, flat: &mut BTreeMap<String, String>) {
    match value.as_object() {
        Some(object) => {
            for (key, value) in object {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&key, value, flat);
            }
        }
        None => {
            flat.insert(prefix.to_owned(), value.to_string());
        }
    }
}
